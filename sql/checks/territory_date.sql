-- A territory that the map or a wave needs must follow exactly from the boundaries and the known changes.
SELECT n.datensatz, n.zeile, n.spalte, CAST(d.stand AS VARCHAR) AS wert,
    'der Gebietsstand lässt sich nicht genau bilden: ' || d.hindernisse || '.' AS meldung,
    'Bitte einen anderen Tag wählen oder neuere Grenzen laden.' AS abhilfe
FROM (
    SELECT 'profile.toml' AS datensatz, NULL AS zeile, 'territory.date' AS spalte, getvariable('territory_date') AS stand
    WHERE getvariable('territory_basis') = 'befragung'
    UNION ALL SELECT 'survey_waves', zeile, 'gebietsstand', gebietsstand FROM input.survey_waves
) n
JOIN staging.territory_dates d USING (stand)
WHERE NOT d.beantwortbar
