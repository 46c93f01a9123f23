-- The normal, t, chi-square and F distributions, which DuckDB does not have.
--
-- Every macro takes numbers and gives a DOUBLE: null for a missing argument and outside of its
-- domain, never NaN. The relative error is below 1e-12 wherever the result is no smaller than
-- 1e-290 (for df of a million and below); tests/test_distributions.py has the grids. Names that
-- begin with `_` are parts.

-- u - 1 - ln u for a ratio u that is given with its distance d = u - 1. Near 1 it is
-- s d - 2 s^3 (1/3 + s^2/5 + s^4/7 + ...) with s = d / (2 + d), from ln u = 2 artanh(s), so that
-- nothing cancels.
CREATE OR REPLACE MACRO _deviance(u, d) AS (
    CASE WHEN abs(d) > 0.2 THEN d - ln(u)
    ELSE list_transform([d / (2 + d)], lambda _dev: _dev * d - 2 * _dev * _dev * _dev
        * ((((((((_dev * _dev / 19 + 1 / 17) * _dev * _dev + 1 / 15) * _dev * _dev + 1 / 13) * _dev * _dev
        + 1 / 11) * _dev * _dev + 1 / 9) * _dev * _dev + 1 / 7) * _dev * _dev + 1 / 5) * _dev * _dev
        + 1 / 3))[1] END
);

-- What Stirling's formula lacks: ln Gamma(z) - ((z - 1/2) ln z - z + ln(2 pi) / 2), which is
-- 1/(12 z) - 1/(360 z^3) + 1/(1260 z^5) - ... for large z.
CREATE OR REPLACE MACRO _stirling(z) AS (
    CASE WHEN z < 12 THEN lgamma(z) - ((z - 0.5) * ln(z) - z + 0.91893853320467274178)
    ELSE (1 / 12.0e0 - (1 / 360.0e0 - (1 / 1260.0e0 - (1 / 1680.0e0 - (1 / 1188.0e0
        - 691 / 360360.0e0 / (z * z)) / (z * z)) / (z * z)) / (z * z)) / (z * z)) / z END
);

-- x^a e^-x / Gamma(a + 1), by the saddle point: exp(-a D(x / a)) e^-stirling(a) / sqrt(2 pi a)
-- with D(u) = u - 1 - ln u.
-- Source: Loader (2000), Fast and accurate computation of binomial probabilities.
CREATE OR REPLACE MACRO _gamma_term(a, x) AS (
    exp(-a * _deviance(x / a, (x - a) / a) - _stirling(a)) / sqrt(6.28318530717958647693e0 * a)
);

-- The regularised incomplete gamma function at a, x > 0: the struct {term, lower, upper} of
-- _gamma_term and of two numbers that add up to 1, the smaller of which is accurate. Below a + 1
-- it is the series term (1 + x/(a+1) (1 + x/(a+2) (...))), above it the continued fraction, both
-- from their far end.
-- Source: Abramowitz and Stegun (1964), 6.5.29 and 6.5.31.
CREATE OR REPLACE MACRO _gamma_tails(a, x) AS (
    list_transform([{'term': _gamma_term(a, x), 'far': x >= a + 1, 'tail':
        CASE WHEN x >= a + 1 THEN a / list_reduce(
            range(ceil(13 + 85 / x + 2.5 * sqrt(a))::BIGINT, 0, -1),
            lambda _gam_f, _gam_i: x + 2 * _gam_i - 1 - a - _gam_i * (_gam_i - a) / _gam_f, x - a + 1)
        ELSE list_reduce(
            range(ceil(least(14 + 8.2 * sqrt(a), 18 - 38 / least(ln(x / (a + 2)), -1e-9)) + 0 * a * x
                )::BIGINT, 0, -1),
            lambda _gam_sum, _gam_i: 1 + _gam_sum * x / (a + _gam_i), 1.0::DOUBLE) END}],
        lambda _gam: {'term': _gam.term,
            'lower': CASE WHEN _gam.far THEN 1 - _gam.term * _gam.tail ELSE _gam.term * _gam.tail END,
            'upper': CASE WHEN _gam.far THEN _gam.term * _gam.tail ELSE 1 - _gam.term * _gam.tail END})[1]
);

