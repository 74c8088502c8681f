-- The municipalities are valid, do not overlap, leave no gap, and together have the outline of their Land.
SELECT (SELECT any_value(datensatz) FROM staging.map_boundaries) AS datensatz, NULL AS zeile, 'geometry' AS spalte, f.schluessel AS wert,
    CASE f.art
        WHEN 'ungueltig' THEN 'die Fläche ist ungültig (sie schneidet sich selbst).'
        WHEN 'deckung' THEN 'die Fläche überlappt Nachbarn oder lässt eine Lücke ('
            || replace(CAST(round(f.mass, 1) AS VARCHAR), '.', ',') || ' m Rand).'
        ELSE 'die Gemeinden ergeben nicht den Umriss des Landes (Unterschied '
            || replace(CAST(round(f.mass / 1e6, 3) AS VARCHAR), '.', ',') || ' km²).'
    END AS meldung,
    'Bitte die Grenzen neu laden.' AS abhilfe
FROM joined.geometry_findings f
