-- Pooling of effect sizes: one estimate of many studies, with its heterogeneity.
--
-- The macros are aggregates: SELECT g, unnest(pool(yi, vi)) FROM t GROUP BY g. Names, defaults
-- and definitions are those of metafor (Viechtbauer 2010) unless the text says otherwise. They
-- need distributions.sql. Names that begin with `_` are parts: most take a struct and give it back
-- with more in it, one after another, since DuckDB plans nested lambdas twice at every level.

-- The text of the error for an option that has no such value.
CREATE OR REPLACE MACRO _unknown(macro, option, given, known) AS (
    format('{}: there is no {} {}: it is one of {}, and the nearest is {}', macro, option,
        coalesce(given, 'NULL'), list_aggregate(known, 'string_agg', ', '),
        list_sort(list_transform(known, lambda un_word: {'distance': levenshtein(
            lower(coalesce(given, '')), lower(un_word)), 'word': un_word}))[1].word)
);

-- Whether a row can be pooled: an effect size that is a number, and a variance above 0 whose
-- inverse is one too.
CREATE OR REPLACE MACRO _usable(yi, vi) AS (
    isfinite(CAST(yi AS DOUBLE)) AND isfinite(CAST(vi AS DOUBLE)) AND CAST(vi AS DOUBLE) > 0
        AND isfinite(1 / CAST(vi AS DOUBLE))
);

-- The effects that can be pooled, and the inverses of their variances in the same order: DuckDB
-- fills the lists of one statement row by row together. Null where there are none.
CREATE OR REPLACE MACRO _effects(yi, vi) AS (
    list(CAST(yi AS DOUBLE)) FILTER (_usable(yi, vi))
);
CREATE OR REPLACE MACRO _inverses(yi, vi) AS (
    list(1 / CAST(vi AS DOUBLE)) FILTER (_usable(yi, vi))
);

-- The share of a confidence level that lies outside: 0.05 for 95 and for 0.95.
CREATE OR REPLACE MACRO _alpha(level) AS (
    CASE WHEN level >= 1 THEN (100 - level) / 100 ELSE 1 - level END::DOUBLE
);

-- The two-sided p of a statistic of 0 and above: of t, or of the normal distribution where df is
-- null.
CREATE OR REPLACE MACRO _two_sided(size, df) AS (
    CASE WHEN df IS NULL THEN 2 * _norm_tail(size) WHEN df > 0 THEN _t_tails(size, df) END
);

-- The weights 1 / (v + tau2), from the inverse variances w.
CREATE OR REPLACE MACRO _weights(w, tau2) AS (
    list_transform([tau2], lambda wt: list_transform(w, lambda wt_x: wt_x / (1 + wt * wt_x)))[1]
);

-- The sums that an iteration needs at one tau2, of effects y about a mean near the estimate,
-- their squares y2 and the inverse variances w: of the weights 1 / (v + tau2) and of their second
-- and third powers, alone (s), with y (t) and with y^2 (u). `Q` needs no third powers.
CREATE OR REPLACE MACRO _sums(kind, y, y2, w, tau2) AS (
    list_transform([list_transform([list_transform(w, lambda su_x: su_x / (1 + tau2 * su_x))],
        lambda su_w: {'w': su_w, 'w2': list_transform(su_w, lambda su_x: su_x * su_x),
            'w3': CASE WHEN kind <> 'Q'
                THEN list_transform(su_w, lambda su_x: su_x * su_x * su_x) END})[1]], lambda su: {
        's1': list_sum(su.w), 's2': list_inner_product(su.w, su.w),
        's3': list_inner_product(su.w, su.w2),
        't1': list_inner_product(su.w, y), 't2': list_inner_product(su.w2, y),
        't3': list_inner_product(su.w3, y),
        'u1': list_inner_product(su.w, y2), 'u2': list_inner_product(su.w2, y2),
        'u3': list_inner_product(su.w3, y2)})[1]
);

