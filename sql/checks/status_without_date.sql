-- A status is always published with the date of its evidence (truth rule 3), and "stand_unbekannt" never with one.
SELECT 'gremien' AS datensatz, NULL AS zeile, 'status_stand' AS spalte, gremium_id AS wert,
    CASE WHEN status_stand IS NULL THEN 'der Status „' || status || '“ hat kein Datum.'
        ELSE 'der Status „' || status || '“ hat ein Datum (' || status_stand || ').' END AS meldung,
    'Bitte Status und Datum der Belege dieses Gremiums prüfen.' AS abhilfe
FROM joined.committee_status
WHERE (status_stand IS NULL) <> (status = 'stand_unbekannt')
