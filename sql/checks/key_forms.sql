-- Keys have the digits of their level and agree with each other: an ARS is the AGS with the association after the district.
WITH registers AS (
    SELECT 'register' AS datensatz, * FROM input.register
    UNION ALL SELECT 'register_current', * FROM input.register_current
)
SELECT datensatz, zeile, 'schluessel' AS spalte, schluessel AS wert,
    'ein Schlüssel der Ebene „' || ebene || '“ hat ' || stellen || ' Stellen.' AS meldung, 'Bitte berichtigen.' AS abhilfe
FROM (
    SELECT *, CASE ebene WHEN 'gemeinde' THEN 8 WHEN 'kreis' THEN 5 ELSE 2 END AS stellen
    FROM (SELECT 'boundaries' AS datensatz, zeile, ebene, schluessel FROM input.boundaries
          UNION ALL SELECT 'boundaries_current', zeile, ebene, schluessel FROM input.boundaries_current)
)
WHERE length(schluessel) <> stellen
UNION ALL
SELECT datensatz, zeile, 'ars', ars, 'der Regionalschlüssel passt nicht zum Gemeindeschlüssel ' || ags || '.',
    'Bitte beide Schlüssel prüfen.'
FROM registers WHERE left(ars, 5) || right(ars, 3) <> ags
UNION ALL
SELECT datensatz, zeile, 'verband_ars', verband_ars, 'der Schlüssel des Verbands passt nicht zum Regionalschlüssel ' || ars || '.',
    'Bitte beide Schlüssel prüfen.'
FROM registers WHERE left(ars, 9) <> verband_ars
UNION ALL
SELECT datensatz, zeile, 'kreis_schluessel', kreis_schluessel,
    'der Kreisschlüssel passt nicht zum Gemeindeschlüssel ' || ags || '.', 'Bitte beide Schlüssel prüfen.'
FROM registers WHERE left(ags, 5) <> kreis_schluessel
UNION ALL
SELECT 'boundaries_current', zeile, 'ars', ars, 'der Regionalschlüssel passt nicht zum Gemeindeschlüssel ' || schluessel || '.',
    'Bitte die Grenzen neu laden.'
FROM input.boundaries_current WHERE ebene = 'gemeinde' AND (length(ars) <> 12 OR left(ars, 5) || right(ars, 3) <> schluessel)