-- Where a function is at one tau2, and the step to its root: of `Q` the distance of
-- sum w (y - m)^2 from its goal, with Newton's step for the inverse of Q, which is nearly a
-- straight line; of `ML` and `REML` twice the derivative of the log likelihood, with Newton's step
-- where the likelihood bends down and with that of Fisher scoring elsewhere.
CREATE OR REPLACE MACRO _slope(kind, goal, sums) AS (
    list_transform([list_transform([sums], lambda sl: {
        'scale': 1 / sl.s1,
        'q1': sl.u1 - sl.t1 / sl.s1 * sl.t1,
        'q2': sl.u2 - 2 * sl.t1 / sl.s1 * sl.t2 + sl.t1 / sl.s1 * sl.t1 / sl.s1 * sl.s2,
        'q3': sl.u3 - 2 * sl.t1 / sl.s1 * sl.t3 + sl.t1 / sl.s1 * sl.t1 / sl.s1 * sl.s3
            - pow(sl.t2 - sl.t1 / sl.s1 * sl.s2, 2) / sl.s1,
        'trace': CASE WHEN kind = 'ML' THEN sl.s1 ELSE sl.s1 - sl.s2 / sl.s1 END,
        'info': CASE WHEN kind = 'ML' THEN sl.s2
            ELSE sl.s2 - 2 * sl.s3 / sl.s1 + sl.s2 / sl.s1 * sl.s2 / sl.s1 END})[1]], lambda sl: {
        'scale': sl.scale,
        'value': CASE WHEN kind = 'Q' THEN sl.q1 - goal ELSE sl.q2 - sl.trace END,
        'step': CASE WHEN kind = 'Q' THEN sl.q1 * (sl.q1 / goal - 1) / sl.q2
            ELSE (sl.q2 - sl.trace) / CASE WHEN 2 * sl.q3 > sl.info THEN 2 * sl.q3 - sl.info
                ELSE sl.info END END})[1]
);

-- One step of the search: the root lies between `low` (-1 while 0 is not known to be below it)
-- and `high`. A step that leaves the bracket is replaced by its middle; to 0 itself it goes only
-- from near by, so that it cannot leap over a root. It is done at 0 where the function is negative
-- there, and where a step is below 1e-8 of the smallest total variance, since the next would be its
-- square.
CREATE OR REPLACE MACRO _advance(s, slope) AS (
    list_transform([list_transform([slope], lambda ad: struct_concat(ad, {
            'low': CASE WHEN ad.value > 0 THEN s.tau2 ELSE s.low END,
            'high': CASE WHEN ad.value > 0 THEN s.high ELSE s.tau2 END,
            'next': s.tau2 + ad.step}))[1]], lambda ad: CASE
        WHEN s.tau2 = 0 AND ad.value <= 0
            THEN {'tau2': 0.0::DOUBLE, 'low': ad.low, 'high': ad.high, 'done': true}
        WHEN NOT isfinite(ad.value) OR NOT isfinite(ad.step) THEN s
        WHEN abs(ad.step) <= 1e-8 * ad.scale
            THEN {'tau2': greatest(ad.next, 0), 'low': ad.low, 'high': ad.high, 'done': true}
        WHEN ad.next > ad.low AND ad.next > 0 AND ad.next < ad.high
            THEN {'tau2': ad.next, 'low': ad.low, 'high': ad.high, 'done': false}
        WHEN ad.next <= 0 AND ad.low < 0 AND s.tau2 < 0.1 * ad.scale
            THEN {'tau2': 0.0::DOUBLE, 'low': ad.low, 'high': ad.high, 'done': false}
        ELSE {'tau2': (greatest(ad.low, 0) + ad.high) / 2, 'low': ad.low, 'high': ad.high,
            'done': ad.high - greatest(ad.low, 0) <= 1e-15 * ad.high} END)[1]
);

-- The root of the function of _slope in tau2 from 0 to top, sought from start: {tau2, done}.
CREATE OR REPLACE MACRO _solve(kind, goal, y, y2, w, start, top) AS (
    list_reduce(range(100), lambda so, so_i: CASE WHEN so.done THEN so
        ELSE _advance(so, _slope(kind, goal, _sums(kind, y, y2, w, so.tau2))) END,
        {'tau2': CAST(start AS DOUBLE), 'low': -1.0::DOUBLE, 'high': CAST(top AS DOUBLE),
            'done': false})
);

