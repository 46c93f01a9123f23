-- What a pooled estimate rests on: the interval of tau2, leaving out one study, comparing subgroups.
--
-- It needs pooling.sql and distributions.sql. Names that begin with `_` are parts.

-- Part of confint_tau2: the bounds of tau2, from the upper to the lower quantile.
CREATE OR REPLACE MACRO _profile(s, y, w, alpha) AS (
    list_transform([list_transform([list_transform([s], lambda _pr: struct_concat(_pr, {
            'y1': list_transform([_pr.m], lambda _pr_m: list_transform(y, lambda _pr_x: _pr_x - _pr_m))[1],
            'goals': list_transform([alpha / 2, 1 - alpha / 2],
                lambda _pr_p: chi2_ppf(_pr_p, _pr.k - 1))}))[1]],
        lambda _pr: struct_concat(_pr, {'y2': list_transform(_pr.y1, lambda _pr_x: _pr_x * _pr_x)}))[1]],
        lambda _pr: {'n': _pr.n, 'k': _pr.k, 'typical': (_pr.k - 1) / _pr.trace,
            'found': list_transform(_pr.goals, lambda _pr_g: _solve('Q', _pr_g, _pr.y1, _pr.y2, w, 0,
                _pr.top * (_pr.k - 1) / _pr_g))})[1]
);

-- Part of confint_tau2: the struct that it gives.
CREATE OR REPLACE MACRO _profile_report(s) AS (
    list_transform([list_transform([s], lambda _po: {'n': _po.n, 'k': _po.k, 'typical': _po.typical,
        'lower': CASE WHEN _po.k > 1 AND _po.found[2].done THEN _po.found[2].tau2 END,
        'upper': CASE WHEN _po.k > 1 AND _po.found[1].done THEN _po.found[1].tau2 END})[1]], lambda _po: {
        'k': _po.k,
        'k_missing': _po.n - _po.k,
        'tau2_lower': _po.lower,
        'tau2_upper': _po.upper,
        'I2_lower': 100 * _po.lower / (_po.typical + _po.lower),
        'I2_upper': 100 * _po.upper / (_po.typical + _po.upper),
        'H2_lower': 1 + _po.lower / _po.typical,
        'H2_upper': 1 + _po.upper / _po.typical,
        'converged': CASE WHEN _po.k > 1 THEN _po.lower IS NOT NULL AND _po.upper IS NOT NULL END})[1]
);

-- The confidence interval of tau2 by the Q-profile method, and those of I2 and H2 from it.
-- Formula: the tau2 at which sum w (y - m)^2, of w = 1 / (v + tau2), is a quantile of chi-square
-- with k - 1 degrees of freedom; 0 where it is below the quantile at 0 already. I2 and H2 are
-- those of pool. Null for fewer than two studies.
-- Options: level as in pool.
-- Source: Viechtbauer (2007), Confidence intervals for the amount of heterogeneity.
-- Returns: STRUCT(k, k_missing, tau2_lower, tau2_upper, I2_lower, I2_upper, H2_lower, H2_upper,
-- converged).
-- In metafor: confint(rma(yi, vi)), the same for every estimator of tau2.
CREATE OR REPLACE MACRO confint_tau2(yi, vi, by_name := NULL, level := 95) AS (
    first_value(_profile_report(_profile(_homogeneity({
            'n': count(*) FILTER (_options('confint_tau2', by_name, 'PM', 'z', level, 'z')),
            'k': count(*) FILTER (_usable(yi, vi)),
            's1': sum(1 / CAST(vi AS DOUBLE)) FILTER (_usable(yi, vi)),
            's2': sum(pow(1 / CAST(vi AS DOUBLE), 2)) FILTER (_usable(yi, vi)),
            't1': sum(CAST(yi AS DOUBLE) / vi) FILTER (_usable(yi, vi)),
            'u1': sum(CAST(yi AS DOUBLE) * yi / vi) FILTER (_usable(yi, vi)),
            'top': pow(max(CAST(yi AS DOUBLE)) FILTER (_usable(yi, vi))
                - min(CAST(yi AS DOUBLE)) FILTER (_usable(yi, vi)), 2)},
        _effects(yi, vi),
        _inverses(yi, vi)),
        _effects(yi, vi),
        _inverses(yi, vi), _alpha(level))))
        OVER (ROWS BETWEEN CURRENT ROW AND CURRENT ROW)
);

-- The first sums of a set, as _pooled takes them, from its lists.
CREATE OR REPLACE MACRO _list_sums(y, w, n) AS ({
    'n': n, 'k': len(y), 's1': list_sum(w), 's2': list_inner_product(w, w),
    's3': list_inner_product(w, list_transform(w, lambda _ls_x: _ls_x * _ls_x)),
    't1': list_inner_product(w, y),
    'u1': list_inner_product(w, list_transform(y, lambda _ls_x: _ls_x * _ls_x)),
    'start': greatest(0, list_var_samp(y)
        - list_avg(list_transform(w, lambda _ls_x: 1 / _ls_x))),
    'top': pow(list_max(y) - list_min(y), 2)}
);

