-- Figures of a wave counted from its response file; only for waves that have one, be it empty.
SELECT
    w.welle,
    count(*) FILTER (WHERE r.geantwortet) AS antwortende,
    count(*) FILTER (WHERE r.geantwortet AND r.gremien = 'aktiv') AS mit_aktivem_gremium,
    (SELECT count(DISTINCT ags) FROM joined.survey_replies s WHERE s.welle = w.welle) AS abgedeckte_staedte
FROM input.survey_waves w LEFT JOIN input.survey_responses r USING (welle)
WHERE 'survey_responses_' || w.welle IN (SELECT datensatz FROM meta.sources)
GROUP BY w.welle
