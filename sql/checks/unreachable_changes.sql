-- Every change starts from a municipality that exists: a chain of changes with a missing link would lose land.
SELECT 'municipal_changes' AS datensatz, c.zeile, 'ags_alt' AS spalte, c.ags_alt AS wert,
    'diese Gemeinde gab es am ' || strftime(c.nach, '%d.%m.%Y') || ' nicht.' AS meldung,
    'Bitte den Schlüssel prüfen oder die vorausgehende Änderung ergänzen.' AS abhilfe
FROM input.municipal_changes c
WHERE c.nach >= getvariable('boundaries_date')
    AND NOT EXISTS (
        FROM joined.key_history h
        WHERE h.ags = c.ags_alt AND (h.ab IS NULL OR h.ab < c.in_kraft_bis) AND (h.bis IS NULL OR h.bis >= c.in_kraft_bis))
