-- Population before = after: two tables of the same population date on two territories give each municipality the same sum.
WITH figures AS (
    SELECT 'population' AS datensatz, ags, einwohner, einwohner_stand, gebietsstand, zeile FROM input.population
    UNION ALL SELECT 'register', ags, einwohner, gebietsstand, gebietsstand, zeile FROM input.register
),
-- Materialised, so that the two sides meet in one join by population date and piece of land, not table by table.
parts AS MATERIALIZED (
    SELECT f.*, c.ags_basis
    FROM figures f JOIN joined.territory_crosswalk c ON c.stand = f.gebietsstand AND c.ags = f.ags
),
moves AS (
    SELECT
        b.datensatz AS quelle, b.gebietsstand AS vorher, b.ags AS ags_vorher, b.einwohner AS teil,
        a.datensatz, a.gebietsstand AS nachher, a.ags, a.einwohner, a.einwohner_stand,
        min(a.zeile) AS zeile
    FROM parts b JOIN parts a
        ON a.einwohner_stand = b.einwohner_stand AND a.ags_basis = b.ags_basis
        AND (b.gebietsstand < a.gebietsstand OR (b.gebietsstand = a.gebietsstand AND b.datensatz > a.datensatz))
    GROUP BY ALL
)
SELECT datensatz, min(zeile) AS zeile, 'einwohner' AS spalte, CAST(any_value(einwohner) AS VARCHAR) AS wert,
    'die Gemeinden, aus denen ' || ags || ' besteht, haben zum Gebietsstand ' || strftime(vorher, '%d.%m.%Y') || ' zusammen '
        || format('{:t.}', sum(teil)) || ' Einwohner (Stichtag ' || strftime(einwohner_stand, '%d.%m.%Y') || ').' AS meldung,
    'Bitte Einwohnerzahlen und Gebietsänderungen vergleichen.' AS abhilfe
FROM moves
GROUP BY datensatz, quelle, vorher, nachher, einwohner_stand, ags
HAVING sum(teil) <> any_value(einwohner)
