-- Published figures of each wave; apart from them the recomputed frame and, with a response file, figures counted from it.
SELECT welle, 'befragte_staedte' AS kennzahl, 'veroeffentlicht' AS herkunft, befragt AS wert, CAST(NULL AS VARCHAR) AS wortlaut,
    grundgesamtheit AS hinweis, quelle_url FROM input.survey_waves
UNION ALL
SELECT welle, 'antwortende', 'veroeffentlicht', geantwortet, NULL,
    'Gezählt sind ' || geantwortet_einheit || '; eine Antwort kann für einen ganzen Gemeindeverband gelten.', quelle_url
FROM input.survey_waves
UNION ALL
SELECT welle, 'antwortende_mit_aktivem_gremium', 'veroeffentlicht', NULL, gremien_aussage,
    'Die Quelle nennt keine genaue Zahl.', quelle_url FROM input.survey_waves
UNION ALL
SELECT w.welle, 'rahmen_staedte', 'nachgerechnet', count(f.ags), NULL, any_value(w.basis_hinweis), NULL
FROM input.survey_waves w LEFT JOIN joined.survey_frame f USING (welle) GROUP BY w.welle
UNION ALL
SELECT welle, 'antwortende', 'berechnet', antwortende, NULL, NULL, NULL FROM joined.survey_counts
UNION ALL
SELECT welle, 'abgedeckte_staedte', 'berechnet', abgedeckte_staedte, NULL,
    'Städte, für die sie selbst oder ihr Gemeindeverband geantwortet hat.', NULL FROM joined.survey_counts
UNION ALL
SELECT welle, 'antwortende_mit_aktivem_gremium', 'berechnet', mit_aktivem_gremium, NULL, NULL, NULL FROM joined.survey_counts
