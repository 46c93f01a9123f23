-- title: Studies by significance of their associations of alliance and treatment outcome
-- description: Each study counts once: significant where all its results are, not significant
--   where none is, else mixed. any_significant counts the studies with at least one significant
--   result, k the studies with a result. A result whose significance was not seen does not count.
-- grain: one row
-- headline: yes
-- param include_unconfirmed BOOLEAN = false
--   true counts the studies of unconfirmed inclusion too
WITH results AS (
  SELECT
    s.study_id,
    bool_and(o.significant = 'yes') AS all_yes,
    bool_or(o.significant IN ('yes', 'mixed')) AS any_yes
  FROM outcomes AS o
  JOIN samples AS s USING (sample_id)
  JOIN studies AS t USING (study_id)
  WHERE o.analysis_type = 'association'
    AND o.significant IS NOT NULL
    AND s.role IS DISTINCT FROM 'comparator'
    AND (t.inclusion = 'confirmed' OR getvariable('include_unconfirmed'))
  GROUP BY s.study_id
)

SELECT
  count(*) FILTER (WHERE all_yes) AS significant,
  count(*) FILTER (WHERE any_yes AND NOT all_yes) AS mixed,
  count(*) FILTER (WHERE NOT any_yes) AS not_significant,
  count(*) FILTER (WHERE any_yes) AS any_significant,
  count(*) AS k
FROM results
