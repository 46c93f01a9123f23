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
        lambda li: {'m1': _moments(li, d),
            'm2': _moments(list_transform(li, lambda li_x: li_x * li_x), d),
            'm3': _moments(list_transform(li, lambda li_x: li_x * li_x * li_x), d)})[1]],
        lambda li: struct_concat(li, {'det': li.m1.a * li.m1.c - li.m1.b * li.m1.b}))[1]],
        lambda li: struct_concat(li, {
            'b0': (li.m1.c * li.m1.d - li.m1.b * li.m1.e) / li.det,
            'b1': (li.m1.a * li.m1.e - li.m1.b * li.m1.d) / li.det,
            'h11': (li.m1.c * li.m2.a - li.m1.b * li.m2.b) / li.det,
            'h12': (li.m1.c * li.m2.b - li.m1.b * li.m2.c) / li.det,
            'h21': (li.m1.a * li.m2.b - li.m1.b * li.m2.a) / li.det,
            'h22': (li.m1.a * li.m2.c - li.m1.b * li.m2.b) / li.det}))[1]],
        lambda li: {'a': li.m1.a, 'b': li.m1.b, 'c': li.m1.c, 'det': li.det,
            'b0': li.b0, 'b1': li.b1, 's2': li.m2.a,
            'rss': _squares(li.m1, li.b0, li.b1),
            'trace': li.m1.a - li.h11 - li.h22,
            'trace2': li.m2.a - 2 * (li.m1.c * li.m3.a - 2 * li.m1.b * li.m3.b
                + li.m1.a * li.m3.c) / li.det
                + li.h11 * li.h11 + 2 * li.h12 * li.h21 + li.h22 * li.h22,
            'q2': _squares(li.m2, li.b0, li.b1),
            'q3': _squares(li.m3, li.b0, li.b1) - (
                li.m1.c * pow(li.m2.d - li.b0 * li.m2.a - li.b1 * li.m2.b, 2)
                - 2 * li.m1.b * (li.m2.d - li.b0 * li.m2.a - li.b1 * li.m2.b)
                    * (li.m2.e - li.b0 * li.m2.b - li.b1 * li.m2.c)
                + li.m1.a * pow(li.m2.e - li.b0 * li.m2.b - li.b1 * li.m2.c, 2)) / li.det})[1]
);

-- Where the function that tau2 is the root of is, and the step to the root; see _slope.
CREATE OR REPLACE MACRO _line_slope(kind, goal, line) AS (
    list_transform([list_transform([line], lambda ln_s: {'scale': 1 / ln_s.a, 'rss': ln_s.rss,
        'q2': ln_s.q2, 'q3': ln_s.q3,
        'trace': CASE WHEN kind = 'ML' THEN ln_s.a ELSE ln_s.trace END,
        'info': CASE WHEN kind = 'ML' THEN ln_s.s2 ELSE ln_s.trace2 END})[1]], lambda ln_s: {
        'scale': ln_s.scale,
        'value': CASE WHEN kind = 'Q' THEN ln_s.rss - goal ELSE ln_s.q2 - ln_s.trace END,
        'step': CASE WHEN kind = 'Q' THEN ln_s.rss * (ln_s.rss / goal - 1) / ln_s.q2
            ELSE (ln_s.q2 - ln_s.trace) / CASE WHEN 2 * ln_s.q3 > ln_s.info
                THEN 2 * ln_s.q3 - ln_s.info ELSE ln_s.info END END})[1]
);

-- The lists of a set that the sums are made of.
CREATE OR REPLACE MACRO _products(x, y) AS ({
    'x': x, 'y': y, 'x2': list_transform(x, lambda pd_x: pd_x * pd_x),
    'y2': list_transform(y, lambda pd_y: pd_y * pd_y),
    'xy': list_transform(list_zip(x, y), lambda pd_z: pd_z[1] * pd_z[2])}
);

