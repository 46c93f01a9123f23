-- Effect sizes with their sampling variances, as macros of plain DuckDB SQL.
--
--   SELECT trial, unnest(es_rr(ai, n1i, ci, n2i)) FROM counts
--
-- Every es_ macro returns a struct of yi (the effect), vi (its sampling variance) and measure (its
-- name in metafor). Arguments, definitions and defaults are those of escalc() in metafor
-- (Viechtbauer 2010, J Stat Softw 36(3), doi:10.18637/jss.v036.i03); where a word of metafor's is
-- reserved in SQL, the comment says so. Options are given by name: vtype := 'UB'.
--
-- yi and vi are both there or both null, and vi is finite and above 0. They are null where an
-- input is null, and where it is impossible: a number that is not finite, a group of no people (or
-- of one, where an SD is given), a negative SD, a count below 0 or above its group, a correlation
-- outside -1 to 1, or a variance of 0 (two SDs of 0, a correlation of exactly 1). Counts and sizes
-- may be fractional: a control group shared by two comparisons is split (split_n). An unknown
-- option stops the query with an error that names the nearest and the known ones.

-- Within: list_transform([value], lambda _s: ...)[1] names a value that is used twice. The names
-- begin with _ because DuckDB reads s.n1 as column n1 of a table called s, if the query has one.

-- The struct of an effect size: both numbers, or none.
CREATE OR REPLACE MACRO _effect(y, v, name) AS
  list_transform([{'y': y, 'v': v}], lambda _e: {
    'yi': CASE WHEN isfinite(_e.y) AND _above(_e.v, 0) THEN _e.y END,
    'vi': CASE WHEN isfinite(_e.y) AND _above(_e.v, 0) THEN _e.v END,
    'measure': name
  })[1];

-- ---------------------------------------------------------------- two groups

