-- Pooling of two-by-two tables by Mantel and Haenszel, as rma.mh of metafor does.
--
-- It needs pooling.sql and distributions.sql. Names that begin with `_` are parts.

-- Whether a table can be pooled: four counts of 0 and above, and someone in each arm.
CREATE OR REPLACE MACRO _is_table(ai, bi, ci, di) AS (
    ai >= 0 AND bi >= 0 AND ci >= 0 AND di >= 0 AND isfinite(CAST(ai + bi + ci + di AS DOUBLE))
        AND ai + bi > 0 AND ci + di > 0
);

-- The effect and variance of one table for Cochran's Q: with half a person more in each cell of a
-- table that has an empty one, and null where both arms have no event, or nothing else.
CREATE OR REPLACE MACRO _table_effect(ai, bi, ci, di, measure) AS (
    list_transform([CASE WHEN ai = 0 AND ci = 0 OR bi = 0 AND di = 0 THEN NULL
        WHEN ai = 0 OR bi = 0 OR ci = 0 OR di = 0 THEN 0.5 ELSE 0 END], lambda _ta_h:
        list_transform([{'a': CAST(ai AS DOUBLE) + _ta_h, 'b': CAST(bi AS DOUBLE) + _ta_h,
            'c': CAST(ci AS DOUBLE) + _ta_h, 'd': CAST(di AS DOUBLE) + _ta_h}], lambda _ta:
            CASE upper(measure)
            WHEN 'RR' THEN {'y': ln(_ta.a / (_ta.a + _ta.b)) - ln(_ta.c / (_ta.c + _ta.d)),
                'w': 1 / (1 / _ta.a - 1 / (_ta.a + _ta.b) + 1 / _ta.c - 1 / (_ta.c + _ta.d))}
            WHEN 'OR' THEN {'y': ln(_ta.a / _ta.b) - ln(_ta.c / _ta.d),
                'w': 1 / (1 / _ta.a + 1 / _ta.b + 1 / _ta.c + 1 / _ta.d)}
            ELSE {'y': _ta.a / (_ta.a + _ta.b) - _ta.c / (_ta.c + _ta.d),
                'w': 1 / (_ta.a * _ta.b / pow(_ta.a + _ta.b, 3) + _ta.c * _ta.d / pow(_ta.c + _ta.d, 3))}
            END)[1])[1]
);

-- Part of pool_mh: the struct that it gives.
CREATE OR REPLACE MACRO _mh_report(s, measure) AS (
    list_transform([list_transform([list_transform([s], lambda _mh: struct_concat(_mh, CASE
        upper(measure)
        WHEN 'RR' THEN {'b': ln(_mh.rr_r / _mh.rr_s), 'v': _mh.rr_v / (_mh.rr_r * _mh.rr_s)}
        WHEN 'OR' THEN {'b': ln(_mh.or_r / _mh.or_s), 'v': (_mh.or_pr / (_mh.or_r * _mh.or_r)
            + _mh.or_x / (_mh.or_r * _mh.or_s) + _mh.or_qs / (_mh.or_s * _mh.or_s)) / 2}
        ELSE {'b': _mh.rd_y / _mh.rd_w,
            'v': (_mh.rd_y / _mh.rd_w * _mh.rd_p + _mh.rd_q / 2) / (_mh.rd_w * _mh.rd_w)} END))[1]],
        lambda _mh: struct_concat(_mh, {'good': isfinite(_mh.b) AND isfinite(_mh.v) AND _mh.v >= 0,
            'df': _mh.m - 1,
            'q': CASE WHEN _mh.m > 1 AND isfinite(_mh.b)
                THEN greatest(_mh.u1 - 2 * _mh.b * _mh.t1 + _mh.b * _mh.b * _mh.s1, 0) END}))[1]],
        lambda _mh: {
        'k': _mh.k,
        'k_missing': _mh.n - _mh.k,
        'estimate': CASE WHEN _mh.good THEN _mh.b END,
        'se': CASE WHEN _mh.good THEN sqrt(_mh.v) END,
        'statistic': CASE WHEN _mh.good AND _mh.v > 0 THEN _mh.b / sqrt(_mh.v) END,
        'p': CASE WHEN _mh.good AND _mh.v > 0 THEN 2 * norm_sf(abs(_mh.b / sqrt(_mh.v))) END,
        'ci_lower': CASE WHEN _mh.good THEN _mh.b - _mh.z * sqrt(_mh.v) END,
        'ci_upper': CASE WHEN _mh.good THEN _mh.b + _mh.z * sqrt(_mh.v) END,
        'I2': CASE WHEN _mh.q > _mh.df THEN 100 * (_mh.q - _mh.df) / _mh.q
            WHEN _mh.q >= 0 THEN 0 END,
        'H2': _mh.q / _mh.df,
        'Q': _mh.q,
        'Q_df': CASE WHEN _mh.m > 0 THEN _mh.df END,
        'Q_p': chi2_sf(_mh.q, _mh.df)})[1]
);