-- The same for z of 0 and above. With y = z / sqrt(2) the exponential of -y^2 is taken in two
-- parts, of y rounded to sixteenths and of the rest, as Cody does.
CREATE OR REPLACE MACRO _norm_tail(z) AS (
    list_transform([z / 1.41421356237309504880], lambda _y:
        CASE WHEN _y <= 0.46875 THEN 0.5 - 0.5 * _y
            * ((((1.85777706184603153e-1 * _y * _y + 3.16112374387056560e0) * _y * _y
                + 1.13864154151050156e2) * _y * _y + 3.77485237685302021e2) * _y * _y
                + 3.20937758913846947e3)
            / ((((_y * _y + 2.36012909523441209e1) * _y * _y + 2.44024637934444173e2) * _y * _y
                + 1.28261652607737228e3) * _y * _y + 2.84423683343917062e3)
        WHEN _y > 27 THEN 0.0
        ELSE 0.5 * exp(-floor(_y * 16) / 16 * floor(_y * 16) / 16)
            * exp(-(_y - floor(_y * 16) / 16) * (_y + floor(_y * 16) / 16))
            * CASE WHEN _y <= 4 THEN
                ((((((((2.15311535474403846e-8 * _y + 5.64188496988670089e-1) * _y
                    + 8.88314979438837594e0) * _y + 6.61191906371416295e1) * _y
                    + 2.98635138197400131e2) * _y + 8.81952221241769090e2) * _y
                    + 1.71204761263407058e3) * _y + 2.05107837782607147e3) * _y
                    + 1.23033935479799725e3)
                / ((((((((_y + 1.57449261107098347e1) * _y + 1.17693950891312499e2) * _y
                    + 5.37181101862009858e2) * _y + 1.62138957456669019e3) * _y
                    + 3.29079923573345963e3) * _y + 4.36261909014324716e3) * _y
                    + 3.43936767414372164e3) * _y + 1.23033935480374942e3)
            ELSE (5.64189583547756287e-1 - (((((1.63153871373020978e-2 / (_y * _y)
                    + 3.05326634961232344e-1) / (_y * _y) + 3.60344899949804439e-1) / (_y * _y)
                    + 1.25781726111229246e-1) / (_y * _y) + 1.60837851487422766e-2) / (_y * _y)
                    + 6.58749161529837803e-4)
                / (((((1 / (_y * _y) + 2.56852019228982242e0) / (_y * _y)
                    + 1.87295284992346047e0) / (_y * _y) + 5.27905102951428412e-1) / (_y * _y)
                    + 6.05183413124413191e-2) / (_y * _y) + 2.33520497626869185e-3) / (_y * _y)) / _y
            END END)[1]
);

-- The upper tail of the standard normal distribution: P(Z > z).
-- Formula: erfc(z / sqrt(2)) / 2, by three rational approximations.
-- Source: Cody (1969), Rational Chebyshev approximations for the error function.
-- In R: pnorm(z, lower.tail = FALSE).
CREATE OR REPLACE MACRO norm_sf(z) AS (
    list_transform([CAST(z AS DOUBLE)], lambda _x: list_transform([_norm_tail(abs(_x))],
        lambda _tail: CASE WHEN isnan(_x) THEN NULL WHEN _x < 0 THEN 1 - _tail ELSE _tail END)[1])[1]
);

-- The standard normal distribution function: P(Z <= z).
-- Formula: the upper tail of -z.
-- Source: see norm_sf.
-- In R: pnorm(z).
CREATE OR REPLACE MACRO norm_cdf(z) AS (norm_sf(-CAST(z AS DOUBLE)));

