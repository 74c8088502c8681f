-- "Possibly the same" holds both ways and never of a record with itself.
WITH pairs AS (
    SELECT zeile, gremium_id, unnest(string_split(evtl_identisch_mit, ';')) AS anderes FROM input.committees
)
SELECT 'committees' AS datensatz, p.zeile, 'evtl_identisch_mit' AS spalte, p.anderes AS wert,
    CASE WHEN p.gremium_id = p.anderes THEN 'das Gremium verweist auf sich selbst.'
        ELSE 'der andere Eintrag verweist nicht zurück auf „' || p.gremium_id || '“.' END AS meldung,
    'Bitte bei beiden Einträgen eintragen.' AS abhilfe
FROM pairs p
WHERE p.gremium_id = p.anderes
    OR (p.anderes IN (SELECT gremium_id FROM input.committees)
        AND NOT EXISTS (FROM pairs q WHERE q.gremium_id = p.anderes AND q.anderes = p.gremium_id))
