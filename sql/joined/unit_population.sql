-- Population of the municipalities of a date, for the map of the survey's territory and for each wave: taken from the newest
-- table of that population date whose territory is not later, and added up along the changes. A municipality of which a part is
-- missing has none.
WITH wanted AS (
    SELECT getvariable('territory_date') AS stand, getvariable('population_date') AS einwohner_stand
    WHERE getvariable('territory_basis') = 'befragung'
    UNION SELECT gebietsstand, einwohner_stand FROM input.survey_waves
),
tables AS (
    SELECT w.stand, w.einwohner_stand, max(p.gebietsstand) AS tabellenstand
    FROM wanted w
    JOIN input.population p ON p.einwohner_stand = w.einwohner_stand AND p.gebietsstand <= w.stand
    JOIN staging.territory_dates d ON d.stand = p.gebietsstand AND d.beantwortbar
    GROUP BY w.stand, w.einwohner_stand
),
moves AS (
    SELECT DISTINCT t.stand, t.einwohner_stand, t.tabellenstand, before.ags AS ags_tabelle, after.ags
    FROM tables t
    JOIN joined.territory_crosswalk before ON before.stand = t.tabellenstand
    JOIN joined.territory_crosswalk after ON after.stand = t.stand AND after.ags_basis = before.ags_basis
)
SELECT
    m.stand, m.einwohner_stand, m.ags,
    CASE WHEN count(*) = count(p.einwohner) THEN CAST(sum(p.einwohner) AS BIGINT) END AS einwohner
FROM moves m
LEFT JOIN input.population p
    ON p.ags = m.ags_tabelle AND p.einwohner_stand = m.einwohner_stand AND p.gebietsstand = m.tabellenstand
GROUP BY m.stand, m.einwohner_stand, m.ags
