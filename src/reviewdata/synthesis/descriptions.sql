-- Weighted descriptions, combined groups, rescaling, votes and dependent effects, as macros of
-- plain DuckDB SQL. They need distributions.sql (norm_ppf) and effects.sql.
--
--   SELECT instrument, weighted_mean(mean, n), weighted_sd_within(sd, n)
--   FROM scores GROUP BY instrument
--
-- The aggregates take columns and stand where avg() stands. DISTINCT, FILTER and OVER do not apply
-- to a macro: choose rows with WHERE, or give null for those that do not count:
-- weighted_mean(CASE WHEN rater = 'client' THEN mean END, n). As with avg(), a row with a null in
-- one of the arguments is left out; where that must be seen, weighted_summary, combine_groups_all,
-- combine_average and vote_count count them in k_missing. A row with an impossible value (a
-- negative SD, n below 1, a number that is not finite) is never left out: the result is null.

-- ---------------------------------------------------------------- weighted mean and SD

-- Weighted mean: sum(w x) / sum(w). Null where a weight is negative or all are 0.
CREATE OR REPLACE MACRO weighted_mean(x, w) AS
  CASE WHEN coalesce(bool_and(
      CASE WHEN x IS NULL OR w IS NULL THEN true
        ELSE isfinite(CAST(x AS DOUBLE)) AND _least(CAST(w AS DOUBLE), 0) END), true) THEN
    sum(CAST(w AS DOUBLE) * CAST(x AS DOUBLE))
    / nullif(sum(CASE WHEN x IS NOT NULL THEN CAST(w AS DOUBLE) END), 0)
  END;

-- Whether no SD and no size of the group is impossible.
CREATE OR REPLACE MACRO _possible(sdi, ni) AS
  coalesce(bool_and(
    CASE WHEN sdi IS NULL OR ni IS NULL THEN true
      ELSE _least(CAST(sdi AS DOUBLE), 0) AND _least(CAST(ni AS DOUBLE), 1) END), true);

-- Three readings of "the weighted SD" of groups of ni people with SD sdi. They differ, and reviews
-- seldom say which they mean.
-- 1. The mean of the SDs, weighted by ni: sum(ni sdi) / sum(ni).
CREATE OR REPLACE MACRO weighted_sd_mean(sdi, ni) AS
  CASE WHEN _possible(sdi, ni) THEN
    sum(CAST(ni AS DOUBLE) * CAST(sdi AS DOUBLE))
    / sum(CASE WHEN sdi IS NOT NULL THEN CAST(ni AS DOUBLE) END)
  END;

-- 2. The SD pooled within groups: sqrt(sum((ni - 1) sdi^2) / sum(ni - 1)); the sp of Borenstein et
-- al. 2009, equation 4.19, for any number of groups. Null where all ni are 1.
CREATE OR REPLACE MACRO weighted_sd_within(sdi, ni) AS
  CASE WHEN _possible(sdi, ni) THEN
    sqrt(
      sum((CAST(ni AS DOUBLE) - 1) * pow(CAST(sdi AS DOUBLE), 2))
      / nullif(sum(CASE WHEN sdi IS NOT NULL THEN CAST(ni AS DOUBLE) - 1 END), 0))
  END;

