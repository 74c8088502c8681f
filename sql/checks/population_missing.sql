-- Every municipality of the map has a population on the profile's population date.
SELECT 'population' AS datensatz, NULL AS zeile, 'einwohner' AS spalte, ags AS wert,
    gemeinde_amtlich || ' hat keine Einwohnerzahl zum ' || strftime(getvariable('population_date'), '%d.%m.%Y') || '.' AS meldung,
    'Bitte die Einwohnerzahlen ergänzen oder territory.population_date im Profil ändern.' AS abhilfe
FROM joined.municipalities WHERE einwohner IS NULL
