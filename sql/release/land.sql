-- Länder of the map, added up from their municipalities.
SELECT b.schluessel AS land_schluessel, b.name AS land, t.*
FROM (SELECT * EXCLUDE (ebene) FROM joined.level_totals WHERE ebene = 'land') t
JOIN staging.map_boundaries b ON b.ebene = 'land' AND b.schluessel = t.schluessel
