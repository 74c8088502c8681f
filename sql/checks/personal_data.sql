-- No personal data (truth rule 5): no telephone number, and no e-mail address but that of a function (code list funktionspostfach).
WITH texts AS (
    -- Blanks that look alike count alike, and "(at)" hides nothing from a reader.
    SELECT datensatz, zeile, spalte, art,
        regexp_replace(regexp_replace(wert, '[\x{00A0}\x{2007}\x{202F}]', ' ', 'g'), ' ?[(\[] ?(at|ät) ?[)\]] ?', '@', 'gi') AS wert
    FROM meta.texts
),
found AS (
    SELECT *, unnest(regexp_extract_all(wert, '[^\s@<>(),;:/"„“?&=]+@[^\s@<>(),;:/"„“]+\.[A-Za-z]{2,}')) AS fund, true AS mail
    FROM texts
    UNION ALL
    -- A number that dials, at home or from abroad, at the beginning of a word: keys and identifiers do not.
    SELECT *, unnest(regexp_extract_all(
        wert, '(?:^|[\s(:.,;])(\(?(?:(?:\+|00)[1-9][0-9]?|0[ ()/–-]*[1-9])(?:[ ()/–-]*[0-9]){5,})', 1)) AS fund, false AS mail
    FROM texts
    WHERE art <> 'uri' AND spalte NOT IN ('ags', 'einheit')
        AND regexp_replace(datensatz, '_current$', '') NOT IN ('boundaries', 'register', 'population', 'municipal_changes')
)
SELECT datensatz, zeile, spalte, fund AS wert,
    CASE WHEN mail THEN 'das ist eine persönliche E-Mail-Adresse.' ELSE 'das sieht wie eine Telefonnummer aus.' END AS meldung,
    'Bitte entfernen; veröffentlicht werden nur Funktionen und Funktionspostfächer.' AS abhilfe
FROM found
WHERE CASE
    WHEN mail THEN lower(split_part(fund, '@', 1)) NOT IN (SELECT code FROM meta.codes WHERE liste = 'funktionspostfach')
    -- File numbers of councils, as in 0356/2010.
    ELSE NOT regexp_full_match(fund, '[0-9]{3,4}/(19|20)[0-9]{2}') END
