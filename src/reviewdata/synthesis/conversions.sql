-- Conversions between d, r, odds ratio, t, F, p and n, as macros of plain DuckDB SQL. They need
-- distributions.sql (t_sf2, t_ppf, norm_ppf) and effects.sql.
--
--   SELECT trial, unnest(es_smd_from_d(d_from_t(t, n1i, n2i), n1i, n2i)) FROM tests
--
-- d is Cohen's d of two independent groups, r a correlation of n people. df are the degrees of
-- freedom: n - 2 for a correlation, n1i + n2i - 2 for two groups. F is that of two groups, df1 = 1,
-- and its df is df2.
--   direction   1 or -1: the sign of the effect, which F and a two-sided p do not have; anything
--               else gives null
--   sides       2 (default) or 1: whether p is two-sided, or one-sided in `direction`
--   level       95 (default), of a confidence interval: a percent from 50 to below 100, or a share
--               from 0.5 to below 1
-- sides and level that are something else, or null, are an error.
-- Null in, null out; an impossible value (|r| above 1, a p outside 0 to 1, df or n too small, an F
-- below 0) gives null, and so does a result that is not finite (a p of 0, an r of 1).
-- Borenstein et al. 2009: Introduction to Meta-Analysis, chapters 4, 6, 7.

-- 1 or -1, else null.
CREATE OR REPLACE MACRO _sign(direction) AS
  CASE WHEN direction = 1 THEN 1 WHEN direction = -1 THEN -1 END;

-- 1 or 2, else an error.
CREATE OR REPLACE MACRO _sides(sides) AS
  CAST(_choice(sides, ['1', '2'], 'sides') AS INTEGER);

-- ---------------------------------------------------------------- t, F and p

-- t of two groups from d: d / sqrt(1/n1i + 1/n2i).
CREATE OR REPLACE MACRO t_from_d(d, n1i, n2i) AS
  list_transform([{
    'd': CAST(d AS DOUBLE), 'n1': CAST(n1i AS DOUBLE), 'n2': CAST(n2i AS DOUBLE)
  }], lambda _s: CASE WHEN _least(_s.n1, 1) AND _least(_s.n2, 1) THEN
    _finite(_s.d / sqrt(1 / _s.n1 + 1 / _s.n2)) END)[1];

-- t of a correlation: r sqrt(df / (1 - r^2)).
CREATE OR REPLACE MACRO t_from_r(r, df) AS
  list_transform([{'r': CAST(r AS DOUBLE), 'df': CAST(df AS DOUBLE)}], lambda _s:
    CASE WHEN abs(_s.r) < 1 AND _above(_s.df, 0) THEN
      _s.r * sqrt(_s.df / ((1 - _s.r) * (1 + _s.r))) END)[1];

-- t from F with df1 = 1: direction sqrt(F).
CREATE OR REPLACE MACRO t_from_f(f, direction) AS
  list_transform([{'f': CAST(f AS DOUBLE), 'sign': _sign(direction)}], lambda _s:
    CASE WHEN _least(_s.f, 0) THEN _s.sign * sqrt(_s.f) END)[1];

-- t from its p: the quantile that leaves p (one-sided) or p/2 (two-sided) beyond it, in
-- `direction`. A one-sided p above 0.5 gives a t against it. Cochrane Handbook 6.5.2.3.
CREATE OR REPLACE MACRO t_from_p(p, df, direction, by_name := NULL, sides := 2) AS
  list_transform([{
    'p': CAST(p AS DOUBLE), 'df': CAST(df AS DOUBLE), 'sign': _sign(direction),
    'sides': _sides(_named(sides, by_name, 't_from_p', 'sides := 1'))
  }], lambda _s:
    CASE WHEN _s.p > 0 AND _s.p <= 1 AND _above(_s.df, 0) THEN
      _finite(-_s.sign * t_ppf(_s.p / _s.sides, _s.df)) END)[1];

