-- title: Weighted alliance score, confirmed studies
-- description: N-weighted mean of the WAI and its short forms on the scale of 1 to 7, as item
--   means: totals rated by clients of text-based samples in confirmed studies. Each independent
--   sample counts once. The publication does not say which weighted SD it means, so there are
--   three: the N-weighted mean of the SDs, the SD pooled within samples (weights n - 1), and the
--   SD of all clients together (denominator N - 1). The review's rules on forms, time points and
--   raters were not seen. A score without n is counted in rows_without_n and not in the mean.
-- grain: one row
-- headline: yes
WITH scores AS (
  SELECT s.study_id, s.sample_id, s.n, s.text_based, m.mean, m.sd
  FROM measures AS m
  JOIN samples AS s USING (sample_id)
  JOIN studies AS t USING (study_id)
  WHERE t.inclusion = 'confirmed'
    AND s.text_based IS DISTINCT FROM 'no'
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
    any_value(n) AS n,
    avg(mean) AS mean,
    CASE WHEN count(sd) = count(*) THEN sqrt(avg(pow(sd, 2))) END AS sd
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
