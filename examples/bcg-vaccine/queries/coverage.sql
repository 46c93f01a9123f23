-- title: Coverage: what of the review is in the dataset
-- description: The trials whose counts are there for both arms, and the people and cases in them.
-- grain: one row
SELECT
  count(*) AS trial_count,
  CAST(coalesce(sum(vaccinated_total + control_total), 0) AS BIGINT) AS participant_count,
  CAST(coalesce(sum(vaccinated_cases + control_cases), 0) AS BIGINT) AS case_count
FROM tuberculosis
JOIN trials USING (trial_id)
WHERE vaccinated_cases IS NOT NULL
  AND vaccinated_total IS NOT NULL
  AND control_cases IS NOT NULL
  AND control_total IS NOT NULL
