"""Scores on a bounded scale: how low, how high, and how far apart they can be."""

from __future__ import annotations

import numpy as np

from reviewdata.plausibility.columns import (
    EDGE,
    ERROR,
    FEWEST,
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

TOLERATED = 0.1
"""How far outside its scale a mean of unknown type may lie, as a share of the scale's width,
before it is an error: a model can carry an adjusted mean there."""


HANDFUL = 10
"""People below whom it is no wonder that all have one score."""


def item_scale(c: Columns) -> Range:
    """Return the range of the answers to one item, or of the score where no type is declared."""
    low, high = c.number("min"), c.number("max")
    possible = low < high
    return np.where(possible, low, np.nan), np.where(possible, high, np.nan)


def sum_scale(c: Columns) -> Range:
    """Return the range of a sum of items; a sum needs their number."""
    items = np.where(c.number("items") > 0, c.number("items"), np.nan)
    low, high = item_scale(c)
    return low * items, high * items


def scale_of_score(c: Columns) -> Range:
    """Return the lowest and highest possible score of each row, NaN where not known.

    `min` and `max` are per item where a score type is declared, of the score as printed
    where it is not. A percent runs from 0 to 100, a binary score from 0 to 1; a change from
    min - max to max - min.
    """
    low, high = item_scale(c)
    if c.has("score_type"):
        sums, means = c.is_word("score_type", "sum"), c.is_word("score_type", "item-mean")
        sum_low, sum_high = sum_scale(c)
        low = np.where(sums, sum_low, np.where(means, low, np.nan))
        high = np.where(sums, sum_high, np.where(means, high, np.nan))
        for name, top in (("percent", 100.0), ("binary", 1.0)):
            rows = c.is_word("score_type", name)
            low, high = np.where(rows, 0.0, low), np.where(rows, top, high)
    change = c.is_word("mean_type", "change")
    return np.where(change, low - high, low), np.where(change, high - low, high)


def type_confused(c: Columns) -> Outcome:
    """Judge whether a sum is declared as an item mean, or an item mean as a sum.

    It is where the mean lies outside the scale of its own score type and on that of the other.
    """
    mean = c.range("mean")
    own, single, total = scale_of_score(c), item_scale(c), sum_scale(c)
    judged = np.isfinite(own[0]) & np.isfinite(total[0]) & np.isfinite(mean[0]) & _raw(c)
    outside = _outside(mean, own)
    a_sum = c.is_word("score_type", "item-mean") & ~_outside(mean, total) & outside
    a_mean = c.is_word("score_type", "sum") & ~_outside(mean, single) & outside
    return find(
        judged,
        a_sum | a_mean,
        ERROR,
        reasons={"sum": a_sum},
        low=own[0],
        high=own[1],
        items=c.number("items"),
    )


def mean_outside_scale(c: Columns) -> Outcome:
    """Judge whether the mean of a bounded score lies within the bounds.

    Skipped for adjusted means, which a model may carry beyond the scale, and where another
    score type explains it, which is a rule of its own.
    """
    low, high = scale_of_score(c)
    mean = c.range("mean")
    judged = np.isfinite(mean[0]) & np.isfinite(low) & ~c.is_word("mean_type", "adjusted")
    fails = _outside(mean, (low, high)) & (type_confused(c).levels == 0)
    width = (high - low) * TOLERATED
    near = ~_outside(mean, (low - width, high + width)) & ~_known_type(c)
    return find(judged, fails, np.where(near, WARNING, ERROR), low=low, high=high)


def sd_above_bound(c: Columns) -> Outcome:
    """Judge whether the SD is possible for a score of these bounds, mean and n.

    Bhatia and Davis (2000), for the SD with n - 1: sd <= sqrt((mean - min)(max - mean)
    n / (n - 1)), at the mean within rounding that allows most and with as few of n as may lie
    behind it; without n, n = 2; without a mean, the middle of the scale (Popoviciu 1935).
    """
    low, high = scale_of_score(c)
    bound = _largest_sd(c.range("mean"), (low, high), c.number("n"))
    sd = c.number("sd")
    judged = np.isfinite(sd) & np.isfinite(bound) & _raw(c)
    level = np.where(c.is_word("mean_type", "observed"), ERROR, WARNING)
    fails = sd - c.half("sd") > bound * (1 + EDGE)
    return find(judged, fails, level, bound=bound, low=low, high=high)


def _largest_sd(mean: Range, scale: Range, n: Floats) -> Floats:
    low, high = scale
    middle = (low + high) / 2
    best = np.where(np.isfinite(mean[0]), np.clip(middle, mean[0], mean[1]), middle)
    room = (best - low) * (high - best)
    size = np.maximum(np.nan_to_num(FEWEST * n, nan=2.0), 2.0)
    return np.where(room >= 0, np.sqrt(np.maximum(room, 0.0) * size / (size - 1)), np.nan)


def sd_below_least(c: Columns) -> Outcome:
    """Judge whether the SD is possible for whole-number answers with this mean.

    A mean of whole numbers that is not itself whole needs answers on both sides of it: with f
    the fractional part of the mean of the sums, SD >= sqrt(f (1 - f)), divided by the number
    of items for an item mean; at the mean within rounding that asks least, and for an SD with
    denominator n, which some print.
    """
    units = units_of_score(c)
    low, high = c.range("mean")[0] * units, c.range("mean")[1] * units
    n = c.number("n")
    part_low, part_high = low - np.floor(low), high - np.floor(low)
    asked = np.minimum(part_low * (1 - part_low), part_high * (1 - part_high))
    asked = np.where(part_high >= 1, 0.0, np.maximum(asked, 0.0))
    bound = np.sqrt(asked) / units
    sd = c.number("sd")
    judged = np.isfinite(sd) & np.isfinite(bound) & (n > 1) & (sd > 0) & _raw(c)
    level = np.where(c.is_word("mean_type", "observed"), WARNING, NOTE)
    return find(judged, sd + c.half("sd") < bound * (1 - EDGE), level, bound=bound)


def units_of_score(c: Columns) -> Floats:
    """Return by what a mean is to be multiplied to be a mean of whole numbers; NaN if unknown.

    The items for an item mean, 1 for a sum and for 0 and 1.
    """
    whole = c.is_word("score_type", "sum", "binary")
    items = np.where(c.is_word("score_type", "item-mean"), c.number("items"), np.nan)
    return np.where(whole, 1.0, np.where(items >= 1, np.round(items), np.nan))


def sd_negative(role: str, c: Columns) -> Outcome:
    """Judge whether a spread is negative."""
    value = c.number(role)
    return find(np.isfinite(value), value < 0, ERROR)


def sd_zero(c: Columns) -> Outcome:
    """Judge whether an SD of zero stands for more than one person.

    A note where the mean is at an end of the scale, or for a handful of people: then all may
    have answered the same.
    """
    sd, n = c.number("sd"), c.number("n")
    low, high = scale_of_score(c)
    mean = c.range("mean")
    at_end = ((mean[0] <= low) & (low <= mean[1])) | ((mean[0] <= high) & (high <= mean[1]))
    coarse = c.decimals("sd") == 1  # 0.0 is anything below 0.05
    level = np.where(at_end | coarse | (n < HANDFUL), NOTE, WARNING)
    return find(np.isfinite(sd) & (n > 1), sd == 0, level, reasons={"end": at_end})


def difference_beyond_scale(c: Columns) -> Outcome:
    """Judge whether two means on one scale are further apart than the scale is wide."""
    low, high = item_scale(c)
    apart = np.abs(c.number("mean1") - c.number("mean2"))
    slack = c.half("mean1") + c.half("mean2") + EDGE * np.abs(high - low)
    judged = np.isfinite(apart) & np.isfinite(low)
    return find(judged, apart - slack > high - low, ERROR, apart=apart, low=low, high=high)


def _outside(mean: Range, scale: Range) -> Bools:
    slack = EDGE * np.maximum(np.abs(scale[0]), np.abs(scale[1]))
    return np.asarray((mean[1] + slack < scale[0]) | (mean[0] - slack > scale[1]), dtype=np.bool_)


def _raw(c: Columns) -> Bools:
    """Return where the mean is of the scores themselves, as far as is known."""
    return ~c.is_word("mean_type", "adjusted", "change")


def _known_type(c: Columns) -> Bools:
    return c.is_word("mean_type", "observed", "change")


CHECKS = (
    Check("RD201", "sample-mean", "mean", mean_outside_scale),
    Check("RD202", "sample-mean", "sd", sd_above_bound, ("sd",)),
    Check("RD203", "sample-mean", "mean", type_confused, ("score_type", "items")),
    Check("RD204", "sample-mean", "sd", lambda c: sd_negative("sd", c), ("sd",)),
    Check("RD204", "sample-mean", "se", lambda c: sd_negative("se", c), ("se",)),
    Check("RD204", "mean-difference", "sd1", lambda c: sd_negative("sd1", c)),
    Check("RD204", "mean-difference", "sd2", lambda c: sd_negative("sd2", c)),
    Check("RD204", "mean-difference", "se", lambda c: sd_negative("se", c), ("se",)),
    Check("RD204", "coefficient", "se", lambda c: sd_negative("se", c), ("se",)),
    Check("RD204", "estimate", "se", lambda c: sd_negative("se", c), ("se",)),
    Check("RD205", "sample-mean", "sd", sd_zero, ("sd",)),
    Check("RD206", "sample-mean", "sd", sd_below_least, ("sd", "score_type")),
    Check("RD254", "mean-difference", "mean1", difference_beyond_scale, ("min", "max")),
)
