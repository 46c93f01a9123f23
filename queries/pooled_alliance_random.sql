-- title: Alliance score by random effects (ours, not a figure of the review)
-- description: The scores of pooled_alliance, pooled as means with variances sd^2 / n by REML: what
--   samples like these may be expected to score. The review gives a weighted mean only. The
--   interval is by Knapp and Hartung, the prediction interval by t with k - 1, since there are few
--   samples. Three samples of one study count as independent. A sample without SD or n is counted
--   in samples_left_out.
-- grain: one row
-- headline: yes
WITH scores AS (
  SELECT s.study_id, s.sample_id, s.n, m.mean, m.sd
  FROM measures AS m
  JOIN samples AS s USING (sample_id)
  JOIN studies AS t USING (study_id)
  WHERE t.inclusion = 'confirmed'
    AND s.text_based = 'yes'
    AND m.instrument LIKE 'WAI%'
    AND m.rater = 'client'
    AND m.subscale = 'total'
    AND m.mean IS NOT NULL
    AND m.score_type = 'item-mean'
    AND m.scale_min = 1
    AND m.scale_max = 7
),

-- A sample counts once: several scores of one sample are averaged, their variances too.
units AS (
  SELECT
    sample_id,
    any_value(study_id) AS study_id,
    es_mn(avg(mean), CASE WHEN count(sd) = count(*) THEN sqrt(avg(pow(sd, 2))) END, any_value(n)) AS e
  FROM scores
  GROUP BY sample_id
),

pooled AS (
  SELECT
    count(DISTINCT study_id) FILTER (e.vi IS NOT NULL) AS studies,
    pool(e.yi, e.vi, test := 'knha', pi := 't', unit := sample_id, measure := e.measure) AS p
  FROM units
)

SELECT
  p.k AS samples,
  studies,
  p.k_missing AS samples_left_out,
  p.estimate AS pooled_mean,
  p.ci_lower,
  p.ci_upper,
  p.pi_lower AS prediction_lower,
  p.pi_upper AS prediction_upper,
  sqrt(p.tau2) AS tau,
  p.I2 AS i2_percent,
  p.Q_p AS heterogeneity_p
FROM pooled