-- p of a t. With sides := 1 the p in `direction`, which must then be said.
CREATE OR REPLACE MACRO p_from_t(t, df, by_name := NULL, sides := 2, direction := NULL) AS
  list_transform([{
    't': CAST(t AS DOUBLE), 'df': CAST(df AS DOUBLE), 'sign': _sign(direction),
    'sides': _sides(_named(sides, by_name, 'p_from_t', 'sides := 1'))
  }], lambda _s: CASE
    WHEN NOT (isfinite(_s.t) AND _above(_s.df, 0)) THEN NULL
    WHEN _s.sides = 2 THEN t_sf2(abs(_s.t), _s.df)
    WHEN _s.sign * _s.t >= 0 THEN t_sf2(abs(_s.t), _s.df) / 2
    WHEN _s.sign * _s.t < 0 THEN 1 - t_sf2(abs(_s.t), _s.df) / 2
  END)[1];

-- p of an F with df1 = 1, which is two-sided for the difference of the two groups.
CREATE OR REPLACE MACRO p_from_f(f, df) AS p_from_t(t_from_f(f, 1), df);

-- p of a correlation of n people, by Student's t with n - 2 df.
CREATE OR REPLACE MACRO p_from_r(r, n, by_name := NULL, sides := 2, direction := NULL) AS
  p_from_t(
    t_from_r(r, CAST(n AS DOUBLE) - 2), CAST(n AS DOUBLE) - 2,
    sides := _named(sides, by_name, 'p_from_r', 'sides := 1'), direction := direction
  );

-- p of a d of two groups, by Student's t with n1i + n2i - 2 df.
CREATE OR REPLACE MACRO p_from_d(d, n1i, n2i, by_name := NULL, sides := 2, direction := NULL) AS
  p_from_t(
    t_from_d(d, n1i, n2i), CAST(n1i AS DOUBLE) + CAST(n2i AS DOUBLE) - 2,
    sides := _named(sides, by_name, 'p_from_d', 'sides := 1'), direction := direction
  );

-- ---------------------------------------------------------------- d

-- d from t: t sqrt(1/n1i + 1/n2i). metafor: escalc's ti.
CREATE OR REPLACE MACRO d_from_t(t, n1i, n2i) AS
  list_transform([{
    't': CAST(t AS DOUBLE), 'n1': CAST(n1i AS DOUBLE), 'n2': CAST(n2i AS DOUBLE)
  }], lambda _s: CASE WHEN _least(_s.n1, 1) AND _least(_s.n2, 1) THEN
    _finite(_s.t * sqrt(1 / _s.n1 + 1 / _s.n2)) END)[1];

-- d from F (df1 = 1). metafor: escalc's fi, with the sign of direction.
CREATE OR REPLACE MACRO d_from_f(f, n1i, n2i, direction) AS
  d_from_t(t_from_f(f, direction), n1i, n2i);

-- d from p of the t test. metafor: escalc's pi, with the sign of direction.
CREATE OR REPLACE MACRO d_from_p(p, n1i, n2i, direction, by_name := NULL, sides := 2) AS
  d_from_t(
    t_from_p(p, CAST(n1i AS DOUBLE) + CAST(n2i AS DOUBLE) - 2, direction,
      sides := _named(sides, by_name, 'd_from_p', 'sides := 1')),
    n1i, n2i
  );

-- d from r: 2 r / sqrt(1 - r^2); Borenstein et al. 2009, equation 7.5.
CREATE OR REPLACE MACRO d_from_r(r) AS
  list_transform([CAST(r AS DOUBLE)], lambda _r:
    CASE WHEN abs(_r) < 1 THEN 2 * _r / sqrt((1 - _r) * (1 + _r)) END)[1];

