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
        WHEN ai = 0 OR bi = 0 OR ci = 0 OR di = 0 THEN 0.5 ELSE 0 END], lambda ta_h:
        list_transform([{'a': CAST(ai AS DOUBLE) + ta_h, 'b': CAST(bi AS DOUBLE) + ta_h,
            'c': CAST(ci AS DOUBLE) + ta_h, 'd': CAST(di AS DOUBLE) + ta_h}], lambda ta:
            CASE upper(measure)
            WHEN 'RR' THEN {'y': ln(ta.a / (ta.a + ta.b)) - ln(ta.c / (ta.c + ta.d)),
                'w': 1 / (1 / ta.a - 1 / (ta.a + ta.b) + 1 / ta.c - 1 / (ta.c + ta.d))}
            WHEN 'OR' THEN {'y': ln(ta.a / ta.b) - ln(ta.c / ta.d),
                'w': 1 / (1 / ta.a + 1 / ta.b + 1 / ta.c + 1 / ta.d)}
            ELSE {'y': ta.a / (ta.a + ta.b) - ta.c / (ta.c + ta.d),
                'w': 1 / (ta.a * ta.b / pow(ta.a + ta.b, 3) + ta.c * ta.d / pow(ta.c + ta.d, 3))}
            END)[1])[1]
);

-- Part of pool_mh: the struct that it gives.
CREATE OR REPLACE MACRO _mh_report(s, measure) AS (
    list_transform([list_transform([list_transform([s], lambda mh: struct_concat(mh, CASE
        upper(measure)
        WHEN 'RR' THEN {'b': ln(mh.rr_r / mh.rr_s), 'v': mh.rr_v / (mh.rr_r * mh.rr_s)}
        WHEN 'OR' THEN {'b': ln(mh.or_r / mh.or_s), 'v': (mh.or_pr / (mh.or_r * mh.or_r)
            + mh.or_x / (mh.or_r * mh.or_s) + mh.or_qs / (mh.or_s * mh.or_s)) / 2}
        ELSE {'b': mh.rd_y / mh.rd_w,
            'v': (mh.rd_y / mh.rd_w * mh.rd_p + mh.rd_q / 2) / (mh.rd_w * mh.rd_w)} END))[1]],
        lambda mh: struct_concat(mh, {'good': isfinite(mh.b) AND isfinite(mh.v) AND mh.v >= 0,
            'df': mh.m - 1,
            'q': CASE WHEN mh.m > 1 AND isfinite(mh.b)
                THEN greatest(mh.u1 - 2 * mh.b * mh.t1 + mh.b * mh.b * mh.s1, 0) END}))[1]],
        lambda mh: {
        'k': mh.k,
        'k_missing': mh.n - mh.k,
        'estimate': CASE WHEN mh.good THEN mh.b END,
        'se': CASE WHEN mh.good THEN sqrt(mh.v) END,
        'statistic': CASE WHEN mh.good AND mh.v > 0 THEN mh.b / sqrt(mh.v) END,
        'p': CASE WHEN mh.good AND mh.v > 0 THEN 2 * norm_sf(abs(mh.b / sqrt(mh.v))) END,
        'ci_lower': CASE WHEN mh.good THEN mh.b - mh.z * sqrt(mh.v) END,
        'ci_upper': CASE WHEN mh.good THEN mh.b + mh.z * sqrt(mh.v) END,
        'I2': CASE WHEN mh.q > mh.df THEN 100 * (mh.q - mh.df) / mh.q
            WHEN mh.q >= 0 THEN 0 END,
        'H2': mh.q / mh.df,
        'Q': mh.q,
        'Q_df': CASE WHEN mh.m > 0 THEN mh.df END,
        'Q_p': chi2_sf(mh.q, mh.df)})[1]
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
-- Returns: STRUCT(k, k_missing, estimate, se, statistic, p, ci_lower, ci_upper, I2, H2, Q, Q_df,
-- Q_p); estimate and interval of RR and OR are logarithms.
-- In metafor: rma.mh(ai, bi, ci, di, measure = 'OR').
CREATE OR REPLACE MACRO pool_mh(ai, bi, ci, di, by_name := NULL, measure := 'OR', level := 95) AS (
    first_value(_mh_report({
        'n': count(*),
        'k': count(*) FILTER (_is_table(ai, bi, ci, di) AND CASE
            WHEN NOT coalesce(list_contains(['RR', 'OR', 'RD'], upper(measure)), false)
            THEN error(_unknown('pool_mh', 'measure', measure, ['RR', 'OR', 'RD']))
            ELSE _options('pool_mh', by_name, 'EE', 'z', level, 'z') END),
        'z': max(CAST(-norm_ppf(_alpha(level) / 2) AS DOUBLE)),
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
            FILTER (_is_table(ai, bi, ci, di))}, measure))
        OVER (ROWS BETWEEN CURRENT ROW AND CURRENT ROW)
);