-- Part of regress: the fit of equal effects, and the set about it.
CREATE OR REPLACE MACRO _residuals(s, w) AS (
    list_transform([list_transform([list_transform([list_transform([s], lambda rs: struct_concat(rs, {
            'd': _products(list_transform(rs.rows, lambda rs_r: (rs_r.x - rs.mean_x) / rs.sd_x),
                list_transform(rs.rows, lambda rs_r: rs_r.y - rs.mean_y))}))[1]],
        lambda rs: struct_concat(rs, {'equal': _line(rs.d, w, 0)}))[1]],
        lambda rs: struct_concat(rs, {'e': list_transform([rs.equal], lambda rs_l:
            list_transform(list_zip(rs.d.x, rs.d.y),
                lambda rs_z: rs_z[2] - rs_l.b0 - rs_l.b1 * rs_z[1]))[1]}))[1]],
        lambda rs: {'n': rs.n, 'k': rs.k, 'mean_x': rs.mean_x, 'sd_x': rs.sd_x,
            'mean_y': rs.mean_y, 'tau2_alone': rs.tau2_alone, 'critical': rs.critical,
            'equal': rs.equal, 'd': _products(rs.d.x, rs.e),
            'top': list_inner_product(rs.e, rs.e)
                + sqrt(list_inner_product(rs.e, rs.e) / list_min(w))})[1]
);

-- Part of regress: adds tau2, whether its search is done, and the fit there.
CREATE OR REPLACE MACRO _climb(s, w, method) AS (
    list_transform([list_transform([list_transform([s], lambda cl: struct_concat(cl, {
        'found': CASE
            WHEN upper(method) IN ('EE', 'FE')
            THEN {'tau2': 0.0::DOUBLE, 'low': NULL::DOUBLE, 'high': NULL::DOUBLE, 'done': true}
            WHEN upper(method) = 'DL'
            THEN {'tau2': greatest((cl.equal.rss - (cl.k - 2)) / cl.equal.trace, 0.0),
                'low': NULL::DOUBLE, 'high': NULL::DOUBLE, 'done': true}
            ELSE list_reduce(range(100), lambda cl_s, cl_i: CASE WHEN cl_s.done THEN cl_s
                ELSE _advance(cl_s, _line_slope(
                    CASE WHEN upper(method) = 'PM' THEN 'Q' ELSE upper(method) END, cl.k - 2,
                    _line(cl.d, w, cl_s.tau2))) END,
                {'tau2': CASE WHEN upper(method) = 'PM' THEN 0.0 ELSE greatest(
                    (cl.equal.rss - (cl.k - 2)) / cl.equal.trace, 0.0) END,
                    'low': -1.0::DOUBLE, 'high': cl.top,
                    'done': NOT coalesce(cl.k > 2 AND cl.sd_x > 0, false)}) END}))[1]],
        lambda cl: struct_concat(cl, {'fit': _line(cl.d, w, cl.found.tau2)}))[1]],
        lambda cl: struct_concat(cl, {'zero': upper(method) IN ('ML', 'REML') AND cl.found.tau2 > 0
            AND cl.equal.q2 <= CASE WHEN upper(method) = 'ML' THEN cl.equal.a
                ELSE cl.equal.trace END
            AND cl.equal.rss - list_sum(list_transform(w, lambda cl_x: ln(cl_x)))
                + CASE WHEN upper(method) = 'ML' THEN 0 ELSE ln(cl.equal.det) END
                < cl.fit.rss - list_sum(list_transform(_weights(w, cl.found.tau2),
                    lambda cl_x: ln(cl_x)))
                + CASE WHEN upper(method) = 'ML' THEN 0 ELSE ln(cl.fit.det) END}))[1]
);

