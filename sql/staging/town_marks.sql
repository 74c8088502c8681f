-- Text marks of the register that denote a town (Stadt) in the survey's sense.
SELECT code AS textkennzeichen FROM meta.codes
WHERE liste = 'textkennzeichen' AND json_extract_string(extra, '$.ist_stadt') = 'true'
