-- code: ADH302
WITH cited AS (
  SELECT unnest([review_origin_id, origin_id]) AS cited_id FROM papers
  UNION
  SELECT origin_id FROM correlations
  UNION
  SELECT source_id FROM published_figures
)

SELECT o.origin_id
FROM origins AS o
WHERE NOT EXISTS (SELECT 1 FROM cited AS c WHERE c.cited_id = o.origin_id)
ORDER BY o.origin_id