-- All groups as one group: the struct of k groups, k_missing rows left out, and n, mean and sd of
-- the people of all of them: n = sum(ni), mean = sum(ni mi) / n,
--   sd^2 = (sum((ni - 1) sdi^2) + sum(ni (mi - mean)^2)) / (n - 1).
-- Cochrane Handbook 6.5.2.10, which says it for two groups; for more the same, in any order.
CREATE OR REPLACE MACRO combine_groups_all(ni, mi, sdi) AS
  list_transform(list_transform(list_transform([
    coalesce(list({
      'n': CAST(ni AS DOUBLE), 'm': CAST(mi AS DOUBLE), 's': CAST(sdi AS DOUBLE)
    }), [])
  ], lambda _rows: {
    'whole': list_filter(_rows, lambda _g: _g.n + _g.m + _g.s IS NOT NULL),
    'all': _rows
  }), lambda _t: {
    'groups': _t.whole, 'k': len(_t.whole), 'k_missing': len(_t.all) - len(_t.whole),
    'possible': coalesce(list_bool_and(list_transform(_t.whole, lambda _g:
      _least(_g.n, 1) AND _least(_g.s, 0) AND isfinite(_g.m))), false),
    'n': list_sum(list_transform(_t.whole, lambda _g: _g.n)),
    'mean': list_sum(list_transform(_t.whole, lambda _g: _g.n * _g.m))
      / list_sum(list_transform(_t.whole, lambda _g: _g.n))
  }), lambda _t: {
    'k': _t.k,
    'k_missing': _t.k_missing,
    'n': CASE WHEN _t.possible THEN _t.n END,
    'mean': CASE WHEN _t.possible THEN _t.mean END,
    'sd': CASE WHEN _t.possible AND _t.n > 1 THEN sqrt(
      (list_sum(list_transform(_t.groups, lambda _g: (_g.n - 1) * pow(_g.s, 2)))
        + list_sum(list_transform(_t.groups, lambda _g: _g.n * pow(_g.m - _t.mean, 2))))
      / (_t.n - 1)) END
  })[1];

-- 3. The SD of the people of all groups together, denominator N - 1: combine_groups_all's sd. It
-- holds the differences between the groups too.
CREATE OR REPLACE MACRO weighted_sd_all(mi, sdi, ni) AS combine_groups_all(ni, mi, sdi).sd;

-- All of that at once: the struct of k groups with mean and size, k_missing rows without one of
-- them, k_without_sd of the k that have no SD, n (the people of the k), mean, and the three SDs of
-- the groups that have one.
CREATE OR REPLACE MACRO weighted_summary(mi, sdi, ni) AS {
  'k': count(*) FILTER (mi IS NOT NULL AND ni IS NOT NULL),
  'k_missing': count(*) FILTER (mi IS NULL OR ni IS NULL),
  'k_without_sd': count(*) FILTER (mi IS NOT NULL AND ni IS NOT NULL AND sdi IS NULL),
  'n': CASE WHEN weighted_mean(mi, ni) IS NOT NULL THEN
    sum(CASE WHEN mi IS NOT NULL THEN CAST(ni AS DOUBLE) END) END,
  'mean': weighted_mean(mi, ni),
  'sd_mean': weighted_sd_mean(CASE WHEN mi IS NOT NULL THEN sdi END, ni),
  'sd_within': weighted_sd_within(CASE WHEN mi IS NOT NULL THEN sdi END, ni),
  'sd_all': weighted_sd_all(mi, sdi, ni)
};

-- Two groups as one: the struct of n, mean and sd. Cochrane Handbook 6.5.2.10, table 6.5.a:
--   sd^2 = ((n1-1) sd1^2 + (n2-1) sd2^2 + n1 n2 / (n1+n2) (m1 - m2)^2) / (n1 + n2 - 1).
CREATE OR REPLACE MACRO combine_groups(n1i, m1i, sd1i, n2i, m2i, sd2i) AS
  list_transform(list_transform([{
    'n1': CAST(n1i AS DOUBLE), 'm1': CAST(m1i AS DOUBLE), 's1': CAST(sd1i AS DOUBLE),
    'n2': CAST(n2i AS DOUBLE), 'm2': CAST(m2i AS DOUBLE), 's2': CAST(sd2i AS DOUBLE)
  }], lambda _s: {
    's': _s,
    'possible': _least(_s.n1, 1) AND _least(_s.n2, 1) AND _least(_s.s1, 0) AND _least(_s.s2, 0)
      AND isfinite(_s.m1) AND isfinite(_s.m2)
  }), lambda _t: {
    'n': CASE WHEN _t.possible THEN _t.s.n1 + _t.s.n2 END,
    'mean': CASE WHEN _t.possible THEN
      (_t.s.n1 * _t.s.m1 + _t.s.n2 * _t.s.m2) / (_t.s.n1 + _t.s.n2) END,
    'sd': CASE WHEN _t.possible THEN sqrt(
      ((_t.s.n1 - 1) * _t.s.s1 * _t.s.s1 + (_t.s.n2 - 1) * _t.s.s2 * _t.s.s2
        + _t.s.n1 * _t.s.n2 / (_t.s.n1 + _t.s.n2) * pow(_t.s.m1 - _t.s.m2, 2))
      / (_t.s.n1 + _t.s.n2 - 1)) END
  })[1];

