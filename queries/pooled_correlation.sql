-- title: Correlation of alliance and treatment outcome (ours, not a figure of the review)
-- description: The printed correlations of confirmed studies, pooled as Fisher's z by REML and back
--   as a correlation, signs as printed. Several results of one sample are averaged first, as if they
--   were wholly dependent (rho 1), so that more results of one sample make it no more certain. A
--   result without n is counted in results_without_n. The interval is by z: with few samples it is
--   too narrow.
-- grain: one row
-- headline: yes
-- param include_unconfirmed BOOLEAN = false
WITH results AS (
  SELECT s.study_id, s.sample_id, es_zcor(o.value, s.n) AS e
  FROM outcomes AS o
  JOIN samples AS s USING (sample_id)
  JOIN studies AS t USING (study_id)
  WHERE o.statistic = 'r'
    AND o.analysis_type = 'association'
    AND s.text_based IS DISTINCT FROM 'no'
    AND (t.inclusion = 'confirmed' OR getvariable('include_unconfirmed'))
),

units AS (
  SELECT sample_id, any_value(study_id) AS study_id, combine_average(e.yi, e.vi, 1) AS e
  FROM results
  WHERE e.vi IS NOT NULL
  GROUP BY sample_id
),

pooled AS (
  SELECT count(DISTINCT study_id) AS studies, pool(e.yi, e.vi, unit := sample_id) AS p
  FROM units
)

SELECT
  p.k AS samples,
  studies,
  (SELECT count(*) FROM results WHERE e.vi IS NULL) AS results_without_n,
  back('ZCOR', p.estimate) AS r,
  back('ZCOR', p.ci_lower) AS r_lower,
  back('ZCOR', p.ci_upper) AS r_upper,
  back('ZCOR', p.pi_lower) AS prediction_lower,
  back('ZCOR', p.pi_upper) AS prediction_upper,
  p.tau2,
  p.I2 AS i2_percent
FROM pooled
