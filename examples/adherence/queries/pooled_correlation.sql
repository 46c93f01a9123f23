-- title: Pooled correlation of conscientiousness and adherence
-- description: Random effects by REML on Fisher's z, with z interval and z prediction interval, as
--   metafor does by default; the correlations are back from Fisher's z. Positive means that
--   conscientious people adhere better. Three of the correlations are adjusted for other variables
--   and are pooled like the others, as in the review.
-- grain: one row
-- headline: yes
WITH effects AS (
  SELECT paper_id, unnest(es_zcor(correlation_r, people_count))
  FROM correlations
),

pooled AS (
  SELECT pool(yi, vi, method := 'REML', unit := paper_id) AS p
  FROM effects
)

SELECT
  back('ZCOR', p.estimate) AS r,
  back('ZCOR', p.ci_lower) AS r_lower,
  back('ZCOR', p.ci_upper) AS r_upper,
  back('ZCOR', p.pi_lower) AS r_prediction_lower,
  back('ZCOR', p.pi_upper) AS r_prediction_upper,
  p.estimate AS fisher_z,
  p.se AS fisher_z_se,
  p.ci_lower AS fisher_z_lower,
  p.ci_upper AS fisher_z_upper,
  p.p AS p_value,
  p.tau2 AS tau2,
  p.I2 AS i2_percent,
  p.H2 AS h2,
  p.Q AS q,
  p.Q_df AS q_df,
  p.Q_p AS q_p,
  p.k AS paper_count
FROM pooled
