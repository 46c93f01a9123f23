-- title: Pooled risk ratio
-- description: Arm 1 against arm 2, pooled by random effects (REML) as its logarithm. One result of
--   a study and outcome; two are an error that names them.
-- grain: one row per outcome
-- headline: yes
WITH effects AS (
  SELECT study_id, outcome, unnest(es_rr(events1, n1, events2, n2)) FROM results
),

pooled AS (
  SELECT outcome, pool(yi, vi, unit := study_id) AS p FROM effects GROUP BY outcome
)

SELECT
  outcome,
  exp(p.estimate) AS risk_ratio,
  exp(p.ci_lower) AS ci_lower,
  exp(p.ci_upper) AS ci_upper,
  p.tau2 AS tau2,
  p.I2 AS i2_percent,
  p.k AS studies
FROM pooled
ORDER BY outcome
