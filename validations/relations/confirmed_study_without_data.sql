-- code: TA301
SELECT t.study_id
FROM studies AS t
WHERE t.inclusion = 'confirmed'
  AND NOT EXISTS (
    SELECT 1
    FROM samples AS s
    WHERE s.study_id = t.study_id
      AND (
        s.sample_id IN (SELECT sample_id FROM measures WHERE sample_id IS NOT NULL)
        OR s.sample_id IN (SELECT sample_id FROM outcomes WHERE sample_id IS NOT NULL)
      )
  )
ORDER BY t.study_id
