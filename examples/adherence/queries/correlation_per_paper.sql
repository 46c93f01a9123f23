-- title: Correlation of each study
-- description: With its 95% confidence interval by Fisher's z, and its two-sided p by t with n - 2
--   df. Empty where the correlation or the number of people is missing.
-- grain: one row per study
WITH effects AS (
  SELECT paper_id, people_count, correlation_r, es_zcor(correlation_r, people_count) AS fisher
  FROM correlations
)

SELECT
  paper_id,
  p.paper_label,
  e.people_count,
  e.correlation_r AS r,
  back('ZCOR', e.fisher.yi - 1.959963984540054 * sqrt(e.fisher.vi)) AS r_lower,
  back('ZCOR', e.fisher.yi + 1.959963984540054 * sqrt(e.fisher.vi)) AS r_upper,
  p_from_r(e.correlation_r, e.people_count) AS p_value
FROM papers AS p
LEFT JOIN effects AS e USING (paper_id)
ORDER BY p.paper_year, paper_id
