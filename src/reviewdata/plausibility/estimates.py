"""An estimate with its standard error, interval and p: the same thing told three times.

On a log scale the estimate and its bounds are ratios as printed, and se is that of the log.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from reviewdata.plausibility.columns import (
    ERROR,
    NOTE,
    WARNING,
    Bools,
    Check,
    Columns,
    Outcome,
    Range,
    find,
)
from reviewdata.plausibility.intervals import known, logarithm, overlap, positive, subtract
from reviewdata.plausibility.significance import ALPHA, printed_p
from reviewdata.plausibility.spread import LEVELS, interval_width

ASYMMETRY = 1.5
"""Ratio of the two arms of an interval above which it is worth a look."""

SMALLEST_DF = 4
"""Degrees of freedom down to which the t quantile may stand in an interval."""


def ratio_not_positive(c: Columns) -> Outcome:
    """Judge whether a ratio and its bounds are above zero, as they must be on a log scale."""
    log = c.is_word("scale", "log")
    values = [c.number(role) for role in ("estimate", "ci_lower", "ci_upper")]
    fails = np.logical_or.reduce([value < 0 for value in values])
    fails |= c.number("estimate") == 0
    return find(log & np.isfinite(values[0]), fails, ERROR)


def wrong_scale(c: Columns) -> Outcome:
    """Judge whether an interval is symmetric on the other scale, and not on the declared one.

    A ratio's interval is symmetric on the log scale; one that is symmetric as printed was
    entered as a log, or is a difference; and the other way around.
    """
    log = c.is_word("scale", "log")
    bounds = [c.range(role) for role in ("estimate", "ci_lower", "ci_upper")]
    printed, logged = _symmetric(bounds), _symmetric([logarithm(b) for b in bounds])
    judged = known(*bounds) & (c.number("ci_lower") > 0) & (log | c.is_word("scale", "identity"))
    fails = np.where(log, printed & ~logged, logged & ~printed)
    return find(judged, fails, NOTE, reasons={"difference": ~log})


def se_contradicts_interval(c: Columns) -> Outcome:
    """Judge the width of an interval against se: 2 q se, q normal or t with at least 4 df.

    A note where another level fits.
    """
    lower, upper = _scaled(c, "ci_lower"), _scaled(c, "ci_upper")
    width = subtract(upper, lower)
    se = positive(c.range("se"))
    judged = known(width, se) & (width[1] >= 0) & (c.number("se") > 0)
    level = c.number_or("ci_level", 95.0)
    df = np.full(c.size, float(SMALLEST_DF))
    expected = interval_width(se, level, df)
    fails = judged & ~overlap(width, expected)
    other = np.zeros(c.size, dtype=np.bool_)
    for share in LEVELS if fails.any() else ():
        other |= overlap(width, interval_width(se, np.full(c.size, share), df))
    return find(
        judged,
        fails,
        np.where(other, NOTE, WARNING),
        reasons={"level": other},
        width=(width[0] + width[1]) / 2,
        width_low=expected[0],
        width_high=expected[1],
    )


def p_contradicts_interval(c: Columns) -> Outcome:
    """Judge p against the interval: p < 0.05 exactly where the 95 % interval leaves out no effect.

    Both come from one test as a rule; a warning, since two methods may have been used. Only
    intervals of 95 %, the level that is assumed where none is declared.
    """
    lower, upper = _scaled(c, "ci_lower"), _scaled(c, "ci_upper")
    (low, high), p_known = printed_p(c)
    level = c.number("ci_level")
    judged = known(lower, upper) & p_known & (np.isnan(level) | (level == 95) | (level == 0.95))
    excludes = (lower[0] > 0) | (upper[1] < 0)
    includes = (lower[1] < 0) & (upper[0] > 0)
    fails = (excludes & (low > ALPHA)) | (includes & (high < ALPHA))
    return find(judged, fails, WARNING, reasons={"excludes": excludes})


def p_contradicts_se(c: Columns) -> Outcome:
    """Judge p against estimate / se, by the normal distribution or t with at least 4 df.

    A note where the two agree on which side of 0.05 they are.
    """
    value, se = _scaled(c, "estimate"), positive(c.range("se"))
    size_low = np.where(
        (value[0] <= 0) & (value[1] >= 0), 0.0, np.minimum(abs(value[0]), abs(value[1]))
    )
    size_high = np.maximum(abs(value[0]), abs(value[1]))
    least = 2 * special.ndtr(-size_high / se[0])
    most = 2 * special.stdtr(SMALLEST_DF, -size_low / se[1])
    (low, high), p_known = printed_p(c)
    judged = p_known & known(value, se) & (c.number("se") > 0)
    flips = ((low > ALPHA) & (most < ALPHA)) | ((high < ALPHA) & (least > ALPHA))
    return find(
        judged,
        ~overlap((low, high), (least, most)),
        np.where(flips, WARNING, NOTE),
        reasons={"flips": flips},
        p_low=least,
        p_high=most,
    )


def asymmetric(c: Columns) -> Outcome:
    """Judge whether the two arms of an interval differ by more than a ratio of 1.5.

    A note: profile likelihood, bootstrap and floors give such intervals.
    """
    value, lower, upper = (_scaled(c, role) for role in ("estimate", "ci_lower", "ci_upper"))
    left, right = subtract(value, lower), subtract(upper, value)
    judged = known(left, right) & (left[0] > 0) & (right[0] > 0)
    judged &= wrong_scale(c).levels == 0
    least = np.maximum(left[0] / right[1], right[0] / left[1])
    return find(judged, least > ASYMMETRY, NOTE, ratio=least)


def _scaled(c: Columns, role: str) -> Range:
    low, high = c.range(role)
    log = c.is_word("scale", "log")
    logged = logarithm((low, high))
    return np.where(log, logged[0], low), np.where(log, logged[1], high)


def _symmetric(bounds: list[Range]) -> Bools:
    value, lower, upper = bounds
    return overlap(subtract(value, lower), subtract(upper, value)) & known(value, lower, upper)


CHECKS = (
    Check("RD281", "estimate", "estimate", ratio_not_positive, ("scale",)),
    Check("RD282", "estimate", "ci_upper", se_contradicts_interval, ("se", "ci_lower", "ci_upper")),
    Check("RD283", "estimate", "p", p_contradicts_interval, ("p", "ci_lower", "ci_upper")),
    Check("RD284", "estimate", "ci_upper", asymmetric, ("ci_lower", "ci_upper")),
    Check("RD285", "estimate", "ci_upper", wrong_scale, ("scale", "ci_lower", "ci_upper")),
    Check("RD286", "estimate", "p", p_contradicts_se, ("p", "se")),
)
