-- A status is always published with the date of its evidence (truth rule 3).
SELECT 'gremien' AS datensatz, NULL AS zeile, 'status_stand' AS spalte, gremium_id AS wert,
    'der Status „' || status || '“ hat kein Datum.' AS meldung, 'Bitte den Beleg datieren.' AS abhilfe
FROM joined.committee_status
WHERE (status_stand IS NULL) <> (status = 'stand_unbekannt')
