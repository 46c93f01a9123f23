-- code: TA304
SELECT o.outcome_id, o.sample_id
FROM outcomes AS o
JOIN samples AS s USING (sample_id)
WHERE s.role = 'comparator'
ORDER BY o.outcome_id
