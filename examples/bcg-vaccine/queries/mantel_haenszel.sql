-- title: Mantel-Haenszel log risk ratio
-- description: Risk of tuberculosis, vaccinated against control, over all trials with both arms.
--   Negative means fewer cases among the vaccinated. One common risk ratio is assumed, which the
--   differences between these trials contradict; it is here because it has a published value.
-- grain: one row
-- headline: yes

-- Greenland S, Robins JM (1985). Estimation of a common effect parameter from sparse follow-up
-- data. Biometrics 41:55-68. With a of n1 and c of n2, and n = n1 + n2 in each trial:
--   r = a n2 / n, s = c n1 / n, p = (n1 n2 (a + c) - a c n) / n^2,
--   log RR = ln(sum r / sum s), variance = sum p / (sum r * sum s).
WITH arms AS (
  SELECT
    vaccinated_cases AS a,
    vaccinated_total AS n1,
    control_cases AS c,
    control_total AS n2,
    vaccinated_total + control_total AS n
  FROM tuberculosis
  WHERE vaccinated_cases IS NOT NULL
    AND vaccinated_total IS NOT NULL
    AND control_cases IS NOT NULL
    AND control_total IS NOT NULL
),

sums AS (
  SELECT
    count(*) AS trial_count,
    CAST(coalesce(sum(n), 0) AS BIGINT) AS participant_count,
    nullif(sum(a * n2 / n), 0) AS r,
    nullif(sum(c * n1 / n), 0) AS s,
    sum((n1 * n2 * (a + c) - a * c * n) / pow(n, 2)) AS p
  FROM arms
),

pooled AS (
  SELECT trial_count, participant_count, ln(r / s) AS log_rr, sqrt(p / (r * s)) AS se
  FROM sums
)

SELECT
  log_rr,
  se,
  log_rr - 1.959963984540054 * se AS ci_lower,
  log_rr + 1.959963984540054 * se AS ci_upper,
  trial_count,
  participant_count
FROM pooled
