-- A dissolved municipality is about as large as the register says (share in the profile: thresholds.area_difference).
SELECT CASE getvariable('territory_basis') WHEN 'aktuell' THEN 'register_current' ELSE 'register' END AS datensatz,
    NULL AS zeile, 'flaeche_km2' AS spalte, u.ags AS wert,
    u.gemeinde_amtlich || ': die Grenzen ergeben ' || replace(CAST(round(g.flaeche_m2 / 1e6, 2) AS VARCHAR), '.', ',')
        || ' km², das Gemeindeverzeichnis nennt ' || replace(CAST(u.flaeche_km2 AS VARCHAR), '.', ',') || ' km².' AS meldung,
    'Bitte Grenzen und Gebietsänderungen dieser Gemeinde prüfen.' AS abhilfe
FROM joined.map_attributes u
JOIN joined.map_areas g ON g.ebene = 'gemeinde' AND g.schluessel = u.ags
WHERE abs(g.flaeche_m2 / 1e6 - u.flaeche_km2) > getvariable('area_difference') * u.flaeche_km2
