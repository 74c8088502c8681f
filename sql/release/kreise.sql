-- Districts of the map, added up from their municipalities.
SELECT
    m.kreis_schluessel, m.kreis, m.kreis_art, t.*
FROM (SELECT DISTINCT kreis_schluessel, kreis, kreis_art FROM joined.municipalities) m
JOIN (SELECT * EXCLUDE (ebene) FROM joined.level_totals WHERE ebene = 'kreis') t ON t.schluessel = m.kreis_schluessel