-- The quantile of the standard normal distribution: the z with P(Z <= z) = p, of p between 0 and 1.
-- Formula: rational approximations in the middle and in the tails.
-- Source: Wichura (1988), Algorithm AS 241, PPND16.
-- In R: qnorm(p).
CREATE OR REPLACE MACRO norm_ppf(p) AS (
    list_transform([CAST(p AS DOUBLE)], lambda _u: CASE WHEN NOT (_u > 0 AND _u < 1) THEN NULL
        WHEN abs(_u - 0.5) <= 0.425 THEN list_transform([0.180625 - (_u - 0.5) * (_u - 0.5)],
            lambda _r: (_u - 0.5)
            * (((((((2.5090809287301226727e3 * _r + 3.3430575583588128105e4) * _r
                + 6.7265770927008700853e4) * _r + 4.5921953931549871457e4) * _r
                + 1.3731693765509461125e4) * _r + 1.9715909503065514427e3) * _r
                + 1.3314166789178437745e2) * _r + 3.3871328727963666080e0)
            / (((((((5.2264952788528545610e3 * _r + 2.8729085735721942674e4) * _r
                + 3.9307895800092710610e4) * _r + 2.1213794301586595867e4) * _r
                + 5.3941960214247511077e3) * _r + 6.8718700749205790830e2) * _r
                + 4.2313330701600911252e1) * _r + 1))[1]
        ELSE sign(_u - 0.5) * list_transform([sqrt(-ln(least(_u, 1 - _u)))], lambda _r:
            CASE WHEN _r <= 5 THEN list_transform([_r - 1.6], lambda _q:
                (((((((7.74545014278341407640e-4 * _q + 2.27238449892691845833e-2) * _q
                    + 2.41780725177450611770e-1) * _q + 1.27045825245236838258e0) * _q
                    + 3.64784832476320460504e0) * _q + 5.76949722146069140550e0) * _q
                    + 4.63033784615654529590e0) * _q + 1.42343711074968357734e0)
                / (((((((1.05075007164441684324e-9 * _q + 5.47593808499534494600e-4) * _q
                    + 1.51986665636164571966e-2) * _q + 1.48103976427480074590e-1) * _q
                    + 6.89767334985100004550e-1) * _q + 1.67638483018380384940e0) * _q
                    + 2.05319162663775882187e0) * _q + 1))[1]
            ELSE list_transform([_r - 5], lambda _q:
                (((((((2.01033439929228813265e-7 * _q + 2.71155556874348757815e-5) * _q
                    + 1.24266094738807843860e-3) * _q + 2.65321895265761230930e-2) * _q
                    + 2.96560571828504891230e-1) * _q + 1.78482653991729133580e0) * _q
                    + 5.46378491116411436990e0) * _q + 6.65790464350110377720e0)
                / (((((((2.04426310338993978564e-15 * _q + 1.42151175831644588870e-7) * _q
                    + 1.84631831751005468180e-5) * _q + 7.86869131145613259100e-4) * _q
                    + 1.48753612908506148525e-2) * _q + 1.36929880922735805310e-1) * _q
                    + 5.99832206555887937690e-1) * _q + 1))[1] END)[1] END)[1]
);

-- The upper tail of the chi-square distribution with df degrees of freedom: P(X > x), of x of 0
-- and above and df above 0 and up to 1e9.
-- Formula: the upper incomplete gamma function at df / 2 and x / 2.
-- Source: Abramowitz and Stegun (1964), 26.4.19, 6.5.29, 6.5.31.
-- In R: pchisq(x, df, lower.tail = FALSE).
CREATE OR REPLACE MACRO chi2_sf(x, df) AS (
    list_transform([{
        'x': CASE WHEN x >= 0 AND NOT isnan(CAST(x AS DOUBLE))
            THEN least(greatest(CAST(x AS DOUBLE) / 2, 1e-300), 1e100) END,
        'a': CASE WHEN df > 0 AND df <= 1e9 THEN CAST(df AS DOUBLE) / 2 END}],
        lambda _g: _gamma_tails(_g.a, _g.x).upper)[1]
);

