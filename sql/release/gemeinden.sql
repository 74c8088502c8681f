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
    nullif(getvariable('wave'), '') AS befragung_welle,
    coalesce(s.befragung_status, 'nicht_befragt') AS befragung_status,
    coalesce(c.bekannt, 0) AS gremien_bekannt,
    coalesce(c.raete, 0) AS gremien_raete,
    coalesce(c.weitere, 0) AS gremien_weitere,
    coalesce(c.aktiv, 0) AS gremien_aktiv,
    coalesce(c.ruhend, 0) AS gremien_ruhend,
    coalesce(c.aufgeloest, 0) AS gremien_aufgeloest,
    coalesce(c.geplant, 0) AS gremien_geplant,
    coalesce(c.ohne_gremium, 0) AS gremien_praeventionsarbeit_ohne_gremium,
    coalesce(c.unklar, 0) AS gremien_unklar,
    coalesce(c.stand_unbekannt, 0) AS gremien_stand_unbekannt,
    coalesce(c.evtl_identisch, 0) AS gremien_evtl_identisch,
    c.aeltester AS status_stand_aeltester,
    c.neuester AS status_stand_neuester,
    m.gebietsstand
FROM joined.municipalities m
LEFT JOIN survey s ON s.ags = m.ags
LEFT JOIN committees c ON c.ags = m.ags
