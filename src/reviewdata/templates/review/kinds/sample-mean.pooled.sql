-- title: Pooled mean
-- description: Means pooled by random effects (REML). One result of a study and outcome; two are
--   an error that names them.
-- grain: one row per outcome
-- headline: yes
WITH effects AS (
  SELECT study_id, outcome, unnest(es_mn(mean, sd, n)) FROM results
),

pooled AS (
  SELECT outcome, pool(yi, vi, unit := study_id) AS p FROM effects GROUP BY outcome
)

SELECT
  outcome,
  p.estimate AS pooled_mean,
  p.ci_lower AS ci_lower,
  p.ci_upper AS ci_upper,
  p.tau2 AS tau2,
  p.I2 AS i2_percent,
  p.k AS studies
FROM pooled
ORDER BY outcome
