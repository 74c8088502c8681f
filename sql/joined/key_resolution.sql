-- The municipality of the map that a record's key (with its date, where given) means. The land that had the key decides; where it
-- lies in several municipalities of the map, the one with the same key. ags_karte is NULL when that does not settle it.
WITH keys AS (
    SELECT DISTINCT ags, ags_stand FROM staging.committee_municipalities
    UNION SELECT ags, ags_stand FROM input.hints
    UNION SELECT ags, gebietsstand FROM joined.survey_frame
),
candidates AS (
    SELECT DISTINCT k.ags, k.ags_stand, c.ags AS ziel
    FROM keys k
    JOIN joined.key_history h
        ON h.ags = k.ags
        AND (k.ags_stand IS NULL
             OR (coalesce(h.ab, DATE '0001-01-01') <= k.ags_stand AND k.ags_stand <= coalesce(h.bis, DATE '9999-12-31')))
    JOIN joined.territory_crosswalk c ON c.stand = getvariable('territory_date') AND c.ags_basis = h.ags_basis
)
SELECT
    k.ags, k.ags_stand,
    CASE WHEN bool_or(c.ziel = k.ags) THEN k.ags WHEN count(c.ziel) = 1 THEN any_value(c.ziel) END AS ags_karte,
    string_agg(c.ziel, ', ' ORDER BY c.ziel) AS moegliche
FROM keys k LEFT JOIN candidates c ON c.ags = k.ags AND c.ags_stand IS NOT DISTINCT FROM k.ags_stand
GROUP BY k.ags, k.ags_stand
