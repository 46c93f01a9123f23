-- title: Directions of the correlations
-- description: How many studies found a positive correlation, a negative one, and one of exactly 0,
--   with the sign test. It throws away how large the correlations are, and is here to be compared
--   with their pooled value.
-- grain: one row
SELECT unnest(vote_count(vote(correlation_r))) FROM correlations