-- Part of regress: the struct that it gives.
CREATE OR REPLACE MACRO _line_report(s, method, test) AS (
    list_transform([list_transform([list_transform([list_transform([s],
        lambda lr: struct_concat(lr, {
            't': CASE WHEN lr.zero THEN 0 ELSE lr.found.tau2 END,
            'f': CASE WHEN lr.zero THEN lr.equal ELSE lr.fit END,
            'c0': lr.equal.b0 + CASE WHEN lr.zero THEN 0 ELSE lr.fit.b0 END,
            'c1': lr.equal.b1 + CASE WHEN lr.zero THEN 0 ELSE lr.fit.b1 END,
            'p': lr.k - 2,
            'possible': lr.sd_x > 0
                AND lr.k > CASE WHEN upper(method) IN ('EE', 'FE') THEN 1 ELSE 2 END}))[1]],
        lambda lr: struct_concat(lr, {
            'good': lr.possible AND lr.found.done AND isfinite(lr.c0) AND isfinite(lr.c1)
                AND isfinite(lr.t) AND lr.f.det > 0,
            'slope': lr.c1 / lr.sd_x,
            'intercept': lr.mean_y + lr.c0 - lr.c1 / lr.sd_x * lr.mean_x,
            'factor': list_transform([CASE WHEN lower(test) IN ('knha', 'adhoc')
                THEN lr.f.rss / nullif(lr.p, 0) ELSE 1 END], lambda lr_f: CASE
                WHEN lower(test) = 'adhoc' AND lr_f < 1 THEN 1 ELSE lr_f END)[1]}))[1]],
        lambda lr: struct_concat(lr, {
            'slope_se': CASE WHEN lr.good THEN sqrt(lr.factor * lr.f.a / lr.f.det) / lr.sd_x END,
            'intercept_se': CASE WHEN lr.good THEN sqrt(lr.factor * (lr.f.c
                + 2 * lr.mean_x / lr.sd_x * lr.f.b
                + pow(lr.mean_x / lr.sd_x, 2) * lr.f.a) / lr.f.det) END,
            'df': CASE WHEN lower(test) <> 'z' AND lr.k > 1 THEN lr.p END}))[1]],
        lambda lr: {
        'k': lr.k,
        'k_missing': lr.n - lr.k,
        'intercept': CASE WHEN lr.good THEN lr.intercept END,
        'intercept_se': lr.intercept_se,
        'intercept_p': list_transform([abs(lr.intercept / nullif(lr.intercept_se, 0))],
            lambda lr_z: _two_sided(lr_z, lr.df))[1],
        'intercept_lower': lr.intercept - lr.critical * lr.intercept_se,
        'intercept_upper': lr.intercept + lr.critical * lr.intercept_se,
        'slope': CASE WHEN lr.good THEN lr.slope END,
        'slope_se': lr.slope_se,
        'statistic': lr.slope / nullif(lr.slope_se, 0),
        'df': lr.df,
        'p': list_transform([abs(lr.slope / nullif(lr.slope_se, 0))],
            lambda lr_z: _two_sided(lr_z, lr.df))[1],
        'ci_lower': lr.slope - lr.critical * lr.slope_se,
        'ci_upper': lr.slope + lr.critical * lr.slope_se,
        'tau2': CASE WHEN lr.good THEN lr.t END,
        'tau2_se': CASE WHEN lr.good THEN CASE upper(method)
            WHEN 'DL' THEN sqrt(2 * lr.p + 4 * lr.t * lr.equal.trace
                + 2 * lr.t * lr.t * lr.equal.trace2) / lr.equal.trace
            WHEN 'PM' THEN sqrt(2 / lr.p) * lr.k / lr.f.a
            WHEN 'ML' THEN sqrt(2 / lr.f.s2)
            WHEN 'REML' THEN sqrt(2 / lr.f.trace2) END END,
        'I2': CASE WHEN NOT lr.good OR lr.p < 1 THEN NULL
            WHEN upper(method) NOT IN ('EE', 'FE')
            THEN 100 * lr.t / (lr.p / lr.equal.trace + lr.t)
            WHEN lr.equal.rss > lr.p THEN 100 * (lr.equal.rss - lr.p) / lr.equal.rss ELSE 0 END,
        'H2': CASE WHEN NOT lr.good OR lr.p < 1 THEN NULL
            WHEN upper(method) IN ('EE', 'FE') THEN lr.equal.rss / lr.p
            ELSE 1 + lr.t * lr.equal.trace / lr.p END,
        'R2': CASE WHEN lr.good AND lr.tau2_alone > 0
            THEN greatest(100 * (lr.tau2_alone - lr.t) / lr.tau2_alone, 0) END,
        'QE': CASE WHEN lr.good THEN greatest(lr.equal.rss, 0) END,
        'QE_df': CASE WHEN lr.k > 1 THEN lr.p END,
        'QE_p': CASE WHEN lr.good THEN chi2_sf(lr.equal.rss, lr.p) END,
        'knha_factor': CASE WHEN lr.good AND lower(test) IN ('knha', 'adhoc') THEN lr.factor END,
        'converged': CASE WHEN lr.possible THEN coalesce(lr.good, false) END})[1]
);

-- Whether a row can be pooled, and has a moderator.
CREATE OR REPLACE MACRO _usable_with(yi, vi, xi) AS (
    _usable(yi, vi) AND isfinite(CAST(xi AS DOUBLE))
);

