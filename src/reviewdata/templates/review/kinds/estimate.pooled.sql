-- title: Pooled effect
-- description: Estimates pooled by random effects (REML), ratios as their logarithms. The variance
--   is that of the SE, or else of the 95 % interval. One result of a study and outcome; two are an
--   error that names them.
-- grain: one row per outcome and scale
-- headline: yes
WITH scaled AS (
  SELECT
    *,
    CASE WHEN scale = 'log' THEN ln(nullif(greatest(estimate, 0), 0)) ELSE estimate END AS yi,
    CASE WHEN scale = 'log' THEN ln(nullif(greatest(ci_lower, 0), 0)) ELSE ci_lower END AS lower,
    CASE WHEN scale = 'log' THEN ln(nullif(greatest(ci_upper, 0), 0)) ELSE ci_upper END AS upper
  FROM results
),

effects AS (
  SELECT *, coalesce(se, se_from_ci(lower, upper)) ** 2 AS vi FROM scaled
),

pooled AS (
  SELECT outcome, scale, pool(yi, vi, unit := study_id) AS p FROM effects GROUP BY outcome, scale
)

SELECT
  outcome,
  scale,
  CASE WHEN scale = 'log' THEN exp(p.estimate) ELSE p.estimate END AS estimate,
  CASE WHEN scale = 'log' THEN exp(p.ci_lower) ELSE p.ci_lower END AS ci_lower,
  CASE WHEN scale = 'log' THEN exp(p.ci_upper) ELSE p.ci_upper END AS ci_upper,
  p.tau2 AS tau2,
  p.I2 AS i2_percent,
  p.k AS studies
FROM pooled
ORDER BY outcome, scale
