-- No municipality of the boundary file is lost on the way to the map, and none lies outside the profile's Länder.
SELECT 'boundaries' AS datensatz, b.zeile, 'schluessel' AS spalte, b.schluessel AS wert,
    'die Gemeinde kommt auf der Karte nicht vor.' AS meldung, 'Bitte Grenzen und Gebietsänderungen vergleichen.' AS abhilfe
FROM input.boundaries b
JOIN staging.territory_dates d ON d.stand = getvariable('territory_date') AND d.beantwortbar
LEFT JOIN joined.territory_crosswalk c ON c.ags_basis = b.schluessel AND c.stand = d.stand
LEFT JOIN joined.map_geometry g ON g.ebene = 'gemeinde' AND g.schluessel = c.ags
WHERE b.ebene = 'gemeinde' AND g.schluessel IS NULL AND getvariable('territory_basis') = 'befragung'
UNION ALL
SELECT datensatz, min(zeile), 'schluessel', left(schluessel, 2),
    count(*) || ' Gemeinden liegen außerhalb der Länder dieses Profils (' || array_to_string(getvariable('lands'), ', ') || ').',
    'Bitte Grenzen und Profil vergleichen.'
FROM staging.map_boundaries
WHERE ebene = 'gemeinde' AND NOT list_contains(getvariable('lands'), left(schluessel, 2))
GROUP BY datensatz, left(schluessel, 2)