-- Two-by-two tables pooled by Mantel and Haenszel: `ai` with and `bi` without the event in the
-- first arm, `ci` with and `di` without it in the second. measure is 'OR' (the default of metafor),
-- 'RR' or 'RD'. With n1 = a + b, n2 = c + d and N of each table:
--     RR  ln(R / S), R = sum a n2/N, S = sum c n1/N,
--         var sum((n1 n2 (a + c) - a c N) / N^2) / (R S)  (Greenland and Robins 1985)
--     OR  ln(R / S), R = sum a d/N, S = sum b c/N, with P = (a + d)/N and Q = (b + c)/N of a table
--         var (sum P a d/N / R^2 + sum (P b c + Q a d)/N / (R S) + sum Q b c/N / S^2) / 2
--         (Robins, Breslow and Greenland 1986)
--     RD  sum (a n2 - c n1)/N / W, W = sum n1 n2/N, with the variance of Sato (Greenland and Robins
--         1985; Sato, Greenland and Robins 1989)
-- A cell of 0 needs no correction. Q is sum w (y - estimate)^2 of the tables alone, with half a
-- person more in each cell of a table that has an empty one; tables in which neither arm has an
-- event, or nobody is without, have no part in Q. Rows with a missing or negative count, or an
-- empty arm, are left out and counted in k_missing. I2 and H2 are by Q.
-- Options: measure; level and unit as in pool.
-- Returns: STRUCT(k, k_missing, estimate, se, statistic, p, ci_lower, ci_upper, I2, H2, Q, Q_df,
-- Q_p); estimate and interval of RR and OR are logarithms.
-- In metafor: rma.mh(ai, bi, ci, di, measure = 'OR').
CREATE OR REPLACE MACRO pool_mh(ai, bi, ci, di, by_name := NULL, measure := 'OR', level := 95,
        unit := NULL) AS (
    first_value(CASE WHEN _checked('pool_mh', unit, NULL, _is_table(ai, bi, ci, di)) THEN
        _mh_report({
        'n': count(*) FILTER (CASE
            WHEN by_name IS NULL
                AND NOT coalesce(list_contains(['RR', 'OR', 'RD'], upper(measure)), false)
            THEN error(_unknown('measure of pool_mh', measure, ['RR', 'OR', 'RD']))
            ELSE _options('pool_mh', by_name, 'EE', 'z', level, 'z') END),
        'k': count(*) FILTER (_is_table(ai, bi, ci, di)),
        'z': -norm_ppf(_alpha(max(level)) / 2),
        'rr_r': sum(ai * CAST(ci + di AS DOUBLE) / (ai + bi + ci + di))
            FILTER (_is_table(ai, bi, ci, di)),
        'rr_s': sum(ci * CAST(ai + bi AS DOUBLE) / (ai + bi + ci + di))
            FILTER (_is_table(ai, bi, ci, di)),
        'rr_v': sum((CAST(ai + bi AS DOUBLE) * (ci + di) * (ai + ci) / (ai + bi + ci + di)
            - CAST(ai AS DOUBLE) * ci) / (ai + bi + ci + di)) FILTER (_is_table(ai, bi, ci, di)),
        'or_r': sum(CAST(ai AS DOUBLE) * di / (ai + bi + ci + di))
            FILTER (_is_table(ai, bi, ci, di)),
        'or_s': sum(CAST(bi AS DOUBLE) * ci / (ai + bi + ci + di))
            FILTER (_is_table(ai, bi, ci, di)),
        'or_pr': sum(CAST(ai + di AS DOUBLE) * ai * di / pow(ai + bi + ci + di, 2))
            FILTER (_is_table(ai, bi, ci, di)),
        'or_x': sum((CAST(ai + di AS DOUBLE) * bi * ci + CAST(bi + ci AS DOUBLE) * ai * di)
            / pow(ai + bi + ci + di, 2)) FILTER (_is_table(ai, bi, ci, di)),
        'or_qs': sum(CAST(bi + ci AS DOUBLE) * bi * ci / pow(ai + bi + ci + di, 2))
            FILTER (_is_table(ai, bi, ci, di)),
        'rd_y': sum((CAST(ai AS DOUBLE) * (ci + di) - CAST(ci AS DOUBLE) * (ai + bi))
            / (ai + bi + ci + di)) FILTER (_is_table(ai, bi, ci, di)),
        'rd_w': sum(CAST(ai + bi AS DOUBLE) * (ci + di) / (ai + bi + ci + di))
            FILTER (_is_table(ai, bi, ci, di)),
        'rd_p': sum((ci * pow(ai + bi, 2) - ai * pow(ci + di, 2)
            + CAST(ai + bi AS DOUBLE) * (ci + di) * (ci + di - ai - bi) / 2)
            / pow(ai + bi + ci + di, 2)) FILTER (_is_table(ai, bi, ci, di)),
        'rd_q': sum((CAST(ai AS DOUBLE) * di + CAST(ci AS DOUBLE) * bi)
            / (ai + bi + ci + di)) FILTER (_is_table(ai, bi, ci, di)),
        'm': count(_table_effect(ai, bi, ci, di, measure).w) FILTER (_is_table(ai, bi, ci, di)),
        's1': sum(_table_effect(ai, bi, ci, di, measure).w) FILTER (_is_table(ai, bi, ci, di)),
        't1': sum(_table_effect(ai, bi, ci, di, measure).w
            * _table_effect(ai, bi, ci, di, measure).y) FILTER (_is_table(ai, bi, ci, di)),
        'u1': sum(_table_effect(ai, bi, ci, di, measure).w
            * pow(_table_effect(ai, bi, ci, di, measure).y, 2))
            FILTER (_is_table(ai, bi, ci, di))}, measure) END)
        OVER (ROWS BETWEEN CURRENT ROW AND CURRENT ROW)
);
