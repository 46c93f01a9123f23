-- title: Standardised difference of each result
-- description: Hedges' g of arm 1 minus arm 2, with its sampling variance.
-- grain: one row per result
SELECT study_id, result_id, outcome, unnest(es_smd(mean1, sd1, n1, mean2, sd2, n2))
FROM results
ORDER BY study_id, result_id
