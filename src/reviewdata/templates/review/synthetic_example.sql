-- code: MY302
SELECT study_id FROM studies WHERE citation LIKE 'SYNTHETIC%'
