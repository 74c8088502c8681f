-- All municipalities and unincorporated areas of the map: keys, kind, district, association, population, survey status, committees known to us.
WITH survey AS (
    -- Several towns of a frame may be one municipality on a newer map; checks/wave_on_map sees to it that all have one status.
    SELECT k.ags_karte AS ags, min(s.befragung_status) AS befragung_status
    FROM joined.survey_status s
    JOIN joined.survey_frame f ON f.welle = s.welle AND f.ags = s.ags
    JOIN joined.key_resolution k ON k.ags = f.ags AND k.ags_stand = f.gebietsstand
    WHERE s.welle = getvariable('wave')
    GROUP BY k.ags_karte
),
committees AS (
    SELECT
        p.ags,
        count(*) AS bekannt,
        count(*) FILTER (WHERE k.gruppe = 'rat') AS raete,
        count(*) FILTER (WHERE k.gruppe <> 'rat') AS weitere,
        count(*) FILTER (WHERE s.status = 'aktiv') AS aktiv,
        count(*) FILTER (WHERE s.status = 'ruhend') AS ruhend,
        count(*) FILTER (WHERE s.status = 'aufgeloest') AS aufgeloest,
        count(*) FILTER (WHERE s.status = 'geplant') AS geplant,
        count(*) FILTER (WHERE s.status = 'praeventionsarbeit_ohne_gremium') AS ohne_gremium,
        count(*) FILTER (WHERE s.status = 'unklar') AS unklar,
        count(*) FILTER (WHERE s.status = 'stand_unbekannt') AS stand_unbekannt,
        count(*) FILTER (WHERE c.evtl_identisch_mit IS NOT NULL) AS evtl_identisch,
        min(s.status_stand) AS aeltester,
        max(s.status_stand) AS neuester
    FROM (SELECT DISTINCT gremium_id, ags FROM joined.committee_places) p
    JOIN input.committees c USING (gremium_id)
    JOIN joined.committee_status s USING (gremium_id)
    JOIN staging.committee_kinds k ON k.art = c.art
    GROUP BY p.ags
)
SELECT
    m.ags, m.ars, m.gemeinde, m.gemeinde_amtlich, m.textkennzeichen, m.gemeindefrei, m.kreis_schluessel, m.kreis,
    m.verband_ars, m.verband, m.verband_kennzeichen, m.einwohner, m.einwohner_stand, m.flaeche_km2, m.flaeche_herkunft,
    s.ags IS NOT NULL AS in_befragung,
    CASE WHEN v.befragt THEN getvariable('wave') END AS befragung_welle,
    coalesce(s.befragung_status, 'nicht_befragt') AS befragung_status,
    CASE WHEN v.gremien_erfasst THEN coalesce(c.bekannt, 0) END AS gremien_bekannt,
    CASE WHEN v.gremien_erfasst THEN coalesce(c.raete, 0) END AS gremien_raete,
    CASE WHEN v.gremien_erfasst THEN coalesce(c.weitere, 0) END AS gremien_weitere,
    CASE WHEN v.gremien_erfasst THEN coalesce(c.aktiv, 0) END AS gremien_aktiv,
    CASE WHEN v.gremien_erfasst THEN coalesce(c.ruhend, 0) END AS gremien_ruhend,
    CASE WHEN v.gremien_erfasst THEN coalesce(c.aufgeloest, 0) END AS gremien_aufgeloest,
    CASE WHEN v.gremien_erfasst THEN coalesce(c.geplant, 0) END AS gremien_geplant,
    CASE WHEN v.gremien_erfasst THEN coalesce(c.ohne_gremium, 0) END AS gremien_praeventionsarbeit_ohne_gremium,
    CASE WHEN v.gremien_erfasst THEN coalesce(c.unklar, 0) END AS gremien_unklar,
    CASE WHEN v.gremien_erfasst THEN coalesce(c.stand_unbekannt, 0) END AS gremien_stand_unbekannt,
    CASE WHEN v.gremien_erfasst THEN coalesce(c.evtl_identisch, 0) END AS gremien_evtl_identisch,
    c.aeltester AS status_stand_aeltester,
    c.neuester AS status_stand_neuester,
    m.gebietsstand
FROM joined.municipalities m
JOIN joined.land_coverage v ON v.land_schluessel = m.land_schluessel
LEFT JOIN survey s ON s.ags = m.ags
LEFT JOIN committees c ON c.ags = m.ags
