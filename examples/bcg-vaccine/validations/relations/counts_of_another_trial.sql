-- code: BCG303
SELECT u.trial_id, min(other.trial_id) AS other_trial
FROM tuberculosis AS u
JOIN tuberculosis AS other
  ON other.trial_id <> u.trial_id
  AND other.vaccinated_cases = u.vaccinated_cases
  AND other.vaccinated_total = u.vaccinated_total
  AND other.control_cases = u.control_cases
  AND other.control_total = u.control_total
GROUP BY u.trial_id
ORDER BY u.trial_id
