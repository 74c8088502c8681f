-- The register and each population table name every municipality of their territory: no hole in the map. Länder whose changes
-- are not known need none.
SELECT t.datensatz, NULL AS zeile, 'ags' AS spalte, u.ags AS wert,
    'zum Gebietsstand ' || strftime(u.stand, '%d.%m.%Y') || t.stichtag || ' fehlt diese Gemeinde.' AS meldung,
    'Bitte die Zeile ergänzen.' AS abhilfe
FROM (
    SELECT DISTINCT 'population' AS datensatz, gebietsstand, einwohner_stand,
        ' (Einwohner am ' || strftime(einwohner_stand, '%d.%m.%Y') || ')' AS stichtag FROM input.population
    UNION ALL SELECT DISTINCT 'register', gebietsstand, NULL, '' FROM input.register
) t
JOIN joined.territory_units u ON u.stand = t.gebietsstand
JOIN staging.land_territories l ON l.land_schluessel = left(u.ags, 2) AND l.nachgefuehrt
WHERE CASE t.datensatz
    WHEN 'register' THEN NOT EXISTS (FROM input.register r WHERE r.ags = u.ags AND r.gebietsstand = u.stand)
    ELSE NOT EXISTS (FROM input.population p
                     WHERE p.ags = u.ags AND p.gebietsstand = u.stand AND p.einwohner_stand = t.einwohner_stand) END
UNION ALL
-- The newest register may be of another day than the newest boundaries; the changes between then lead from one to the other.
SELECT 'register_current', NULL, 'ags', b.schluessel,
    b.name || ' steht in den Grenzen vom ' || strftime(getvariable('territory_date'), '%d.%m.%Y')
        || ', aber nicht im Gemeindeverzeichnis vom '
        || strftime((SELECT any_value(gebietsstand) FROM staging.current_register), '%d.%m.%Y')
        || ', und keine Änderung erklärt das.',
    'Bitte die Quelle prüfen oder unter [fetch] die Liste „gebietsaenderungen“ des Jahres eintragen.'
FROM staging.map_boundaries b
WHERE b.datensatz = 'boundaries_current' AND b.ebene = 'gemeinde'
    AND b.schluessel NOT IN (
        SELECT t.ziel FROM joined.current_targets t JOIN staging.current_register r ON r.ags = t.ags AND r.gebietsstand = t.stand
        WHERE t.art = 'zahl')
UNION ALL
-- What has been dissolved since that register must be in it, or its successor would have the figures of a part only.
SELECT DISTINCT 'register_current', NULL, 'ags', c.ags_alt,
    c.gemeinde_alt || ' fehlt im Gemeindeverzeichnis vom ' || strftime(d.gebietsstand, '%d.%m.%Y')
        || ', obwohl es die Gemeinde nach den Änderungen an dem Tag gab.',
    'Bitte die Quelle prüfen.'
FROM staging.municipal_changes c, (SELECT DISTINCT gebietsstand FROM staging.current_register) d
WHERE getvariable('territory_basis') = 'aktuell' AND c.erlischt AND c.nach >= d.gebietsstand
    AND c.in_kraft_bis <= getvariable('territory_date')
    AND c.ags_alt NOT IN (SELECT ags FROM staging.current_register)
    AND NOT EXISTS (FROM staging.municipal_changes b WHERE b.ags_neu = c.ags_alt AND b.in_kraft_bis > d.gebietsstand)
UNION ALL
SELECT 'population_current', NULL, 'ags', r.ags,
    r.gemeinde_amtlich || ' steht im Gemeindeverzeichnis vom ' || strftime(r.gebietsstand, '%d.%m.%Y')
        || ', hat aber keine Einwohnerzahl zum ' || strftime(getvariable('population_date'), '%d.%m.%Y') || '.',
    'Bitte die Quelle prüfen.'
FROM staging.current_register r
JOIN (SELECT DISTINCT ags, stand FROM joined.current_targets WHERE art = 'zahl') t ON t.ags = r.ags AND t.stand = r.gebietsstand
WHERE r.gebietsstand IN (SELECT gebietsstand FROM staging.current_population)
    AND r.ags NOT IN (SELECT ags FROM staging.current_population)
