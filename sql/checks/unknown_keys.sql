-- Every municipality key in a record, in the population or in the register is one that its land has or had at that date, and
-- that of a record means one municipality of the map. Where none is known to follow, checks/successor_unknown reports it.
SELECT 'committees' AS datensatz, m.zeile, 'ags' AS spalte, m.ags AS wert,
    CASE WHEN NOT k.bekannt
        THEN 'diesen Gemeindeschlüssel gab es' || coalesce(' am ' || strftime(m.ags_stand, '%d.%m.%Y'), '') || ' nicht.'
        ELSE 'der Schlüssel ist zum Gebietsstand der Karte nicht eindeutig (möglich: ' || k.moegliche || ').' END AS meldung,
    'Bitte AGS und ags_stand prüfen.' AS abhilfe
FROM staging.committee_municipalities m
JOIN joined.key_resolution k ON k.ags = m.ags AND k.ags_stand IS NOT DISTINCT FROM m.ags_stand
WHERE k.ags_karte IS NULL AND (k.moegliche IS NOT NULL OR NOT k.bekannt)
UNION ALL
SELECT 'hints', h.zeile, 'ags', h.ags,
    CASE WHEN NOT k.bekannt
        THEN 'diesen Gemeindeschlüssel gab es' || coalesce(' am ' || strftime(h.ags_stand, '%d.%m.%Y'), '') || ' nicht.'
        ELSE 'der Schlüssel ist zum Gebietsstand der Karte nicht eindeutig (möglich: ' || k.moegliche || ').' END,
    'Bitte AGS und ags_stand prüfen.'
FROM input.hints h
JOIN joined.key_resolution k ON k.ags = h.ags AND k.ags_stand IS NOT DISTINCT FROM h.ags_stand
WHERE k.ags_karte IS NULL AND (k.moegliche IS NOT NULL OR NOT k.bekannt)
UNION ALL
SELECT t.datensatz, t.zeile, 'ags', t.ags,
    'diese Gemeinde gibt es zum Gebietsstand ' || strftime(t.gebietsstand, '%d.%m.%Y') || ' nicht.',
    'Bitte Schlüssel und Gebietsstand prüfen.'
FROM (
    SELECT 'population' AS datensatz, zeile, ags, gebietsstand FROM input.population
    UNION ALL SELECT 'register', zeile, ags, gebietsstand FROM input.register
) t
JOIN staging.territory_dates d ON d.stand = t.gebietsstand AND d.beantwortbar
WHERE NOT EXISTS (FROM joined.territory_units u WHERE u.stand = t.gebietsstand AND u.ags = t.ags)
