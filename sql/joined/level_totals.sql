-- Totals of districts and Länder: a sum is given only when no municipality's figure is missing.
WITH members AS (
    SELECT 'kreis' AS ebene, kreis_schluessel AS schluessel, * FROM joined.municipalities
    UNION ALL SELECT 'land', land_schluessel, * FROM joined.municipalities
),
frame AS (
    SELECT k.ags_karte AS ags, count(*) AS staedte
    FROM joined.survey_frame f JOIN joined.key_resolution k ON k.ags = f.ags AND k.ags_stand = f.gebietsstand
    WHERE f.welle = getvariable('wave') GROUP BY k.ags_karte
),
committees AS (
    SELECT m.ebene, m.schluessel, count(DISTINCT p.gremium_id) AS gremien
    FROM members m JOIN joined.committee_places p ON p.ags = m.ags GROUP BY m.ebene, m.schluessel
)
SELECT
    m.ebene, m.schluessel,
    count(*) FILTER (WHERE NOT m.gemeindefrei) AS gemeinden_anzahl,
    CASE WHEN count(*) = count(m.einwohner) THEN CAST(sum(m.einwohner) AS BIGINT) END AS einwohner,
    CASE WHEN count(*) = count(m.einwohner) THEN any_value(m.einwohner_stand) END AS einwohner_stand,
    any_value(round(g.flaeche_m2 / 1e6, 2)) AS flaeche_km2,
    CAST(coalesce(sum(f.staedte), 0) AS BIGINT) AS befragte_staedte,
    CASE WHEN any_value(v.gremien_erfasst) THEN coalesce(any_value(c.gremien), 0) END AS gremien_bekannt,
    any_value(m.gebietsstand) AS gebietsstand
FROM members m
JOIN joined.map_areas g ON g.ebene = m.ebene AND g.schluessel = m.schluessel
JOIN joined.land_coverage v ON v.land_schluessel = m.land_schluessel
LEFT JOIN frame f ON f.ags = m.ags
LEFT JOIN committees c ON c.ebene = m.ebene AND c.schluessel = m.schluessel
GROUP BY m.ebene, m.schluessel
