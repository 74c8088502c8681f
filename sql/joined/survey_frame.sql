-- Towns that a wave surveyed by our recomputation: a town by its text mark, and the wave's minimum population on the wave's
-- population date and territory.
SELECT
    w.welle, w.gebietsstand, w.einwohner_stand, u.ags, p.einwohner, u.gemeinde_amtlich, u.textkennzeichen,
    u.verband_ars, u.verband, u.verband_kennzeichen
FROM input.survey_waves w
JOIN joined.unit_attributes u ON u.stand = w.gebietsstand
JOIN joined.unit_population p ON p.stand = w.gebietsstand AND p.einwohner_stand = w.einwohner_stand AND p.ags = u.ags
WHERE p.einwohner >= w.mindestgroesse AND u.textkennzeichen IN (FROM staging.town_marks)