-- Minus twice the log likelihood at each tau2 of a list, but for a constant.
CREATE OR REPLACE MACRO _deviances(kind, y, w, tau2s) AS (
    list_transform(list_transform(list_transform(tau2s,
        lambda de: list_transform(w, lambda de_x: de_x / (1 + de * de_x))),
        lambda de: {'w': de, 'm': list_inner_product(de, y) / list_sum(de)}),
        lambda de: list_inner_product(de.w,
                list_transform(y, lambda de_x: (de_x - de.m) * (de_x - de.m)))
            - list_sum(list_transform(de.w, lambda de_x: ln(de_x)))
            + CASE WHEN kind = 'ML' THEN 0 ELSE ln(list_sum(de.w)) END)
);

-- Part of pool: adds the mean m of equal effects, trace = s1 - s2 / s1, and Cochran's Q. Where
-- u1 - t1^2 / s1 would lose more than four digits, Q is summed about m.
CREATE OR REPLACE MACRO _homogeneity(s, y, w) AS (
    list_transform([list_transform([s], lambda ho: struct_concat(ho,
        {'m': ho.t1 / ho.s1, 'trace': ho.s1 - ho.s2 / ho.s1}))[1]],
        lambda ho: struct_concat(ho, {'q': CASE
            WHEN ho.k < 1 THEN NULL
            WHEN ho.k = 1 THEN 0
            WHEN ho.u1 - ho.t1 * ho.m > 1e-4 * ho.u1 THEN ho.u1 - ho.t1 * ho.m
            ELSE list_inner_product(w, list_transform(y, lambda ho_x: (ho_x - ho.m) * (ho_x - ho.m)))
            END}))[1]
);

-- Part of pool: tau2 of the set with the sums s, and whether its search is done. It is 0 for equal
-- effects, and null where fewer than two studies leave nothing to estimate. The search for maximum
-- likelihood starts at the estimate of Hedges and ends at the root of the slope to which it climbs;
-- the likelihood can have a second maximum at 0, where its slope is not positive, and the higher
-- one counts.
CREATE OR REPLACE MACRO _search(s, y, w, method) AS (
    list_transform([list_transform([list_transform([s], lambda se: {
            'known': upper(method) IN ('EE', 'FE', 'DL') OR coalesce(se.k < 2, true),
            'tau2': CASE WHEN upper(method) IN ('EE', 'FE') THEN 0.0::DOUBLE
                WHEN upper(method) = 'DL' AND se.k > 1
                THEN greatest((se.q - (se.k - 1)) / se.trace, 0.0) END,
            'goal': se.k - 1, 'start': coalesce(se.start, 0), 'top': se.top,
            'slope': CASE WHEN upper(method) = 'ML' THEN se.s1 ELSE se.trace END,
            'y1': CASE WHEN upper(method) IN ('PM', 'ML', 'REML') THEN list_transform([se.m],
                lambda se_m: list_transform(y, lambda se_x: se_x - se_m))[1] END})[1]],
        lambda se: struct_concat(se, {'y2': list_transform(se.y1, lambda se_x: se_x * se_x)}))[1]],
        lambda se: CASE WHEN se.known THEN {'tau2': se.tau2, 'done': true}
            ELSE list_transform([_solve(CASE WHEN upper(method) = 'PM' THEN 'Q' ELSE upper(method) END,
                se.goal, se.y1, se.y2, w, se.start, se.top)], lambda se_t: {'done': se_t.done,
                'tau2': CASE WHEN upper(method) IN ('ML', 'REML') AND se_t.tau2 > 0
                    AND list_inner_product(list_transform(w, lambda se_x: se_x * se_x), se.y2)
                        <= se.slope
                    AND list_transform([_deviances(upper(method), se.y1, w, [0, se_t.tau2])],
                        lambda se_d: se_d[1] < se_d[2])[1] THEN 0 ELSE se_t.tau2 END})[1] END)[1]
);

