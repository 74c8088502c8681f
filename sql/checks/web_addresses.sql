-- Web addresses are http(s), without blanks and without credentials.
SELECT datensatz, zeile, spalte, wert, 'das ist keine http(s)-Adresse.' AS meldung,
    'Bitte die vollständige Adresse der Seite eintragen (https://…).' AS abhilfe
FROM meta.texts
WHERE art = 'uri' AND NOT regexp_full_match(wert, 'https?://[^\s/@"<>]+(/[^\s"<>]*)?')
