-- What the evidence says of a committee: topics and member groups named in any of it; chair and frequency from the newest
-- evidence that states them, with its date (dated before undated).
WITH topics AS (
    SELECT gremium_id, string_agg(DISTINCT code, ';' ORDER BY code) AS themen
    FROM (SELECT gremium_id, unnest(string_split(themen, ';')) AS code FROM input.evidence) GROUP BY gremium_id
),
members AS (
    SELECT gremium_id, string_agg(DISTINCT code, ';' ORDER BY code) AS mitglieder
    FROM (SELECT gremium_id, unnest(string_split(mitglieder, ';')) AS code FROM input.evidence) GROUP BY gremium_id
),
statements AS (
    SELECT
        gremium_id, count(*) AS belege_anzahl,
        first(struct_pack(vorsitz, belegt_am) ORDER BY von DESC NULLS LAST, bis, beleg_id) FILTER (WHERE vorsitz IS NOT NULL) AS vorsitz,
        first(struct_pack(turnus, belegt_am) ORDER BY von DESC NULLS LAST, bis, beleg_id) FILTER (WHERE turnus IS NOT NULL) AS turnus
    FROM staging.evidence_periods GROUP BY gremium_id
)
SELECT
    gremium_id, belege_anzahl, themen, mitglieder,
    statements.vorsitz.vorsitz AS vorsitz, statements.vorsitz.belegt_am AS vorsitz_stand,
    statements.turnus.turnus AS turnus, statements.turnus.belegt_am AS turnus_stand
FROM statements LEFT JOIN topics USING (gremium_id) LEFT JOIN members USING (gremium_id)