-- d from a log odds ratio: ln(OR) sqrt(3) / pi; Borenstein et al. 2009, equation 7.1; Hasselblad &
-- Hedges 1995, Psychol Bull 117:167. metafor: OR2DL.
CREATE OR REPLACE MACRO d_from_log_or(log_or) AS
  _finite(CAST(log_or AS DOUBLE) * sqrt(CAST(3 AS DOUBLE)) / pi());

-- d from an odds ratio, by way of its logarithm: as d_from_log_or. Null for one of 0 or less.
CREATE OR REPLACE MACRO d_from_or(odds_ratio) AS
  d_from_log_or(CASE WHEN odds_ratio > 0 THEN ln(CAST(odds_ratio AS DOUBLE)) END);

-- Variance of d of two groups: 1/n1i + 1/n2i + d^2 / (2 (n1i + n2i)); Borenstein et al. 2009,
-- equation 4.20. (es_smd_from_d has the variance of g.)
CREATE OR REPLACE MACRO var_d(d, n1i, n2i) AS
  list_transform([{
    'd': CAST(d AS DOUBLE), 'n1': CAST(n1i AS DOUBLE), 'n2': CAST(n2i AS DOUBLE)
  }], lambda _s: CASE WHEN _least(_s.n1, 1) AND _least(_s.n2, 1) THEN
    _finite(1 / _s.n1 + 1 / _s.n2 + _s.d * _s.d / (2 * (_s.n1 + _s.n2))) END)[1];

-- Variance of d from r and the variance of r: 4 var_r / (1 - r^2)^3; equation 7.6.
CREATE OR REPLACE MACRO var_d_from_r(r, var_r) AS
  list_transform([{'r': CAST(r AS DOUBLE), 'v': CAST(var_r AS DOUBLE)}], lambda _s:
    CASE WHEN abs(_s.r) < 1 AND _above(_s.v, 0) THEN
      4 * _s.v / pow((1 - _s.r) * (1 + _s.r), 3) END)[1];

-- Variance of d from the variance of the log odds ratio: 3 var / pi^2; equation 7.2.
CREATE OR REPLACE MACRO var_d_from_log_or(var_log_or) AS
  list_transform([CAST(var_log_or AS DOUBLE)], lambda _v:
    CASE WHEN _above(_v, 0) THEN _v * 3 / (pi() * pi()) END)[1];

-- ---------------------------------------------------------------- r

-- r from t: t / sqrt(t^2 + df).
CREATE OR REPLACE MACRO r_from_t(t, df) AS
  list_transform([{'t': CAST(t AS DOUBLE), 'df': CAST(df AS DOUBLE)}], lambda _s:
    CASE WHEN _above(_s.df, 0) THEN _finite(_s.t / sqrt(_s.t * _s.t + _s.df)) END)[1];

-- r from F (df1 = 1, df its df2).
CREATE OR REPLACE MACRO r_from_f(f, df, direction) AS r_from_t(t_from_f(f, direction), df);

-- r from p of the correlation of n people, by t with n - 2 df.
CREATE OR REPLACE MACRO r_from_p(p, n, direction, by_name := NULL, sides := 2) AS
  r_from_t(
    t_from_p(p, CAST(n AS DOUBLE) - 2, direction,
      sides := _named(sides, by_name, 'r_from_p', 'sides := 1')),
    CAST(n AS DOUBLE) - 2
  );

-- r from d: d / sqrt(d^2 + a) with a = (n1i + n2i)^2 / (n1i n2i), which is 4 for equal groups, and
-- where the sizes are left out; Borenstein et al. 2009, equations 7.7 and 7.8.
CREATE OR REPLACE MACRO r_from_d(d, n1i := 1, n2i := 1) AS
  list_transform([{
    'd': CAST(d AS DOUBLE), 'n1': CAST(n1i AS DOUBLE), 'n2': CAST(n2i AS DOUBLE)
  }], lambda _s: CASE WHEN _least(_s.n1, 1) AND _least(_s.n2, 1) THEN
    _finite(_s.d / sqrt(_s.d * _s.d + pow(_s.n1 + _s.n2, 2) / (_s.n1 * _s.n2))) END)[1];

