-- The changes of municipalities: those of the operator's table, and after the day up to which that is complete those of the
-- statistical office's lists. "erlischt": the municipality ends with it (else it goes on under its key, with less land).
WITH changes AS (
    SELECT 'municipal_changes' AS datensatz, * FROM input.municipal_changes
    UNION ALL BY NAME
    SELECT 'municipal_changes_current' AS datensatz, * FROM input.municipal_changes_current
    WHERE in_kraft_bis > getvariable('changes_until')
)
SELECT
    *,
    -- The sources round shares to four decimals.
    sum(flaechenanteil) OVER (PARTITION BY ags_alt, nach) >= 0.999 AS erlischt
FROM changes
