-- title: Coverage: what of the review is in the dataset
-- description: The studies whose correlation and number of people are there, and those people.
-- grain: one row
SELECT
  count(*) AS paper_count,
  CAST(coalesce(sum(c.people_count), 0) AS BIGINT) AS people_count
FROM correlations AS c
JOIN papers USING (paper_id)
WHERE c.correlation_r IS NOT NULL AND c.people_count IS NOT NULL
