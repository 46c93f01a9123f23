-- title: Pooled risk ratio by four methods
-- description: Log risk ratio of tuberculosis, vaccinated against control, pooled by inverse
--   variance: equal effects (EE), and random effects with the variance between trials by
--   DerSimonian-Laird (DL), Paule-Mandel (PM) and restricted maximum likelihood (REML, metafor's
--   default). Negative means fewer cases among the vaccinated. Intervals and the prediction
--   interval are by z, as metafor's. Half a case is added to each cell of a trial with a cell of 0;
--   there is none.
-- grain: one row per method
-- headline: yes
WITH effects AS (
  SELECT
    trial_id,
    unnest(es_rr(vaccinated_cases, vaccinated_total, control_cases, control_total))
  FROM tuberculosis
),

methods AS (
  SELECT 'EE' AS method, pool(yi, vi, method := 'EE', unit := trial_id) AS pooled FROM effects
  UNION ALL
  SELECT 'DL', pool(yi, vi, method := 'DL', unit := trial_id) FROM effects
  UNION ALL
  SELECT 'PM', pool(yi, vi, method := 'PM', unit := trial_id) FROM effects
  UNION ALL
  SELECT 'REML', pool(yi, vi, method := 'REML', unit := trial_id) FROM effects
)

SELECT
  method,
  m.pooled.estimate AS log_rr,
  m.pooled.se AS se,
  m.pooled.ci_lower AS ci_lower,
  m.pooled.ci_upper AS ci_upper,
  exp(m.pooled.estimate) AS risk_ratio,
  exp(m.pooled.ci_lower) AS risk_ratio_lower,
  exp(m.pooled.ci_upper) AS risk_ratio_upper,
  exp(m.pooled.pi_lower) AS prediction_lower,
  exp(m.pooled.pi_upper) AS prediction_upper,
  m.pooled.tau2 AS tau2,
  m.pooled.tau2_se AS tau2_se,
  m.pooled.I2 AS i2_percent,
  m.pooled.H2 AS h2,
  m.pooled.Q AS q,
  m.pooled.Q_df AS q_df,
  m.pooled.Q_p AS q_p,
  m.pooled.k AS trial_count
FROM methods AS m
ORDER BY method
