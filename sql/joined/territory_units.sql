-- The municipalities of each date with the parts of the boundary file they consist of.
SELECT stand, ags, list(ags_basis ORDER BY ags_basis) AS basis
FROM joined.territory_crosswalk
GROUP BY stand, ags
