-- What is known of the municipalities of the map from register and boundaries, and their population on the population date.
-- On the newest boundaries the ARS is theirs; the association's name is the register's for the same association. In Länder whose
-- changes are not known the municipalities are those of the boundary file, and so is their ARS.
WITH associations AS (
    SELECT verband_ars, first(verband_kennzeichen ORDER BY ags) AS kennzeichen, first(verband ORDER BY ags) AS name
    FROM staging.current_register GROUP BY verband_ars
),
change_names AS (
    SELECT ags_neu AS ags, first(gemeinde_neu ORDER BY in_kraft_bis DESC, gemeinde_neu) AS name
    FROM staging.municipal_changes WHERE in_kraft_bis <= getvariable('territory_date') GROUP BY ags_neu
)
SELECT
    u.ags, u.gemeinde_amtlich, u.textkennzeichen,
    coalesce(u.ars, CASE WHEN NOT t.nachgefuehrt THEN b.ars END) AS ars,
    coalesce(u.verband_ars, CASE WHEN NOT t.nachgefuehrt THEN left(b.ars, 9) END) AS verband_ars,
    u.verband_kennzeichen, u.verband, u.flaeche_km2, p.einwohner, p.einwohner_stand
FROM joined.unit_attributes u
LEFT JOIN joined.unit_population p
    ON p.stand = u.stand AND p.ags = u.ags AND p.einwohner_stand = getvariable('population_date')
LEFT JOIN staging.land_territories t ON t.land_schluessel = left(u.ags, 2)
-- A condition on t here would make DuckDB compare every row with every other.
LEFT JOIN staging.map_boundaries b ON b.ebene = 'gemeinde' AND b.schluessel = u.ags
WHERE getvariable('territory_basis') = 'befragung' AND u.stand = getvariable('territory_date')
UNION ALL
SELECT
    b.schluessel, coalesce(r.gemeinde_amtlich, n.name, b.name), r.textkennzeichen,
    b.ars, left(b.ars, 9), a.kennzeichen, a.name, f.flaeche_km2,
    f.einwohner, f.einwohner_stand
FROM staging.map_boundaries b
LEFT JOIN staging.current_register r ON r.ags = b.schluessel
LEFT JOIN change_names n ON n.ags = b.schluessel
LEFT JOIN associations a ON a.verband_ars = left(b.ars, 9)
LEFT JOIN joined.current_figures f ON f.ags = b.schluessel
WHERE b.datensatz = 'boundaries_current' AND b.ebene = 'gemeinde'
