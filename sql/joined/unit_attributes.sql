-- Names, kind, association and area of the municipalities of each date, from the register nearest before it (else the first
-- after it). Key + date identifies a territory: the area is taken only when the land is the same at both dates, and what a
-- change of key makes invalid (ARS, association) only under the same key. Municipalities that no register names take their
-- name from the changes, else from the boundaries; nothing else is known of them.
WITH register_dates AS (
    SELECT d.stand, coalesce(
        max(r.gebietsstand) FILTER (WHERE r.gebietsstand <= d.stand),
        min(r.gebietsstand) FILTER (WHERE r.gebietsstand > d.stand)
    ) AS registerstand
    FROM staging.territory_dates d, (SELECT DISTINCT gebietsstand FROM input.register) r
    WHERE d.beantwortbar
    GROUP BY d.stand
),
register AS (
    SELECT d.stand, u.basis, r.*
    FROM register_dates d
    JOIN input.register r ON r.gebietsstand = d.registerstand
    LEFT JOIN joined.territory_units u ON u.stand = d.registerstand AND u.ags = r.ags
),
change_names AS (
    SELECT ags_neu AS ags, first(gemeinde_neu ORDER BY in_kraft_bis) AS name FROM input.municipal_changes GROUP BY ags_neu
)
SELECT
    u.stand, u.ags,
    coalesce(same_key.gemeinde_amtlich, same_land.gemeinde_amtlich, change_names.name, b.name) AS gemeinde_amtlich,
    coalesce(same_key.textkennzeichen, same_land.textkennzeichen) AS textkennzeichen,
    same_key.ars, same_key.verband_ars, same_key.verband_kennzeichen, same_key.verband,
    same_land.flaeche_km2
FROM joined.territory_units u
LEFT JOIN register same_key ON same_key.stand = u.stand AND same_key.ags = u.ags
LEFT JOIN register same_land ON same_land.stand = u.stand AND same_land.basis = u.basis
LEFT JOIN change_names ON change_names.ags = u.ags
LEFT JOIN input.boundaries b ON b.ebene = 'gemeinde' AND b.schluessel = u.ags
