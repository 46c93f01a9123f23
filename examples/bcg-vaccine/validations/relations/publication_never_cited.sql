-- code: BCG302
WITH cited AS (
  SELECT unnest([review_publication_id, publication_id]) AS cited_id FROM trials
  UNION
  SELECT unnest([publication_id, total_publication_id]) FROM tuberculosis
  UNION
  SELECT source_id FROM published_claims
)

SELECT p.publication_id
FROM publications AS p
WHERE NOT EXISTS (SELECT 1 FROM cited AS c WHERE c.cited_id = p.publication_id)
ORDER BY p.publication_id
