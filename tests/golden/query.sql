SET VARIABLE "least" = CAST(0 AS INTEGER);
-- title: Weighted mean
-- grain: one row
-- headline: yes
-- param least INTEGER = 0
SELECT sum(n * mean) / sum(n) AS mean, count(DISTINCT study_id) AS k
FROM results
WHERE n >= getvariable('least');
