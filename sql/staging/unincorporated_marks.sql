-- Text marks of the register that denote an unincorporated area (gemeindefreies Gebiet): it has a key, and is no municipality.
SELECT code AS textkennzeichen FROM meta.codes
WHERE liste = 'textkennzeichen' AND json_extract_string(extra, '$.gemeindefrei') = 'true'