-- One step of Newton's method for the logarithm u of half the quantile of chi-square.
CREATE OR REPLACE MACRO _chi2_step(p, a, u) AS (
    list_transform([_gamma_tails(a, exp(u))], lambda _cs_t:
        list_transform([CASE WHEN p < 0.5 THEN (ln(p) - ln(_cs_t.lower)) * _cs_t.lower
            ELSE (ln(_cs_t.upper) - ln(1 - p)) * _cs_t.upper END / (a * _cs_t.term)],
            lambda _cs_step: {'u': u + least(greatest(_cs_step, -2), 2), 'step': _cs_step})[1])[1]
);

-- The quantile of the chi-square distribution: the x with P(X <= x) = p, of p between 0 and 1 and
-- df above 0 and up to 1e9.
-- Formula: Newton's method on the logarithms of x and of the smaller tail, from Wilson's and
-- Hilferty's x = df (1 - 2/(9 df) + z sqrt(2/(9 df)))^3, or from the first term of the lower tail.
-- Source: Best and Roberts (1975), Algorithm AS 91, for the starts.
-- In R: qchisq(p, df).
CREATE OR REPLACE MACRO chi2_ppf(p, df) AS (
    list_transform([{'p': CAST(p AS DOUBLE), 'a': CAST(df AS DOUBLE) / 2}], lambda _g:
        CASE WHEN NOT (_g.p > 0 AND _g.p < 1 AND _g.a > 0 AND _g.a <= 5e8) THEN NULL
        ELSE 2 * exp(list_reduce(range(30), lambda _s, _i:
            CASE WHEN abs(_s.step) < 1e-7 THEN _s ELSE _chi2_step(_g.p, _g.a, _s.u) END,
            list_transform([1 - 1 / (9 * _g.a) + norm_ppf(_g.p) / (3 * sqrt(_g.a))], lambda _w:
                {'u': CASE WHEN _w > 0.3 THEN ln(_g.a) + 3 * ln(_w)
                    ELSE (ln(_g.p) + lgamma(_g.a + 1)) / _g.a END, 'step': 1.0::DOUBLE})[1]).u) END)[1]
);

-- x^a y^b / B(a, b), given l = (a + b) y - b.
CREATE OR REPLACE MACRO _beta_front(x, y, a, b, l) AS (
    sqrt(a * b / (a + b) / 6.28318530717958647693e0) * exp(list_sum(list_transform(
        [{'z': a + b, 'sign': 1, 'u': 1.0::DOUBLE, 'd': 0.0::DOUBLE},
            {'z': a, 'sign': -1, 'u': (a + b) * x / a, 'd': -l / a},
            {'z': b, 'sign': -1, 'u': (a + b) * y / b, 'd': l / b}],
        lambda _part: _part.sign * (_stirling(_part.z) + _part.z * _deviance(_part.u, _part.d)))))
);

-- The continued fraction under it, from its far end.
CREATE OR REPLACE MACRO _beta_fraction(x, y, a, b, l) AS (
    list_reduce(range((64 + ceil(0.7 * sqrt(least(a, b))))::BIGINT, 0, -1),
        lambda _bc_f, _bc_n: _bc_n - 1
            + (_bc_n - 1) * (b - _bc_n + 1) * x / greatest(a + 2 * _bc_n - 3, 1)
            + (a + _bc_n - 1) / (a + 2 * _bc_n - 1) * (l + 1 + (_bc_n - 1) * (1 + y))
            + (a + _bc_n - 1) * (a + b + _bc_n - 1) / ((a + 2 * _bc_n - 1) * (a + 2 * _bc_n - 1))
                * _bc_n * (b - _bc_n) * x * x / _bc_f,
        1e300::DOUBLE)
);

