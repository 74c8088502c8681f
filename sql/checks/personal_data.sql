-- No personal data (truth rule 5): no telephone number, and no e-mail address but that of a function (code list funktionspostfach).
WITH found AS (
    SELECT *, unnest(regexp_extract_all(wert, '[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}')) AS fund, true AS mail
    FROM meta.texts
    UNION ALL
    -- A number after a blank or bracket that dials: file numbers such as BV/0356/2010 do not.
    SELECT *, unnest(regexp_extract_all(wert, '(?:^|[\s(:,;])((?:\+49|0)[ ()/-]*[1-9](?:[ ()/-]*[0-9]){5,})', 1)) AS fund, false AS mail
    FROM meta.texts
    WHERE art <> 'uri' AND datensatz NOT IN (
        'boundaries', 'register', 'population', 'municipal_changes') AND NOT regexp_full_match(wert, '[0-9;]+')
)
SELECT datensatz, zeile, spalte, fund AS wert,
    CASE WHEN mail THEN 'das ist eine persönliche E-Mail-Adresse.' ELSE 'das sieht wie eine Telefonnummer aus.' END AS meldung,
    'Bitte entfernen; veröffentlicht werden nur Funktionen und Funktionspostfächer.' AS abhilfe
FROM found
WHERE NOT mail OR lower(split_part(fund, '@', 1)) NOT IN (SELECT code FROM meta.codes WHERE liste = 'funktionspostfach')
