-- Figures of a wave counted from its response file; only for waves that have one.
WITH replies AS (
    SELECT w.welle, r.einheit, r.geantwortet, r.gremien
    FROM input.survey_waves w JOIN input.survey_responses r USING (welle)
)
SELECT
    welle,
    count(*) FILTER (WHERE geantwortet) AS antwortende,
    count(*) FILTER (WHERE geantwortet AND gremien = 'aktiv') AS mit_aktivem_gremium,
    (SELECT count(DISTINCT ags) FROM joined.survey_replies s WHERE s.welle = replies.welle) AS abgedeckte_staedte
FROM replies GROUP BY welle