-- The tail I_x(a, b) of the beta distribution, of x and y = 1 - x given both so that neither is
-- rounded: the continued fraction of the smaller side, from its far end, with the factor
-- x^a y^b / B(a, b) by the saddle point. x of 0 or 1 is taken for 1e-300 from it.
-- Source: Didonato and Morris (1992), Algorithm 708, equation 9 (the even part of Abramowitz and
-- Stegun 26.5.8); Loader (2000).
CREATE OR REPLACE MACRO _beta_tail(x, y, a, b) AS (
    list_transform([CASE WHEN x < (a + 1) / (a + b + 2)
        THEN {'x': greatest(x, 1e-300), 'y': y, 'a': a, 'b': b, 'other': false,
            'l': CASE WHEN x < y THEN a - (a + b) * x ELSE (a + b) * y - b END}
        ELSE {'x': greatest(y, 1e-300), 'y': x, 'a': b, 'b': a, 'other': true,
            'l': CASE WHEN y < x THEN b - (a + b) * y ELSE (a + b) * x - a END} END], lambda _bt:
        list_transform([_beta_front(_bt.x, _bt.y, _bt.a, _bt.b, _bt.l)
            / _beta_fraction(_bt.x, _bt.y, _bt.a, _bt.b, _bt.l)],
            lambda _bt_tail: CASE WHEN _bt.other THEN 1 - _bt_tail ELSE _bt_tail END)[1])[1]
);

-- Both tails of t together: P(|T| > |t|).
CREATE OR REPLACE MACRO _t_beta(t, df) AS (
    _beta_tail(df / (df + t * t), t * t / (df + t * t), df / 2, 0.5::DOUBLE)
);

-- The upper tail of Student's t distribution with df degrees of freedom: P(T > t), of df above 0.
-- Formula: half the incomplete beta function at df / (df + t^2) with df / 2 and 1/2.
-- Source: Abramowitz and Stegun (1964), 26.7.1, 26.5.27.
-- In R: pt(t, df, lower.tail = FALSE).
CREATE OR REPLACE MACRO t_sf(t, df) AS (
    list_transform([{'below': t < 0,
        't': CASE WHEN NOT isnan(CAST(t AS DOUBLE)) THEN least(abs(CAST(t AS DOUBLE)), 1e150) END,
        'df': CASE WHEN df > 0 AND isfinite(CAST(df AS DOUBLE)) THEN CAST(df AS DOUBLE) END}],
        lambda _g: list_transform([_t_beta(_g.t, _g.df) / 2],
            lambda _tail: CASE WHEN _g.below THEN 1 - _tail ELSE _tail END)[1])[1]
);

-- Both tails of Student's t distribution: P(|T| > |t|), of df above 0.
-- Formula: the incomplete beta function at df / (df + t^2) with df / 2 and 1/2.
-- Source: Abramowitz and Stegun (1964), 26.7.1, 26.5.27.
-- In R: 2 * pt(abs(t), df, lower.tail = FALSE).
CREATE OR REPLACE MACRO t_sf2(t, df) AS (2 * t_sf(abs(CAST(t AS DOUBLE)), df));

-- One step towards the t with P(|T| > t) = p; `step` is relative to t.
CREATE OR REPLACE MACRO _t_step(p, df, t) AS (
    list_transform([{'tails': _t_beta(t, df), 'density': t * exp(list_sum(list_transform(
            [{'z': (df + 1) / 2, 'sign': 1}, {'z': df / 2, 'sign': -1}],
            lambda _tp_part: _tp_part.sign * _stirling(_tp_part.z)))
        - df / 2 * _deviance(1 + 1 / df, 1 / df) - (df + 1) / 2 * ln(1 + t * t / df))
        / 1.25331413731550025121e0}], lambda _tp:
        list_transform([CASE WHEN p < 0.2 THEN exp(ln(_tp.tails / p) * _tp.tails / _tp.density) - 1
            ELSE (_tp.tails - p) / _tp.density END], lambda _tp_step:
            {'t': t * (1 + _tp_step), 'step': _tp_step})[1])[1]
);

-- ln(1 + u), also for u near 0: the rounding of 1 + u is the same above and below.
-- Source: Kahan; see Goldberg (1991), What every computer scientist should know, theorem 4.
CREATE OR REPLACE MACRO _log1p(u) AS (
    CASE WHEN 1 + u = 1 THEN u ELSE ln(1 + u) * u / ((1 + u) - 1) END
);

