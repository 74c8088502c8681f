-- Every piece of evidence on a committee.
SELECT
    e.beleg_id, e.gremium_id, c.name AS gremium, e.url, e.quelle_art, e.belegt_am, e.genauigkeit AS belegt_am_genauigkeit,
    e.status, e.vorsitz, e.mitglieder, e.themen, e.turnus, e.zeigt
FROM staging.evidence_periods e JOIN input.committees c USING (gremium_id)
