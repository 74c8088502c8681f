-- Changes are given for the Länder only that the profile names: elsewhere the map says that it shows the boundary file's day.
-- Populations and registers of another day are of other municipalities than it shows, though the keys may be the same.
SELECT 'municipal_changes' AS datensatz, c.zeile, 'ags_alt' AS spalte, c.ags_alt AS wert,
    'die Änderung betrifft ein Land, das im Profil nicht unter „territory.changes_lands“ steht.' AS meldung,
    'Bitte das Land dort ergänzen (dann müssen alle seine Änderungen bekannt sein) oder die Zeile entfernen.' AS abhilfe
FROM input.municipal_changes c
WHERE NOT list_contains(getvariable('changes_lands'), left(c.ags_alt, 2))
    AND left(c.ags_alt, 2) IN (SELECT land_schluessel FROM staging.land_territories WHERE NOT nachgefuehrt)
UNION ALL
SELECT
    datensatz, min(zeile), 'gebietsstand', CAST(gebietsstand AS VARCHAR),
    'für das Land ' || left(ags, 2) || ' sind keine Gebietsänderungen erfasst, bekannt ist nur sein Gebiet vom '
        || strftime(getvariable('boundaries_date'), '%d.%m.%Y') || ' (Zeilen mit diesem Land und Stand: ' || count(*) || ').',
    'Bitte die Zeilen entfernen, oder alle Gebietsänderungen ergänzen und das Land unter „territory.changes_lands“ nennen.'
FROM (
    SELECT 'population' AS datensatz, zeile, ags, gebietsstand FROM input.population
    UNION ALL SELECT 'register', zeile, ags, gebietsstand FROM input.register
)
WHERE gebietsstand <> getvariable('boundaries_date')
    AND list_contains(getvariable('lands'), left(ags, 2)) AND NOT list_contains(getvariable('changes_lands'), left(ags, 2))
GROUP BY datensatz, left(ags, 2), gebietsstand
