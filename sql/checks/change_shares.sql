-- The parts of a municipality that a change moves add up to at most the whole.
SELECT datensatz, min(zeile) AS zeile, 'flaechenanteil' AS spalte, ags_alt AS wert,
    'die Anteile der Nachfolger ergeben mehr als das Ganze (Fläche ' || replace(CAST(round(sum(flaechenanteil), 3) AS VARCHAR), '.', ',')
        || ', Einwohner ' || replace(CAST(round(sum(einwohneranteil), 3) AS VARCHAR), '.', ',') || ').' AS meldung,
    'Bitte die Anteile dieser Änderung berichtigen.' AS abhilfe
FROM staging.municipal_changes
GROUP BY datensatz, ags_alt, nach
-- The sources round shares to four decimals.
HAVING sum(flaechenanteil) > 1.001 OR sum(einwohneranteil) > 1.001
