-- Regression of effect sizes on one moderator, and Egger's test.
--
-- It needs pooling.sql and distributions.sql. Names that begin with `_` are parts. Within them y
-- are effects less the fit of equal effects, and x is the moderator less its mean and by its
-- standard deviation, so that nothing large cancels.

-- The sums of one power of the weights: alone, with x, x^2, y, x y and y^2.
CREATE OR REPLACE MACRO _moments(w, d) AS ({
    'a': list_sum(w), 'b': list_inner_product(w, d.x), 'c': list_inner_product(w, d.x2),
    'd': list_inner_product(w, d.y), 'e': list_inner_product(w, d.xy),
    'f': list_inner_product(w, d.y2)}
);

-- Sum of weights by squared residuals.
CREATE OR REPLACE MACRO _squares(m, b0, b1) AS (
    m.f - 2 * b0 * m.d - 2 * b1 * m.e + b0 * b0 * m.a + 2 * b0 * b1 * m.b + b1 * b1 * m.c
);

-- The fit at one tau2, of a set d and its inverse variances w: the intercept b0 and slope b1, the
-- inverse (c, -b, a) / det of X'WX, rss = sum w e^2, and with P = W - WX (X'WX)^-1 X'W the traces
-- of P and of P P, y'PPy and y'PPPy.
CREATE OR REPLACE MACRO _line(d, w, tau2) AS (
    list_transform([list_transform([list_transform([list_transform([_weights(w, tau2)],
        lambda _li: {'m1': _moments(_li, d),
            'm2': _moments(list_transform(_li, lambda _li_x: _li_x * _li_x), d),
            'm3': _moments(list_transform(_li, lambda _li_x: _li_x * _li_x * _li_x), d)})[1]],
        lambda _li: struct_concat(_li, {'det': _li.m1.a * _li.m1.c - _li.m1.b * _li.m1.b}))[1]],
        lambda _li: struct_concat(_li, {
            'b0': (_li.m1.c * _li.m1.d - _li.m1.b * _li.m1.e) / _li.det,
            'b1': (_li.m1.a * _li.m1.e - _li.m1.b * _li.m1.d) / _li.det,
            'h11': (_li.m1.c * _li.m2.a - _li.m1.b * _li.m2.b) / _li.det,
            'h12': (_li.m1.c * _li.m2.b - _li.m1.b * _li.m2.c) / _li.det,
            'h21': (_li.m1.a * _li.m2.b - _li.m1.b * _li.m2.a) / _li.det,
            'h22': (_li.m1.a * _li.m2.c - _li.m1.b * _li.m2.b) / _li.det}))[1]],
        lambda _li: {'a': _li.m1.a, 'b': _li.m1.b, 'c': _li.m1.c, 'det': _li.det,
            'b0': _li.b0, 'b1': _li.b1, 's2': _li.m2.a,
            'rss': _squares(_li.m1, _li.b0, _li.b1),
            'trace': _li.m1.a - _li.h11 - _li.h22,
            'trace2': _li.m2.a - 2 * (_li.m1.c * _li.m3.a - 2 * _li.m1.b * _li.m3.b
                + _li.m1.a * _li.m3.c) / _li.det
                + _li.h11 * _li.h11 + 2 * _li.h12 * _li.h21 + _li.h22 * _li.h22,
            'q2': _squares(_li.m2, _li.b0, _li.b1),
            'q3': _squares(_li.m3, _li.b0, _li.b1) - (
                _li.m1.c * pow(_li.m2.d - _li.b0 * _li.m2.a - _li.b1 * _li.m2.b, 2)
                - 2 * _li.m1.b * (_li.m2.d - _li.b0 * _li.m2.a - _li.b1 * _li.m2.b)
                    * (_li.m2.e - _li.b0 * _li.m2.b - _li.b1 * _li.m2.c)
                + _li.m1.a * pow(_li.m2.e - _li.b0 * _li.m2.b - _li.b1 * _li.m2.c, 2)) / _li.det})[1]
);

