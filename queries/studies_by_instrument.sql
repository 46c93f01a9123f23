-- title: Studies by alliance instrument
-- description: The instruments are named as printed, with an alliance score or with a result. A
--   study that prints two names counts under both, so the rows may add up to more than the
--   studies.
-- grain: one row per instrument
-- headline: no
WITH used AS (
  SELECT sample_id, instrument FROM measures
  UNION
  SELECT sample_id, instrument_as_printed FROM outcomes
)

SELECT
  i.instrument,
  count(DISTINCT t.study_id) FILTER (WHERE t.inclusion = 'confirmed') AS confirmed,
  count(DISTINCT t.study_id) FILTER (WHERE t.inclusion = 'unconfirmed') AS unconfirmed,
  count(DISTINCT t.study_id) AS studies
FROM instruments AS i
LEFT JOIN used AS u ON u.instrument = i.instrument
LEFT JOIN samples AS s USING (sample_id)
LEFT JOIN studies AS t USING (study_id)
GROUP BY i.instrument
ORDER BY studies DESC, i.instrument
