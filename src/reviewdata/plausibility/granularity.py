"""Means and SDs of whole numbers: which decimals they can have.

GRIM (Brown and Heathers 2017), GRIMMER (Anaya 2016, in the analytic form of Allard 2018) and
DEBIT (Heathers and Brown 2019). All three are notes: imputed values, prorated items and
weighted means are honest reasons for decimals that whole numbers cannot give.
"""

from __future__ import annotations

import numpy as np

from reviewdata.plausibility.columns import (
    NOTE,
    Bools,
    Check,
    Columns,
    Floats,
    Outcome,
    Range,
    find,
)
from reviewdata.plausibility.intervals import overlap, positive
from reviewdata.plausibility.scales import units_of_score

SLACK = 1e-7
"""Part of a unit given away to the last bits of n times a mean."""

MOST_SUMS = 3
"""Sums that may lie within the rounding of a mean; with more, GRIMMER has no power."""


def grim(c: Columns) -> Outcome:
    """Judge whether a mean of whole numbers can have the printed decimals.

    n people with k items each give means in steps of 1 / (n k). There is power only while
    n k is below 10 to the number of decimals. Both ways to round a 5 count as right.
    """
    judged, total, sums = _sums(c)
    nearest = np.where(judged, np.round(total * c.number("mean")) / total, np.nan)
    return find(judged, sums[0] > sums[1], NOTE, steps=total, nearest=nearest)


def grimmer(c: Columns) -> Outcome:
    """Judge whether an SD can stand beside a mean of whole numbers that GRIM accepts.

    The sum of squares, (n - 1) SD^2 + sum^2 / n, is a whole number as even or odd as the sum,
    since a square is as even or odd as its root.
    """
    judged, _, sums = _sums(c)
    n, units = c.number("n"), units_of_score(c)
    low, high = positive(c.range("sd"))
    judged = judged & np.isfinite(high) & (sums[0] <= sums[1]) & (n > 1)
    judged &= sums[1] - sums[0] < MOST_SUMS
    possible = np.zeros(c.size, dtype=np.bool_)
    for step in range(MOST_SUMS):
        total = sums[0] + step
        least = np.ceil((low * units) ** 2 * (n - 1) + total**2 / n - SLACK * n)
        most = np.floor((high * units) ** 2 * (n - 1) + total**2 / n + SLACK * n)
        least += np.mod(least - total, 2)  # the first that is as even or odd as the sum
        possible |= (total <= sums[1]) & (least <= most)
    return find(judged, ~possible, NOTE)


def debit(c: Columns) -> Outcome:
    """Judge whether the SD of zeros and ones is the one that their mean and n give.

    SD = sqrt(n / (n - 1) * mean (1 - mean)).
    """
    n, mean = c.number("n"), c.range("mean")
    sd = c.range("sd")
    judged = c.is_word("score_type", "binary") & _observed(c) & (n > 1)
    judged &= np.isfinite(mean[0]) & np.isfinite(sd[0])
    judged &= (mean[1] >= 0) & (mean[0] <= 1)
    ends = np.sort([np.clip(end, 0.0, 1.0) for end in mean], axis=0)
    spreads = ends * (1 - ends)
    most = np.where((ends[0] <= 0.5) & (ends[1] >= 0.5), 0.25, spreads.max(axis=0))
    factor = n / (n - 1)
    possible: Range = (np.sqrt(factor * spreads.min(axis=0)), np.sqrt(factor * most))
    fails = ~overlap(sd, possible)
    return find(judged, fails, NOTE, sd_low=possible[0], sd_high=possible[1])


def _sums(c: Columns) -> tuple[Bools, Floats, Range]:
    """Return where GRIM has power, the number of whole numbers, and the sums within rounding."""
    n, mean = c.number("n"), c.number("mean")
    total = n * units_of_score(c)
    judged = np.isfinite(mean) & (n > 0) & (n == np.round(n)) & _observed(c)
    judged &= total < 10.0 ** c.decimals("mean")
    low, high = c.range("mean")
    sums = np.ceil(low * total - SLACK), np.floor(high * total + SLACK)
    return judged, total, sums


def _observed(c: Columns) -> Bools:
    return c.is_word("mean_type", "observed")


CHECKS = (
    Check("RD208", "sample-mean", "mean", grim, ("score_type", "mean_type")),
    Check("RD209", "sample-mean", "sd", grimmer, ("score_type", "mean_type", "sd")),
    Check("RD210", "sample-mean", "sd", debit, ("score_type", "mean_type", "sd")),
)
