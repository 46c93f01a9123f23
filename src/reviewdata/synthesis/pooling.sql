-- Pooling of effect sizes: one estimate of many studies, with its heterogeneity.
--
-- The macros are aggregates: SELECT g, unnest(pool(yi, vi)) FROM t GROUP BY g. Names, defaults
-- and definitions are those of metafor (Viechtbauer 2010) unless the text says otherwise. They
-- need distributions.sql. Names that begin with `_` are parts: most take a struct and give it back
-- with more in it, one after another, since DuckDB plans nested lambdas twice at every level.

-- Whether a row can be pooled: an effect size that is a number, and a variance above 0 whose
-- inverse is one too.
CREATE OR REPLACE MACRO _usable(yi, vi) AS (
    isfinite(CAST(yi AS DOUBLE)) AND isfinite(CAST(vi AS DOUBLE)) AND CAST(vi AS DOUBLE) > 0
        AND isfinite(1 / CAST(vi AS DOUBLE))
);

-- The inverse of the variance of a row that can be pooled; null for the others.
CREATE OR REPLACE MACRO _inverse(yi, vi) AS (
    CASE WHEN _usable(yi, vi) THEN 1 / CAST(vi AS DOUBLE) END
);

-- The effects that can be pooled, and the inverses of their variances in the same order: DuckDB
-- fills the lists of one statement row by row together. Null where there are none.
CREATE OR REPLACE MACRO _effects(yi, vi) AS (
    list(CAST(yi AS DOUBLE)) FILTER (_inverse(yi, vi) IS NOT NULL)
);
CREATE OR REPLACE MACRO _inverses(yi, vi) AS (
    list(_inverse(yi, vi)) FILTER (_inverse(yi, vi) IS NOT NULL)
);

-- The two-sided p of a statistic of 0 and above: of t on df degrees of freedom, or of the normal
-- distribution for the test 'z'. The test is a constant: only what it needs is planned.
CREATE OR REPLACE MACRO _two_sided(size, df, test) AS (
    CASE WHEN lower(test) = 'z' THEN 2 * _norm_tail(size) WHEN df > 0 THEN _t_tails(size, df) END
);

-- The weights 1 / (v + tau2), from the inverse variances w.
CREATE OR REPLACE MACRO _weights(w, tau2) AS (
    list_transform([tau2], lambda _wt: list_transform(w, lambda _wt_x: _wt_x / (1 + _wt * _wt_x)))[1]
);

-- The sums that an iteration needs at one tau2, of effects y about a mean near the estimate,
-- their squares y2 and the inverse variances w: of the weights 1 / (v + tau2) and of their second
-- and third powers, alone (s), with y (t) and with y^2 (u). `Q` needs no third powers.
CREATE OR REPLACE MACRO _sums(kind, y, y2, w, tau2) AS (
    list_transform([list_transform([list_transform(w, lambda _su_x: _su_x / (1 + tau2 * _su_x))],
        lambda _su_w: {'w': _su_w, 'w2': list_transform(_su_w, lambda _su_x: _su_x * _su_x),
            'w3': CASE WHEN kind <> 'Q'
                THEN list_transform(_su_w, lambda _su_x: _su_x * _su_x * _su_x) END})[1]], lambda _su: {
        's1': list_sum(_su.w), 's2': list_inner_product(_su.w, _su.w),
        's3': list_inner_product(_su.w, _su.w2),
        't1': list_inner_product(_su.w, y), 't2': list_inner_product(_su.w2, y),
        't3': list_inner_product(_su.w3, y),
        'u1': list_inner_product(_su.w, y2), 'u2': list_inner_product(_su.w2, y2),
        'u3': list_inner_product(_su.w3, y2)})[1]
);