-- Part of pool: adds the sums of the weights 1 / (v + tau2), the estimate, and the factor of
-- Knapp and Hartung.
CREATE OR REPLACE MACRO _weigh(s, y, w, method, test) AS (
    list_transform([list_transform([list_transform([s],
        lambda we: struct_concat(we, CASE WHEN upper(method) IN ('EE', 'FE')
            THEN {'w1': we.s1, 'mu': we.t1, 'w2': NULL::DOUBLE, 'w3': NULL::DOUBLE}
            ELSE list_transform([_weights(w, coalesce(we.tau2, 0))], lambda we_w: {
                'w1': list_sum(we_w), 'mu': list_inner_product(we_w, y),
                'w2': CASE WHEN upper(method) IN ('ML', 'REML')
                    THEN list_inner_product(we_w, we_w) END,
                'w3': CASE WHEN upper(method) = 'REML' THEN list_inner_product(we_w,
                    list_transform(we_w, lambda we_x: we_x * we_x)) END})[1] END))[1]],
        lambda we: struct_update(we, mu := we.mu / we.w1))[1]],
        lambda we: struct_concat(we, {'factor': CASE WHEN lower(test) IN ('knha', 'adhoc')
            AND we.k > 1 THEN list_inner_product(_weights(w, we.tau2), list_transform([we.mu],
                lambda we_m: list_transform(y, lambda we_x: (we_x - we_m) * (we_x - we_m)))[1])
                / (we.k - 1) END}))[1]
);

-- Part of pool: the struct that it gives.
CREATE OR REPLACE MACRO _report(s, method, test) AS (
    list_transform([list_transform([list_transform([s], lambda rp: struct_concat(rp, {
        'good': rp.done AND rp.w1 > 0 AND isfinite(rp.w1) AND isfinite(rp.mu)
            AND isfinite(coalesce(rp.tau2, 0)),
        'equal': upper(method) IN ('EE', 'FE'),
        'df': CASE WHEN lower(test) <> 'z' AND rp.k > 0 THEN rp.k - 1 END,
        'se': sqrt(CASE lower(test) WHEN 'knha' THEN rp.factor
            WHEN 'adhoc' THEN CASE WHEN rp.factor < 1 THEN 1 ELSE rp.factor END
            ELSE 1 END / rp.w1)}))[1]],
        lambda rp: struct_concat(rp, list_transform([{'df': rp.df, 'k': rp.k, 'q': rp.q,
            'size': CASE WHEN rp.good AND rp.se > 0 THEN abs(rp.mu / rp.se) END}], lambda rp_d: {
                'p': _two_sided(rp_d.size, rp_d.df), 'q_p': chi2_sf(rp_d.q, rp_d.k - 1)})[1]))[1]],
        lambda rp: {
        'k': rp.k,
        'k_missing': rp.n - rp.k,
        'estimate': CASE WHEN rp.good THEN rp.mu END,
        'se': CASE WHEN rp.good THEN rp.se END,
        'statistic': CASE WHEN rp.good AND rp.se > 0 THEN rp.mu / rp.se END,
        'df': rp.df,
        'p': rp.p,
        'ci_lower': CASE WHEN rp.good THEN rp.mu - rp.critical[1] * rp.se END,
        'ci_upper': CASE WHEN rp.good THEN rp.mu + rp.critical[1] * rp.se END,
        'pi_lower': CASE WHEN rp.good AND NOT rp.equal
            THEN rp.mu - rp.critical[2] * sqrt(rp.se * rp.se + rp.tau2) END,
        'pi_upper': CASE WHEN rp.good AND NOT rp.equal
            THEN rp.mu + rp.critical[2] * sqrt(rp.se * rp.se + rp.tau2) END,
        'tau2': CASE WHEN rp.good THEN rp.tau2 END,
        'tau2_se': CASE WHEN rp.good AND rp.k > 1 THEN CASE upper(method)
            WHEN 'DL' THEN sqrt(2 * (rp.k - 1) + 4 * rp.tau2 * rp.trace + 2 * rp.tau2 * rp.tau2
                * (rp.s2 - 2 * rp.s3 / rp.s1 + rp.s2 / rp.s1 * rp.s2 / rp.s1)) / rp.trace
            WHEN 'PM' THEN sqrt(2 / (rp.k - 1)) * rp.k / rp.w1
            WHEN 'ML' THEN sqrt(2 / rp.w2)
            WHEN 'REML' THEN sqrt(2 / (rp.w2 - 2 * rp.w3 / rp.w1
                + rp.w2 / rp.w1 * rp.w2 / rp.w1)) END END,
        'I2': CASE WHEN NOT rp.good OR rp.k < 2 THEN NULL
            WHEN NOT rp.equal THEN 100 * rp.tau2 / ((rp.k - 1) / rp.trace + rp.tau2)
            WHEN rp.q > rp.k - 1 THEN 100 * (rp.q - (rp.k - 1)) / rp.q ELSE 0 END,
        'H2': CASE WHEN NOT rp.good OR rp.k < 2 THEN NULL
            WHEN rp.equal THEN rp.q / (rp.k - 1) ELSE 1 + rp.tau2 * rp.trace / (rp.k - 1) END,
        'Q': CASE WHEN isfinite(rp.q) THEN rp.q END,
        'Q_df': CASE WHEN rp.k > 0 THEN rp.k - 1 END,
        'Q_p': rp.q_p,
        'knha_factor': CASE WHEN rp.good THEN rp.factor END,
        'converged': CASE WHEN rp.k > 0 THEN coalesce(rp.good, false) END})[1]
);

