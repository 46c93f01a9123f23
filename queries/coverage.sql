-- title: Coverage: what of the review is in the dataset
-- description: The studies confirmed to be in the review, with their samples, alliance scores
--   and results; and the studies on topic whose inclusion was not seen.
-- grain: one row
-- headline: yes
SELECT
  count(*) FILTER (WHERE inclusion = 'confirmed') AS studies,
  (
    SELECT count(*) FROM samples JOIN studies USING (study_id) WHERE inclusion = 'confirmed'
  ) AS samples,
  (
    SELECT count(*) FROM measures JOIN samples USING (sample_id) JOIN studies USING (study_id)
    WHERE inclusion = 'confirmed'
  ) AS measures,
  (
    SELECT count(*) FROM outcomes JOIN samples USING (sample_id) JOIN studies USING (study_id)
    WHERE inclusion = 'confirmed'
  ) AS outcomes,
  count(*) FILTER (WHERE inclusion = 'unconfirmed') AS unconfirmed_studies
FROM studies
