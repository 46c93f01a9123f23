-- title: Fisher's z of each result
-- description: The correlation as Fisher's z, with its sampling variance 1 / (n - 3).
-- grain: one row per result
SELECT study_id, result_id, outcome, unnest(es_zcor(r, n))
FROM results
ORDER BY study_id, result_id
