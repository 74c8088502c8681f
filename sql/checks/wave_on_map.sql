-- Every town of a wave's frame has its place on the map.
SELECT 'survey_waves' AS datensatz, NULL AS zeile, 'gebietsstand' AS spalte, f.ags AS wert,
    f.gemeinde_amtlich || ' ist auf der Karte nicht eindeutig (möglich: ' || coalesce(k.moegliche, 'keine') || ').' AS meldung,
    'Bitte den Gebietsstand der Karte oder die Gebietsänderungen prüfen.' AS abhilfe
FROM joined.survey_frame f
LEFT JOIN joined.key_resolution k ON k.ags = f.ags AND k.ags_stand = f.gebietsstand
WHERE k.ags_karte IS NULL AND (k.moegliche IS NOT NULL OR NOT coalesce(k.bekannt, false))