-- Variance of r of n people: (1 - r^2)^2 / (n - 1); equation 6.1.
CREATE OR REPLACE MACRO var_r(r, n) AS
  list_transform([{'r': CAST(r AS DOUBLE), 'n': CAST(n AS DOUBLE)}], lambda _s:
    CASE WHEN abs(_s.r) < 1 AND _above(_s.n, 1) THEN
      pow((1 - _s.r) * (1 + _s.r), 2) / (_s.n - 1) END)[1];

-- Variance of r from d and the variance of d: a^2 var_d / (d^2 + a)^3; equation 7.9.
CREATE OR REPLACE MACRO var_r_from_d(d, var_d, n1i := 1, n2i := 1) AS
  list_transform([{
    'd': CAST(d AS DOUBLE), 'v': CAST(var_d AS DOUBLE),
    'n1': CAST(n1i AS DOUBLE), 'n2': CAST(n2i AS DOUBLE)
  }], lambda _s:
    CASE WHEN _above(_s.v, 0) AND _least(_s.n1, 1) AND _least(_s.n2, 1) THEN
      _finite(pow(pow(_s.n1 + _s.n2, 2) / (_s.n1 * _s.n2), 2) * _s.v
        / pow(_s.d * _s.d + pow(_s.n1 + _s.n2, 2) / (_s.n1 * _s.n2), 3)) END)[1];

-- ---------------------------------------------------------------- odds ratio

-- Log odds ratio from d: d pi / sqrt(3); Borenstein et al. 2009, equation 7.3. metafor: D2ORL.
CREATE OR REPLACE MACRO log_or_from_d(d) AS
  _finite(CAST(d AS DOUBLE) * pi() / sqrt(CAST(3 AS DOUBLE)));

-- Odds ratio from d: exp(d pi / sqrt(3)).
CREATE OR REPLACE MACRO or_from_d(d) AS _finite(exp(log_or_from_d(d)));

-- Log odds ratio from r, by way of d (d_from_r, log_or_from_d).
CREATE OR REPLACE MACRO log_or_from_r(r) AS log_or_from_d(d_from_r(r));

-- Odds ratio from r, by way of d (d_from_r, or_from_d).
CREATE OR REPLACE MACRO or_from_r(r) AS or_from_d(d_from_r(r));

-- r from a log odds ratio, by way of d of groups of equal size (d_from_log_or, r_from_d).
CREATE OR REPLACE MACRO r_from_log_or(log_or) AS r_from_d(d_from_log_or(log_or));

-- r from an odds ratio, by way of d of groups of equal size (d_from_or, r_from_d).
CREATE OR REPLACE MACRO r_from_or(odds_ratio) AS r_from_d(d_from_or(odds_ratio));

-- Variance of the log odds ratio from the variance of d: var pi^2 / 3; equation 7.4.
CREATE OR REPLACE MACRO var_log_or_from_d(var_d) AS
  list_transform([CAST(var_d AS DOUBLE)], lambda _v:
    CASE WHEN _above(_v, 0) THEN _v * pi() * pi() / 3 END)[1];

-- ---------------------------------------------------------------- scales

-- A value of the measure's scale on the scale that people read: exp for RR and OR, tanh for ZCOR
-- (metafor: transf.ztor), the inverse logit for PLO (transf.ilogit), itself for the others. For
-- estimates and bounds of intervals, not for variances.
CREATE OR REPLACE MACRO back(measure, y) AS
  list_transform([{
    'measure': CASE WHEN measure IS NOT NULL THEN _choice(measure, [
      'RR', 'OR', 'RD', 'MD', 'SMD', 'COR', 'ZCOR', 'PR', 'PLO', 'MN', 'MC', 'SMCC', 'SMCR'
    ], 'measure of back') END,
    'y': CAST(y AS DOUBLE)
  }], lambda _s: CASE
    WHEN _s.measure IS NULL OR isnan(_s.y) THEN NULL
    WHEN _s.measure IN ('RR', 'OR') THEN _finite(exp(_s.y))
    WHEN _s.measure = 'ZCOR' THEN tanh(_s.y)
    WHEN _s.measure = 'PLO' THEN 1 / (1 + exp(-_s.y))
    ELSE _finite(_s.y)
  END)[1];