-- The 32 nodes between 0 and 1 of Gauss and Legendre's quadrature, each with its weight.
CREATE OR REPLACE MACRO _nodes() AS (
    '[[0.0013680690752592182, 0.0035093050047350483], [0.0071942442273658323,
    0.0081371973654528353], [0.017618872206246785, 0.01269603265463103], [0.032546962031130155,
    0.017136931456510717], [0.051839422116973938, 0.02141794901111334], [0.075316193133715015,
    0.025499029631188088], [0.1027581020160288, 0.029342046739267774], [0.13390894062985516,
    0.032911111388180923], [0.1684778665348924, 0.036172897054424253], [0.20614212137961884,
    0.039096947893535153], [0.2465500455338853, 0.041655962113473378], [0.28932436193468233,
    0.043826046502201906], [0.33406569885893618, 0.045586939347881942], [0.38035631887393146,
    0.046922199540402283], [0.42776401920860175, 0.04781936003963743], [0.47584616715613084,
    0.0482700442573639], [0.52415383284386916, 0.0482700442573639], [0.57223598079139825,
    0.04781936003963743], [0.61964368112606854, 0.046922199540402283], [0.66593430114106382,
    0.045586939347881942], [0.71067563806531767, 0.043826046502201906], [0.7534499544661147,
    0.041655962113473378], [0.79385787862038116, 0.039096947893535153], [0.8315221334651076,
    0.036172897054424253], [0.86609105937014484, 0.032911111388180923], [0.8972418979839712,
    0.029342046739267774], [0.92468380686628499, 0.025499029631188088], [0.94816057788302606,
    0.02141794901111334], [0.96745303796886984, 0.017136931456510717], [0.98238112779375322,
    0.01269603265463103], [0.99280575577263417, 0.0081371973654528353], [0.99863193092474078,
    0.0035093050047350483]]'::DOUBLE[][]
);

-- The density of t at 0: Gamma((df + 1) / 2) / (Gamma(df / 2) sqrt(df pi)), of large df by the
-- series of the ratio.
-- Source: Tricomi and Erdelyi (1951).
CREATE OR REPLACE MACRO _t_peak(df) AS (
    CASE WHEN df < 200 THEN exp(lgamma((df + 1) / 2) - lgamma(df / 2)) / sqrt(df * pi())
    ELSE (1 - (1 - (1 + (5 - (21 + 399 / (4 * df)) / (16 * df)) / (4 * df)) / (8 * df)) / (4 * df))
        / sqrt(2 * pi()) END
);

-- (1 + t^2 / df)^(-(df + 1) / 2), the density of t by that at 0.
CREATE OR REPLACE MACRO _t_fall(u, df) AS (exp(-(df + 1) / 2 * _log1p(u)));

-- Where _t_beyond begins in s: below, less than e^-36 of the whole is left.
CREATE OR REPLACE MACRO _t_floor(t, df) AS (
    CASE WHEN df < 15 THEN 0.0
    ELSE 1 / sqrt(1 + (1 + df / (t * t)) * (exp(72 / (df + 1)) - 1)) END
);

-- The upper tail of t by its density there and t, of t of 1 and above and a whole number df: the
-- density is taken at t / s for s from `low`, which is _t_floor(t, df), to 1.
CREATE OR REPLACE MACRO _t_beyond(t, df, low) AS (
    (1 - low) * list_sum(list_transform(list_transform(_nodes(), lambda _tb:
        {'z': pow(1 - (1 - low) * _tb[1], -2), 'weight': _tb[2]}), lambda _tb:
        _tb.weight * _tb.z * _t_fall(t * t / (df + t * t) * (_tb.z - 1), df)))
);

-- Both tails of t, P(|T| > t), of t from 0 to 1e150 and a whole number df: shorter to plan than
-- t_sf. Below 1 the density is summed from 0 to t, above from t on.
CREATE OR REPLACE MACRO _t_tails(t, df) AS (
    CASE WHEN t < 1 THEN 1 - 2 * _t_peak(df) * t * list_sum(list_transform(_nodes(),
        lambda _tt: _tt[2] * _t_fall(t * t / df * _tt[1] * _tt[1], df)))
    ELSE 2 * _t_peak(df) * t * _t_fall(t * t / df, df) * _t_beyond(t, df, _t_floor(t, df)) END
);

