-- title: Mantel-Haenszel log risk ratio
-- description: Risk of tuberculosis, vaccinated against control, over all trials with both arms.
--   Negative means fewer cases among the vaccinated. One common risk ratio is assumed, which the
--   differences between these trials contradict; it is here because it has a published value.
-- grain: one row
-- headline: yes

WITH pooled AS (
  SELECT
    pool_mh(
      vaccinated_cases, vaccinated_total - vaccinated_cases,
      control_cases, control_total - control_cases,
      measure := 'RR', unit := trial_id
    ) AS p,
    sum(vaccinated_total + control_total)
      FILTER (vaccinated_cases + control_cases IS NOT NULL) AS participant_count
  FROM tuberculosis
)

SELECT
  p.estimate AS log_rr,
  p.se,
  p.ci_lower,
  p.ci_upper,
  p.k AS trial_count,
  CAST(coalesce(participant_count, 0) AS BIGINT) AS participant_count
FROM pooled
