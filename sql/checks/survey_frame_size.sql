-- The recomputed frame has as many towns as the wave's publisher says it surveyed.
SELECT 'survey_waves' AS datensatz, w.zeile, 'befragt' AS spalte, CAST(w.befragt AS VARCHAR) AS wert,
    'die Nachrechnung ergibt ' || count(f.ags) || ' Städte ab ' || format('{:t.}', w.mindestgroesse) || ' Einwohnern (Stichtag '
        || strftime(w.einwohner_stand, '%d.%m.%Y') || ').' AS meldung,
    'Bitte Einwohnerzahlen, Gebietsstand und Mindestgröße der Welle prüfen.' AS abhilfe
FROM input.survey_waves w LEFT JOIN joined.survey_frame f USING (welle)
JOIN staging.territory_dates d ON d.stand = w.gebietsstand AND d.beantwortbar
GROUP BY w.welle, w.zeile, w.befragt, w.mindestgroesse, w.einwohner_stand
HAVING count(f.ags) <> w.befragt
