-- title: Coverage: what of the review is in the dataset
-- description: The studies with a result, and the results.
-- grain: one row
SELECT count(DISTINCT study_id) AS studies, count(*) AS results
FROM results