-- Where the function that tau2 is the root of is, and the step to the root; see _slope.
CREATE OR REPLACE MACRO _line_slope(kind, goal, line) AS (
    list_transform([list_transform([line], lambda _ln_s: {'scale': 1 / _ln_s.a, 'rss': _ln_s.rss,
        'q2': _ln_s.q2, 'q3': _ln_s.q3,
        'trace': CASE WHEN kind = 'ML' THEN _ln_s.a ELSE _ln_s.trace END,
        'info': CASE WHEN kind = 'ML' THEN _ln_s.s2 ELSE _ln_s.trace2 END})[1]], lambda _ln_s: {
        'scale': _ln_s.scale,
        'value': CASE WHEN kind = 'Q' THEN _ln_s.rss - goal ELSE _ln_s.q2 - _ln_s.trace END,
        'step': CASE WHEN kind = 'Q' THEN _ln_s.rss * (_ln_s.rss / goal - 1) / _ln_s.q2
            ELSE (_ln_s.q2 - _ln_s.trace) / CASE WHEN 2 * _ln_s.q3 > _ln_s.info
                THEN 2 * _ln_s.q3 - _ln_s.info ELSE _ln_s.info END END})[1]
);

-- The lists of a set that the sums are made of.
CREATE OR REPLACE MACRO _products(x, y) AS ({
    'x': x, 'y': y, 'x2': list_transform(x, lambda _pd_x: _pd_x * _pd_x),
    'y2': list_transform(y, lambda _pd_y: _pd_y * _pd_y),
    'xy': list_transform(list_zip(x, y), lambda _pd_z: _pd_z[1] * _pd_z[2])}
);

-- Part of regress: the fit of equal effects, and the set about it.
CREATE OR REPLACE MACRO _residuals(s, w) AS (
    list_transform([list_transform([list_transform([list_transform([s], lambda _rs: struct_concat(_rs, {
            'd': _products(list_transform(_rs.rows, lambda _rs_r: (_rs_r.x - _rs.mean_x) / _rs.sd_x),
                list_transform(_rs.rows, lambda _rs_r: _rs_r.y - _rs.mean_y))}))[1]],
        lambda _rs: struct_concat(_rs, {'equal': _line(_rs.d, w, 0)}))[1]],
        lambda _rs: struct_concat(_rs, {'e': list_transform([_rs.equal], lambda _rs_l:
            list_transform(list_zip(_rs.d.x, _rs.d.y),
                lambda _rs_z: _rs_z[2] - _rs_l.b0 - _rs_l.b1 * _rs_z[1]))[1]}))[1]],
        lambda _rs: {'n': _rs.n, 'k': _rs.k, 'mean_x': _rs.mean_x, 'sd_x': _rs.sd_x,
            'mean_y': _rs.mean_y, 'tau2_alone': _rs.tau2_alone, 'critical': _rs.critical,
            'equal': _rs.equal, 'd': _products(_rs.d.x, _rs.e),
            'top': list_inner_product(_rs.e, _rs.e)
                + sqrt(list_inner_product(_rs.e, _rs.e) / list_min(w))})[1]
);

-- Part of regress: adds tau2, whether its search is done, and the fit there.
CREATE OR REPLACE MACRO _climb(s, w, method) AS (
    list_transform([list_transform([list_transform([s], lambda _cl: struct_concat(_cl, {
        'found': CASE
            WHEN upper(method) IN ('EE', 'FE')
            THEN {'tau2': 0.0::DOUBLE, 'low': NULL::DOUBLE, 'high': NULL::DOUBLE, 'done': true}
            WHEN upper(method) = 'DL'
            THEN {'tau2': greatest((_cl.equal.rss - (_cl.k - 2)) / _cl.equal.trace, 0.0),
                'low': NULL::DOUBLE, 'high': NULL::DOUBLE, 'done': true}
            ELSE list_reduce(range(100), lambda _cl_s, _cl_i: CASE WHEN _cl_s.done THEN _cl_s
                ELSE _advance(_cl_s, _line_slope(
                    CASE WHEN upper(method) = 'PM' THEN 'Q' ELSE upper(method) END, _cl.k - 2,
                    _line(_cl.d, w, _cl_s.tau2))) END,
                {'tau2': CASE WHEN upper(method) = 'PM' THEN 0.0 ELSE greatest(
                    (_cl.equal.rss - (_cl.k - 2)) / _cl.equal.trace, 0.0) END,
                    'low': -1.0::DOUBLE, 'high': _cl.top,
                    'done': NOT coalesce(_cl.k > 2 AND _cl.sd_x > 0, false)}) END}))[1]],
        lambda _cl: struct_concat(_cl, {'fit': _line(_cl.d, w, _cl.found.tau2)}))[1]],
        lambda _cl: struct_concat(_cl, {'zero': upper(method) IN ('ML', 'REML') AND _cl.found.tau2 > 0
            AND _cl.equal.q2 <= CASE WHEN upper(method) = 'ML' THEN _cl.equal.a
                ELSE _cl.equal.trace END
            AND _cl.equal.rss - list_sum(list_transform(w, lambda _cl_x: ln(_cl_x)))
                + CASE WHEN upper(method) = 'ML' THEN 0 ELSE ln(_cl.equal.det) END
                < _cl.fit.rss - list_sum(list_transform(_weights(w, _cl.found.tau2),
                    lambda _cl_x: ln(_cl_x)))
                + CASE WHEN upper(method) = 'ML' THEN 0 ELSE ln(_cl.fit.det) END}))[1]
);

