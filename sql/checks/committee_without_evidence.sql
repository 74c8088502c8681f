-- A committee is published only on public evidence (truth rule 3).
SELECT 'committees' AS datensatz, zeile, 'gremium_id' AS spalte, gremium_id AS wert,
    'zu diesem Gremium gibt es keinen Beleg.' AS meldung, 'Bitte mindestens einen Beleg eintragen.' AS abhilfe
FROM input.committees WHERE gremium_id NOT IN (SELECT gremium_id FROM input.evidence)
