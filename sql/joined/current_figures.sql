-- Population and area of the municipalities of the newest boundaries, from the newest tables. Those may be of another day;
-- a figure is added up along the changes between and given only when all of the land that it counts lies in that
-- municipality, and all that lies in it is counted.
WITH parts AS (
    SELECT DISTINCT t.ags, t.stand, t.ziel, count(DISTINCT t.ziel) OVER (PARTITION BY t.ags, t.stand) = 1 AS ganz
    FROM joined.current_targets t WHERE t.art = 'zahl'
),
people AS (
    SELECT p.ziel AS ags, sum(c.einwohner) AS einwohner, any_value(c.einwohner_stand) AS einwohner_stand
    FROM parts p JOIN staging.current_population c ON c.ags = p.ags AND c.gebietsstand = p.stand
    GROUP BY p.ziel HAVING bool_and(p.ganz)
),
land AS (
    SELECT p.ziel AS ags, sum(r.flaeche_km2) AS flaeche_km2
    FROM parts p JOIN staging.current_register r ON r.ags = p.ags AND r.gebietsstand = p.stand
    GROUP BY p.ziel HAVING bool_and(p.ganz)
)
SELECT ags, CAST(people.einwohner AS BIGINT) AS einwohner, people.einwohner_stand, land.flaeche_km2
FROM people FULL JOIN land USING (ags)
