-- title: Confirmed studies and what is extracted of them
-- description: For each study confirmed to be in the review: its independent samples, the sum of
--   their n where printed, and the numbers of alliance scores and of results.
-- grain: one row per confirmed study
-- headline: no
SELECT
  t.study_id,
  t.year,
  count(*) FILTER (WHERE s.sample_id IS NOT NULL) AS samples,
  count(*) FILTER (WHERE s.sample_id IS NOT NULL AND s.n IS NULL) AS samples_without_n,
  CAST(sum(s.n) AS BIGINT) AS n_total,
  CAST(coalesce(sum(m.measures), 0) AS BIGINT) AS measures,
  CAST(coalesce(sum(o.outcomes), 0) AS BIGINT) AS outcomes
FROM studies AS t
LEFT JOIN samples AS s USING (study_id)
LEFT JOIN (SELECT sample_id, count(*) AS measures FROM measures GROUP BY sample_id) AS m
  ON m.sample_id = s.sample_id
LEFT JOIN (SELECT sample_id, count(*) AS outcomes FROM outcomes GROUP BY sample_id) AS o
  ON o.sample_id = s.sample_id
WHERE t.inclusion = 'confirmed'
GROUP BY t.study_id, t.year
ORDER BY t.study_id
