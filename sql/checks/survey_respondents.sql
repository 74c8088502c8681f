-- A respondent is a surveyed town or an association with at least one of them; its wave exists.
SELECT r.datensatz, r.zeile, 'einheit' AS spalte, r.einheit AS wert,
    CASE WHEN r.welle NOT IN (SELECT welle FROM input.survey_waves) THEN 'die Welle „' || r.welle || '“ ist nicht bekannt.'
        ELSE 'diese Stelle gehört nicht zum Rahmen der Befragung.' END AS meldung,
    CASE WHEN r.welle NOT IN (SELECT welle FROM input.survey_waves) THEN 'Bitte die Welle in survey_waves eintragen.'
        ELSE 'Bitte den Schlüssel mit befragung_rahmen vergleichen.' END AS abhilfe
FROM input.survey_responses r
WHERE NOT EXISTS (
    FROM joined.survey_frame f
    WHERE f.welle = r.welle AND r.einheit = CASE length(r.einheit) WHEN 9 THEN f.verband_ars ELSE f.ags END)
UNION ALL
SELECT datensatz, zeile, 'gremien', gremien, 'die Stelle hat nicht geantwortet, macht aber eine Angabe.',
    'Bitte geantwortet und gremien in Einklang bringen.'
FROM input.survey_responses WHERE NOT geantwortet AND gremien IS NOT NULL
