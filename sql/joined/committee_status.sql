-- The present state of a committee, derived from its evidence, never typed (truth rule 3): the status shown by the newest dated
-- evidence that shows one, with its date. A month or year is a period: when evidence of overlapping newest periods
-- disagrees, the state is "unklar"; dated evidence without any status gives "unklar" too; without a date it is "stand_unbekannt".
WITH dated AS (
    SELECT *, max(von) OVER (PARTITION BY gremium_id) AS neuestes
    FROM staging.evidence_periods WHERE von IS NOT NULL AND status IS NOT NULL
),
newest AS (
    SELECT
        gremium_id,
        count(DISTINCT status) AS verschiedene,
        -- The latest start; of several with the same start, the most precise.
        first(struct_pack(status, belegt_am, genauigkeit, beleg_id, url) ORDER BY von DESC, bis, beleg_id) AS beleg
    FROM dated WHERE bis >= neuestes
    GROUP BY gremium_id
),
silent AS (
    SELECT gremium_id, first(struct_pack(belegt_am, genauigkeit, beleg_id, url) ORDER BY von DESC, bis, beleg_id) AS beleg
    FROM staging.evidence_periods WHERE von IS NOT NULL
    GROUP BY gremium_id
)
SELECT
    c.gremium_id,
    CASE
        WHEN newest.verschiedene = 1 THEN newest.beleg.status
        WHEN silent.gremium_id IS NOT NULL THEN 'unklar'
        ELSE 'stand_unbekannt'
    END AS status,
    coalesce(newest.beleg.belegt_am, silent.beleg.belegt_am) AS status_stand,
    coalesce(newest.beleg.genauigkeit, silent.beleg.genauigkeit, 'unbekannt') AS status_stand_genauigkeit,
    coalesce(newest.beleg.beleg_id, silent.beleg.beleg_id) AS status_beleg_id,
    coalesce(newest.beleg.url, silent.beleg.url) AS status_beleg_url
FROM input.committees c LEFT JOIN newest USING (gremium_id) LEFT JOIN silent USING (gremium_id)
