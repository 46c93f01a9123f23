"""Standardised differences of two means, recomputed by the usual routes.

d = (mean1 - mean2) / s, with s the pooled SD, that of either group (Glass), or the root of the
mean variance; g = J d with Hedges' J (Hedges 1981; Cochrane Handbook, section 6.5.1). The true
route is rarely printed, so a value is judged against all of them: adjusted means, change scores
and paired designs give others for good reasons. Only a contradicted sign, or a ratio beyond 2, is
a warning; an error, only where the row says that the value comes from the raw means.
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
    Floats,
    Outcome,
    Range,
    find,
)
from reviewdata.plausibility.intervals import (
    absolute,
    divide,
    known,
    multiply,
    overlap,
    positive,
    subtract,
    union,
)
from reviewdata.plausibility.spread import interval_width, mean_outside_interval

RATIO = 2.0
"""A recomputed value beyond this ratio to the printed one is implausible, not merely another."""

MOVED = 4.0
"""Standard errors by which an adjustment may move a difference."""

SD_RATIO = 3.0
"""Ratio of the SDs of two groups above which it is worth a look."""


def correction(df: Floats) -> Floats:
    """Return Hedges' exact J: gamma(df/2) / (sqrt(df/2) gamma((df-1)/2))."""
    return np.asarray(
        np.exp(special.gammaln(df / 2) - special.gammaln((df - 1) / 2)) / np.sqrt(df / 2),
        dtype=np.float64,
    )


def recompute(c: Columns) -> Range:
    """Return the range of d and g over all routes, with the sign of mean1 - mean2."""
    n1, n2 = c.number("n1"), c.number("n2")
    possible = (n1 > 1) & (n2 > 1)
    n1, n2 = np.where(possible, n1, np.nan), np.where(possible, n2, np.nan)
    apart = subtract(c.range("mean1"), c.range("mean2"))
    sd1, sd2 = positive(c.range("sd1")), positive(c.range("sd2"))
    pooled = tuple(
        np.sqrt(((n1 - 1) * a**2 + (n2 - 1) * b**2) / (n1 + n2 - 2))
        for a, b in zip(sd1, sd2, strict=True)
    )
    average = tuple(np.sqrt((a**2 + b**2) / 2) for a, b in zip(sd1, sd2, strict=True))
    whole = np.sqrt((n1 + n2 - 2) / (n1 + n2))  # the pooled SD with denominator n1 + n2
    large = (pooled[0] * whole, pooled[1] * whole)
    routes = [divide(apart, (s[0], s[1])) for s in (sd1, sd2, pooled, average, large)]
    found = union(routes)
    factors = np.minimum(correction(np.minimum(n1, n2) - 1), correction(n1 + n2 - 2))
    factors = np.where(np.isfinite(factors) & (factors > 0), factors, 0.0)
    found = multiply(found, (factors, np.ones(c.size)))
    judged = known(apart, sd1, sd2) & possible
    return np.where(judged, found[0], np.nan), np.where(judged, found[1], np.nan)


def difference_contradicts(role: str, c: Columns) -> Outcome:
    """Judge a printed d or g against the means, SDs and n."""
    expected = recompute(c)
    printed = c.range(role)
    lower_is_better = c.is_word("direction", "lower-is-better")
    directed = lower_is_better | c.is_word("direction", "higher-is-better")
    expected = (
        np.where(lower_is_better, -expected[1], expected[0]),
        np.where(lower_is_better, -expected[0], expected[1]),
    )
    judged = known(expected, printed)
    agrees = np.where(
        directed, overlap(printed, expected), overlap(absolute(printed), absolute(expected))
    )
    sign = directed & (
        ((printed[0] > 0) & (expected[1] < 0)) | ((printed[1] < 0) & (expected[0] > 0))
    )
    # What a covariate moves is within a few standard errors, whatever the sign or the ratio.
    gap = np.maximum(printed[0] - expected[1], expected[0] - printed[1])
    moved = gap <= MOVED * np.sqrt(1 / c.number("n1") + 1 / c.number("n2"))
    grave = (sign | beyond_ratio(printed, expected)) & ~moved
    level = np.where(grave, WARNING, NOTE)
    level = np.where(c.is_word("method", "raw-means"), ERROR, level)
    mirrored = sign & overlap(absolute(printed), absolute(expected))
    return find(
        judged,
        ~agrees,
        level,
        reasons={"mirrored": mirrored},
        d=c.number(role),
        d_low=expected[0],
        d_high=expected[1],
    )


