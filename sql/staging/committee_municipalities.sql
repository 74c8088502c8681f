-- One row per committee and municipality as the record names them; reihe 1 is the first-named (where the point goes).
SELECT gremium_id, zeile, trim(key.ags) AS ags, key.reihe, ags_stand
FROM input.committees, unnest(string_split(ags, ';')) WITH ORDINALITY AS key (ags, reihe)