-- Where a function is at one tau2, and the step to its root: of `Q` the distance of
-- sum w (y - m)^2 from its goal, with Newton's step for the inverse of Q, which is nearly a
-- straight line; of `ML` and `REML` twice the derivative of the log likelihood, with Newton's step
-- where the likelihood bends down and with that of Fisher scoring elsewhere.
CREATE OR REPLACE MACRO _slope(kind, goal, sums) AS (
    list_transform([list_transform([sums], lambda _sl: {
        'scale': 1 / _sl.s1,
        'q1': _sl.u1 - _sl.t1 / _sl.s1 * _sl.t1,
        'q2': _sl.u2 - 2 * _sl.t1 / _sl.s1 * _sl.t2 + _sl.t1 / _sl.s1 * _sl.t1 / _sl.s1 * _sl.s2,
        'q3': _sl.u3 - 2 * _sl.t1 / _sl.s1 * _sl.t3 + _sl.t1 / _sl.s1 * _sl.t1 / _sl.s1 * _sl.s3
            - pow(_sl.t2 - _sl.t1 / _sl.s1 * _sl.s2, 2) / _sl.s1,
        'trace': CASE WHEN kind = 'ML' THEN _sl.s1 ELSE _sl.s1 - _sl.s2 / _sl.s1 END,
        'info': CASE WHEN kind = 'ML' THEN _sl.s2
            ELSE _sl.s2 - 2 * _sl.s3 / _sl.s1 + _sl.s2 / _sl.s1 * _sl.s2 / _sl.s1 END})[1]], lambda _sl: {
        'scale': _sl.scale,
        'value': CASE WHEN kind = 'Q' THEN _sl.q1 - goal ELSE _sl.q2 - _sl.trace END,
        'step': CASE WHEN kind = 'Q' THEN _sl.q1 * (_sl.q1 / goal - 1) / _sl.q2
            ELSE (_sl.q2 - _sl.trace) / CASE WHEN 2 * _sl.q3 > _sl.info THEN 2 * _sl.q3 - _sl.info
                ELSE _sl.info END END})[1]
);

-- One step of the search: the root lies between `low` (-1 while 0 is not known to be below it)
-- and `high`. A step that leaves the bracket is replaced by its middle; to 0 itself it goes only
-- from near by, so that it cannot leap over a root. It is done at 0 where the function is negative
-- there, and where a step is below 1e-8 of the smallest total variance, since the next would be its
-- square.
CREATE OR REPLACE MACRO _advance(s, slope) AS (
    list_transform([list_transform([slope], lambda _ad: struct_concat(_ad, {
            'low': CASE WHEN _ad.value > 0 THEN s.tau2 ELSE s.low END,
            'high': CASE WHEN _ad.value > 0 THEN s.high ELSE s.tau2 END,
            'next': s.tau2 + _ad.step}))[1]], lambda _ad: CASE
        WHEN s.tau2 = 0 AND _ad.value <= 0
            THEN {'tau2': 0.0::DOUBLE, 'low': _ad.low, 'high': _ad.high, 'done': true}
        WHEN NOT isfinite(_ad.value) OR NOT isfinite(_ad.step) THEN s
        WHEN abs(_ad.step) <= 1e-8 * _ad.scale
            THEN {'tau2': greatest(_ad.next, 0), 'low': _ad.low, 'high': _ad.high, 'done': true}
        WHEN _ad.next > _ad.low AND _ad.next > 0 AND _ad.next < _ad.high
            THEN {'tau2': _ad.next, 'low': _ad.low, 'high': _ad.high, 'done': false}
        WHEN _ad.next <= 0 AND _ad.low < 0 AND s.tau2 < 0.1 * _ad.scale
            THEN {'tau2': 0.0::DOUBLE, 'low': _ad.low, 'high': _ad.high, 'done': false}
        ELSE {'tau2': (greatest(_ad.low, 0) + _ad.high) / 2, 'low': _ad.low, 'high': _ad.high,
            'done': _ad.high - greatest(_ad.low, 0) <= 1e-15 * _ad.high} END)[1]
);

-- The root of the function of _slope in tau2 from 0 to top, sought from start: {tau2, done}.
CREATE OR REPLACE MACRO _solve(kind, goal, y, y2, w, start, top) AS (
    list_reduce(range(100), lambda _so, _so_i: CASE WHEN _so.done THEN _so
        ELSE _advance(_so, _slope(kind, goal, _sums(kind, y, y2, w, _so.tau2))) END,
        {'tau2': CAST(start AS DOUBLE), 'low': -1.0::DOUBLE, 'high': CAST(top AS DOUBLE),
            'done': false})
);

