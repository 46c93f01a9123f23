-- title: Studies by communication mode
-- description: Whether client and professional write at the same time, as far as the sources
--   say; "(not seen)" where they were not seen to say it.
-- grain: one row per communication mode
-- headline: no
SELECT
  coalesce(communication_mode, '(not seen)') AS communication_mode,
  count(*) FILTER (WHERE inclusion = 'confirmed') AS confirmed,
  count(*) FILTER (WHERE inclusion = 'unconfirmed') AS unconfirmed,
  count(*) AS studies
FROM studies
GROUP BY ALL
ORDER BY studies DESC, communication_mode
