-- Every municipality key in a record, in the population or in the register is one that its land has or had at that date, and
-- that of a record means one municipality of the map. Where none is known to follow, checks/successor_unknown reports it.
-- That there was no such key can only be said of the days for which the changes of its Land are known.
WITH records AS (
    SELECT 'committees' AS datensatz, zeile, ags, ags_stand FROM staging.committee_municipalities
    UNION ALL
    SELECT 'hints', zeile, ags, ags_stand FROM input.hints
),
findings AS (
    SELECT
        r.datensatz, r.zeile, r.ags, coalesce(' am ' || strftime(r.ags_stand, '%d.%m.%Y'), '') AS am, k.bekannt, k.moegliche,
        list_contains(getvariable('lands'), left(r.ags, 2)) AS im_profil,
        getvariable('territory_basis') = 'aktuell' OR list_contains(getvariable('changes_lands'), left(r.ags, 2)) AS nachgefuehrt,
        list_contains(getvariable('changes_lands'), left(r.ags, 2))
            AND r.ags_stand BETWEEN getvariable('boundaries_date') AND getvariable('changes_until') AS bezeugt
    FROM records r
    JOIN joined.key_resolution k ON k.ags = r.ags AND k.ags_stand IS NOT DISTINCT FROM r.ags_stand
    WHERE k.ags_karte IS NULL AND (k.moegliche IS NOT NULL OR NOT k.bekannt)
)
SELECT
    datensatz, zeile, 'ags' AS spalte, ags AS wert,
    CASE
        WHEN bekannt THEN 'der Schlüssel ist zum Gebietsstand der Karte nicht eindeutig (möglich: ' || moegliche || ').'
        WHEN NOT im_profil THEN 'der Schlüssel liegt außerhalb der Länder dieses Profils (' || array_to_string(getvariable('lands'), ', ') || ').'
        WHEN NOT nachgefuehrt
            THEN 'für dieses Land sind keine Gebietsänderungen erfasst; bekannt sind nur die Gemeindeschlüssel vom '
                || strftime(getvariable('boundaries_date'), '%d.%m.%Y') || ', und dieser gehört nicht dazu.'
        WHEN bezeugt THEN 'diesen Gemeindeschlüssel gab es' || am || ' nicht.'
        ELSE 'ob es diesen Gemeindeschlüssel' || am || ' gab, ist nicht bekannt.' END AS meldung,
    CASE
        WHEN NOT bekannt AND im_profil AND NOT nachgefuehrt
            THEN 'Bitte den Schlüssel eintragen, den die Gemeinde an diesem Tag hatte, mit '
                || strftime(getvariable('boundaries_date'), '%Y-%m-%d') || ' als ags_stand.'
        ELSE 'Bitte AGS und ags_stand prüfen.' END AS abhilfe
FROM findings
UNION ALL
SELECT t.datensatz, t.zeile, 'ags', t.ags,
    CASE
        WHEN NOT list_contains(getvariable('lands'), left(t.ags, 2))
            THEN 'der Schlüssel liegt außerhalb der Länder dieses Profils (' || array_to_string(getvariable('lands'), ', ') || ').'
        ELSE 'diese Gemeinde gibt es zum Gebietsstand ' || strftime(t.gebietsstand, '%d.%m.%Y') || ' nicht.' END,
    'Bitte Schlüssel und Gebietsstand prüfen.'
FROM (
    SELECT 'population' AS datensatz, zeile, ags, gebietsstand FROM input.population
    UNION ALL SELECT 'register', zeile, ags, gebietsstand FROM input.register
) t
JOIN staging.territory_dates d ON d.stand = t.gebietsstand AND d.beantwortbar
-- Those of a Land whose changes are not known are refused as a whole (checks/change_lands).
WHERE (list_contains(getvariable('changes_lands'), left(t.ags, 2)) OR t.gebietsstand = getvariable('boundaries_date')
       OR NOT list_contains(getvariable('lands'), left(t.ags, 2)))
    AND NOT EXISTS (FROM joined.territory_units u WHERE u.stand = t.gebietsstand AND u.ags = t.ags)
