-- Every piece of evidence on a committee, and whether its page still answered when that was checked.
SELECT
    e.beleg_id, e.gremium_id, c.name AS gremium, e.url, e.quelle_art, e.belegt_am, e.genauigkeit AS belegt_am_genauigkeit,
    e.status, e.vorsitz, e.mitglieder, e.themen, e.turnus, e.zeigt, l.zustand AS link_zustand,
    l.geprueft_am AS link_geprueft_am
FROM staging.evidence_periods e JOIN input.committees c USING (gremium_id)
LEFT JOIN input.evidence_links l ON l.url = e.url