-- ---------------------------------------------------------------- scales

-- A mean of scores of from_min to from_max on the scale of to_min to to_max, linearly:
--   to_min + (x - from_min) (to_max - to_min) / (from_max - from_min).
-- For observed scores: null where x lies outside its scale, and where a scale does not go up. (To
-- turn a scale round, take to_min + to_max - the result.)
CREATE OR REPLACE MACRO rescale_mean(x, from_min, from_max, to_min, to_max) AS
  list_transform([{
    'x': CAST(x AS DOUBLE), 'a': CAST(from_min AS DOUBLE), 'b': CAST(from_max AS DOUBLE),
    'c': CAST(to_min AS DOUBLE), 'd': CAST(to_max AS DOUBLE)
  }], lambda _s:
    CASE WHEN _s.x BETWEEN _s.a AND _s.b AND _above(_s.b - _s.a, 0) AND _above(_s.d - _s.c, 0) THEN
      _s.c + (_s.x - _s.a) * ((_s.d - _s.c) / (_s.b - _s.a)) END)[1];

-- The SD that goes with it, also that of a change or of an adjusted mean:
--   sd (to_max - to_min) / (from_max - from_min).
CREATE OR REPLACE MACRO rescale_sd(sd, from_min, from_max, to_min, to_max) AS
  list_transform([{
    's': CAST(sd AS DOUBLE), 'a': CAST(from_min AS DOUBLE), 'b': CAST(from_max AS DOUBLE),
    'c': CAST(to_min AS DOUBLE), 'd': CAST(to_max AS DOUBLE)
  }], lambda _s:
    CASE WHEN _least(_s.s, 0) AND _above(_s.b - _s.a, 0) AND _above(_s.d - _s.c, 0) THEN
      _s.s * ((_s.d - _s.c) / (_s.b - _s.a)) END)[1];

-- ---------------------------------------------------------------- votes

-- The vote of an effect by its direction, whatever its p: 'positive', 'negative', or 'unclear' for
-- an effect of exactly 0; null for null.
CREATE OR REPLACE MACRO vote(yi) AS
  list_transform([CAST(yi AS DOUBLE)], lambda _y: CASE
    WHEN isnan(_y) THEN NULL WHEN _y > 0 THEN 'positive' WHEN _y < 0 THEN 'negative'
    WHEN _y = 0 THEN 'unclear' END)[1];

-- Two-sided p of the sign test: the exact binomial probability of a split at least as uneven as
-- this one if both directions are equally likely, min(1, 2 P(X <= min(positive, negative))).
-- Bushman & Wang 2009 (in Cooper et al., Handbook of Research Synthesis, 2nd ed., chapter 11);
-- Cochrane Handbook 12.2.1.3. Null without votes, and for numbers that are not whole or below 0.
-- (The sum leaves out what lies more than 18 SDs below its largest term.)
CREATE OR REPLACE MACRO sign_test(positive, negative) AS
  list_transform(list_transform([{
    'p': CAST(positive AS DOUBLE), 'q': CAST(negative AS DOUBLE)
  }], lambda _s: {
    'few': CASE WHEN _least(_s.p, 0) AND _least(_s.q, 0) AND _above(_s.p + _s.q, 0)
      AND _s.p = floor(_s.p) AND _s.q = floor(_s.q) THEN least(_s.p, _s.q) END,
    'n': _s.p + _s.q
  }), lambda _s: CASE
    WHEN 2 * _s.few >= _s.n - 1 THEN CAST(1 AS DOUBLE)
    WHEN _s.few IS NOT NULL THEN
      2 * exp(lgamma(_s.n + 1) - lgamma(_s.few + 1) - lgamma(_s.n - _s.few + 1) - _s.n * ln(2))
      * list_reduce(
        list_transform(
          range(greatest(0, CAST(_s.few - 9 * sqrt(_s.n) - 10 AS BIGINT)), CAST(_s.few AS BIGINT)),
          lambda _i: CAST(_i + 1 AS DOUBLE)),
        lambda _total, _i: 1 + _total * _i / (_s.n - _i + 1),
        CAST(1 AS DOUBLE))
  END)[1];

