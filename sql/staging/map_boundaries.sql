-- The boundaries of the map, without their shapes: those that the survey's territory is made from, or the newest.
SELECT 'boundaries' AS datensatz, zeile, ebene, schluessel, ars, name, bezeichnung FROM input.boundaries
WHERE getvariable('territory_basis') = 'befragung'
UNION ALL
SELECT 'boundaries_current', zeile, ebene, schluessel, ars, name, bezeichnung FROM input.boundaries_current
WHERE getvariable('territory_basis') = 'aktuell'
