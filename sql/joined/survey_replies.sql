-- Replies that say "answered", with each surveyed town they speak for: the town itself (AGS) or those of an association (ARS).
SELECT r.welle, r.einheit, r.zeile, r.gremien, f.ags, length(r.einheit) = 9 AS verband
FROM input.survey_responses r
JOIN joined.survey_frame f
    ON f.welle = r.welle AND r.einheit = CASE length(r.einheit) WHEN 9 THEN f.verband_ars ELSE f.ags END
WHERE r.geantwortet