-- The votes of a group, an aggregate: the struct of k votes seen, k_missing, positive, negative,
-- unclear, share (of the positive among those with a direction), its Wilson interval of `level`
-- (95, or another as in pool; Brown, Cai & DasGupta 2001, Stat Sci 16:101, who advise it for few
-- studies), and p of sign_test.
-- A vote is 'positive', 'negative' or 'unclear', see vote(yi); another word is an error. Votes do
-- not say how large an effect is, and weigh a study of 20 people as one of 2,000: they are for
-- studies that give a direction and no more.
CREATE OR REPLACE MACRO vote_count(votes, by_name := NULL, level := 95) AS
  list_transform(list_transform(list_transform([{
    'k': count(votes), 'k_missing': count(*) - count(votes),
    'positive': count(CASE WHEN votes = 'positive' THEN 1 END),
    'negative': count(CASE WHEN votes = 'negative' THEN 1 END),
    'unclear': count(CASE WHEN votes = 'unclear' THEN 1 END),
    'other': min(CASE WHEN votes NOT IN ('positive', 'negative', 'unclear') THEN votes END),
    'outside': CASE WHEN count(*) > 0 THEN
      _named(_outside(min(level), 'vote_count'), min(by_name), 'vote_count', 'level := 95') END
  }], lambda _s: {
    'votes': CASE WHEN _s.other IS NULL THEN _s
      WHEN _choice(_s.other, ['positive', 'negative', 'unclear'], 'vote of vote_count') <> ''
      THEN _s END,
    'n': nullif(_s.positive + _s.negative, 0),
    'share': _s.positive / CAST(nullif(_s.positive + _s.negative, 0) AS DOUBLE),
    'z': -norm_ppf(_s.outside / 2)
  }), lambda _s: {
    'votes': _s.votes, 'share': _s.share,
    'middle': (_s.share + _s.z * _s.z / (2 * _s.n)) / (1 + _s.z * _s.z / _s.n),
    'half': _s.z / (1 + _s.z * _s.z / _s.n)
      * sqrt(_s.share * (1 - _s.share) / _s.n + _s.z * _s.z / (4 * _s.n * _s.n))
  }), lambda _s: {
    'k': _s.votes.k, 'k_missing': _s.votes.k_missing, 'positive': _s.votes.positive,
    'negative': _s.votes.negative, 'unclear': _s.votes.unclear, 'share': _s.share,
    'ci_lower': CASE WHEN _s.middle > _s.half THEN _s.middle - _s.half
      WHEN _s.middle <= _s.half THEN 0 END,
    'ci_upper': CASE WHEN _s.middle + _s.half < 1 THEN _s.middle + _s.half
      WHEN _s.middle + _s.half >= 1 THEN 1 END,
    'p': sign_test(_s.votes.positive, _s.votes.negative)
  })[1];

-- The bars of a harvest plot (Ogilvie et al. 2008, BMC Med Res Methodol 8:8) from a relation with
-- the columns outcome (the row of the plot), study, vote and height (the weight of the evidence,
-- such as the quality of the study or its size):
--
--   WITH votes AS (SELECT outcome, study, vote(yi) AS vote, ni AS height FROM effects)
--   FROM harvest_plot('votes') ORDER BY outcome, side, place
--
-- One row a bar: outcome, side (-1 negative, 0 unclear, 1 positive: the column of the plot), place
-- (from 1, the highest bar first, within outcome and side), study, vote and height. A study without
-- a vote stays, with a side of null. No bar is left out.
CREATE OR REPLACE MACRO harvest_plot(votes) AS TABLE
  SELECT
    outcome,
    CASE WHEN vote IS NOT NULL THEN list_position(
      ['negative', 'unclear', 'positive'],
      _choice(vote, ['positive', 'negative', 'unclear'], 'vote of harvest_plot')) - 2
    END AS side,
    row_number() OVER (
      PARTITION BY outcome, vote ORDER BY height DESC NULLS LAST, study
    ) AS place,
    study, vote, height
  FROM query_table(votes);

