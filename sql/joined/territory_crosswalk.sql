-- Which municipality of each date every municipality of the boundary file belongs to: the chain of changes, one by one,
-- each after the one before it. Only for dates that the changes answer exactly. A change that ends before it begins would
-- lead round in circles; checks/intervals reports it.
WITH RECURSIVE chain AS (
    SELECT d.stand, b.schluessel AS ags_basis, b.schluessel AS ags, getvariable('boundaries_date') AS seit
    FROM staging.territory_dates d, input.boundaries b
    WHERE d.beantwortbar AND b.ebene = 'gemeinde'
    UNION ALL
    SELECT chain.stand, chain.ags_basis, c.ags_neu, c.in_kraft_bis
    FROM chain JOIN input.municipal_changes c
        ON c.ags_alt = chain.ags AND c.nach >= chain.seit AND c.nach < c.in_kraft_bis AND c.in_kraft_bis <= chain.stand
)
SELECT stand, ags_basis, arg_max(ags, seit) AS ags
FROM chain
GROUP BY stand, ags_basis
