-- The wave that the map shows exists.
SELECT 'profile.toml' AS datensatz, NULL AS zeile, 'survey.wave' AS spalte, getvariable('wave') AS wert,
    'diese Welle steht nicht in den Wellen der Befragung.' AS meldung, 'Bitte das Profil oder survey_waves berichtigen.' AS abhilfe
WHERE getvariable('wave') <> '' AND getvariable('wave') NOT IN (SELECT welle FROM input.survey_waves)