-- Minus twice the log likelihood at each tau2 of a list, but for a constant.
CREATE OR REPLACE MACRO _deviances(kind, y, w, tau2s) AS (
    list_transform(list_transform(list_transform(tau2s,
        lambda _de: list_transform(w, lambda _de_x: _de_x / (1 + _de * _de_x))),
        lambda _de: {'w': _de, 'm': list_inner_product(_de, y) / list_sum(_de)}),
        lambda _de: list_inner_product(_de.w,
                list_transform(y, lambda _de_x: (_de_x - _de.m) * (_de_x - _de.m)))
            - list_sum(list_transform(_de.w, lambda _de_x: ln(_de_x)))
            + CASE WHEN kind = 'ML' THEN 0 ELSE ln(list_sum(_de.w)) END)
);

-- Part of pool: adds the mean m of equal effects, trace = s1 - s2 / s1, and Cochran's Q. Where
-- u1 - t1^2 / s1 would lose more than four digits, Q is summed about m.
CREATE OR REPLACE MACRO _homogeneity(s, y, w) AS (
    list_transform([list_transform([s], lambda _ho: struct_concat(_ho,
        {'m': _ho.t1 / _ho.s1, 'trace': _ho.s1 - _ho.s2 / _ho.s1}))[1]],
        lambda _ho: struct_concat(_ho, {'q': CASE
            WHEN _ho.k < 1 THEN NULL
            WHEN _ho.k = 1 THEN 0
            WHEN _ho.u1 - _ho.t1 * _ho.m > 1e-4 * _ho.u1 THEN _ho.u1 - _ho.t1 * _ho.m
            ELSE list_inner_product(w,
                list_transform(y, lambda _ho_x: (_ho_x - _ho.m) * (_ho_x - _ho.m)))
            END}))[1]
);

-- Part of _search: the root of Q less k - 1, or of the slope of the likelihood to which it climbs
-- from the estimate of Hedges. The likelihood can have a second maximum at 0, where its slope is
-- not positive, and the higher one counts.
CREATE OR REPLACE MACRO _iterate(s, y, w, kind) AS (
    list_transform([list_transform([list_transform([s], lambda _se: {
            'k': coalesce(_se.k, 0), 'start': coalesce(_se.start, 0), 'top': _se.top,
            'slope': CASE WHEN kind = 'ML' THEN _se.s1 ELSE _se.trace END,
            'y1': list_transform([_se.m],
                lambda _se_m: list_transform(y, lambda _se_x: _se_x - _se_m))[1]})[1]],
        lambda _se: struct_concat(_se,
            {'y2': list_transform(_se.y1, lambda _se_x: _se_x * _se_x)}))[1]],
        lambda _se: CASE WHEN _se.k < 2 THEN {'tau2': NULL::DOUBLE, 'done': true}
            ELSE list_transform([_solve(kind, _se.k - 1, _se.y1, _se.y2, w, _se.start, _se.top)],
                lambda _se_t: {'done': _se_t.done,
                'tau2': CASE WHEN kind <> 'Q' AND _se_t.tau2 > 0
                    AND list_inner_product(list_transform(w, lambda _se_x: _se_x * _se_x), _se.y2)
                        <= _se.slope
                    AND list_transform([_deviances(kind, _se.y1, w, [0, _se_t.tau2])],
                        lambda _se_d: _se_d[1] < _se_d[2])[1] THEN 0 ELSE _se_t.tau2 END})[1] END)[1]
);

-- Part of pool: tau2 of the set with the sums s, and whether its search is done. It is 0 for equal
-- effects, and null where fewer than two studies leave nothing to estimate.
CREATE OR REPLACE MACRO _search(s, y, w, method) AS (
    CASE WHEN upper(method) IN ('EE', 'FE') THEN {'tau2': 0.0::DOUBLE, 'done': true}
    WHEN upper(method) = 'DL' THEN list_transform([s], lambda _se: {
        'tau2': CASE WHEN _se.k > 1 THEN greatest((_se.q - (_se.k - 1)) / _se.trace, 0.0) END,
        'done': true})[1]
    ELSE _iterate(s, y, w, CASE WHEN upper(method) = 'PM' THEN 'Q' ELSE upper(method) END) END
);

