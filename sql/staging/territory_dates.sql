-- Dates at which a territory is wanted, and what keeps the changes from answering for them exactly. The map and the survey
-- waves need theirs; those of registers and populations serve cross-checks and are left out when they cannot be answered.
-- A date is refused inside the interval of a change whose day is unknown, after a split (the boundaries do not show where
-- the new line runs), before the boundaries, and after the last day that the change table covers. When the interval of a
-- change begins before the boundaries and ends after them, nobody knows whether they hold it already.
WITH dates AS (
    -- The map of the newest boundaries needs no changes for its own territory.
    SELECT getvariable('territory_date') AS stand WHERE getvariable('territory_basis') = 'befragung'
    UNION SELECT gebietsstand FROM input.survey_waves
    UNION SELECT gebietsstand FROM input.register
    UNION SELECT gebietsstand FROM input.population
),
changes AS (
    SELECT
        *, gemeinde_alt || ' (' || ags_alt || ') → ' || gemeinde_neu || ' (' || ags_neu || ')' AS aenderung,
        'zwischen ' || strftime(nach, '%d.%m.%Y') || ' und ' || strftime(in_kraft_bis, '%d.%m.%Y') AS zeitraum
    FROM input.municipal_changes WHERE in_kraft_bis > getvariable('boundaries_date')
),
obstacles AS (
    SELECT stand, 'der Tag der Änderung ' || aenderung || ' ist unbekannt (' || zeitraum || ')' AS hindernis
    FROM dates JOIN changes ON nach < stand AND stand < in_kraft_bis
    UNION
    SELECT stand, 'die Grenzen vom ' || strftime(getvariable('boundaries_date'), '%d.%m.%Y')
        || ' können die Änderung ' || aenderung || ' schon enthalten (' || zeitraum || ')'
    FROM dates JOIN changes ON nach < getvariable('boundaries_date')
    UNION
    SELECT stand, gemeinde_alt || ' (' || ags_alt || ') wurde geteilt, ein Teil ging an ' || gemeinde_neu || ' (' || ags_neu
        || '), ' || zeitraum
    FROM dates JOIN changes ON in_kraft_bis <= stand AND flaechenanteil < 1
    UNION
    SELECT stand, 'die Grenzen beginnen erst am ' || strftime(getvariable('boundaries_date'), '%d.%m.%Y')
    FROM dates WHERE stand < getvariable('boundaries_date')
    UNION
    SELECT stand, 'die Gebietsänderungen sind nur bis ' || strftime(getvariable('changes_until'), '%d.%m.%Y') || ' bekannt'
    FROM dates WHERE stand > getvariable('changes_until')
)
SELECT stand, count(hindernis) = 0 AS beantwortbar, string_agg(hindernis, '; ' ORDER BY hindernis) AS hindernisse
FROM dates LEFT JOIN obstacles USING (stand)
GROUP BY stand
