-- title: Log risk ratio of each result
-- description: Arm 1 against arm 2, with its sampling variance. Half an event is added to each
--   cell of a table with a cell of 0.
-- grain: one row per result
SELECT study_id, result_id, outcome, unnest(es_rr(events1, n1, events2, n2))
FROM results
ORDER BY study_id, result_id