-- Part of regress: the struct that it gives.
CREATE OR REPLACE MACRO _line_report(s, method, test) AS (
    list_transform([list_transform([list_transform([list_transform([s],
        lambda _lr: struct_concat(_lr, {
            't': CASE WHEN _lr.zero THEN 0 ELSE _lr.found.tau2 END,
            'f': CASE WHEN _lr.zero THEN _lr.equal ELSE _lr.fit END,
            'c0': _lr.equal.b0 + CASE WHEN _lr.zero THEN 0 ELSE _lr.fit.b0 END,
            'c1': _lr.equal.b1 + CASE WHEN _lr.zero THEN 0 ELSE _lr.fit.b1 END,
            'p': _lr.k - 2,
            'possible': _lr.sd_x > 0
                AND _lr.k > CASE WHEN upper(method) IN ('EE', 'FE') THEN 1 ELSE 2 END}))[1]],
        lambda _lr: struct_concat(_lr, {
            'good': _lr.possible AND _lr.found.done AND isfinite(_lr.c0) AND isfinite(_lr.c1)
                AND isfinite(_lr.t) AND _lr.f.det > 0 AND isfinite(_lr.equal.rss),
            'slope': _lr.c1 / _lr.sd_x,
            'intercept': _lr.mean_y + _lr.c0 - _lr.c1 / _lr.sd_x * _lr.mean_x,
            'factor': list_transform([CASE WHEN lower(test) IN ('knha', 'adhoc')
                THEN _lr.f.rss / nullif(_lr.p, 0) ELSE 1 END], lambda _lr_f: CASE
                WHEN lower(test) = 'adhoc' AND _lr_f < 1 THEN 1 ELSE _lr_f END)[1]}))[1]],
        lambda _lr: struct_concat(_lr, {
            'slope_se': CASE WHEN _lr.good THEN sqrt(_lr.factor * _lr.f.a / _lr.f.det) / _lr.sd_x END,
            'intercept_se': CASE WHEN _lr.good THEN sqrt(_lr.factor * (_lr.f.c
                + 2 * _lr.mean_x / _lr.sd_x * _lr.f.b
                + pow(_lr.mean_x / _lr.sd_x, 2) * _lr.f.a) / _lr.f.det) END,
            'df': CASE WHEN lower(test) <> 'z' AND _lr.k > 1 THEN _lr.p END}))[1]],
        lambda _lr: {
        'k': _lr.k,
        'k_missing': _lr.n - _lr.k,
        'intercept': CASE WHEN _lr.good THEN _lr.intercept END,
        'intercept_se': _lr.intercept_se,
        'intercept_p': list_transform([abs(_lr.intercept / nullif(_lr.intercept_se, 0))],
            lambda _lr_z: _two_sided(_lr_z, _lr.p, test))[1],
        'intercept_lower': _lr.intercept - _lr.critical * _lr.intercept_se,
        'intercept_upper': _lr.intercept + _lr.critical * _lr.intercept_se,
        'slope': CASE WHEN _lr.good THEN _lr.slope END,
        'slope_se': _lr.slope_se,
        'statistic': _lr.slope / nullif(_lr.slope_se, 0),
        'df': _lr.df,
        'p': list_transform([abs(_lr.slope / nullif(_lr.slope_se, 0))],
            lambda _lr_z: _two_sided(_lr_z, _lr.p, test))[1],
        'ci_lower': _lr.slope - _lr.critical * _lr.slope_se,
        'ci_upper': _lr.slope + _lr.critical * _lr.slope_se,
        'tau2': CASE WHEN _lr.good THEN _lr.t END,
        'tau2_se': CASE WHEN _lr.good THEN _finite(CASE upper(method)
            WHEN 'DL' THEN sqrt(2 * _lr.p + 4 * _lr.t * _lr.equal.trace
                + 2 * _lr.t * _lr.t * _lr.equal.trace2) / _lr.equal.trace
            WHEN 'PM' THEN sqrt(2 / _lr.p) * _lr.k / _lr.f.a
            WHEN 'ML' THEN sqrt(2 / _lr.f.s2)
            WHEN 'REML' THEN sqrt(2 / _lr.f.trace2) END) END,
        'I2': CASE WHEN NOT _lr.good OR _lr.p < 1 THEN NULL
            WHEN upper(method) NOT IN ('EE', 'FE')
            THEN 100 * _lr.t / (_lr.p / _lr.equal.trace + _lr.t)
            WHEN _lr.equal.rss > _lr.p THEN 100 * (_lr.equal.rss - _lr.p) / _lr.equal.rss ELSE 0 END,
        'H2': CASE WHEN NOT _lr.good OR _lr.p < 1 THEN NULL
            WHEN upper(method) IN ('EE', 'FE') THEN _lr.equal.rss / _lr.p
            ELSE 1 + _lr.t * _lr.equal.trace / _lr.p END,
        'R2': CASE WHEN _lr.good AND _lr.tau2_alone > 0
            THEN greatest(100 * (_lr.tau2_alone - _lr.t) / _lr.tau2_alone, 0) END,
        'QE': CASE WHEN _lr.good THEN greatest(_lr.equal.rss, 0) END,
        'QE_df': CASE WHEN _lr.k > 1 THEN _lr.p END,
        'QE_p': CASE WHEN _lr.good THEN chi2_sf(_lr.equal.rss, _lr.p) END,
        'knha_factor': CASE WHEN _lr.good AND lower(test) IN ('knha', 'adhoc') THEN _lr.factor END,
        'converged': CASE WHEN _lr.possible THEN coalesce(_lr.good, false) END})[1]
);

