-- Of each Land of the map: whether a committee is recorded anywhere in it, and whether the wave surveyed a town in it. Of a Land
-- without a record nobody can say that somebody looked (truth rule 3), so its counts stay empty.
SELECT
    t.land_schluessel,
    t.land_schluessel IN (SELECT left(ags, 2) FROM joined.committee_places) AS gremien_erfasst,
    t.land_schluessel IN (
        SELECT left(k.ags_karte, 2)
        FROM joined.survey_frame f JOIN joined.key_resolution k ON k.ags = f.ags AND k.ags_stand = f.gebietsstand
        WHERE f.welle = getvariable('wave')
    ) AS befragt
FROM staging.land_territories t
