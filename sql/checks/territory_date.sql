-- A territory that the map or a wave needs must follow exactly from the boundaries and the known changes.
SELECT 'profile.toml' AS datensatz, NULL AS zeile, 'territory.date' AS spalte, CAST(stand AS VARCHAR) AS wert,
    'der Gebietsstand lässt sich nicht genau bilden: ' || hindernisse || '.' AS meldung,
    'Bitte einen anderen Tag wählen oder neuere Grenzen laden.' AS abhilfe
FROM staging.territory_dates WHERE noetig AND NOT beantwortbar
