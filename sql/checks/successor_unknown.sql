-- On the map of the newest boundaries every town of a frame, every record and every figure has its place: a municipality
-- that the map does not know any more, and of which no change says what became of it, is named.
WITH keys AS (
    SELECT 'committees' AS datensatz, m.zeile, m.ags, m.ags_stand AS stand, 'das Gremium „' || c.name || '“' AS was
    FROM staging.committee_municipalities m JOIN input.committees c USING (gremium_id)
    UNION ALL
    SELECT 'hints', zeile, ags, ags_stand, 'der Hinweis „' || titel || '“' FROM input.hints
    UNION ALL
    SELECT 'survey_waves', w.zeile, f.ags, f.gebietsstand, 'die befragte Stadt ' || regexp_replace(f.gemeinde_amtlich, ', Stadt$', '')
    FROM joined.survey_frame f JOIN input.survey_waves w USING (welle)
)
SELECT k.datensatz, k.zeile, 'ags' AS spalte, k.ags AS wert,
    k.was || ' hat keinen Ort auf der Karte: deren Grenzen vom ' || strftime(getvariable('territory_date'), '%d.%m.%Y')
        || ' enthalten die Gemeinde nicht, und ein Nachfolger ist nicht bekannt.' AS meldung,
    'Bitte unter [fetch] die Listen „gebietsaenderungen“ der Jahre bis dahin eintragen.' AS abhilfe
FROM keys k
JOIN joined.key_resolution r ON r.ags = k.ags AND r.ags_stand IS NOT DISTINCT FROM k.stand
WHERE r.bekannt AND r.moegliche IS NULL
UNION ALL
SELECT r.datensatz, r.zeile, 'ags', r.ags,
    r.name || ' (Gemeindeverzeichnis vom ' || strftime(r.gebietsstand, '%d.%m.%Y')
        || ') steht nicht in den Grenzen der Karte, und ein Nachfolger ist nicht bekannt.',
    'Bitte unter [fetch] die Liste „gebietsaenderungen“ des Jahres eintragen, oder Grenzen und Verzeichnis desselben Stands.'
FROM (
    SELECT 'register_current' AS datensatz, zeile, ags, gebietsstand, gemeinde_amtlich AS name FROM staging.current_register
    UNION ALL
    SELECT 'population_current', zeile, ags, gebietsstand, 'die Gemeinde ' || ags FROM staging.current_population
    WHERE ags NOT IN (SELECT ags FROM staging.current_register)
) r
WHERE getvariable('territory_basis') = 'aktuell' AND NOT EXISTS (
    FROM joined.current_targets t WHERE t.art = 'zahl' AND t.ags = r.ags AND t.stand = r.gebietsstand)