-- Part of regress and egger: the struct that regress gives.
CREATE OR REPLACE MACRO _regressed(name, yi, vi, xi, by_name, method, test, level) AS (
    _line_report(_climb(_residuals({
            'n': count(*),
            'k': count(*) FILTER (_usable_with(yi, vi, xi)
                AND _options(name, by_name, method, test, level, 'z')),
            'mean_x': avg(CAST(xi AS DOUBLE)) FILTER (_usable_with(yi, vi, xi)),
            'sd_x': stddev_pop(CAST(xi AS DOUBLE)) FILTER (_usable_with(yi, vi, xi)),
            'mean_y': avg(CAST(yi AS DOUBLE)) FILTER (_usable_with(yi, vi, xi)),
            'rows': list({'x': CAST(xi AS DOUBLE), 'y': CAST(yi AS DOUBLE)})
                FILTER (_usable_with(yi, vi, xi)),
            'critical': list_transform([max(CAST(-norm_ppf(_alpha(level) / 2) AS DOUBLE))],
                lambda rg_z: CASE WHEN lower(test) = 'z' THEN rg_z ELSE _t_point(_alpha(level),
                    count(*) FILTER (_usable_with(yi, vi, xi)) - 2, rg_z) END)[1],
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
-- Options: method, test and level as in pool.
-- Returns: STRUCT(k, k_missing, intercept, intercept_se, intercept_p, intercept_lower,
-- intercept_upper, slope, slope_se, statistic, df, p, ci_lower, ci_upper, tau2, tau2_se, I2, H2,
-- R2, QE, QE_df, QE_p, knha_factor, converged). All but the counts is null with fewer than three
-- studies, or a moderator that is the same in all; rows without a moderator are left out and
-- counted in k_missing.
-- Source: Berkey et al. (1995), A random-effects regression model for meta-analysis.
-- In metafor: rma(yi, vi, mods = ~ xi).
CREATE OR REPLACE MACRO regress(yi, vi, xi, by_name := NULL, method := 'REML', test := 'z',
        level := 95) AS (
    first_value(_regressed('regress', yi, vi, xi, by_name, method, test, level))
        OVER (ROWS BETWEEN CURRENT ROW AND CURRENT ROW)
);

-- Egger's test for an asymmetric funnel plot: the effect sizes by their standard errors.
-- Formula: model 'rma' is regress(yi, vi, sqrt(vi)); model 'lm', the classical test, is the line
-- of equal effects with a multiplicative dispersion and a t test on k - 2 degrees of freedom,
-- regress(yi, vi, sqrt(vi), method := 'EE', test := 'knha'). statistic, df and p are those of the
-- slope; the intercept is the effect where the standard error is 0.
-- Options: model, 'rma' (the default of metafor) or 'lm'; method and test as in pool, for 'rma';
-- level, a percent from 50 to below 100 (95), or a share.
-- Source: Egger et al. (1997), Bias in meta-analysis; Sterne and Egger (2005).
-- Returns: STRUCT(k, k_missing, statistic, df, p, intercept, intercept_lower, intercept_upper,
-- converged).
-- In metafor: regtest(yi, vi, model = 'rma').
CREATE OR REPLACE MACRO egger(yi, vi, by_name := NULL, model := 'rma', method := 'REML',
        test := 'z', level := 95) AS (
    first_value(list_transform([_regressed('egger', yi, vi, sqrt(CASE WHEN _usable(yi, vi) THEN
            CAST(vi AS DOUBLE) END), CASE WHEN lower(model) IN ('rma', 'lm') THEN by_name
            ELSE error(_unknown('egger', 'model', model, ['rma', 'lm'])) END,
        CASE WHEN lower(model) = 'lm' THEN 'EE' ELSE method END,
        CASE WHEN lower(model) = 'lm' THEN 'knha' ELSE test END, level)],
        lambda eg: {'k': eg.k, 'k_missing': eg.k_missing, 'statistic': eg.statistic, 'df': eg.df,
            'p': eg.p, 'intercept': eg.intercept, 'intercept_lower': eg.intercept_lower,
            'intercept_upper': eg.intercept_upper, 'converged': eg.converged})[1])
        OVER (ROWS BETWEEN CURRENT ROW AND CURRENT ROW)
);
