-- title: Pooled correlation
-- description: Correlations pooled by random effects (REML) as Fisher's z. One result of a study
--   and outcome; two are an error that names them.
-- grain: one row per outcome
-- headline: yes
WITH effects AS (
  SELECT study_id, outcome, unnest(es_zcor(r, n)) FROM results
),

pooled AS (
  SELECT outcome, pool(yi, vi, unit := study_id) AS p FROM effects GROUP BY outcome
)

SELECT
  outcome,
  tanh(p.estimate) AS r,
  tanh(p.ci_lower) AS ci_lower,
  tanh(p.ci_upper) AS ci_upper,
  p.tau2 AS tau2,
  p.I2 AS i2_percent,
  p.k AS studies
FROM pooled
ORDER BY outcome
