"""Printed p values and verdicts against those that the statistic gives.

After statcheck (Nuijten et al. 2016, Behavior Research Methods 48, 1205-1226): all values that
round to the printed statistic give a range of p; it is compared with all that the printed p can
stand for. What honest practice explains is a note: a one-sided test, fewer people than n, a p cut
off instead of rounded, a p printed as zero. Where the significance flips, that is said first.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import special

from reviewdata.plausibility.columns import (
    ERROR,
    FEWEST,
    NOTE,
    SILENT,
    WARNING,
    Bools,
    Check,
    Columns,
    Floats,
    Outcome,
    Range,
    find,
)
from reviewdata.plausibility.intervals import absolute, divide, overlap, positive
from reviewdata.plausibility.spread import LEVELS

ALPHA = 0.05

ROUNDED_DF = (-0.5, 1.0)
"""How far degrees of freedom may be from the printed ones: rounded, or cut off."""


def p_against_r(c: Columns) -> Outcome:
    """Judge a printed p against the one that r and n give: t = r sqrt((n-2)/(1-r^2)).

    n only bounds the pairs behind r, so it is a note where some n' from 0.8 n to n agrees or
    a one-sided p does (each alone), and never more than a warning.
    """
    return _compare(
        c, _p_of_r(c), has_sides=True, gravest=WARNING, fewer=lambda: _p_of_r(c, FEWEST)
    )


def significance_against_r(c: Columns) -> Outcome:
    """Judge a reported verdict, where no p is printed, against the p that r and n give."""
    return _judge_verdict(c, _p_of_r(c), has_sides=True, fewer=_p_of_r(c, FEWEST))


def r_outside(c: Columns) -> Outcome:
    """Judge whether a correlation lies between -1 and 1."""
    r = c.number("r")
    return find(np.isfinite(r), np.abs(r) > 1, ERROR)


def interval_against_r(c: Columns) -> Outcome:
    """Judge the interval of a correlation: tanh(atanh r -+ 1.96 / sqrt(n - 3)).

    A note where some n' from 0.8 n to n explains it.
    """
    n = c.number("n")
    level = c.number_or("ci_level", 95.0)
    r = np.clip(c.range("r")[0], -1, 1), np.clip(c.range("r")[1], -1, 1)
    judged = (n > 3) & (np.abs(c.number("r")) < 1)
    judged &= np.isfinite(c.number("ci_lower")) & np.isfinite(c.number("ci_upper"))

    def bounds(size: Floats, level: Floats) -> tuple[Range, Range]:
        z = np.arctanh(r[0]), np.arctanh(r[1])
        share = np.where(level > 1, level / 100, level)
        half = special.ndtri((1 + share) / 2) / np.sqrt(np.maximum(size - 3, 0.5))
        lower = np.tanh(z[0] - half), np.tanh(z[1] - half)
        return lower, (np.tanh(z[0] + half), np.tanh(z[1] + half))

    def fits(lower: Range, upper: Range) -> Bools:
        return overlap(c.range("ci_lower"), lower) & overlap(c.range("ci_upper"), upper)

    lower, upper = bounds(n, level)
    few_lower, few_upper = bounds(FEWEST * n, level)
    agrees = fits(lower, upper)
    other = np.logical_or.reduce([fits(*bounds(n, np.full(c.size, one))) for one in LEVELS])
    fewer = overlap(c.range("ci_lower"), (few_lower[0], lower[1])) & overlap(
        c.range("ci_upper"), (upper[0], few_upper[1])
    )
    return find(
        judged,
        ~agrees,
        np.where(fewer | other, NOTE, WARNING),
        reasons={"level": other, "fewer": fewer},
        lower=(lower[0] + lower[1]) / 2,
        upper=(upper[0] + upper[1]) / 2,
    )


def p_against_test(c: Columns) -> Outcome:
    """Judge a printed p against the one that a test value and its own df give.

    t, F, chi2 and z; F and chi-square have no sides. A note where degrees of freedom that were
    rounded or cut off explain it, as Welch's and Greenhouse and Geisser's are.
    """
    computed, sided = _p_of_test(c)
    return _compare(
        c, computed, has_sides=sided, gravest=ERROR, fewer=lambda: _p_of_test(c, ROUNDED_DF)[0]
    )


def significance_against_test(c: Columns) -> Outcome:
    """Judge a reported verdict, where no p is printed, against the p of the test."""
    computed, sided = _p_of_test(c)
    return _judge_verdict(c, computed, has_sides=sided)


def impossible_test(c: Columns) -> Outcome:
    """Judge whether a test value and its degrees of freedom are possible.

    F and chi-square are not negative, degrees of freedom are above zero.
    """
    value = c.number("value")
    squared = c.is_word("test", "F", "chi2")
    fails = squared & (value < 0)
    for role in ("df", "df1", "df2"):
        fails |= c.number(role) <= 0
    return find(np.isfinite(value), fails, ERROR)


def df_above_n(c: Columns) -> Outcome:
    """Judge the degrees of freedom of a test against n: df + 1 > n (t), df1 + df2 + 1 > n (F).

    Repeated measures and mixed models have more, so it is a warning.
    """
    n = c.number("n")
    t, f = c.is_word("test", "t"), c.is_word("test", "F")
    needed = np.where(
        t, _df_of_t(c) + 1, np.where(f, c.number("df1") + c.number("df2") + 1, np.nan)
    )
    judged = np.isfinite(needed) & (n > 0)
    return find(judged, needed > n, WARNING, needed=needed)


def t_against_coefficient(c: Columns) -> Outcome:
    """Judge whether t is estimate / se.

    A positive t may be printed without its sign; a negative one belongs to a negative estimate.
    """
    se = positive(c.range("se"))
    expected = divide(absolute(c.range("estimate")), se)
    printed = absolute(c.range("t"))
    judged = np.isfinite(printed[0]) & np.isfinite(expected[0]) & (c.number("se") > 0)
    sign = (c.range("t")[1] < 0) & (c.range("estimate")[0] > 0)
    return find(
        judged,
        sign | ~overlap(printed, expected),
        WARNING,
        reasons={"sign": sign & overlap(printed, expected)},
        t_low=expected[0],
        t_high=expected[1],
    )


def p_against_coefficient(c: Columns) -> Outcome:
    """Judge a printed p against the t of a coefficient, printed or estimate / se, and its df.

    Without df, the normal p is the least that is possible, and nothing bounds it above. The
    size of a coefficient says nothing of its p: a standardised one may be above 1.
    """
    return _compare(c, _p_of_coefficient(c), has_sides=True, gravest=WARNING)


def significance_against_coefficient(c: Columns) -> Outcome:
    """Judge a reported verdict, where no p is printed, against the p of a coefficient."""
    return _judge_verdict(c, _p_of_coefficient(c), has_sides=True)


def df_above_n_of_coefficient(c: Columns) -> Outcome:
    """Judge the degrees of freedom of a coefficient: df + predictors + 1 > n is impossible.

    A warning where the predictors are not counted: a mixed model has more df than people.
    """
    counted = np.isfinite(c.number("predictors"))
    needed = c.number("df") + np.where(counted, c.number("predictors"), 0.0) + 1
    judged = np.isfinite(needed) & (c.number("n") > 0)
    level = np.where(counted, ERROR, WARNING)
    return find(judged, needed > c.number("n"), level, needed=needed)


def p_outside(c: Columns) -> Outcome:
    """Judge whether a p lies between 0 and 1."""
    p = c.number("p")
    return find(np.isfinite(p), (p < 0) | (p > 1), ERROR)


def significance_against_p(c: Columns) -> Outcome:
    """Judge a reported verdict against the printed p and alpha (0.05 unless declared)."""
    (low, high), known = printed_p(c)
    yes, no = c.is_word("significant", "yes", "true"), c.is_word("significant", "no", "false")
    alpha = _alpha(c)
    fails = (yes & (low > alpha)) | (no & (high < alpha))
    return find(known & (yes | no), fails, WARNING, reasons={"no": no}, alpha=alpha)


def printed_p(c: Columns) -> tuple[Range, Bools]:
    """Return the range of p that is printed, and where one is: `=`, `<` and `>` and kin."""
    low, high = c.range("p")
    p = c.number("p")
    plain = c.no_word("p_operator") | c.is_word("p_operator", "=")
    less = c.is_word("p_operator", "<", "<=", "≤")
    more = c.is_word("p_operator", ">", ">=", "≥")
    known = np.isfinite(p) & (p >= 0) & (p <= 1) & (plain | less | more)
    low = np.where(plain, low, np.where(more, p, 0.0))
    high = np.where(plain, high, np.where(less, p, 1.0))
    return (np.maximum(low, 0.0), np.minimum(high, 1.0)), known


def _p_of_r(c: Columns, share: float = 1.0) -> Range:
    """Return the two-sided p of r with n, or with all from a share of n to n."""
    low, high = absolute(c.range("r"))
    n = np.where((c.number("n") > 2) & (np.abs(c.number("r")) <= 1), c.number("n"), np.nan)

    def p(r: Floats, size: Floats) -> Floats:
        t = r * np.sqrt((size - 2) / np.maximum(1 - r * r, 1e-300))
        return np.asarray(2 * special.stdtr(size - 2, -t), dtype=np.float64)

    return p(np.minimum(high, 1.0), n), p(low, np.maximum(share * n, np.minimum(n, 3.0)))


def _df_of_t(c: Columns) -> Floats:
    """Return the df of a t, which some tables print as the second of two."""
    df, df2 = c.number("df"), c.number("df2")
    return np.where(np.isnan(df) & np.isnan(c.number("df1")), df2, df)


def _p_of_test(c: Columns, df_between: tuple[float, float] = (0.0, 0.0)) -> tuple[Range, Bools]:
    """Return the p of a test, two-sided where it has sides, and where it has.

    `df_between` is by how much the degrees of freedom may be less and more than printed.
    """
    rows = {word: c.is_word("test", word) for word in ("t", "F", "chi2", "z")}
    low, high = absolute(c.range("value"))

    def p(x: Floats, more: float) -> Floats:
        df, df1, df2, of_t = (
            np.where(printed > 0, np.maximum(printed + more, 0.1), np.nan)
            for printed in (*(c.number(role) for role in ("df", "df1", "df2")), _df_of_t(c))
        )
        result = np.full(c.size, np.nan)
        for word, function in (
            ("t", lambda x, i: 2 * special.stdtr(of_t[i], -x)),
            ("F", lambda x, i: special.fdtrc(df1[i], df2[i], x)),
            ("chi2", lambda x, i: special.chdtrc(df[i], x)),
            ("z", lambda x, i: 2 * special.ndtr(-x)),
        ):
            chosen = np.flatnonzero(rows[word])
            if len(chosen):
                result[chosen] = function(x[chosen], chosen)
        return result

    sided = rows["t"] | rows["z"]
    possible = sided | (c.number("value") >= 0)
    less, more = df_between
    ends = (
        [p(high, less), p(high, more), p(low, less), p(low, more)]
        if more
        else [p(high, 0.0), p(low, 0.0)]
    )
    least, most = np.minimum.reduce(ends), np.maximum.reduce(ends)
    return (np.where(possible, least, np.nan), np.where(possible, most, np.nan)), sided


def _p_of_coefficient(c: Columns) -> Range:
    df = c.number("df")
    t = absolute(c.range("t"))
    if c.has("se"):
        ratio = divide(absolute(c.range("estimate")), positive(c.range("se")))
        own = np.isfinite(c.number("t"))
        t = np.where(own, t[0], ratio[0]), np.where(own, t[1], ratio[1])
    least = np.where(df > 0, 2 * special.stdtr(df, -t[1]), 2 * special.ndtr(-t[1]))
    most = np.where(df > 0, 2 * special.stdtr(df, -t[0]), np.where(np.isnan(t[0]), np.nan, 1.0))
    return least, most


def _alpha(c: Columns) -> Floats:
    return c.number_or("alpha", ALPHA)


def _one_sided(c: Columns, computed: Range, has_sides: Bools | bool) -> tuple[Range, Bools]:
    """Return the p by the declared sides, and where the sides are not declared."""
    one = has_sides & (c.number("sides") == 1)
    low, high = computed
    open_ = np.broadcast_to(has_sides & ~np.isfinite(c.number("sides")), (c.size,))
    return (np.where(one, low / 2, low), np.where(one, high / 2, high)), open_


def _compare(
    c: Columns,
    computed: Range,
    *,
    has_sides: Bools | bool,
    gravest: int,
    fewer: Callable[[], Range] | None = None,
) -> Outcome:
    """Compare the range of a printed p with that of the computed one.

    `fewer` gives the p of fewer people than n; it is asked for only where something disagrees.
    """
    printed, known = printed_p(c)
    (low, high), open_ = _one_sided(c, computed, has_sides)
    judged = known & ~np.isnan(low) & ~np.isnan(high)
    equal = c.no_word("p_operator") | c.is_word("p_operator", "=")
    p, half = c.number("p"), c.half("p")

    agrees = overlap(printed, (low, high))
    zero = equal & (p == 0)
    one_sided = open_ & overlap(printed, (low / 2, high / 2))
    truncated = equal & overlap((p, p + 2 * half), (low, high))
    of_fewer = np.zeros(c.size, dtype=np.bool_)
    if fewer is not None and (judged & ~agrees).any():
        of_fewer = overlap(printed, fewer())
    explained = truncated | one_sided | of_fewer

    alpha = _alpha(c)
    flips = ((printed[1] <= alpha) & (low > alpha)) | ((printed[0] > alpha) & (high <= alpha))
    levels = np.where(explained, NOTE, gravest)
    levels = np.where(agrees, np.where(zero, NOTE, SILENT), levels)
    reasons = {
        "zero": agrees & zero,
        "truncated": truncated,
        "one_sided": one_sided,
        "fewer": of_fewer,
        "flips": flips,
    }
    return find(judged, levels > SILENT, levels, reasons=reasons, p_low=low, p_high=high)


def _judge_verdict(
    c: Columns, computed: Range, *, has_sides: Bools | bool, fewer: Range | None = None
) -> Outcome:
    """Compare `significant` with the computed p, where no p is printed.

    A yes needs a p at or below alpha, a no one above; a one-sided test or fewer people are
    notes.
    """
    yes, no = c.is_word("significant", "yes", "true"), c.is_word("significant", "no", "false")
    (low, high), open_ = _one_sided(c, computed, has_sides)
    alpha = _alpha(c)
    judged = (yes | no) & np.isnan(c.number("p")) & ~np.isnan(low) & ~np.isnan(high)
    slack = 1e-9
    fails = (yes & (low > alpha + slack)) | (no & (high < alpha - slack))
    one_sided = yes & open_ & (low / 2 <= alpha)
    of_fewer = no & (fewer[1] >= alpha) if fewer is not None else np.zeros(c.size, dtype=np.bool_)
    return find(
        judged,
        fails,
        np.where(one_sided | of_fewer, NOTE, WARNING),
        reasons={"one_sided": one_sided, "fewer": of_fewer, "no": no},
        p_low=low,
        p_high=high,
        alpha=alpha,
    )


CHECKS = (
    Check("RD230", "correlation", "r", r_outside),
    Check("RD231", "correlation", "p", p_against_r, ("p",)),
    Check("RD232", "correlation", "ci_lower", interval_against_r, ("ci_lower", "ci_upper")),
    Check("RD233", "correlation", "significant", significance_against_r, ("significant",)),
    *(
        Check("RD234", kind, "significant", significance_against_p, ("significant", "p"))
        for kind in ("correlation", "test", "coefficient")
    ),
    *(
        Check("RD235", kind, "p", p_outside, ("p",))
        for kind in ("correlation", "test", "coefficient", "estimate")
    ),
    Check("RD241", "test", "p", p_against_test, ("p",)),
    Check("RD242", "test", "value", df_above_n, ("n",)),
    Check("RD243", "test", "significant", significance_against_test, ("significant",)),
    Check("RD244", "test", "value", impossible_test),
    Check("RD245", "coefficient", "t", t_against_coefficient, ("t", "se")),
    Check("RD246", "coefficient", "p", p_against_coefficient, ("p",)),
    Check(
        "RD247", "coefficient", "significant", significance_against_coefficient, ("significant",)
    ),
    Check("RD248", "coefficient", "df", df_above_n_of_coefficient, ("df", "n")),
)
