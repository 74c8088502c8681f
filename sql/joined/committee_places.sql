-- Committees on the map: one row per committee and municipality of the map, first-named first.
SELECT m.gremium_id, k.ags_karte AS ags, m.ags AS ags_angabe, m.ags_stand AS ags_angabe_stand, min(m.reihe) AS reihe
FROM staging.committee_municipalities m
JOIN joined.key_resolution k ON k.ags = m.ags AND k.ags_stand IS NOT DISTINCT FROM m.ags_stand
WHERE k.ags_karte IS NOT NULL
GROUP BY ALL
