-- title: Effect of each result
-- description: The estimate (of a ratio its logarithm) with its sampling variance: that of the SE,
--   or else of the 95 % interval.
-- grain: one row per result
WITH scaled AS (
  SELECT
    *,
    CASE WHEN scale = 'log' THEN ln(nullif(greatest(estimate, 0), 0)) ELSE estimate END AS yi,
    CASE WHEN scale = 'log' THEN ln(nullif(greatest(ci_lower, 0), 0)) ELSE ci_lower END AS lower,
    CASE WHEN scale = 'log' THEN ln(nullif(greatest(ci_upper, 0), 0)) ELSE ci_upper END AS upper
  FROM results
)

SELECT
  study_id,
  result_id,
  outcome,
  scale,
  yi,
  coalesce(se, se_from_ci(lower, upper)) ** 2 AS vi
FROM scaled
ORDER BY study_id, result_id
