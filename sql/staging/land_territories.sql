-- The Länder of the map with the day of their territory. On the map of the survey's territory, those whose changes are not
-- known ("nachgefuehrt": they are) are shown as in the boundary file.
SELECT
    land_schluessel, nachgefuehrt,
    CASE WHEN nachgefuehrt THEN getvariable('territory_date') ELSE getvariable('boundaries_date') END AS gebietsstand
FROM (
    SELECT DISTINCT
        left(schluessel, 2) AS land_schluessel,
        getvariable('territory_basis') = 'aktuell' OR list_contains(getvariable('changes_lands'), left(schluessel, 2)) AS nachgefuehrt
    FROM staging.map_boundaries WHERE ebene = 'gemeinde'
)
