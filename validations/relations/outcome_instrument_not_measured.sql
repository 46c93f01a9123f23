-- code: TA302
-- A blank instrument, or a sample without measures, is silent.
WITH measured AS (
  SELECT sample_id, string_agg(DISTINCT instrument, ', ' ORDER BY instrument) AS instruments
  FROM measures
  WHERE instrument IS NOT NULL
  GROUP BY sample_id
)

SELECT o.outcome_id, o.sample_id, o.instrument_as_printed, m.instruments
FROM outcomes AS o
JOIN measured AS m USING (sample_id)
WHERE o.instrument_as_printed IS NOT NULL
  AND NOT EXISTS (
    SELECT 1
    FROM measures AS other
    WHERE other.sample_id = o.sample_id AND other.instrument = o.instrument_as_printed
  )
ORDER BY o.outcome_id
