-- The committees known to us with their present state and what the evidence says of them.
WITH seats AS (
    SELECT gremium_id, first(ags ORDER BY reihe) AS ags, count(DISTINCT ags) AS gemeinden_anzahl
    FROM joined.committee_places GROUP BY gremium_id
)
SELECT
    c.gremium_id, c.name, c.art, k.gruppe, m.ags, m.gemeinde, m.kreis_schluessel, m.kreis, seats.gemeinden_anzahl,
    s.status, s.status_stand, s.status_stand_genauigkeit, s.status_beleg_id, s.status_beleg_url,
    c.gegruendet_jahr, c.gegruendet_genauigkeit, p.vorsitz, p.vorsitz_stand, p.turnus, p.turnus_stand,
    p.mitglieder, p.themen, p.belege_anzahl, c.uebergeordnet_id, c.evtl_identisch_mit,
    'symbolisch' AS lage, m.gebietsstand
FROM input.committees c
JOIN staging.committee_kinds k ON k.art = c.art
JOIN seats USING (gremium_id)
JOIN joined.municipalities m ON m.ags = seats.ags
JOIN joined.committee_status s USING (gremium_id)
JOIN joined.committee_profile p USING (gremium_id)
