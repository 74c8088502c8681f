-- Proposals, one-off meetings and context: not committees, never counted.
SELECT
    h.hinweis_id, h.art, m.ags, m.gemeinde, h.titel, h.gremium_id, h.url, h.quelle_art, h.datum,
    CASE length(h.datum) WHEN 10 THEN 'tag' WHEN 7 THEN 'monat' WHEN 4 THEN 'jahr' ELSE 'unbekannt' END AS datum_genauigkeit,
    h.zeigt, m.gebietsstand
FROM input.hints h
JOIN joined.key_resolution k ON k.ags = h.ags AND k.ags_stand IS NOT DISTINCT FROM h.ags_stand
JOIN joined.municipalities m ON m.ags = k.ags_karte
