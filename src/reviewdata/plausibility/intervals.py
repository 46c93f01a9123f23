"""Arithmetic on ranges: all results that numbers within the ranges can give.

A range may be unbounded; NaN at either end stands for a number that is missing.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from reviewdata.plausibility.columns import EDGE, Bools, Columns, Floats, Range


def overlap(a: Range, b: Range, slack: float = 0.0) -> Bools:
    """Return where two ranges share a number, the last bits of both given away.

    `slack` is absolute, on top of that.
    """
    size = np.maximum(np.abs(b[0]), np.abs(b[1])) * EDGE + slack
    return np.asarray((a[0] <= b[1] + size) & (b[0] <= a[1] + size), dtype=np.bool_)


def below(a: Range, b: Range) -> Bools:
    """Return where every number of `a` is below every number of `b`."""
    size = np.maximum(np.abs(a[1]), np.abs(b[0])) * EDGE
    return np.asarray(a[1] + size < b[0], dtype=np.bool_)


def precedes(c: Columns, first: str, second: str) -> Bools:
    """Return where one role is below another, whatever they were before they were rounded.

    Rounding keeps the order: of numbers with the same decimals the printed ones decide.
    """
    alike = c.decimals(first) == c.decimals(second)
    printed = alike & (c.number(first) < c.number(second))
    return np.asarray(printed | below(c.range(first), c.range(second)), dtype=np.bool_)


def known(*ranges: Range) -> Bools:
    """Return where no range has a missing end."""
    return np.asarray(
        np.logical_and.reduce([~np.isnan(a) & ~np.isnan(b) for a, b in ranges]), dtype=np.bool_
    )


def subtract(a: Range, b: Range) -> Range:
    """Return the range of a - b."""
    return a[0] - b[1], a[1] - b[0]


def multiply(a: Range, b: Range) -> Range:
    """Return the range of a * b."""
    return hull(a[0] * b[0], a[0] * b[1], a[1] * b[0], a[1] * b[1])


def divide(a: Range, b: Range) -> Range:
    """Return the range of a / b, for a `b` that is not negative; unbounded where b may be 0."""
    low, high = np.maximum(b[0], 0.0), b[1]
    return (
        np.where(a[0] >= 0, a[0] / high, np.where(low > 0, a[0] / low, -np.inf)),
        np.where(a[1] <= 0, a[1] / high, np.where(low > 0, a[1] / low, np.inf)),
    )


def positive(a: Range) -> Range:
    """Return the part of a range that is not negative."""
    return np.maximum(a[0], 0.0), np.maximum(a[1], 0.0)


def absolute(a: Range) -> Range:
    """Return the range of |a|."""
    low = np.where((a[0] <= 0) & (a[1] >= 0), 0.0, np.minimum(np.abs(a[0]), np.abs(a[1])))
    return low, np.maximum(np.abs(a[0]), np.abs(a[1]))


def logarithm(a: Range) -> Range:
    """Return the range of log a, missing where an end is not above zero."""
    low, high = (np.where(end > 0, end, np.nan) for end in a)
    return np.log(low), np.log(high)


def hull(*ends: Floats) -> Range:
    """Return the range from the least to the greatest of some numbers, missing ones aside."""
    return np.fmin.reduce(ends), np.fmax.reduce(ends)


def union(ranges: Iterable[Range]) -> Range:
    """Return the range that holds all ranges, missing ones aside."""
    listed = list(ranges)
    return np.fmin.reduce([a for a, _ in listed]), np.fmax.reduce([b for _, b in listed])
