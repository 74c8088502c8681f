-- Every municipality of the map lies in a district and a Land that the boundary file names.
SELECT b.datensatz, NULL AS zeile, 'schluessel' AS spalte, m.ags AS wert,
    'zur Gemeinde ' || m.gemeinde_amtlich || ' fehlt der Kreis ' || m.kreis_schluessel || '.' AS meldung,
    'Bitte die Ebene „kreis“ der Grenzen ergänzen.' AS abhilfe
FROM joined.municipalities m, (SELECT any_value(datensatz) AS datensatz FROM staging.map_boundaries) b WHERE m.kreis IS NULL
UNION ALL
SELECT any_value(b.datensatz), NULL, 'schluessel', m.land_schluessel, 'das Land der Gemeinde ' || min(m.gemeinde_amtlich) || ' fehlt.',
    'Bitte die Ebene „land“ der Grenzen ergänzen.'
FROM joined.municipalities m, (SELECT any_value(datensatz) AS datensatz FROM staging.map_boundaries) b
WHERE m.land_schluessel NOT IN (SELECT schluessel FROM staging.map_boundaries WHERE ebene = 'land')
GROUP BY m.land_schluessel
