-- title: Weighted alliance score, sensitivity with unconfirmed studies and rescaled forms
-- description: As pooled_alliance, but studies of unconfirmed inclusion count too, and item
--   means on another range are rescaled linearly to 1 to 7. Not a published figure. A score
--   without n is counted in rows_without_n and not in the mean; one whose rater, range or
--   score type was not seen is left out.
-- grain: one row
-- headline: no
WITH scores AS (
  SELECT s.study_id, s.sample_id, s.n, s.text_based, m.mean, m.sd,
    rescale_mean(m.mean, m.scale_min, m.scale_max, 1, 7) AS mean_1_to_7,
    rescale_sd(m.sd, m.scale_min, m.scale_max, 1, 7) AS sd_1_to_7
  FROM measures AS m
  JOIN samples AS s USING (sample_id)
  JOIN studies AS t USING (study_id)
  WHERE t.inclusion IN ('confirmed', 'unconfirmed')
    AND s.text_based IS DISTINCT FROM 'no'
    AND m.instrument LIKE 'WAI%'
    AND m.rater = 'client'
    AND m.subscale = 'total'
    AND m.mean IS NOT NULL
    AND m.score_type = 'item-mean'
    AND m.scale_min < m.scale_max
),

-- A sample counts once: several scores of one sample are averaged, their variances too.
units AS (
  SELECT
    sample_id,
    any_value(study_id) AS study_id,
    any_value(n) AS n,
    avg(mean_1_to_7) AS mean,
    CASE WHEN count(sd) = count(*) THEN sqrt(avg(pow(sd_1_to_7, 2))) END AS sd
  FROM scores
  WHERE n IS NOT NULL AND text_based = 'yes'
  GROUP BY sample_id
)

SELECT
  count(*) AS samples,
  count(DISTINCT study_id) AS studies,
  CAST(coalesce(sum(n), 0) AS BIGINT) AS n_total,
  (SELECT count(*) FROM scores WHERE n IS NULL) AS rows_without_n,
  weighted_mean(mean, n) AS weighted_mean,
  weighted_sd_mean(sd, n) AS weighted_sd_mean,
  weighted_sd_within(sd, n) AS weighted_sd_within,
  weighted_sd_all(mean, sd, n) AS weighted_sd_all
FROM units