-- Part of pool: adds the sums of the weights 1 / (v + tau2), the estimate, and the factor of
-- Knapp and Hartung. (A list in brackets is copied, so that the weights of a long one are rather
-- computed twice.)
CREATE OR REPLACE MACRO _weigh(s, y, w, method, test) AS (
    list_transform([list_transform([s],
        lambda _we: struct_concat(_we, CASE WHEN upper(method) IN ('EE', 'FE')
            THEN {'w1': _we.s1, 'mu': _we.m, 'w2': NULL::DOUBLE, 'w3': NULL::DOUBLE}
            WHEN upper(method) NOT IN ('ML', 'REML')
            THEN list_transform([list_transform([coalesce(_we.tau2, 0)], lambda _we_t: {
                'w1': list_sum(list_transform(w, lambda _we_x: _we_x / (1 + _we_t * _we_x))),
                'mu': list_inner_product(y,
                    list_transform(w, lambda _we_x: _we_x / (1 + _we_t * _we_x)))})[1]],
                lambda _we_s: {'w1': _we_s.w1, 'mu': _we_s.mu / _we_s.w1,
                    'w2': NULL::DOUBLE, 'w3': NULL::DOUBLE})[1]
            ELSE list_transform([_weights(w, coalesce(_we.tau2, 0))], lambda _we_w: {
                'w1': list_sum(_we_w), 'mu': list_inner_product(_we_w, y) / list_sum(_we_w),
                'w2': list_inner_product(_we_w, _we_w),
                'w3': CASE WHEN upper(method) = 'REML' THEN list_inner_product(_we_w,
                    list_transform(_we_w, lambda _we_x: _we_x * _we_x)) END})[1] END))[1]],
        lambda _we: struct_concat(_we, {'factor': CASE WHEN lower(test) IN ('knha', 'adhoc')
            AND _we.k > 1 THEN list_inner_product(_weights(w, _we.tau2),
                list_transform(y, lambda _we_x: (_we_x - _we.mu) * (_we_x - _we.mu)))
                / (_we.k - 1) END}))[1]
);

-- Part of pool: what its struct is made of, in few fields: a wide struct is slow in a lambda.
CREATE OR REPLACE MACRO _figures(s, method, test) AS (
    list_transform([list_transform([s], lambda _fi: {
        'k': _fi.k, 'n': _fi.n, 'q': _fi.q, 'tau2': _fi.tau2, 'mu': _fi.mu,
        'factor': _fi.factor,
        'good': _fi.done AND _fi.w1 > 0 AND isfinite(_fi.w1) AND isfinite(_fi.mu)
            AND isfinite(coalesce(_fi.tau2, 0)) AND (_fi.k < 2 OR isfinite(_fi.q)
                AND (upper(method) IN ('EE', 'FE') OR isfinite(_fi.trace))),
        'se': sqrt(CASE lower(test) WHEN 'knha' THEN _fi.factor
            WHEN 'adhoc' THEN CASE WHEN _fi.factor < 1 THEN 1 ELSE _fi.factor END
            ELSE 1 END / _fi.w1),
        'tau2_se': CASE WHEN _fi.k > 1 THEN CASE upper(method)
            WHEN 'DL' THEN sqrt(2 * (_fi.k - 1) + 4 * _fi.tau2 * _fi.trace
                + 2 * _fi.tau2 * _fi.tau2 * (_fi.s2 - 2 * _fi.s3 / _fi.s1
                    + _fi.s2 / _fi.s1 * _fi.s2 / _fi.s1)) / _fi.trace
            WHEN 'PM' THEN sqrt(2 / (_fi.k - 1)) * _fi.k / _fi.w1
            WHEN 'ML' THEN sqrt(2 / _fi.w2)
            WHEN 'REML' THEN sqrt(2 / (_fi.w2 - 2 * _fi.w3 / _fi.w1
                + _fi.w2 / _fi.w1 * _fi.w2 / _fi.w1)) END END,
        'i2': CASE WHEN _fi.k < 2 THEN NULL
            WHEN upper(method) NOT IN ('EE', 'FE')
            THEN 100 * _fi.tau2 / ((_fi.k - 1) / _fi.trace + _fi.tau2)
            WHEN _fi.q > _fi.k - 1 THEN 100 * (_fi.q - (_fi.k - 1)) / _fi.q ELSE 0 END,
        'h2': CASE WHEN _fi.k < 2 THEN NULL
            WHEN upper(method) IN ('EE', 'FE') THEN _fi.q / (_fi.k - 1)
            ELSE 1 + _fi.tau2 * _fi.trace / (_fi.k - 1) END})[1]],
        lambda _fi: CASE WHEN _fi.good THEN _fi
            ELSE struct_update(_fi, good := false, mu := NULL::DOUBLE, se := NULL::DOUBLE,
                tau2 := NULL::DOUBLE, tau2_se := NULL::DOUBLE, i2 := NULL::DOUBLE,
                h2 := NULL::DOUBLE, factor := NULL::DOUBLE) END)[1]
);

