-- Every reference between inputs has its target.
SELECT datensatz, zeile, spalte, wert,
    'der Verweis führt ins Leere: in „' || ziel || '“ gibt es diesen Eintrag nicht.' AS meldung,
    'Bitte die Kennung prüfen oder den fehlenden Eintrag ergänzen.' AS abhilfe
FROM meta.foreign_keys WHERE NOT gefunden
