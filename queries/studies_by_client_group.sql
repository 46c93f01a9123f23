-- title: Studies by client group
-- description: The groups are in the words of the sources and are not merged. A study of several
--   groups counts in each, so the rows add up to more than the studies.
-- grain: one row per client group
-- headline: no
WITH groups AS (
  SELECT DISTINCT
    study_id,
    inclusion,
    unnest(string_split(coalesce(client_group, '(not seen)'), '; ')) AS client_group
  FROM studies
)

SELECT
  client_group,
  count(*) FILTER (WHERE inclusion = 'confirmed') AS confirmed,
  count(*) FILTER (WHERE inclusion = 'unconfirmed') AS unconfirmed,
  count(*) AS studies
FROM groups
GROUP BY client_group
ORDER BY studies DESC, client_group
