-- Where a municipality's key of some day leads on the map of the newest boundaries: along the known changes, forwards from
-- the key's day to the map's and, when the key is newer than the map, backwards. A record ("eintrag") stays with its
-- municipality as long as that exists; a figure ("zahl") of a municipality belongs to all of its land, so it follows every
-- part. Only for the map of the newest boundaries; the survey's map follows the land itself (territory_crosswalk).
WITH RECURSIVE starts AS (
    -- A record may be of the very day of a change; a table of that day knows it already.
    SELECT 'eintrag' AS art, ags, ags_stand AS stand, coalesce(ags_stand, DATE '0001-01-02') - 1 AS nach_tag
    FROM (SELECT ags, ags_stand FROM staging.committee_municipalities
          UNION SELECT ags, ags_stand FROM input.hints
          UNION SELECT ags, gebietsstand FROM joined.survey_frame)
    UNION
    SELECT 'zahl', ags, gebietsstand, gebietsstand
    FROM (SELECT ags, gebietsstand FROM staging.current_population UNION SELECT ags, gebietsstand FROM staging.current_register)
),
map AS (
    SELECT schluessel AS ags FROM staging.map_boundaries WHERE ebene = 'gemeinde'
),
-- Keys that come into being only after the map, from municipalities that it still shows.
later AS (
    SELECT ags_neu FROM staging.municipal_changes
    WHERE erlischt AND in_kraft_bis > getvariable('territory_date') AND ags_alt IN (FROM map)
),
-- A change counts as made on the map when its day is past, or when the map does not know the old key any more.
changes AS (
    SELECT
        *, in_kraft_bis <= getvariable('territory_date')
        OR (ags_alt NOT IN (FROM map) AND ags_alt NOT IN (FROM later)) AS vollzogen
    FROM staging.municipal_changes WHERE nach < in_kraft_bis
),
forwards AS (
    SELECT art, ags, stand, ags AS ziel, nach_tag, CAST(NULL AS DATE) AS seit FROM starts
    UNION
    SELECT f.art, f.ags, f.stand, c.ags_neu, f.nach_tag, c.in_kraft_bis
    FROM forwards f JOIN changes c
        ON c.ags_alt = f.ziel AND c.vollzogen AND (f.art = 'zahl' OR c.erlischt)
        AND CASE WHEN f.seit IS NULL THEN c.in_kraft_bis > f.nach_tag ELSE c.nach >= f.seit END
),
backwards AS (
    SELECT art, ags, stand, ags AS ziel, coalesce(stand, DATE '9999-12-31') AS vor_tag FROM starts
    UNION
    SELECT b.art, b.ags, b.stand, c.ags_alt, c.nach
    FROM backwards b JOIN changes c
        ON c.ags_neu = b.ziel AND NOT c.vollzogen AND c.nach < b.vor_tag AND (b.art = 'zahl' OR c.erlischt)
)
SELECT DISTINCT art, ags, stand, ziel, rueckwaerts
FROM (
    SELECT art, ags, stand, ziel, false AS rueckwaerts FROM forwards
    UNION ALL SELECT art, ags, stand, ziel, true FROM backwards
)
WHERE getvariable('territory_basis') = 'aktuell' AND ziel IN (FROM map)