-- Hedges' correction factor J for m degrees of freedom; null for m of 1 or less.
--   'exact' (default, metafor's): gamma(m/2) / (sqrt(m/2) gamma((m-1)/2)); Hedges 1981, J Educ Stat
--   6:107. From m = 40 on by the series of its logarithm, where lgamma would lose digits.
--   'approximate': 1 - 3 / (4m - 1), Hedges 1981; Borenstein et al. 2009, equation 4.22.
--   'none': 1, that is Cohen's d.
CREATE OR REPLACE MACRO hedges_j(m, by_name := NULL, correction := 'exact') AS
  list_transform([{
    'm': CAST(m AS DOUBLE),
    'how': _choice(_named(correction, by_name, 'hedges_j', 'correction := ''approximate'''),
      ['exact', 'approximate', 'none'], 'correction of Hedges')
  }], lambda _s: CASE
    WHEN NOT _above(_s.m, 1) OR _s.m IS NULL THEN NULL
    WHEN _s.how = 'none' THEN CAST(1 AS DOUBLE)
    WHEN _s.how = 'approximate' THEN 1 - 3 / (4 * _s.m - 1)
    WHEN _s.m < 40 THEN exp(lgamma(_s.m / 2) - lgamma((_s.m - 1) / 2)) / sqrt(_s.m / 2)
    ELSE sqrt((_s.m - 1) / _s.m) * exp(
      (-1 + (1 / 6 + (-1 / 5 + (17 / 28 - 31 / (9 * pow(_s.m - 1, 2))) / pow(_s.m - 1, 2))
        / pow(_s.m - 1, 2)) / pow(_s.m - 1, 2)) / (4 * (_s.m - 1)))
  END)[1];

-- Mean difference m1i - m2i. metafor: MD.
--   vtype 'LS' (default): sd1i^2/n1i + sd2i^2/n2i; Borenstein 2009 (in Cooper et al., Handbook of
--   Research Synthesis, 2nd ed.), equation 12.5; Borenstein et al. 2009, chapter 4.
--   'HO': equal variances, sp^2 (1/n1i + 1/n2i) with the pooled sp; equation 12.3.
CREATE OR REPLACE MACRO es_md(m1i, sd1i, n1i, m2i, sd2i, n2i, by_name := NULL, vtype := 'LS') AS
  list_transform([{
    'm1': CAST(m1i AS DOUBLE), 's1': CAST(sd1i AS DOUBLE), 'n1': CAST(n1i AS DOUBLE),
    'm2': CAST(m2i AS DOUBLE), 's2': CAST(sd2i AS DOUBLE), 'n2': CAST(n2i AS DOUBLE),
    'vtype': _choice(_named(vtype, by_name, 'es_md', 'vtype := ''HO'''), ['LS', 'HO'],
      'vtype of es_md')
  }], lambda _s: _effect(
    _s.m1 - _s.m2,
    CASE WHEN _above(_s.n1, 1) AND _above(_s.n2, 1) AND _least(_s.s1, 0) AND _least(_s.s2, 0) THEN
      CASE _s.vtype
        WHEN 'LS' THEN _s.s1 * _s.s1 / _s.n1 + _s.s2 * _s.s2 / _s.n2
        WHEN 'HO' THEN (1 / _s.n1 + 1 / _s.n2)
          * ((_s.n1 - 1) * _s.s1 * _s.s1 + (_s.n2 - 1) * _s.s2 * _s.s2) / (_s.n1 + _s.n2 - 2)
      END
    END,
    'MD'
  ))[1];

-- Standardised mean difference from Cohen's d: g = J(n1i + n2i - 2) d. metafor: SMD with di.
--   vtype 'LS' (default): 1/n1i + 1/n2i + g^2 / (2 (n1i + n2i)); Hedges 1982, Psychol Bull 92:490,
--   equation 8.
--   'UB', unbiased: 1/n1i + 1/n2i + (1 - (m-2) / (m J^2)) g^2; Hedges 1983, Psychol Bull 93:388,
--   equation 9. It is the variance of a corrected value: not with correction := 'none'.
--   'LS2': J^2 (1/n1i + 1/n2i + d^2 / (2 (n1i + n2i))); Borenstein 2009, equation 12.17;
--   Borenstein et al. 2009, equations 4.20 and 4.24.
--   correction: that of hedges_j. Null where n1i + n2i is 3 or less.
CREATE OR REPLACE MACRO es_smd_from_d(
  d, n1i, n2i, by_name := NULL, vtype := 'LS', correction := 'exact'
) AS
  list_transform([{
    'd': CAST(d AS DOUBLE), 'n1': CAST(n1i AS DOUBLE), 'n2': CAST(n2i AS DOUBLE),
    'j': hedges_j(CAST(n1i AS DOUBLE) + CAST(n2i AS DOUBLE) - 2, correction := correction),
    'vtype': CASE WHEN vtype = 'UB' AND correction = 'none' THEN error('vtype of es_smd: ''UB'' is '
        || 'the variance of a corrected value; with correction := ''none'' take ''LS''')
      ELSE _choice(_named(vtype, by_name, 'es_smd_from_d', 'vtype := ''UB'''),
        ['LS', 'UB', 'LS2'], 'vtype of es_smd') END
  }], lambda _s: _effect(
    _s.j * _s.d,
    CASE WHEN _least(_s.n1, 1) AND _least(_s.n2, 1) THEN
      CASE _s.vtype
        WHEN 'LS' THEN 1 / _s.n1 + 1 / _s.n2 + pow(_s.j * _s.d, 2) / (2 * (_s.n1 + _s.n2))
        WHEN 'UB' THEN 1 / _s.n1 + 1 / _s.n2
          + (_s.j * _s.j - (_s.n1 + _s.n2 - 4) / (_s.n1 + _s.n2 - 2)) * _s.d * _s.d
        WHEN 'LS2' THEN _s.j * _s.j * (1 / _s.n1 + 1 / _s.n2 + _s.d * _s.d / (2 * (_s.n1 + _s.n2)))
      END
    END,
    'SMD'
  ))[1];

-- Cohen's d: (m1i - m2i) / sp, sp the SD pooled within the groups; Borenstein et al. 2009,
-- equations 4.18 and 4.19. Null where sp is 0.
CREATE OR REPLACE MACRO cohen_d(m1i, sd1i, n1i, m2i, sd2i, n2i) AS
  list_transform([{
    'm1': CAST(m1i AS DOUBLE), 's1': CAST(sd1i AS DOUBLE), 'n1': CAST(n1i AS DOUBLE),
    'm2': CAST(m2i AS DOUBLE), 's2': CAST(sd2i AS DOUBLE), 'n2': CAST(n2i AS DOUBLE)
  }], lambda _s:
    CASE WHEN _above(_s.n1, 1) AND _above(_s.n2, 1) AND _least(_s.s1, 0) AND _least(_s.s2, 0)
        AND _above(_s.s1 + _s.s2, 0) AND isfinite(_s.m1 - _s.m2) THEN
      (_s.m1 - _s.m2)
      / sqrt(((_s.n1 - 1) * _s.s1 * _s.s1 + (_s.n2 - 1) * _s.s2 * _s.s2) / (_s.n1 + _s.n2 - 2))
    END
  )[1];

-- Standardised mean difference, Hedges' g by default; vtype and correction as es_smd_from_d.
-- metafor: SMD.
CREATE OR REPLACE MACRO es_smd(
  m1i, sd1i, n1i, m2i, sd2i, n2i, by_name := NULL, vtype := 'LS', correction := 'exact'
) AS
  es_smd_from_d(
    cohen_d(m1i, sd1i, n1i, m2i, sd2i, n2i), n1i, n2i,
    vtype := _named(vtype, by_name, 'es_smd', 'vtype := ''UB'''), correction := correction
  );

-- ---------------------------------------------------------------- two variables

-- 2F1(1, 1; n/2; 1 - r2) - 1, the hypergeometric function, for a whole n above 4: by its series
-- where that converges fast, else by the recurrence of its integral, (n/2 - 1) times that of
-- u^(n/2-2) / (r2 + (1-r2) u) from 0 to 1, which is stable for r2 below 1/2.
CREATE OR REPLACE MACRO _f11_less_1(r2, n) AS
  list_transform([{'r2': r2, 'x': 1 - r2, 'n': n}], lambda _s: CASE
    WHEN _s.r2 = 0 THEN 2 / (_s.n - 4)
    WHEN _s.r2 >= 0.5 OR _s.n >= 60 THEN
      2 * _s.x / _s.n * list_reduce(
        list_transform(range(69, 0, -1), lambda _k: CAST(_k AS DOUBLE)),
        lambda _f, _k: 1 + _f * _s.x * (_k + 1) / (_s.n / 2 + _k),
        CAST(1 AS DOUBLE))
    ELSE (_s.n / 2 - 1) * list_reduce(
      list_transform(
        range(CAST(_s.n AS BIGINT) % 2 + 2, CAST(_s.n AS BIGINT) - 3, 2),
        lambda _i: CAST(_i AS DOUBLE) / 2),
      lambda _integral, _power: (1 / _power - _s.r2 * _integral) / _s.x,
      CASE WHEN CAST(_s.n AS BIGINT) % 2 = 0 THEN -ln(_s.r2) / _s.x
        ELSE 2 / _s.x * (1 - sqrt(_s.r2 / _s.x) * atan(sqrt(_s.x / _s.r2))) END) - 1
  END)[1];

-- Correlation ri of ni people, not corrected for its bias. metafor: COR. Null for ni of 3 or less, as
-- in metafor.
--   vtype 'LS' (default): (1 - ri^2)^2 / (ni - 1); Borenstein 2009, equation 12.27; Borenstein et
--   al. 2009, equation 6.1.
--   'UB', unbiased: ri^2 - 1 + (ni-3)/(ni-2) (1 - ri^2) 2F1(1, 1; ni/2; 1 - ri^2); Hedges 1989,
--   J Appl Psychol 74:469, by the exact equation of Olkin & Pratt 1958, Ann Math Stat 29:201. For a
--   whole ni above 4; null where the estimate is below 0, as happens for small ni. metafor takes
--   'UB' for UCOR alone, the corrected correlation, whose square it has in place of the first ri^2.
CREATE OR REPLACE MACRO es_cor(ri, ni, by_name := NULL, vtype := 'LS') AS
  list_transform([{
    'r': CAST(ri AS DOUBLE), 'n': CAST(ni AS DOUBLE),
    'vtype': _choice(_named(vtype, by_name, 'es_cor', 'vtype := ''UB'''), ['LS', 'UB'],
      'vtype of es_cor')
  }], lambda _s: _effect(
    _s.r,
    CASE WHEN abs(_s.r) <= 1 AND _above(_s.n, 3) THEN
      CASE _s.vtype
        WHEN 'LS' THEN pow(1 - _s.r * _s.r, 2) / (_s.n - 1)
        WHEN 'UB' THEN CASE WHEN _s.n > 4 AND _s.n = floor(_s.n) THEN
          (1 - _s.r * _s.r) * ((_s.n - 3) * _f11_less_1(_s.r * _s.r, _s.n) - 1) / (_s.n - 2) END
      END
    END,
    'COR'
  ))[1];

-- Fisher's z = atanh(ri), variance 1 / (ni - 3). metafor: ZCOR. Null for ni of 3 or less and for
-- ri of -1 or 1. Fisher 1921, Metron 1:3; Borenstein et al. 2009, equations 6.2 and 6.3.
CREATE OR REPLACE MACRO es_zcor(ri, ni) AS
  list_transform([{'r': CAST(ri AS DOUBLE), 'n': CAST(ni AS DOUBLE)}], lambda _s: _effect(
    CASE WHEN abs(_s.r) < 1 THEN atanh(_s.r) END,
    CASE WHEN _above(_s.n, 3) THEN 1 / (_s.n - 3) END,
    'ZCOR'
  ))[1];

-- ---------------------------------------------------------------- one group

-- Mean mi, variance sdi^2 / ni. metafor: MN.
CREATE OR REPLACE MACRO es_mn(mi, sdi, ni) AS
  list_transform([{
    'm': CAST(mi AS DOUBLE), 's': CAST(sdi AS DOUBLE), 'n': CAST(ni AS DOUBLE)
  }], lambda _s: _effect(
    _s.m, CASE WHEN _above(_s.n, 1) AND _least(_s.s, 0) THEN _s.s * _s.s / _s.n END, 'MN'
  ))[1];

-- Mean change m1i - m2i of ni people measured twice, ri the correlation of the two: variance
-- (sd1i^2 + sd2i^2 - 2 ri sd1i sd2i) / ni. metafor: MC. Borenstein et al. 2009, chapter 4.
-- For a rise to be positive, m1i is the later mean.
CREATE OR REPLACE MACRO es_mc(m1i, m2i, sd1i, sd2i, ni, ri) AS
  list_transform([{
    'm1': CAST(m1i AS DOUBLE), 's1': CAST(sd1i AS DOUBLE), 'n': CAST(ni AS DOUBLE),
    'm2': CAST(m2i AS DOUBLE), 's2': CAST(sd2i AS DOUBLE), 'r': CAST(ri AS DOUBLE)
  }], lambda _s: _effect(
    _s.m1 - _s.m2,
    CASE WHEN _above(_s.n, 1) AND _least(_s.s1, 0) AND _least(_s.s2, 0) AND abs(_s.r) <= 1 THEN
      (pow(_s.s1 - _s.s2, 2) + 2 * (1 - _s.r) * _s.s1 * _s.s2) / _s.n
    END,
    'MC'
  ))[1];

-- Struct of a standardised change g = J(ni - 1) d, with `scale` of the variance of d at d = 0.
CREATE OR REPLACE MACRO _change(d, ni, scale, vtype, correction, name, what) AS
  list_transform([{
    'd': d, 'n': ni, 'scale': scale,
    'j': hedges_j(ni - 1, correction := correction),
    'vtype': _choice(vtype, ['LS', 'LS2'], 'vtype of ' || what)
  }], lambda _s: _effect(
    _s.j * _s.d,
    CASE _s.vtype
      WHEN 'LS' THEN _s.scale / _s.n + pow(_s.j * _s.d, 2) / (2 * _s.n)
      ELSE _s.j * _s.j * (_s.scale / _s.n + _s.d * _s.d / (2 * _s.n))
    END,
    name
  ))[1];

-- Standardised mean change by the SD of the changes, g = J(ni - 1) (m1i - m2i) / sd_change, with
-- sd_change^2 = sd1i^2 + sd2i^2 - 2 ri sd1i sd2i. metafor: SMCC. Gibbons et al. 1993, J Educ Stat
-- 18:271. Null for ni of 2 or less.
--   vtype 'LS' (default): 1/ni + g^2 / (2 ni); 'LS2': J^2 (1/ni + d^2 / (2 ni)).
CREATE OR REPLACE MACRO es_smcc(
  m1i, m2i, sd1i, sd2i, ni, ri, by_name := NULL, vtype := 'LS', correction := 'exact'
) AS
  list_transform([{
    'm1': CAST(m1i AS DOUBLE), 's1': CAST(sd1i AS DOUBLE), 'n': CAST(ni AS DOUBLE),
    'm2': CAST(m2i AS DOUBLE), 's2': CAST(sd2i AS DOUBLE), 'r': CAST(ri AS DOUBLE),
    'vtype': _named(vtype, by_name, 'es_smcc', 'vtype := ''LS2'''), 'correction': correction
  }], lambda _s: _change(
    CASE WHEN _least(_s.s1, 0) AND _least(_s.s2, 0) AND abs(_s.r) <= 1 THEN
      (_s.m1 - _s.m2) / nullif(sqrt(pow(_s.s1 - _s.s2, 2) + 2 * (1 - _s.r) * _s.s1 * _s.s2), 0) END,
    _s.n, 1, _s.vtype, _s.correction, 'SMCC', 'es_smcc'
  ))[1];

-- Standardised mean change by the SD before, g = J(ni - 1) (m1i - m2i) / sd1i. sd1i is the SD that
-- divides, in both orders of the means; for a rise to be positive, m1i is the later mean. metafor:
-- SMCR, which does not take sd2i either. Becker 1988, Br J Math Stat Psychol 41:257. Null
-- for ni of 2 or less.
--   vtype 'LS' (default): 2 (1 - ri) / ni + g^2 / (2 ni);
--   'LS2': J^2 (2 (1 - ri) / ni + d^2 / (2 ni)).
CREATE OR REPLACE MACRO es_smcr(
  m1i, m2i, sd1i, ni, ri, by_name := NULL, vtype := 'LS', correction := 'exact'
) AS
  list_transform([{
    'm1': CAST(m1i AS DOUBLE), 's1': CAST(sd1i AS DOUBLE), 'n': CAST(ni AS DOUBLE),
    'm2': CAST(m2i AS DOUBLE), 'r': CAST(ri AS DOUBLE),
    'vtype': _named(vtype, by_name, 'es_smcr', 'vtype := ''LS2'''), 'correction': correction
  }], lambda _s: _change(
    CASE WHEN _above(_s.s1, 0) AND abs(_s.r) <= 1 THEN (_s.m1 - _s.m2) / _s.s1 END,
    _s.n, 2 * (1 - _s.r), _s.vtype, _s.correction, 'SMCR', 'es_smcr'
  ))[1];
