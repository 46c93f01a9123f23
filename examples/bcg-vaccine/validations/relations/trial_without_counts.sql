-- code: BCG301
SELECT t.trial_id, t.trial_label
FROM trials AS t
WHERE NOT EXISTS (SELECT 1 FROM tuberculosis AS u WHERE u.trial_id = t.trial_id)
ORDER BY t.trial_id