-- Part of pool: the quantiles of its confidence and prediction intervals, of which z is that of the
-- normal distribution; null for a df of 0.
CREATE OR REPLACE MACRO _criticals(k, alpha, z, test, pi) AS ([
    CASE WHEN lower(test) = 'z' THEN z ELSE _t_point(alpha, k - 1, z) END,
    CASE WHEN lower(pi) = 'z' OR lower(pi) = 'default' AND lower(test) = 'z' THEN z
        ELSE _t_point(alpha, CASE WHEN lower(pi) = 'riley' THEN k - 2 ELSE k - 1 END, z) END]
);

-- The units, in order, of which there are two or more.
CREATE OR REPLACE MACRO _repeated(units) AS (
    list_distinct(list_transform([list_sort(units)], lambda un_l:
        list_filter(un_l, lambda un_u, un_i: un_i > 1 AND un_l[un_i - 1] = un_u))[1])
);

-- Whether an option that is a column was given. Its type is known before anything runs, so that what
-- is only done for it costs nothing without it.
CREATE OR REPLACE MACRO _is_given(x) AS (typeof(list(x)) <> '"NULL"[]');

-- True, or an error that names what is pooled twice or together though it must not be: two rows of
-- one unit, a row without one, rows of several measures. Only the rows that are pooled count.
CREATE OR REPLACE MACRO _checked(name, unit, measure, usable) AS (CASE
    WHEN _is_given(unit) AND count(unit) FILTER (usable) < count(*) FILTER (usable)
    THEN error(format('{}: {} of the rows have no unit', name,
        count(*) FILTER (usable) - count(unit) FILTER (usable)))
    WHEN _is_given(unit) AND len(_repeated(list(unit) FILTER (usable))) > 0
    THEN error(format('{}: two rows or more are of one unit, as of {}; combine them first', name,
        list_aggregate(list_transform(list_sort(_repeated(list(unit) FILTER (usable)))[:5],
            lambda ch_u: CAST(ch_u AS VARCHAR)), 'string_agg', ', ')))
    WHEN _is_given(measure) AND min(measure) FILTER (usable) <> max(measure) FILTER (usable)
    THEN error(format('{}: {} and {} are different measures; pool one at a time', name,
        CAST(min(measure) FILTER (usable) AS VARCHAR),
        CAST(max(measure) FILTER (usable) AS VARCHAR)))
    ELSE true END
);

-- What pool gives for one set, from its first sums, its effects y and its inverse variances w.
CREATE OR REPLACE MACRO _pooled(s, y, w, method, test) AS (
    _report(_weigh(struct_concat(_homogeneity(s, y, w), _search(_homogeneity(s, y, w), y, w, method)),
        y, w, method, test), method, test)
);

