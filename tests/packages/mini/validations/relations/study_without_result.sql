-- code: EX301
SELECT study_id, year FROM studies ANTI JOIN results USING (study_id)