-- Part of pool: the struct that it gives, with these quantiles for its intervals.
CREATE OR REPLACE MACRO _report(s, z_ci, z_pi, method, test) AS (
    list_transform([struct_concat(_figures(s, method, test), {'z_ci': z_ci, 'z_pi': z_pi})],
        lambda _rp: {
        'k': _rp.k,
        'k_missing': _rp.n - _rp.k,
        'estimate': _rp.mu,
        'se': _rp.se,
        'statistic': CASE WHEN _rp.se > 0 THEN _rp.mu / _rp.se END,
        'df': CASE WHEN lower(test) <> 'z' AND _rp.k > 0 THEN _rp.k - 1 END,
        'p': _two_sided(CASE WHEN _rp.se > 0 THEN abs(_rp.mu / _rp.se) END, _rp.k - 1, test),
        'ci_lower': _rp.mu - _rp.z_ci * _rp.se,
        'ci_upper': _rp.mu + _rp.z_ci * _rp.se,
        'pi_lower': CASE WHEN upper(method) NOT IN ('EE', 'FE')
            THEN _rp.mu - _rp.z_pi * sqrt(_rp.se * _rp.se + _rp.tau2) END,
        'pi_upper': CASE WHEN upper(method) NOT IN ('EE', 'FE')
            THEN _rp.mu + _rp.z_pi * sqrt(_rp.se * _rp.se + _rp.tau2) END,
        'tau2': _rp.tau2,
        'tau2_se': CASE WHEN isfinite(_rp.tau2_se) THEN _rp.tau2_se END,
        'I2': _rp.i2,
        'H2': _rp.h2,
        'Q': CASE WHEN isfinite(_rp.q) THEN _rp.q END,
        'Q_df': CASE WHEN _rp.k > 0 THEN _rp.k - 1 END,
        'Q_p': chi2_sf(CASE WHEN isfinite(_rp.q) THEN _rp.q END, _rp.k - 1),
        'knha_factor': _rp.factor,
        'converged': CASE WHEN _rp.k > 0 THEN _rp.good END})[1]
);

-- Part of pool: the quantiles of its confidence and prediction intervals, of which z is that of the
-- normal distribution; null for a df of 0.
CREATE OR REPLACE MACRO _quantile_ci(k, alpha, z, test) AS (
    CASE WHEN lower(test) = 'z' THEN z ELSE _t_point(alpha, k - 1, z) END
);
CREATE OR REPLACE MACRO _quantile_pi(k, alpha, z, test, pi) AS (
    CASE WHEN lower(pi) = 'z' OR lower(pi) = 'default' AND lower(test) = 'z' THEN z
        ELSE _t_point(alpha, CASE WHEN lower(pi) = 'riley' THEN k - 2 ELSE k - 1 END, z) END
);

-- The units, in order, of which there are two or more.
CREATE OR REPLACE MACRO _repeated(units) AS (
    list_distinct(list_transform([list_sort(units)], lambda _un_l:
        list_filter(_un_l, lambda _un_u, _un_i: _un_i > 1 AND _un_l[_un_i - 1] = _un_u))[1])
);

