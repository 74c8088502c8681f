-- Population before = after: two tables of the same population date on two territories give each municipality the same sum.
WITH tables AS (
    SELECT DISTINCT einwohner_stand, gebietsstand, 'population' AS datensatz FROM input.population
    UNION ALL SELECT DISTINCT gebietsstand, gebietsstand, 'register' FROM input.register
),
figures AS (
    SELECT 'population' AS datensatz, ags, einwohner, einwohner_stand, gebietsstand, zeile FROM input.population
    UNION ALL SELECT 'register', ags, einwohner, gebietsstand, gebietsstand, zeile FROM input.register
),
pairs AS (
    SELECT a.einwohner_stand, a.gebietsstand AS vorher, a.datensatz AS quelle, b.gebietsstand AS nachher, b.datensatz
    FROM tables a JOIN tables b
        ON a.einwohner_stand = b.einwohner_stand
        AND (a.gebietsstand < b.gebietsstand OR (a.gebietsstand = b.gebietsstand AND a.datensatz > b.datensatz))
),
moves AS (
    SELECT DISTINCT p.*, before.ags AS ags_vorher, after.ags
    FROM pairs p
    JOIN joined.territory_crosswalk before ON before.stand = p.vorher
    JOIN joined.territory_crosswalk after ON after.stand = p.nachher AND after.ags_basis = before.ags_basis
)
SELECT m.datensatz, any_value(n.zeile) AS zeile, 'einwohner' AS spalte, CAST(any_value(n.einwohner) AS VARCHAR) AS wert,
    m.ags || ': die Teile zum Gebietsstand ' || strftime(m.vorher, '%d.%m.%Y') || ' ergeben zusammen '
        || sum(v.einwohner) || ' Einwohner (Stichtag ' || strftime(m.einwohner_stand, '%d.%m.%Y') || ').' AS meldung,
    'Bitte Einwohnerzahlen und Gebietsänderungen vergleichen.' AS abhilfe
FROM moves m
JOIN figures v ON v.datensatz = m.quelle AND v.ags = m.ags_vorher
    AND v.gebietsstand = m.vorher AND v.einwohner_stand = m.einwohner_stand
JOIN figures n ON n.datensatz = m.datensatz AND n.ags = m.ags
    AND n.gebietsstand = m.nachher AND n.einwohner_stand = m.einwohner_stand
GROUP BY m.datensatz, m.quelle, m.vorher, m.nachher, m.einwohner_stand, m.ags
HAVING sum(v.einwohner) <> any_value(n.einwohner)
