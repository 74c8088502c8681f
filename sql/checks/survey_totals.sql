-- Where a wave has published figures and a response file, both agree.
SELECT 'survey_waves' AS datensatz, w.zeile, 'geantwortet' AS spalte, CAST(w.geantwortet AS VARCHAR) AS wert,
    'die Antwortdatei enthält ' || c.antwortende || ' antwortende Stellen.' AS meldung,
    'Bitte die Antwortdatei vervollständigen oder die veröffentlichte Zahl prüfen.' AS abhilfe
FROM input.survey_waves w JOIN joined.survey_counts c USING (welle) WHERE c.antwortende <> w.geantwortet
UNION ALL
SELECT 'survey_waves', w.zeile, 'gremien_aussage', w.gremien_aussage,
    'in der Antwortdatei melden ' || c.mit_aktivem_gremium || ' von ' || c.antwortende
        || ' antwortenden Stellen ein aktives Gremium; das passt nicht zur veröffentlichten Aussage.',
    'Bitte die Antwortdatei prüfen.'
FROM input.survey_waves w JOIN joined.survey_counts c USING (welle)
WHERE c.antwortende > 0
    AND NOT (c.mit_aktivem_gremium / c.antwortende BETWEEN w.gremien_anteil_von AND w.gremien_anteil_bis)
