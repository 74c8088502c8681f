-- Every Land of the profile is on the map: titles, days of territory and the catalogue name them all.
SELECT 'profile.toml' AS datensatz, NULL AS zeile, 'lands' AS spalte, p.land AS wert,
    'die Grenzen der Karte enthalten keine Gemeinde dieses Landes.' AS meldung,
    'Bitte Grenzen laden, die es enthalten, oder das Land aus dem Profil nehmen.' AS abhilfe
FROM (SELECT unnest(getvariable('lands')) AS land) p
WHERE p.land NOT IN (SELECT left(schluessel, 2) FROM staging.map_boundaries WHERE ebene = 'gemeinde')
