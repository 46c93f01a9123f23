-- code: ADH303
SELECT c.paper_id, min(other.paper_id) AS other_paper
FROM correlations AS c
JOIN correlations AS other
  ON other.paper_id <> c.paper_id
  AND other.people_count = c.people_count
  AND other.correlation_r = c.correlation_r
GROUP BY c.paper_id
ORDER BY c.paper_id
