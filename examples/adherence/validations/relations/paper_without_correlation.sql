-- code: ADH301
SELECT p.paper_id, p.paper_label
FROM papers AS p
WHERE NOT EXISTS (SELECT 1 FROM correlations AS c WHERE c.paper_id = p.paper_id)
ORDER BY p.paper_id
