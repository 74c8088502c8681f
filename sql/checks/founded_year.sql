-- A founding year has a precision, and a precision a year; a committee is not founded after evidence shows it at work.
SELECT 'committees' AS datensatz, zeile, 'gegruendet_jahr' AS spalte, CAST(gegruendet_jahr AS VARCHAR) AS wert,
    'Gründungsjahr und Genauigkeit gehören zusammen; eines von beiden fehlt.' AS meldung,
    'Bitte beides angeben oder beides leer lassen.' AS abhilfe
FROM input.committees WHERE (gegruendet_jahr IS NULL) <> (gegruendet_genauigkeit IS NULL)
UNION ALL
SELECT 'committees', zeile, 'gegruendet_jahr', CAST(gegruendet_jahr AS VARCHAR),
    'das Gründungsjahr liegt nach dem Tag der Ausgabe.', 'Bitte berichtigen.'
FROM input.committees WHERE gegruendet_jahr > year(getvariable('release_date'))
UNION ALL
SELECT 'committees', c.zeile, 'gegruendet_jahr', CAST(c.gegruendet_jahr AS VARCHAR),
    'der Beleg „' || e.beleg_id || '“ zeigt das Gremium schon früher (' || e.belegt_am || ', „' || e.status || '“).',
    'Bitte Gründungsjahr, Genauigkeit und Beleg vergleichen.'
FROM input.committees c JOIN staging.evidence_periods e USING (gremium_id)
WHERE c.gegruendet_genauigkeit IN ('genau', 'fruehestens') AND e.status IN ('aktiv', 'ruhend', 'aufgeloest')
    AND year(e.bis) < c.gegruendet_jahr