-- Fisher's z from r: atanh(r). metafor: transf.rtoz.
CREATE OR REPLACE MACRO z_from_r(r) AS
  list_transform([CAST(r AS DOUBLE)], lambda _r: CASE WHEN abs(_r) < 1 THEN atanh(_r) END)[1];

-- r from Fisher's z: tanh(z). metafor: transf.ztor.
CREATE OR REPLACE MACRO r_from_z(z) AS
  list_transform([CAST(z AS DOUBLE)], lambda _z: CASE WHEN isfinite(_z) THEN tanh(_z) END)[1];

-- ---------------------------------------------------------------- standard errors and SDs

-- SE of a mean or a difference from its confidence interval: (ci_upper - ci_lower) / (2 q), q the
-- quantile of the normal distribution. Cochrane Handbook 6.3.1. For a ratio give the logarithms of
-- its bounds (6.3.2).
CREATE OR REPLACE MACRO se_from_ci(ci_lower, ci_upper, by_name := NULL, level := 95) AS
  list_transform([{
    'width': CAST(ci_upper AS DOUBLE) - CAST(ci_lower AS DOUBLE),
    'outside': _named(_outside(level, 'se_from_ci'), by_name, 'se_from_ci', 'level := 95')
  }], lambda _s:
    CASE WHEN _above(_s.width, 0) THEN _s.width / -2 / norm_ppf(_s.outside / 2) END)[1];

-- The same, for the macro that is called.
CREATE OR REPLACE MACRO _se_from_ci_t(ci_lower, ci_upper, df, by_name, level, what) AS
  list_transform([{
    'width': CAST(ci_upper AS DOUBLE) - CAST(ci_lower AS DOUBLE), 'df': CAST(df AS DOUBLE),
    'outside': _named(_outside(level, what), by_name, what, 'level := 95')
  }], lambda _s:
    CASE WHEN _above(_s.width, 0) AND _above(_s.df, 0) THEN
      _s.width / -2 / t_ppf(_s.outside / 2, _s.df) END)[1];

-- SE from a confidence interval by the t distribution with df, as of a small study. Cochrane
-- Handbook 6.5.2.3.
CREATE OR REPLACE MACRO se_from_ci_t(ci_lower, ci_upper, df, by_name := NULL, level := 95) AS
  _se_from_ci_t(ci_lower, ci_upper, df, by_name, level, 'se_from_ci_t');

-- SD of n people from the SE of their mean: SE sqrt(n). Cochrane Handbook 6.5.2.2.
CREATE OR REPLACE MACRO sd_from_se(se, n) AS
  list_transform([{'se': CAST(se AS DOUBLE), 'n': CAST(n AS DOUBLE)}], lambda _s:
    CASE WHEN _least(_s.se, 0) AND _above(_s.n, 1) THEN _s.se * sqrt(_s.n) END)[1];

-- SD of n people from the confidence interval of their mean, by the t distribution with n - 1 df.
-- Cochrane Handbook 6.5.2.2, which takes the normal one for large n.
CREATE OR REPLACE MACRO sd_from_ci(ci_lower, ci_upper, n, by_name := NULL, level := 95) AS
  sd_from_se(
    _se_from_ci_t(ci_lower, ci_upper, CAST(n AS DOUBLE) - 1, by_name, level, 'sd_from_ci'), n
  );
