-- title: Trials by allocation
-- description: How participants were assigned to vaccine or control, with the people and the
--   cases of both arms together.
-- grain: one row per method of allocation
SELECT
  t.allocation_method,
  count(*) AS trial_count,
  CAST(sum(u.vaccinated_total + u.control_total) AS BIGINT) AS participant_count,
  CAST(sum(u.vaccinated_cases + u.control_cases) AS BIGINT) AS case_count,
  min(t.published_year) AS first_year,
  max(t.published_year) AS last_year
FROM trials AS t
LEFT JOIN tuberculosis AS u USING (trial_id)
GROUP BY t.allocation_method
ORDER BY trial_count DESC, t.allocation_method