-- The options of pool: true, or an error that names the nearest.
CREATE OR REPLACE MACRO _options(name, by_name, method, test, level, pi) AS (
    CASE WHEN by_name IS NOT NULL
        THEN error(name || ' takes all but its data by name, as in level := 95')
    WHEN NOT coalesce(list_contains(['EE', 'FE', 'DL', 'PM', 'ML', 'REML'], upper(method)), false)
        THEN error(_unknown(name, 'method', method, ['EE', 'FE', 'DL', 'PM', 'ML', 'REML']))
    WHEN NOT coalesce(list_contains(['z', 'knha', 'adhoc', 't'], lower(test)), false)
        THEN error(_unknown(name, 'test', test, ['z', 'knha', 'adhoc', 't']))
    WHEN NOT coalesce(list_contains(['default', 'z', 't', 'riley'], lower(pi)), false)
        THEN error(_unknown(name, 'pi', pi, ['default', 'z', 't', 'riley']))
    WHEN NOT coalesce(level >= 50 AND level < 100 OR level >= 0.5 AND level < 1, false)
        THEN error(format('{}: the level is {}; give a percent from 50 to below 100', name,
            coalesce(CAST(level AS VARCHAR), 'NULL')))
    ELSE true END
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
--     level    95, a percent from 50 to below 100, or a share
--     pi       'default' (the quantile of ci, as in metafor), 'z', 't' (t on k - 1), 'riley' (t on
--              k - 2; Higgins, Thompson and Spiegelhalter 2009, Riley et al. 2011; null for k = 2)
--     unit     the independent sample of each row: two pooled rows of one unit, or a pooled row
--              without one, are an error
--     measure  the effect measure of each row: several in one pool are an error
-- Rows without an effect or a variance, or with a variance that is not above 0 or has no inverse,
-- are left out and counted in k_missing. (metafor keeps variances of 0 and warns.) What is not
-- defined for so few studies is null. An estimate whose search did not end is null, and converged
-- is false. The likelihood can have several maxima: the search starts at the estimate of Hedges,
-- as that of metafor does, and compares what it finds with tau2 = 0. HAVING cannot call it;
-- QUALIFY can.
-- Returns: STRUCT(k, k_missing, estimate, se, statistic, df, p, ci_lower, ci_upper, pi_lower,
-- pi_upper, tau2, tau2_se, I2, H2, Q, Q_df, Q_p, knha_factor, converged).
-- In metafor: rma(yi, vi, method = 'REML', test = 'z', level = 95) and predict().
CREATE OR REPLACE MACRO pool(yi, vi, by_name := NULL, method := 'REML', test := 'z', level := 95,
        pi := 'default', unit := NULL, measure := NULL) AS (
    first_value(CASE WHEN _checked('pool', unit, measure, _usable(yi, vi)) THEN _pooled({
            'n': count(*) FILTER (_options('pool', by_name, method, test, level, pi)),
            'k': coalesce(len(_effects(yi, vi)), 0),
            's1': list_sum(_inverses(yi, vi)),
            's2': list_inner_product(_inverses(yi, vi), _inverses(yi, vi)),
            's3': CASE WHEN upper(method) = 'DL'
                THEN sum(1 / CAST(vi AS DOUBLE) / vi / vi) FILTER (_usable(yi, vi)) END,
            't1': list_inner_product(_inverses(yi, vi), _effects(yi, vi)),
            'u1': sum(CAST(yi AS DOUBLE) * yi / vi) FILTER (_usable(yi, vi)),
            'start': CASE WHEN upper(method) IN ('ML', 'REML') THEN greatest(0,
                var_samp(CAST(yi AS DOUBLE)) FILTER (_usable(yi, vi))
                - avg(CAST(vi AS DOUBLE)) FILTER (_usable(yi, vi))) END,
            'top': CASE WHEN upper(method) IN ('PM', 'ML', 'REML') THEN
                pow(max(CAST(yi AS DOUBLE)) FILTER (_usable(yi, vi))
                    - min(CAST(yi AS DOUBLE)) FILTER (_usable(yi, vi)), 2) END,
            'critical': _criticals(coalesce(len(_effects(yi, vi)), 0), _alpha(level),
                max(CAST(-norm_ppf(_alpha(level) / 2) AS DOUBLE)), test, pi)},
        _effects(yi, vi), _inverses(yi, vi), method, test) END)
        OVER (ROWS BETWEEN CURRENT ROW AND CURRENT ROW)
);
