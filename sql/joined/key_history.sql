-- Every key that the land of a municipality of the boundary file has had: key + period. The day of a change is known only as
-- an interval, so neighbouring periods overlap by it. A split gives one row per part.
WITH RECURSIVE chain AS (
    SELECT schluessel AS ags_basis, schluessel AS ags, CAST(NULL AS DATE) AS ab, getvariable('boundaries_date') AS seit
    FROM input.boundaries WHERE ebene = 'gemeinde'
    UNION ALL
    SELECT chain.ags_basis, c.ags_neu, c.nach, c.in_kraft_bis
    FROM chain JOIN staging.municipal_changes c ON c.ags_alt = chain.ags AND c.nach >= chain.seit AND c.nach < c.in_kraft_bis
)
SELECT
    ags_basis, ags, ab,
    (SELECT min(c.in_kraft_bis) FROM staging.municipal_changes c
     WHERE c.ags_alt = chain.ags AND c.nach >= chain.seit AND c.flaechenanteil = 1) AS bis
FROM chain
