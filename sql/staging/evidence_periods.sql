-- Evidence with its date as a period: a day, a month or a year is known; the true day lies in von..bis. A day that no
-- calendar has gives no period; checks/evidence_dates reports it.
SELECT
    *,
    CASE length(belegt_am) WHEN 10 THEN 'tag' WHEN 7 THEN 'monat' WHEN 4 THEN 'jahr' ELSE 'unbekannt' END AS genauigkeit,
    CASE length(belegt_am)
        WHEN 10 THEN TRY_CAST(belegt_am AS DATE)
        WHEN 7 THEN CAST(belegt_am || '-01' AS DATE)
        WHEN 4 THEN CAST(belegt_am || '-01-01' AS DATE)
    END AS von,
    CASE length(belegt_am)
        WHEN 10 THEN TRY_CAST(belegt_am AS DATE)
        WHEN 7 THEN CAST(last_day(CAST(belegt_am || '-01' AS DATE)) AS DATE)
        WHEN 4 THEN CAST(belegt_am || '-12-31' AS DATE)
    END AS bis
FROM input.evidence
