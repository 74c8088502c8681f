-- The municipalities of the map with all that is known of them apart from survey and committees.
SELECT
    u.ags, u.ars,
    regexp_replace(u.gemeinde_amtlich, ', Stadt$', '') AS gemeinde,
    u.gemeinde_amtlich, u.textkennzeichen,
    -- Where no register tells, the designation of the boundaries does (BEZ of VG250).
    CASE
        WHEN u.textkennzeichen IS NOT NULL THEN u.textkennzeichen IN (FROM staging.unincorporated_marks)
        ELSE coalesce(lower(b.bezeichnung) = 'gemeindefreies gebiet', false)
    END AS gemeindefrei,
    left(u.ags, 5) AS kreis_schluessel, left(u.ags, 2) AS land_schluessel,
    k.name AS kreis, k.bezeichnung AS kreis_art,
    u.verband_ars, u.verband, u.verband_kennzeichen,
    u.einwohner, CASE WHEN u.einwohner IS NOT NULL THEN u.einwohner_stand END AS einwohner_stand,
    round(coalesce(u.flaeche_km2, g.flaeche_m2 / 1e6), 2) AS flaeche_km2,
    CASE WHEN u.flaeche_km2 IS NULL THEN 'geometrie' ELSE 'gemeindeverzeichnis' END AS flaeche_herkunft,
    t.gebietsstand
FROM joined.map_attributes u
JOIN joined.map_areas g ON g.ebene = 'gemeinde' AND g.schluessel = u.ags
JOIN staging.land_territories t ON t.land_schluessel = left(u.ags, 2)
LEFT JOIN staging.map_boundaries b ON b.ebene = 'gemeinde' AND b.schluessel = u.ags
LEFT JOIN staging.map_boundaries k ON k.ebene = 'kreis' AND k.schluessel = left(u.ags, 5)
