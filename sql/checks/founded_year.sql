-- A founding year has a precision, and a precision a year; a committee is not founded after its first active evidence.
SELECT 'committees' AS datensatz, zeile, 'gegruendet_jahr' AS spalte, CAST(gegruendet_jahr AS VARCHAR) AS wert,
    'Gründungsjahr und Genauigkeit gehören zusammen; eines von beiden fehlt.' AS meldung,
    'Bitte beides angeben oder beides leer lassen.' AS abhilfe
FROM input.committees WHERE (gegruendet_jahr IS NULL) <> (gegruendet_genauigkeit IS NULL)
UNION ALL
SELECT 'committees', zeile, 'gegruendet_jahr', CAST(gegruendet_jahr AS VARCHAR),
    'das Gründungsjahr liegt nach dem Tag der Ausgabe.', 'Bitte berichtigen.'
FROM input.committees WHERE gegruendet_jahr > year(getvariable('release_date'))