-- True, or an error that names labels which two rows share; only the rows that are pooled count.
CREATE OR REPLACE MACRO _labelled(name, label, usable) AS (CASE
    WHEN count(label) FILTER (usable) < count(*) FILTER (usable)
    THEN error(format('{}: {} of the rows have no label', name,
        count(*) FILTER (usable) - count(label) FILTER (usable)))
    WHEN len(_repeated(list(label) FILTER (usable))) > 0
    THEN error(format('{}: two rows or more have one label, as {}; give each its own', name,
        _first_five(_repeated(list(label) FILTER (usable)))))
    ELSE true END
);

-- The pooled estimate without each study in turn: a list of the structs of pool, each with the
-- label of the study that is left out, in order of label. Two rows of one label that are pooled, or
-- such a row without one, are an error: the entries could not be told apart.
-- Options: those of pool.
-- Returns: LIST of STRUCT(label, k, k_missing, estimate, se, ..., converged); a table of it is
-- SELECT unnest(leave_one_out(trial, yi, vi), max_depth := 2) FROM t. Rows that pool leaves out
-- are counted in k_missing of each and not left out in turn.
-- In metafor: leave1out(rma(yi, vi)).
CREATE OR REPLACE MACRO leave_one_out(label, yi, vi, by_name := NULL, method := 'REML', test := 'z',
        level := 95, pi := 'default', unit := NULL, measure := NULL) AS (
    first_value(CASE WHEN _checked('leave_one_out', unit, measure, _usable(yi, vi))
            AND _labelled('leave_one_out', label, _usable(yi, vi)) THEN
        list_transform(list_transform(list_transform([{
            'n': count(*) FILTER (_options('leave_one_out', by_name, method, test, level, pi)),
            'k': count(*) FILTER (_usable(yi, vi)),
            'z': -norm_ppf(_alpha(max(level)) / 2),
            'rows': coalesce(list({'label': label, 'y': CAST(yi AS DOUBLE),
                'w': 1 / CAST(vi AS DOUBLE)} ORDER BY label) FILTER (_usable(yi, vi)), [])}],
        lambda _lo: list_transform(range(1, _lo.k + 1), lambda _lo_i: {'label': _lo.rows[_lo_i].label,
            'n': _lo.n - 1, 'z': _lo.z,
            'rows': list_filter(_lo.rows, lambda _lo_r, _lo_j: _lo_j <> _lo_i)}))[1],
        lambda _lo: {'label': _lo.label, 'n': _lo.n, 'z': _lo.z,
            'y': list_transform(_lo.rows, lambda _lo_r: _lo_r.y),
            'w': list_transform(_lo.rows, lambda _lo_r: _lo_r.w)}),
        lambda _lo: struct_concat({'label': _lo.label}, _pooled(
            _list_sums(_lo.y, _lo.w, _lo.n), _lo.y, _lo.w,
            _quantile_ci(len(_lo.y), _alpha(level), _lo.z, test),
            _quantile_pi(len(_lo.y), _alpha(level), _lo.z, test, pi), method, test))) END)
        OVER (ROWS BETWEEN CURRENT ROW AND CURRENT ROW)
);

-- The test between subgroups, from the estimate and standard error of each.
--     SELECT unnest(between_groups(p.estimate, p.se))
--     FROM (SELECT grp, pool(yi, vi) AS p FROM t GROUP BY grp)
-- Formula: Q = sum w (estimate - m)^2, of w = 1 / se^2 and m the mean weighted by w, on groups - 1
-- degrees of freedom; each group has its own tau2. Groups without a standard error are left out
-- and counted in groups_missing.
-- Source: Borenstein et al. (2009), Introduction to Meta-Analysis, chapter 19.
-- Returns: STRUCT(groups, groups_missing, Q, Q_df, Q_p).
-- In metafor: anova of rma(estimate, sei = se, mods = ~ grp, method = 'FE').
CREATE OR REPLACE MACRO between_groups(estimate, se) AS (
    first_value(list_transform([_homogeneity({
            'n': count(*),
            'k': count(*) FILTER (_usable(estimate, CAST(se AS DOUBLE) * se)),
            's1': sum(1 / (CAST(se AS DOUBLE) * se))
                FILTER (_usable(estimate, CAST(se AS DOUBLE) * se)),
            's2': NULL::DOUBLE,
            't1': sum(CAST(estimate AS DOUBLE) / (CAST(se AS DOUBLE) * se))
                FILTER (_usable(estimate, CAST(se AS DOUBLE) * se)),
            'u1': sum(CAST(estimate AS DOUBLE) * estimate / (CAST(se AS DOUBLE) * se))
                FILTER (_usable(estimate, CAST(se AS DOUBLE) * se))},
        _effects(estimate, CAST(se AS DOUBLE) * se),
        _inverses(estimate, CAST(se AS DOUBLE) * se))],
        lambda _bg: {'groups': _bg.k, 'groups_missing': _bg.n - _bg.k, 'Q': _bg.q,
            'Q_df': CASE WHEN _bg.k > 0 THEN _bg.k - 1 END, 'Q_p': chi2_sf(_bg.q, _bg.k - 1)})[1])
        OVER (ROWS BETWEEN CURRENT ROW AND CURRENT ROW)
);