-- The first five of a list, as one text.
CREATE OR REPLACE MACRO _first_five(names) AS (
    list_aggregate(list_transform(list_sort(names)[:5], lambda _ff: CAST(_ff AS VARCHAR)),
        'string_agg', ', ')
);

-- True, or an error that names what is pooled twice or together though it must not be: two rows of
-- one unit, rows of several measures, a row without a unit or a measure where the others have one.
-- Only the rows that are pooled count.
CREATE OR REPLACE MACRO _checked(name, unit, measure, usable) AS (CASE
    WHEN _is_given(unit) AND count(unit) FILTER (usable) < count(*) FILTER (usable)
    THEN error(format('{}: {} of the rows have no unit', name,
        count(*) FILTER (usable) - count(unit) FILTER (usable)))
    WHEN _is_given(unit) AND len(_repeated(list(unit) FILTER (usable))) > 0
    THEN error(format('{}: two rows or more are of one unit, as of {}; combine them first', name,
        _first_five(_repeated(list(unit) FILTER (usable)))))
    WHEN _is_given(measure) AND count(measure) FILTER (usable) < count(*) FILTER (usable)
    THEN error(format('{}: {} of the rows have no measure', name,
        count(*) FILTER (usable) - count(measure) FILTER (usable)))
    WHEN _is_given(measure) AND min(measure) FILTER (usable) <> max(measure) FILTER (usable)
    THEN error(format('{}: {} and {} are different measures; pool one at a time', name,
        CAST(min(measure) FILTER (usable) AS VARCHAR),
        CAST(max(measure) FILTER (usable) AS VARCHAR)))
    ELSE true END
);

-- What pool gives for one set, from its first sums, its effects y, its inverse variances w and the
-- quantiles of its intervals. (DuckDB plans the first argument of list_transform twice, so that the
-- deepest of these is planned most often: what is long to plan comes late.)
CREATE OR REPLACE MACRO _pooled(s, y, w, z_ci, z_pi, method, test) AS (
    _report(_weigh(struct_concat(_homogeneity(s, y, w), _search(_homogeneity(s, y, w), y, w, method)),
        y, w, method, test), z_ci, z_pi, method, test)
);

-- The options of pool: true, or an error that names the nearest.
CREATE OR REPLACE MACRO _options(name, by_name, method, test, level, pi) AS (
    CASE WHEN by_name IS NOT NULL
        THEN error(_by_place(name, 'level := 95'))
    WHEN NOT coalesce(list_contains(['EE', 'FE', 'DL', 'PM', 'ML', 'REML'], upper(method)), false)
        THEN error(_unknown('method of ' || name, method, ['EE', 'FE', 'DL', 'PM', 'ML', 'REML']))
    WHEN NOT coalesce(list_contains(['z', 'knha', 'adhoc', 't'], lower(test)), false)
        THEN error(_unknown('test of ' || name, test, ['z', 'knha', 'adhoc', 't']))
    WHEN NOT coalesce(list_contains(['default', 'z', 't', 'riley'], lower(pi)), false)
        THEN error(_unknown('pi of ' || name, pi, ['default', 'z', 't', 'riley']))
    ELSE _outside(level, name) > 0 END
);