-- ---------------------------------------------------------------- unit of analysis

-- The one measure of the effects of a sample that are combined, of all where none is, or an error.
CREATE OR REPLACE MACRO _one_measure(measure, combined, given) AS CASE
  WHEN given AND count(measure) FILTER (combined) < count(*) FILTER (combined) THEN
    error('combine_average: ' || count(*) FILTER (combined) - count(measure) FILTER (combined)
      || ' of the rows have no measure')
  WHEN min(measure) FILTER (combined) <> max(measure) FILTER (combined) THEN
    error('combine_average: one sample has effects of ' || min(measure) FILTER (combined)
      || ' and ' || max(measure) FILTER (combined) || '; convert them to one measure')
  ELSE coalesce(min(measure) FILTER (combined), min(measure)) END;

-- Several effects of one independent sample as one, an aggregate within the sample: the struct of
-- yi, the plain mean, vi, k combined effects, k_missing effects without yi or vi, and measure.
--   vi = (1/k^2) (sum(vi) + sum over i <> j of rho sqrt(vi vj))
-- Borenstein et al. 2009, chapter 24. metafor: aggregate() with struct = "CS", weighted = FALSE.
--   rho       the correlation of the effects, which is seldom printed: an assumption that has no
--             default. 1 gives no gain from several effects, 0 takes them for independent.
--   measure   the column of that name, so that different measures among the combined effects are
--             refused, and an effect without one
-- Null where a vi is not above 0, and where rho is too negative for so many effects.
CREATE OR REPLACE MACRO combine_average(yi, vi, rho, by_name := NULL, measure := NULL) AS
  list_transform(list_transform([{
    'rows': list({'y': CAST(yi AS DOUBLE), 'v': CAST(vi AS DOUBLE), 'rho': CAST(rho AS DOUBLE)})
      FILTER (yi IS NOT NULL AND vi IS NOT NULL),
    'all': _named(count(*), min(by_name), 'combine_average', 'measure := measure'),
    'measure': _one_measure(CAST(measure AS VARCHAR), yi IS NOT NULL AND vi IS NOT NULL,
      _is_given(measure)),
    'rho': CASE WHEN bool_and(coalesce(CAST(rho AS DOUBLE) BETWEEN -1 AND 1, false)) IS NOT FALSE
        AND min(rho) IS NOT DISTINCT FROM max(rho) THEN CAST(min(rho) AS DOUBLE)
      ELSE error('combine_average: rho must be one number from -1 to 1') END
  }], lambda _s: {
    'k': coalesce(len(_s.rows), 0), 'k_missing': _s.all - coalesce(len(_s.rows), 0),
    'measure': _s.measure,
    'y': list_avg(list_transform(_s.rows, lambda _e: _e.y)),
    'v': CASE WHEN list_bool_and(list_transform(_s.rows, lambda _e: _above(_e.v, 0))) THEN
      ((1 - _s.rho) * list_sum(list_transform(_s.rows, lambda _e: _e.v))
        + _s.rho * pow(list_sum(list_transform(_s.rows, lambda _e: sqrt(_e.v))), 2))
      / pow(len(_s.rows), 2) END
  }), lambda _s: {
    'yi': CASE WHEN isfinite(_s.y) AND _above(_s.v, 0) THEN _s.y END,
    'vi': CASE WHEN isfinite(_s.y) AND _above(_s.v, 0) THEN _s.v END,
    'k': _s.k, 'k_missing': _s.k_missing, 'measure': _s.measure
  })[1];

-- The people of a control group that falls to each of `arms` comparisons with it: n / arms, which
-- need not be whole. Events are split likewise; means and SDs stay. Cochrane Handbook 23.3.4.
-- Null for n of 0 or less, and for arms that are no whole number of 1 or more.
CREATE OR REPLACE MACRO split_n(n, arms) AS
  list_transform([{'n': CAST(n AS DOUBLE), 'arms': CAST(arms AS DOUBLE)}], lambda _s:
    CASE WHEN _least(_s.n, 0) AND _least(_s.arms, 1) AND _s.arms = floor(_s.arms) THEN
      _s.n / _s.arms END)[1];
