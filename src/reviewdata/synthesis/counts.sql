-- Effect sizes of counts with their sampling variances: of two-by-two tables, and of one group. They
-- need effects.sql, whose head says what every es_ macro gives.
--
-- A two-by-two table has two forms. By events and group sizes: es_rr(ai, n1i, ci, n2i). By its four
-- cells: es_rr_cells(ai, bi, ci, di), ai and bi the people of group 1 with and without the event,
-- ci and di those of group 2. The options of both, and of es_pr and es_plo but for drop00:
--   add       0.5 (default): what is added to each cell of a table; a number of 0 or more
--   add_to    the tables to which it is added (metafor's `to`, a word that SQL reserves):
--             'only0' (default)  those with a cell of 0
--             'all'              all
--             'if0all'           all if any of them has a cell of 0, which any_zero must say
--             'none'             none, so that a ratio with a cell of 0 is null
--   any_zero  for 'if0all', and needed there: whether any table of the dataset has a cell of 0,
--             which one row cannot know. Give
--             bool_or(has_zero_cell(ai, n1i, ci, n2i)) OVER ()
--             or by cells bool_or(has_zero_cell(ai, ai + bi, ci, ci + di)) OVER (), and of one
--             group bool_or(xi = 0 OR xi = ni) OVER ()
--   drop00    false (default); true: null for a table without events, or with nothing but events,
--             in both groups. Give it to has_zero_cell too
-- A group of nobody gives null, whatever is added.

-- How much is added to each cell of one table: add, or nothing. has_none tells whether this table
-- has a cell of 0, any_zero whether any table of the dataset has one, which zero tells of one table.
CREATE OR REPLACE MACRO _extra(add_to, amount, has_none, any_zero, what, zero) AS
  CASE add_to
    WHEN 'all' THEN amount
    WHEN 'only0' THEN CASE WHEN has_none THEN amount ELSE 0 END
    WHEN 'if0all' THEN
      CASE WHEN any_zero IS NULL THEN error('add_to of ' || what || ': ''if0all'' looks at all '
          || 'tables; say any_zero := bool_or(' || zero || ') OVER ()')
        WHEN has_none OR any_zero THEN amount ELSE 0 END
    ELSE 0
  END;

-- ---------------------------------------------------------------- two groups

-- A number as DOUBLE less another: the people of a group without the event.
CREATE OR REPLACE MACRO _rest(n, x) AS CAST(n AS DOUBLE) - CAST(x AS DOUBLE);

-- Whether a table has a cell of 0, for any_zero; with drop00 a table that is dropped has none.
CREATE OR REPLACE MACRO has_zero_cell(ai, n1i, ci, n2i, by_name := NULL, drop00 := false) AS
  list_transform([{
    'a': CAST(ai AS DOUBLE), 'b': _rest(n1i, ai), 'c': CAST(ci AS DOUBLE), 'd': _rest(n2i, ci)
  }], lambda _t: CASE
    WHEN _named(drop00, by_name, 'has_zero_cell', 'drop00 := true')
      AND ((_t.a = 0 AND _t.c = 0) OR (_t.b = 0 AND _t.d = 0)) THEN false
    ELSE _t.a = 0 OR _t.b = 0 OR _t.c = 0 OR _t.d = 0
  END)[1];

-- The four cells after correction, or nulls.
CREATE OR REPLACE MACRO _two_by_two(ai, bi, ci, di, amount, add_to, drop00, any_zero, what) AS
  list_transform(list_transform([{
    'a': CAST(ai AS DOUBLE), 'b': CAST(bi AS DOUBLE),
    'c': CAST(ci AS DOUBLE), 'd': CAST(di AS DOUBLE),
    'amount': _amount(amount, what),
    'add_to': _choice(add_to, ['only0', 'all', 'if0all', 'none'], 'add_to of ' || what),
    'drop00': coalesce(CAST(drop00 AS BOOLEAN), error('drop00 of ' || what || ': null is unknown')),
    'any_zero': CAST(any_zero AS BOOLEAN)
  }], lambda _t: {
    'a': _t.a, 'b': _t.b, 'c': _t.c, 'd': _t.d,
    'extra': CASE
      WHEN NOT coalesce(
        _least(_t.a, 0) AND _least(_t.b, 0) AND _least(_t.c, 0) AND _least(_t.d, 0)
        AND _above(_t.a + _t.b, 0) AND _above(_t.c + _t.d, 0), false) THEN NULL
      WHEN _t.drop00 AND ((_t.a = 0 AND _t.c = 0) OR (_t.b = 0 AND _t.d = 0)) THEN NULL
      ELSE _extra(_t.add_to, _t.amount, least(_t.a, _t.b, _t.c, _t.d) = 0, _t.any_zero, what,
        'has_zero_cell(ai, n1i, ci, n2i)')
    END
  }), lambda _t: {
    'a': _t.a + _t.extra, 'b': _t.b + _t.extra, 'c': _t.c + _t.extra, 'd': _t.d + _t.extra
  })[1];

-- Log risk ratio of four cells ln(ai/n1i) - ln(ci/n2i) with n1i = ai + bi and n2i = ci + di,
-- variance 1/ai - 1/n1i + 1/ci - 1/n2i. metafor: RR. add, add_to, drop00 and any_zero: see above.
-- Fleiss & Berlin 2009 (in Cooper et al.); Borenstein et al. 2009, equations 5.1 to 5.3.
CREATE OR REPLACE MACRO es_rr_cells(
  ai, bi, ci, di, by_name := NULL,
  add := 0.5, add_to := 'only0', drop00 := false, any_zero := NULL
) AS
  list_transform(
    [_two_by_two(ai, bi, ci, di, _named(add, by_name, 'es_rr_cells', 'add := 0.5'),
      add_to, drop00, any_zero, 'es_rr')],
    lambda _t: _effect(
      ln(_t.a / (_t.a + _t.b)) - ln(_t.c / (_t.c + _t.d)),
      _t.b / (_t.a * (_t.a + _t.b)) + _t.d / (_t.c * (_t.c + _t.d)),
      'RR'
    )
  )[1];

-- Log risk ratio of events and group sizes; all else as es_rr_cells. metafor: RR.
CREATE OR REPLACE MACRO es_rr(
  ai, n1i, ci, n2i, by_name := NULL,
  add := 0.5, add_to := 'only0', drop00 := false, any_zero := NULL
) AS
  es_rr_cells(
    ai, _rest(n1i, ai), ci, _rest(n2i, ci),
    add := _named(add, by_name, 'es_rr', 'add := 0.5'),
    add_to := add_to, drop00 := drop00, any_zero := any_zero
  );

-- Log odds ratio of four cells ln(ai/bi) - ln(ci/di), variance 1/ai + 1/bi + 1/ci + 1/di. metafor:
-- OR. add, add_to, drop00 and any_zero: see above. Fleiss & Berlin 2009; Borenstein et al. 2009,
-- equations 5.8 to 5.10.
CREATE OR REPLACE MACRO es_or_cells(
  ai, bi, ci, di, by_name := NULL,
  add := 0.5, add_to := 'only0', drop00 := false, any_zero := NULL
) AS
  list_transform(
    [_two_by_two(ai, bi, ci, di, _named(add, by_name, 'es_or_cells', 'add := 0.5'),
      add_to, drop00, any_zero, 'es_or')],
    lambda _t: _effect(
      ln(_t.a / _t.b) - ln(_t.c / _t.d), 1 / _t.a + 1 / _t.b + 1 / _t.c + 1 / _t.d, 'OR')
  )[1];

-- Log odds ratio of events and group sizes; all else as es_or_cells. metafor: OR.
CREATE OR REPLACE MACRO es_or(
  ai, n1i, ci, n2i, by_name := NULL,
  add := 0.5, add_to := 'only0', drop00 := false, any_zero := NULL
) AS
  es_or_cells(
    ai, _rest(n1i, ai), ci, _rest(n2i, ci),
    add := _named(add, by_name, 'es_or', 'add := 0.5'),
    add_to := add_to, drop00 := drop00, any_zero := any_zero
  );

-- Risk difference of four cells p1 - p2 with p1 = ai/n1i, p2 = ci/n2i, n1i = ai + bi and
-- n2i = ci + di. metafor: RD. add, add_to, drop00 and any_zero: see above.
--   vtype 'LS' (default): p1 (1-p1) / n1i + p2 (1-p2) / n2i; Fleiss & Berlin 2009; Borenstein et
--   al. 2009, chapter 5.
--   'UB', unbiased: with n1i - 1 and n2i - 1 below; null where one of them is 0.
CREATE OR REPLACE MACRO es_rd_cells(
  ai, bi, ci, di, by_name := NULL,
  vtype := 'LS', add := 0.5, add_to := 'only0', drop00 := false, any_zero := NULL
) AS
  list_transform([{
    't': _two_by_two(ai, bi, ci, di, _named(add, by_name, 'es_rd_cells', 'add := 0.5'),
      add_to, drop00, any_zero, 'es_rd'),
    'less': CASE _choice(vtype, ['LS', 'UB'], 'vtype of es_rd') WHEN 'LS' THEN 0 ELSE 1 END
  }], lambda _s: _effect(
    _s.t.a / (_s.t.a + _s.t.b) - _s.t.c / (_s.t.c + _s.t.d),
    CASE WHEN _s.t.a + _s.t.b > _s.less AND _s.t.c + _s.t.d > _s.less THEN
      _s.t.a * _s.t.b / (pow(_s.t.a + _s.t.b, 2) * (_s.t.a + _s.t.b - _s.less))
      + _s.t.c * _s.t.d / (pow(_s.t.c + _s.t.d, 2) * (_s.t.c + _s.t.d - _s.less))
    END,
    'RD'
  ))[1];

-- Risk difference of events and group sizes; all else as es_rd_cells. metafor: RD.
CREATE OR REPLACE MACRO es_rd(
  ai, n1i, ci, n2i, by_name := NULL,
  vtype := 'LS', add := 0.5, add_to := 'only0', drop00 := false, any_zero := NULL
) AS
  es_rd_cells(
    ai, _rest(n1i, ai), ci, _rest(n2i, ci),
    vtype := vtype, add := _named(add, by_name, 'es_rd', 'add := 0.5'),
    add_to := add_to, drop00 := drop00, any_zero := any_zero
  );

-- ---------------------------------------------------------------- one group

-- People with and without the event after correction, or nulls.
CREATE OR REPLACE MACRO _counts(xi, ni, amount, add_to, any_zero, what) AS
  list_transform(list_transform([{
    'x': CAST(xi AS DOUBLE), 'm': _rest(ni, xi),
    'amount': _amount(amount, what),
    'add_to': _choice(add_to, ['only0', 'all', 'if0all', 'none'], 'add_to of ' || what),
    'any_zero': CAST(any_zero AS BOOLEAN)
  }], lambda _t: {
    'x': _t.x, 'm': _t.m,
    'extra': CASE WHEN _least(_t.x, 0) AND _least(_t.m, 0) AND _above(_t.x + _t.m, 0) THEN
      _extra(_t.add_to, _t.amount, _t.x = 0 OR _t.m = 0, _t.any_zero, what,
        'xi = 0 OR xi = ni') END
  }), lambda _t: {'x': _t.x + _t.extra, 'm': _t.m + _t.extra})[1];

-- Proportion p = xi/ni. metafor: PR. add, add_to and any_zero: see above, of the two cells xi and
-- ni - xi.
--   vtype 'LS' (default): p (1-p) / ni; 'UB', unbiased: p (1-p) / (ni - 1).
CREATE OR REPLACE MACRO es_pr(
  xi, ni, by_name := NULL, vtype := 'LS', add := 0.5, add_to := 'only0', any_zero := NULL
) AS
  list_transform([{
    't': _counts(xi, ni, _named(add, by_name, 'es_pr', 'add := 0.5'), add_to, any_zero, 'es_pr'),
    'less': CASE _choice(vtype, ['LS', 'UB'], 'vtype of es_pr') WHEN 'LS' THEN 0 ELSE 1 END
  }], lambda _s: _effect(
    _s.t.x / (_s.t.x + _s.t.m),
    CASE WHEN _s.t.x + _s.t.m > _s.less THEN
      _s.t.x * _s.t.m / (pow(_s.t.x + _s.t.m, 2) * (_s.t.x + _s.t.m - _s.less)) END,
    'PR'
  ))[1];

-- Logit of a proportion ln(xi / (ni - xi)), variance 1/xi + 1/(ni - xi). metafor: PLO. add, add_to
-- and any_zero as for es_pr.
CREATE OR REPLACE MACRO es_plo(
  xi, ni, by_name := NULL, add := 0.5, add_to := 'only0', any_zero := NULL
) AS
  list_transform(
    [_counts(xi, ni, _named(add, by_name, 'es_plo', 'add := 0.5'), add_to, any_zero, 'es_plo')],
    lambda _t: _effect(ln(_t.x / _t.m), 1 / _t.x + 1 / _t.m, 'PLO')
  )[1];