-- One step towards the t of which both tails are p, from the tail beyond by t and the density.
CREATE OR REPLACE MACRO _t_newton(p, df, s, beyond) AS (
    list_transform([list_transform([beyond], lambda _tn: {'t': s.t * exp(_tn * (ln(
            2 * s.peak * s.t * _tn / p) - (df + 1) / 2 * _log1p(s.t * s.t / df)))})[1]],
        lambda _tn: {'t': _tn.t, 'low': _t_floor(_tn.t, df), 'peak': s.peak,
            'done': abs(_tn.t - s.t) <= 1e-8 * _tn.t})[1]
);

-- The t of which both tails, of a whole number df, are p, of p of 1/2 and below, from that z of the
-- normal distribution: shorter to plan than t_ppf, which has the words. A t below 1, of p above
-- 0.31, has eleven digits.
CREATE OR REPLACE MACRO _t_point(p, df, z) AS (
    list_reduce(range(CASE WHEN df >= 1 THEN 30 END), lambda _tp, _tp_i: CASE WHEN _tp.done THEN _tp
        ELSE _t_newton(p, df, _tp, _t_beyond(_tp.t, df, _tp.low)) END,
        {'t': greatest(z, 1), 'low': _t_floor(1, df), 'peak': _t_peak(df),
            'done': false}).t
);

-- The quantile of Student's t distribution: the t with P(T <= t) = p, of p between 0 and 1 and df
-- of 1 and above. Null where it lies beyond 1e150.
-- Formula: Newton's method from the normal quantile, in the tail on the logarithms of t and of the
-- tail.
-- In R: qt(p, df).
CREATE OR REPLACE MACRO t_ppf(p, df) AS (
    list_transform([{'p': CAST(p AS DOUBLE), 'df': CAST(df AS DOUBLE),
        'both': 2 * least(CAST(p AS DOUBLE), 1 - CAST(p AS DOUBLE)),
        'z': abs(norm_ppf(p))}], lambda _g:
        CASE WHEN NOT (_g.p > 0 AND _g.p < 1 AND _g.df >= 1 AND isfinite(_g.df)) THEN NULL
        WHEN _g.p = 0.5 THEN 0.0
        ELSE list_transform([list_reduce(range(30), lambda _s, _i:
            CASE WHEN abs(_s.step) <= 1e-8 OR _s.t > 1e150 THEN _s ELSE _t_step(_g.both, _g.df, _s.t) END,
            {'t': _g.z, 'step': 1.0::DOUBLE}).t], lambda _root:
            CASE WHEN _root <= 1e150 THEN sign(_g.p - 0.5) * _root END)[1] END)[1]
);

-- The upper tail of the F distribution with df1 and df2 degrees of freedom: P(F > f), of f of 0
-- and above.
-- Formula: the incomplete beta function at df2 / (df2 + df1 f) with df2 / 2 and df1 / 2.
-- Source: Abramowitz and Stegun (1964), 26.6.2.
-- In R: pf(f, df1, df2, lower.tail = FALSE).
CREATE OR REPLACE MACRO f_sf(f, df1, df2) AS (
    list_transform([{
        'm': CASE WHEN df1 > 0 AND isfinite(CAST(df1 AS DOUBLE)) THEN CAST(df1 AS DOUBLE) END,
        'n': CASE WHEN df2 > 0 AND isfinite(CAST(df2 AS DOUBLE)) THEN CAST(df2 AS DOUBLE) END,
        'u': CASE WHEN f >= 0 AND NOT isnan(CAST(f AS DOUBLE))
            THEN least(CAST(df1 AS DOUBLE) * CAST(f AS DOUBLE), 1e300) END}],
        lambda _g: _beta_tail(_g.n / (_g.n + _g.u), _g.u / (_g.n + _g.u), _g.n / 2, _g.m / 2))[1]
);
