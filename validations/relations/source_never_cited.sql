-- code: TA303
WITH cited AS (
  SELECT source_id FROM studies
  UNION
  SELECT n_source_id FROM samples
  UNION
  SELECT unnest([source_id, items_source_id, direction_source_id]) FROM instruments
  UNION
  SELECT source_id FROM measures
  UNION
  SELECT source_id FROM outcomes
  UNION
  SELECT source_id FROM claims
)

SELECT s.source_id
FROM sources AS s
WHERE NOT EXISTS (SELECT 1 FROM cited AS c WHERE c.source_id = s.source_id)
ORDER BY s.source_id
