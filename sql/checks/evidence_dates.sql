-- Evidence and hints are dated with a real day that is not in the future; "stand_unbekannt" is derived, never typed.
WITH dated AS (
    SELECT 'evidence' AS datensatz, zeile, 'belegt_am' AS spalte, belegt_am AS datum FROM input.evidence
    UNION ALL SELECT 'hints', zeile, 'datum', datum FROM input.hints
),
days AS (
    SELECT *, TRY_CAST(rpad(datum, 10, '-01-01') AS DATE) AS tag FROM dated WHERE datum IS NOT NULL
)
SELECT datensatz, zeile, spalte, datum AS wert,
    CASE WHEN tag IS NULL THEN 'diesen Tag gibt es im Kalender nicht.' ELSE 'das Datum liegt nach dem Tag der Ausgabe.' END AS meldung,
    'Bitte berichtigen.' AS abhilfe
FROM days WHERE tag IS NULL OR tag > getvariable('release_date')
UNION ALL
SELECT 'evidence', zeile, 'status', status, 'dieser Status wird nur abgeleitet, wenn kein Beleg ein Datum hat.',
    'Bitte leer lassen, wenn der Beleg nichts zum Status sagt.'
FROM input.evidence WHERE status = 'stand_unbekannt'
