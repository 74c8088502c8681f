-- Every municipality of the map has a population on the profile's population date, in the Länder whose changes are known. On the newest boundaries one whose land the
-- newest register counts otherwise has none until both products are of the same year; then the others still have theirs.
WITH lacking AS (
    SELECT *, count(einwohner) OVER () AS vorhanden
    FROM joined.municipalities JOIN staging.land_territories USING (land_schluessel) WHERE nachgefuehrt
),
day AS (
    SELECT strftime(getvariable('population_date'), '%d.%m.%Y') AS stichtag
)
SELECT 'population' AS datensatz, NULL AS zeile, 'einwohner' AS spalte, ags AS wert,
    gemeinde_amtlich || ' hat keine Einwohnerzahl zum ' || stichtag || '.' AS meldung, 'Bitte die Einwohnerzahlen ergänzen.' AS abhilfe
FROM lacking, day WHERE einwohner IS NULL AND vorhanden > 0 AND getvariable('territory_basis') = 'befragung'
UNION ALL
SELECT 'profile.toml', NULL, 'territory.population_date', CAST(getvariable('population_date') AS VARCHAR),
    'keine Gemeinde der Karte hat eine Einwohnerzahl zum ' || any_value(stichtag) || '.',
    'Bitte einen anderen Stichtag wählen oder die Einwohnerzahlen dieses Tages ergänzen.'
FROM lacking, day WHERE vorhanden = 0 HAVING count(*) > 0