-- The pooled estimate of the effect sizes yi with their variances vi, and their heterogeneity.
-- Formula: estimate = sum w yi / sum w, of w = 1 / (vi + tau2), and se = 1 / sqrt(sum w). With
-- w0 = 1 / vi and m0 the estimate at tau2 = 0:
--     Q        sum w0 (yi - m0)^2, on k - 1 degrees of freedom
--     I2, H2   100 tau2 / (s2 + tau2) and 1 + tau2 / s2, of the typical variance
--              s2 = (k - 1) sum w0 / ((sum w0)^2 - sum w0^2); of 'EE' by Q:
--              100 (Q - (k - 1)) / Q, 0 at least, and Q / (k - 1)
--     ci       estimate +/- quantile * se
--     pi       estimate +/- quantile * sqrt(tau2 + se^2); null for 'EE'
-- Options, the first of each is the default:
--     method   'REML' (restricted maximum likelihood; Viechtbauer 2005), 'EE' or 'FE' (equal
--              effects, tau2 = 0), 'DL' (DerSimonian and Laird 1986: (Q - (k - 1)) (k - 1) / s2 by
--              way of moments, 0 at least), 'PM' (Paule and Mandel 1982: sum w (yi - estimate)^2
--              = k - 1), 'ML' (maximum likelihood)
--     test     'z'; 't' (t on k - 1 degrees of freedom); 'knha' (Knapp and Hartung 2003: t, and
--              se^2 multiplied by knha_factor = sum w (yi - estimate)^2 / (k - 1), which can be
--              below 1); 'adhoc' (the same with a factor of 1 at least)
--     level    95, a percent from 50 to below 100, or a share from 0.5 to below 1
--     pi       'default' (the quantile of ci, as in metafor), 'z', 't' (t on k - 1), 'riley' (t on
--              k - 2; Higgins, Thompson and Spiegelhalter 2009, Riley et al. 2011; null for k = 2)
--     unit     the independent sample of each row: two pooled rows of one unit, or a pooled row
--              without one, are an error
--     measure  the effect measure of each row: several in one pool, or a pooled row without one,
--              are an error
-- Rows without an effect or a variance, or with a variance that is not above 0 or has no inverse,
-- are left out and counted in k_missing. (metafor keeps variances of 0 and warns.) What is not
-- defined for so few studies is null. An estimate whose search did not end, or whose sums are too
-- large for a DOUBLE, is null, and converged is false. The likelihood can have several maxima: the
-- search starts at the estimate of Hedges, as that of metafor does, and compares what it finds with
-- tau2 = 0 where that is one too. HAVING cannot call it; QUALIFY can.
-- Returns: STRUCT(k, k_missing, estimate, se, statistic, df, p, ci_lower, ci_upper, pi_lower,
-- pi_upper, tau2, tau2_se, I2, H2, Q, Q_df, Q_p, knha_factor, converged).
-- In metafor: rma(yi, vi, method = 'REML', test = 'z', level = 95) and predict().
CREATE OR REPLACE MACRO pool(yi, vi, by_name := NULL, method := 'REML', test := 'z', level := 95,
        pi := 'default', unit := NULL, measure := NULL) AS (
    first_value(CASE WHEN _checked('pool', unit, measure, _usable(yi, vi)) THEN _pooled({
            'n': count(*) FILTER (_options('pool', by_name, method, test, level, pi)),
            'k': count(_inverse(yi, vi)),
            's1': sum(_inverse(yi, vi)),
            's2': sum(_inverse(yi, vi) * _inverse(yi, vi)),
            's3': CASE WHEN upper(method) = 'DL'
                THEN sum(_inverse(yi, vi) * _inverse(yi, vi) * _inverse(yi, vi)) END,
            't1': sum(_inverse(yi, vi) * CAST(yi AS DOUBLE)),
            'u1': sum(_inverse(yi, vi) * CAST(yi AS DOUBLE) * CAST(yi AS DOUBLE)),
            'start': CASE WHEN upper(method) IN ('ML', 'REML') THEN greatest(0,
                var_samp(CAST(yi AS DOUBLE)) FILTER (_inverse(yi, vi) IS NOT NULL)
                - avg(CAST(vi AS DOUBLE)) FILTER (_inverse(yi, vi) IS NOT NULL)) END,
            'top': CASE WHEN upper(method) IN ('PM', 'ML', 'REML') THEN
                pow(max(CAST(yi AS DOUBLE)) FILTER (_inverse(yi, vi) IS NOT NULL)
                    - min(CAST(yi AS DOUBLE)) FILTER (_inverse(yi, vi) IS NOT NULL), 2) END},
        _effects(yi, vi), _inverses(yi, vi),
        _quantile_ci(count(_inverse(yi, vi)), _alpha(level), -norm_ppf(_alpha(max(level)) / 2), test),
        _quantile_pi(count(_inverse(yi, vi)), _alpha(level), -norm_ppf(_alpha(max(level)) / 2), test,
            pi), method, test) END)
        OVER (ROWS BETWEEN CURRENT ROW AND CURRENT ROW)
);