-- Whether a row can be pooled, and has a moderator.
CREATE OR REPLACE MACRO _usable_with(yi, vi, xi) AS (
    _usable(yi, vi) AND isfinite(CAST(xi AS DOUBLE))
);

-- Part of regress and egger: the struct that regress gives.
CREATE OR REPLACE MACRO _regressed(name, yi, vi, xi, by_name, method, test, level) AS (
    _line_report(_climb(_residuals({
            'n': count(*) FILTER (_options(name, by_name, method, test, level, 'z')),
            'k': count(*) FILTER (_usable_with(yi, vi, xi)),
            'mean_x': avg(CAST(xi AS DOUBLE)) FILTER (_usable_with(yi, vi, xi)),
            'sd_x': stddev_pop(CAST(xi AS DOUBLE)) FILTER (_usable_with(yi, vi, xi)),
            'mean_y': avg(CAST(yi AS DOUBLE)) FILTER (_usable_with(yi, vi, xi)),
            'rows': list({'x': CAST(xi AS DOUBLE), 'y': CAST(yi AS DOUBLE)})
                FILTER (_usable_with(yi, vi, xi)),
            'critical': list_transform([-norm_ppf(_alpha(max(level)) / 2)],
                lambda _rg_z: CASE WHEN lower(test) = 'z' THEN _rg_z ELSE _t_point(_alpha(level),
                    count(*) FILTER (_usable_with(yi, vi, xi)) - 2, _rg_z) END)[1],
            'tau2_alone': _search(_homogeneity({
                    'k': count(*) FILTER (_usable_with(yi, vi, xi)),
                    's1': sum(1 / CAST(vi AS DOUBLE)) FILTER (_usable_with(yi, vi, xi)),
                    's2': sum(pow(1 / CAST(vi AS DOUBLE), 2)) FILTER (_usable_with(yi, vi, xi)),
                    't1': sum(CAST(yi AS DOUBLE) / vi) FILTER (_usable_with(yi, vi, xi)),
                    'u1': sum(CAST(yi AS DOUBLE) * yi / vi) FILTER (_usable_with(yi, vi, xi)),
                    'start': greatest(0, var_samp(CAST(yi AS DOUBLE))
                        FILTER (_usable_with(yi, vi, xi))
                        - avg(CAST(vi AS DOUBLE)) FILTER (_usable_with(yi, vi, xi))),
                    'top': pow(max(CAST(yi AS DOUBLE)) FILTER (_usable_with(yi, vi, xi))
                        - min(CAST(yi AS DOUBLE)) FILTER (_usable_with(yi, vi, xi)), 2)},
                list(CAST(yi AS DOUBLE)) FILTER (_usable_with(yi, vi, xi)),
                list(1 / CAST(vi AS DOUBLE)) FILTER (_usable_with(yi, vi, xi))),
                list(CAST(yi AS DOUBLE)) FILTER (_usable_with(yi, vi, xi)),
                list(1 / CAST(vi AS DOUBLE)) FILTER (_usable_with(yi, vi, xi)), method).tau2},
        list(1 / CAST(vi AS DOUBLE)) FILTER (_usable_with(yi, vi, xi))),
        list(1 / CAST(vi AS DOUBLE)) FILTER (_usable_with(yi, vi, xi)), method), method, test)
);

