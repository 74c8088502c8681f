-- Changes are given for the Länder only that the profile names: elsewhere the map says that it shows the boundary file's day.
SELECT 'municipal_changes' AS datensatz, c.zeile, 'ags_alt' AS spalte, c.ags_alt AS wert,
    'die Änderung betrifft ein Land, das im Profil nicht unter „territory.changes_lands“ steht.' AS meldung,
    'Bitte das Land dort ergänzen (dann müssen alle seine Änderungen bekannt sein) oder die Zeile entfernen.' AS abhilfe
FROM input.municipal_changes c
WHERE NOT list_contains(getvariable('changes_lands'), left(c.ags_alt, 2))
    AND left(c.ags_alt, 2) IN (SELECT land_schluessel FROM staging.land_territories WHERE NOT nachgefuehrt)
