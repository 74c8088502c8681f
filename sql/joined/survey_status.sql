-- What is known of each surveyed town's answer. Without a response file nobody's answer is known (truth rule 1).
SELECT
    f.welle, f.ags,
    CASE
        WHEN 'survey_responses_' || f.welle NOT IN (SELECT datensatz FROM meta.sources) THEN 'nicht_veroeffentlicht'
        WHEN count(r.einheit) > 0 THEN 'geantwortet'
        ELSE 'nicht_geantwortet'
    END AS befragung_status,
    CASE
        WHEN bool_or(r.verband) AND NOT bool_and(r.verband) THEN 'beide'
        WHEN bool_or(r.verband) THEN 'verband'
        WHEN count(r.einheit) > 0 THEN 'gemeinde'
    END AS antwort_durch,
    -- The town's own statement counts before that of its association.
    first(r.gremien ORDER BY r.verband, r.einheit) FILTER (WHERE r.gremien IS NOT NULL) AS antwort_gremien
FROM joined.survey_frame f LEFT JOIN joined.survey_replies r ON r.welle = f.welle AND r.ags = f.ags
GROUP BY f.welle, f.ags
