-- title: Risk ratio of each trial
-- description: Risk of tuberculosis, vaccinated against control, with the 95% confidence interval
--   of the log risk ratio (its variance is 1/a - 1/n1 + 1/c - 1/n2). Empty where an arm has no
--   case or a count is missing; no constant is added to a count.
-- grain: one row per trial
WITH arms AS (
  SELECT
    trial_id,
    nullif(vaccinated_cases, 0) AS a,
    vaccinated_total AS n1,
    nullif(control_cases, 0) AS c,
    control_total AS n2
  FROM tuberculosis
),

effects AS (
  SELECT
    trial_id,
    ln((a / n1) / (c / n2)) AS log_rr,
    sqrt(1 / a - 1 / n1 + 1 / c - 1 / n2) AS se
  FROM arms
)

SELECT
  trial_id,
  t.trial_label,
  t.published_year,
  e.log_rr,
  e.se,
  exp(e.log_rr) AS risk_ratio,
  exp(e.log_rr - 1.959963984540054 * e.se) AS ci_lower,
  exp(e.log_rr + 1.959963984540054 * e.se) AS ci_upper
FROM trials AS t
LEFT JOIN effects AS e USING (trial_id)
ORDER BY t.published_year, trial_id
