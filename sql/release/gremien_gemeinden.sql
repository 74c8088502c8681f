-- Which municipalities share a committee, with the key as recorded and the key on the map.
SELECT
    p.gremium_id, p.ags, m.gemeinde,
    first(p.ags_angabe ORDER BY p.reihe) AS ags_angabe,
    first(p.ags_angabe_stand ORDER BY p.reihe) AS ags_angabe_stand,
    m.gebietsstand
FROM joined.committee_places p JOIN joined.municipalities m ON m.ags = p.ags
GROUP BY p.gremium_id, p.ags, m.gemeinde, m.gebietsstand
