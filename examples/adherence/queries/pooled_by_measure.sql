-- title: Pooled correlation by measure of adherence
-- description: Random effects by REML on Fisher's z within each way of measuring adherence, back as
--   correlations. Ours, to look at; it is no figure of the review.
-- grain: one row per measure of adherence
WITH effects AS (
  SELECT paper_id, adherence_instrument, unnest(es_zcor(correlation_r, people_count))
  FROM correlations
),

pooled AS (
  SELECT adherence_instrument, pool(yi, vi, method := 'REML', unit := paper_id) AS p
  FROM effects
  GROUP BY adherence_instrument
)

SELECT
  adherence_instrument,
  back('ZCOR', p.estimate) AS r,
  back('ZCOR', p.ci_lower) AS r_lower,
  back('ZCOR', p.ci_upper) AS r_upper,
  p.tau2 AS tau2,
  p.I2 AS i2_percent,
  p.k AS paper_count
FROM pooled
ORDER BY adherence_instrument
