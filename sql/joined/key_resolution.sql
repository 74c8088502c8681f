-- The municipality of the map that a record's key (with its date, where given) means; "bekannt": a municipality had the key
-- (that day; in a Land whose changes are not known, on the boundaries' day). On the map of the survey's territory the land that
-- had the key decides; where it lies in several municipalities of the map, the one with the same key. On the map of the newest
-- boundaries the changes after that day decide. ags_karte is NULL when that does not settle it.
WITH keys AS (
    SELECT DISTINCT ags, ags_stand FROM staging.committee_municipalities
    UNION SELECT ags, ags_stand FROM input.hints
    UNION SELECT ags, gebietsstand FROM joined.survey_frame
),
holders AS (
    SELECT k.ags, k.ags_stand, h.ags_basis
    FROM keys k
    JOIN joined.key_history h
        ON h.ags = k.ags
        AND (k.ags_stand IS NULL
             OR (coalesce(h.ab, DATE '0001-01-01') <= k.ags_stand AND k.ags_stand <= coalesce(h.bis, DATE '9999-12-31')))
),
-- A key of the newest boundaries that no known change explains is one all the same; since when, nobody knows.
known AS (
    SELECT ags, ags_stand FROM holders
    UNION
    SELECT k.ags, k.ags_stand FROM keys k
    JOIN staging.map_boundaries b ON b.datensatz = 'boundaries_current' AND b.ebene = 'gemeinde' AND b.schluessel = k.ags
    WHERE k.ags NOT IN (SELECT ags FROM joined.key_history)
),
along_changes AS (
    SELECT t.ags, t.stand, t.ziel
    FROM joined.current_targets t JOIN known k ON k.ags = t.ags AND k.ags_stand IS NOT DISTINCT FROM t.stand
    WHERE t.art = 'eintrag'
    -- Backwards only where nothing leads forwards.
    QUALIFY NOT t.rueckwaerts OR bool_and(t.rueckwaerts) OVER (PARTITION BY t.ags, t.stand)
),
candidates AS (
    SELECT h.ags, h.ags_stand, c.ags AS ziel
    FROM holders h
    JOIN joined.territory_crosswalk c ON c.stand = getvariable('territory_date') AND c.ags_basis = h.ags_basis
    WHERE getvariable('territory_basis') = 'befragung'
    UNION
    SELECT ags, stand, ziel FROM along_changes
)
SELECT
    k.ags, k.ags_stand,
    CASE WHEN bool_or(c.ziel = k.ags) THEN k.ags WHEN count(c.ziel) = 1 THEN any_value(c.ziel) END AS ags_karte,
    string_agg(c.ziel, ', ' ORDER BY c.ziel) AS moegliche,
    EXISTS (FROM known n WHERE n.ags = k.ags AND n.ags_stand IS NOT DISTINCT FROM k.ags_stand) AS bekannt
FROM keys k LEFT JOIN candidates c ON c.ags = k.ags AND c.ags_stand IS NOT DISTINCT FROM k.ags_stand
GROUP BY k.ags, k.ags_stand
