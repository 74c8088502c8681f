-- Dates at which a territory is wanted, and what keeps the changes from answering for them exactly.
-- needed: the map and the survey waves; the others serve cross-checks and are left out when they cannot be answered.
-- A date is refused inside the interval of a change whose day is unknown, after a split (the boundaries do not show where
-- the new line runs), before the boundaries, and after the last day that the change table covers.
WITH candidates AS (
    SELECT getvariable('territory_date') AS stand, true AS noetig
    UNION ALL SELECT gebietsstand, true FROM input.survey_waves
    UNION ALL SELECT gebietsstand, false FROM input.register
    UNION ALL SELECT gebietsstand, false FROM input.population
),
dates AS (
    SELECT stand, bool_or(noetig) AS noetig FROM candidates GROUP BY stand
),
changes AS (
    SELECT * FROM input.municipal_changes WHERE nach >= getvariable('boundaries_date')
),
obstacles AS (
    SELECT stand, 'der Tag der Änderung ' || gemeinde_alt || ' (' || ags_alt || ') → ' || gemeinde_neu || ' (' || ags_neu
        || ') ist unbekannt (zwischen ' || nach || ' und ' || in_kraft_bis || ')' AS hindernis
    FROM dates JOIN changes ON nach < stand AND stand < in_kraft_bis
    UNION ALL
    SELECT stand, gemeinde_alt || ' (' || ags_alt || ') wurde geteilt, ein Teil ging an ' || gemeinde_neu || ' (' || ags_neu
        || '), bis ' || in_kraft_bis
    FROM dates JOIN changes ON in_kraft_bis <= stand AND flaechenanteil < 1
    UNION ALL
    SELECT stand, 'die Grenzen beginnen erst am ' || getvariable('boundaries_date')
    FROM dates WHERE stand < getvariable('boundaries_date')
    UNION ALL
    SELECT stand, 'die Gebietsänderungen sind nur bis ' || getvariable('changes_until') || ' bekannt'
    FROM dates WHERE stand > getvariable('changes_until')
)
SELECT stand, noetig, count(hindernis) = 0 AS beantwortbar, string_agg(hindernis, '; ' ORDER BY hindernis) AS hindernisse
FROM dates LEFT JOIN obstacles USING (stand)
GROUP BY stand, noetig