-- The effect sizes yi with their variances vi by one moderator xi: yi = intercept + slope xi, with
-- residual heterogeneity tau2.
-- Formula: weighted least squares with weights 1 / (vi + tau2); tau2 as in pool, with k - 2 for
-- k - 1; QE is the sum of squares of the residuals at tau2 = 0; R2 = 100 (1 - tau2 / tau2 without
-- the moderator), 0 at least. statistic, df, p, ci_lower and ci_upper are those of the slope.
-- Options: method, test, level, unit and measure as in pool.
-- Returns: STRUCT(k, k_missing, intercept, intercept_se, intercept_p, intercept_lower,
-- intercept_upper, slope, slope_se, statistic, df, p, ci_lower, ci_upper, tau2, tau2_se, I2, H2,
-- R2, QE, QE_df, QE_p, knha_factor, converged). All but the counts is null with fewer than three
-- studies, or a moderator that is the same in all; rows without a moderator are left out and
-- counted in k_missing.
-- Source: Berkey et al. (1995), A random-effects regression model for meta-analysis.
-- In metafor: rma(yi, vi, mods = ~ xi).
CREATE OR REPLACE MACRO regress(yi, vi, xi, by_name := NULL, method := 'REML', test := 'z',
        level := 95, unit := NULL, measure := NULL) AS (
    first_value(CASE WHEN _checked('regress', unit, measure, _usable_with(yi, vi, xi)) THEN
        _regressed('regress', yi, vi, xi, by_name, method, test, level) END)
        OVER (ROWS BETWEEN CURRENT ROW AND CURRENT ROW)
);

-- Egger's test for an asymmetric funnel plot: the effect sizes by their standard errors.
-- Formula: model 'rma' is regress(yi, vi, sqrt(vi)); model 'lm', the classical test, is the line
-- of equal effects with a multiplicative dispersion and a t test on k - 2 degrees of freedom,
-- regress(yi, vi, sqrt(vi), method := 'EE', test := 'knha'). statistic, df and p are those of the
-- slope; the intercept is the effect where the standard error is 0.
-- Options: model, 'rma' (the default of metafor) or 'lm'; method and test as in pool, for 'rma';
-- level, unit and measure as in pool.
-- Source: Egger et al. (1997), Bias in meta-analysis; Sterne and Egger (2005).
-- Returns: STRUCT(k, k_missing, statistic, df, p, intercept, intercept_lower, intercept_upper,
-- converged).
-- In metafor: regtest(yi, vi, model = 'rma').
CREATE OR REPLACE MACRO egger(yi, vi, by_name := NULL, model := 'rma', method := 'REML',
        test := 'z', level := 95, unit := NULL, measure := NULL) AS (
    first_value(CASE WHEN _checked('egger', unit, measure, _usable(yi, vi)) THEN
        list_transform([_regressed('egger', yi, vi, sqrt(CASE WHEN _usable(yi, vi) THEN
            CAST(vi AS DOUBLE) END),
        CASE WHEN by_name IS NOT NULL OR lower(model) IN ('rma', 'lm') THEN by_name
            ELSE error(_unknown('model of egger', model, ['rma', 'lm'])) END,
        CASE WHEN lower(model) = 'lm' THEN 'EE' ELSE method END,
        CASE WHEN lower(model) = 'lm' THEN 'knha' ELSE test END, level)],
        lambda _eg: {'k': _eg.k, 'k_missing': _eg.k_missing, 'statistic': _eg.statistic, 'df': _eg.df,
            'p': _eg.p, 'intercept': _eg.intercept, 'intercept_lower': _eg.intercept_lower,
            'intercept_upper': _eg.intercept_upper, 'converged': _eg.converged})[1] END)
        OVER (ROWS BETWEEN CURRENT ROW AND CURRENT ROW)
);
