-- No text starts a spreadsheet formula when a reader opens the CSV (https://owasp.org/www-community/attacks/CSV_Injection).
SELECT datensatz, zeile, spalte, wert, 'der Text beginnt mit einem Zeichen, das eine Tabellenkalkulation als Formel liest.' AS meldung,
    'Bitte ohne = + - @ am Anfang schreiben.' AS abhilfe
FROM meta.texts WHERE regexp_matches(wert, '^[=+\-@\t\r]')
