-- Evidence is dated with a real day that is not in the future; "stand_unbekannt" is derived, never typed.
SELECT 'evidence' AS datensatz, zeile, 'belegt_am' AS spalte, belegt_am AS wert,
    'das Datum liegt nach dem Tag der Ausgabe.' AS meldung, 'Bitte berichtigen.' AS abhilfe
FROM staging.evidence_periods WHERE von > getvariable('release_date')
UNION ALL
SELECT 'evidence', zeile, 'status', status, 'dieser Status ergibt sich nur aus fehlenden Daten.',
    'Bitte leer lassen, wenn der Beleg nichts zum Status sagt.'
FROM input.evidence WHERE status = 'stand_unbekannt'
