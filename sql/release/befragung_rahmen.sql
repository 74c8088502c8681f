-- The towns of each wave's frame with what is known of their answer.
SELECT
    f.welle, f.ags, regexp_replace(f.gemeinde_amtlich, ', Stadt$', '') AS gemeinde, f.gemeinde_amtlich, f.textkennzeichen,
    left(f.ags, 5) AS kreis_schluessel, b.name AS kreis, f.verband_ars, f.verband, f.verband_kennzeichen,
    f.einwohner, f.einwohner_stand, f.gebietsstand, k.ags_karte,
    s.befragung_status, s.antwort_durch, s.antwort_gremien
FROM joined.survey_frame f
JOIN joined.survey_status s ON s.welle = f.welle AND s.ags = f.ags
JOIN joined.key_resolution k ON k.ags = f.ags AND k.ags_stand = f.gebietsstand
LEFT JOIN input.boundaries b ON b.ebene = 'kreis' AND b.schluessel = left(f.ags, 5)
