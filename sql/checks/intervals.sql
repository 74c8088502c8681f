-- What has a beginning and an end begins first: the interval of a change, a period of the monitoring, a published share.
SELECT datensatz, zeile, 'in_kraft_bis' AS spalte, CAST(in_kraft_bis AS VARCHAR) AS wert,
    'der Zeitraum der Änderung ist leer, denn „nach“ ist der ' || strftime(nach, '%d.%m.%Y') || '.' AS meldung,
    'Bitte bei einem bekannten Tag in „nach“ den Tag davor eintragen.' AS abhilfe
FROM staging.municipal_changes WHERE in_kraft_bis <= nach
UNION ALL
SELECT 'monitoring', zeile, 'zeitraum_bis', zeitraum_bis, 'der Zeitraum endet, bevor er beginnt (' || zeitraum_von || ').',
    'Bitte berichtigen.'
FROM input.monitoring WHERE zeitraum_bis < zeitraum_von
UNION ALL
SELECT 'survey_waves', zeile, 'gremien_anteil_bis', CAST(gremien_anteil_bis AS VARCHAR),
    'der Anteil ist kleiner als gremien_anteil_von (' || gremien_anteil_von || ').', 'Bitte berichtigen.'
FROM input.survey_waves WHERE gremien_anteil_bis < gremien_anteil_von
