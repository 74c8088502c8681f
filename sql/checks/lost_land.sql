-- No municipality of the boundary file is lost on the way to the map, and none lies outside the profile's Länder.
SELECT 'boundaries' AS datensatz, b.zeile, 'schluessel' AS spalte, b.schluessel AS wert,
    CASE WHEN c.ags IS NULL THEN 'die Gemeinde kommt auf der Karte nicht vor.'
        ELSE 'die Gemeinde liegt außerhalb der Länder dieses Profils (' || array_to_string(getvariable('lands'), ', ') || ').'
    END AS meldung,
    'Bitte Grenzen, Gebietsänderungen und Profil vergleichen.' AS abhilfe
FROM input.boundaries b
LEFT JOIN joined.territory_crosswalk c ON c.ags_basis = b.schluessel AND c.stand = getvariable('territory_date')
JOIN staging.territory_dates d ON d.stand = getvariable('territory_date') AND d.beantwortbar
WHERE b.ebene = 'gemeinde'
    AND (c.ags IS NULL OR (len(getvariable('lands')) > 0 AND NOT list_contains(getvariable('lands'), left(b.schluessel, 2))))
