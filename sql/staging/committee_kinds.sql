-- Kinds of committee with their group: "rat" are councils in the survey's sense, the others are counted apart.
SELECT code AS art, json_extract_string(extra, '$.gruppe') AS gruppe FROM meta.codes WHERE liste = 'gremium_art'
