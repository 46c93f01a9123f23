-- code: MY301
SELECT study_id FROM studies ANTI JOIN results USING (study_id)
