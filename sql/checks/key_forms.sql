-- Keys have the digits of their level and agree with each other: an ARS is the AGS with the association after the district.
SELECT 'boundaries' AS datensatz, zeile, 'schluessel' AS spalte, schluessel AS wert,
    'ein Schlüssel der Ebene „' || ebene || '“ hat ' || stellen || ' Stellen.' AS meldung, 'Bitte berichtigen.' AS abhilfe
FROM (SELECT *, CASE ebene WHEN 'gemeinde' THEN 8 WHEN 'kreis' THEN 5 ELSE 2 END AS stellen FROM input.boundaries)
WHERE length(schluessel) <> stellen
UNION ALL
SELECT 'register', zeile, 'ars', ars, 'der Regionalschlüssel passt nicht zum Gemeindeschlüssel ' || ags || '.',
    'Bitte beide Schlüssel prüfen.'
FROM input.register WHERE left(ars, 5) || right(ars, 3) <> ags
UNION ALL
SELECT 'register', zeile, 'verband_ars', verband_ars, 'der Schlüssel des Verbands passt nicht zum Regionalschlüssel ' || ars || '.',
    'Bitte beide Schlüssel prüfen.'
FROM input.register WHERE left(ars, 9) <> verband_ars
UNION ALL
SELECT 'register', zeile, 'kreis_schluessel', kreis_schluessel,
    'der Kreisschlüssel passt nicht zum Gemeindeschlüssel ' || ags || '.', 'Bitte beide Schlüssel prüfen.'
FROM input.register WHERE left(ags, 5) <> kreis_schluessel
