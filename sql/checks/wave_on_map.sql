-- Every town of a wave's frame has its place on the map. Towns that are one municipality there must have one status in the
-- survey: that one of them answered says nothing about the others.
SELECT 'survey_waves' AS datensatz, NULL AS zeile, 'gebietsstand' AS spalte, f.ags AS wert,
    f.gemeinde_amtlich || ' ist auf der Karte nicht eindeutig (möglich: ' || coalesce(k.moegliche, 'keine') || ').' AS meldung,
    'Bitte den Gebietsstand der Karte oder die Gebietsänderungen prüfen.' AS abhilfe
FROM joined.survey_frame f
LEFT JOIN joined.key_resolution k ON k.ags = f.ags AND k.ags_stand = f.gebietsstand
WHERE k.ags_karte IS NULL AND (k.moegliche IS NOT NULL OR NOT coalesce(k.bekannt, false))
UNION ALL
SELECT 'survey_waves', NULL, 'gebietsstand', k.ags_karte,
    string_agg(f.gemeinde_amtlich, ' und ' ORDER BY f.ags) || ' sind auf der Karte eine Gemeinde, haben in der Befragung aber '
        || 'nicht denselben Status; für die Gemeinde gibt es keinen wahren.',
    'Bitte für die Karte den Gebietsstand der Welle wählen; dort steht jede Stadt für sich.'
FROM joined.survey_frame f
JOIN joined.survey_status s ON s.welle = f.welle AND s.ags = f.ags
JOIN joined.key_resolution k ON k.ags = f.ags AND k.ags_stand = f.gebietsstand
WHERE f.welle = getvariable('wave') AND k.ags_karte IS NOT NULL
GROUP BY k.ags_karte HAVING count(DISTINCT s.befragung_status) > 1
