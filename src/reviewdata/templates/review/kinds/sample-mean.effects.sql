-- title: Mean of each result
-- description: The mean with its sampling variance, SD squared by n.
-- grain: one row per result
SELECT study_id, result_id, outcome, unnest(es_mn(mean, sd, n))
FROM results
ORDER BY study_id, result_id