def beyond_ratio(printed: Range, expected: Range) -> Bools:
    """Return where no value of one range is within the ratio of one of the other, signs aside."""
    a, b = absolute(printed), absolute(expected)
    return np.asarray((a[0] > RATIO * b[1]) | (b[0] > RATIO * a[1]), dtype=np.bool_)


def se_contradicts(c: Columns) -> Outcome:
    """Judge the standard error of d or g.

    var(d) = (n1 + n2) / (n1 n2) + d^2 / (2 (n1 + n2)), d^2 over 2 (n1 + n2 - 2) and J^2 times
    either being in use too.
    """
    expected = _se_range(c)
    printed = positive(c.range("se"))
    judged = known(expected, printed) & (c.number("se") > 0)
    level = np.where(beyond_ratio(printed, expected), WARNING, NOTE)
    return find(judged, ~overlap(printed, expected), level, se_low=expected[0], se_high=expected[1])


def interval_contradicts(c: Columns) -> Outcome:
    """Judge the width of the interval of d or g: 2 q se, se printed or computed."""
    se = positive(c.range("se"))
    own = np.isfinite(se[0])
    computed = _se_range(c)
    se = np.where(own, se[0], computed[0]), np.where(own, se[1], computed[1])
    level = c.number_or("ci_level", 95.0)
    expected = interval_width(se, level, c.number("n1") + c.number("n2") - 2)
    width = subtract(c.range("ci_upper"), c.range("ci_lower"))
    judged = known(expected, width) & (width[1] > 0)
    grave = np.where(beyond_ratio(width, expected), WARNING, NOTE)
    return find(
        judged,
        ~overlap(width, expected),
        grave,
        width=(width[0] + width[1]) / 2,
        width_low=expected[0],
        width_high=expected[1],
    )


def sd_ratio(c: Columns) -> Outcome:
    """Judge whether the SDs of two groups are much apart."""
    sd1, sd2 = c.number("sd1"), c.number("sd2")
    judged = (sd1 > 0) & (sd2 > 0)
    ratio = np.maximum(sd1, sd2) / np.minimum(sd1, sd2)
    least = divide(positive(c.range("sd1")), positive(c.range("sd2")))
    apart = (least[0] > SD_RATIO) | (least[1] < 1 / SD_RATIO)
    return find(judged, apart, NOTE, ratio=ratio)


def _se_range(c: Columns) -> Range:
    n1, n2 = c.number("n1"), c.number("n2")
    possible = (n1 > 1) & (n2 > 1) & (n1 + n2 > 3)
    n1, n2 = np.where(possible, n1, np.nan), np.where(possible, n2, np.nan)
    total = n1 + n2
    size = absolute(_printed_or_recomputed(c))
    # Besides the usual forms, the difference of the raw means over one SD (Glass).
    least = np.sqrt(total / (n1 * n2) + size[0] ** 2 / (2 * total))
    most = np.sqrt(total / (n1 * n2) + size[1] ** 2 / (2 * (np.minimum(n1, n2) - 1)))
    least = least * correction(total - 2)
    return np.where(possible, least, np.nan), np.where(possible, most, np.nan)


def _printed_or_recomputed(c: Columns) -> Range:
    low, high = recompute(c)
    for role in ("d", "g"):
        printed = np.isfinite(c.number(role))
        low = np.where(printed, c.range(role)[0], low)
        high = np.where(printed, c.range(role)[1], high)
    return low, high


def _outside(role: str) -> Check:
    needs = (role, "ci_lower", "ci_upper")
    return Check("RD212", "mean-difference", role, lambda c: mean_outside_interval(role, c), needs)


def _contradicts(role: str) -> Check:
    return Check(
        "RD251", "mean-difference", role, lambda c: difference_contradicts(role, c), (role,)
    )


CHECKS = (
    _contradicts("d"),
    _contradicts("g"),
    Check("RD252", "mean-difference", "se", se_contradicts, ("se",)),
    Check("RD253", "mean-difference", "ci_upper", interval_contradicts, ("ci_lower", "ci_upper")),
    Check("RD255", "mean-difference", "sd1", sd_ratio),
    _outside("d"),
    _outside("g"),
)
