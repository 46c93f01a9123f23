"""Shares and flows: counts that are parts of other counts."""

from __future__ import annotations

import numpy as np

from reviewdata.plausibility.columns import (
    ERROR,
    FEWEST,
    NOTE,
    WARNING,
    Check,
    Columns,
    Outcome,
    find,
)
from reviewdata.plausibility.intervals import known, overlap


def count_above_n(c: Columns) -> Outcome:
    """Judge whether a part is more than the whole."""
    count, n = c.number("count"), c.number("n")
    return find(np.isfinite(count) & np.isfinite(n), count > n, ERROR)


def percent_contradicts(c: Columns) -> Outcome:
    """Judge a printed percent against count / n.

    A note where it was cut off instead of rounded, entered as a share of 1, or where some n'
    from 0.8 n to n explains it.
    """
    count, n = c.number("count"), c.number("n")
    percent = np.where((n > 0) & (count <= n), 100 * count / n, np.nan)
    expected = percent, percent
    printed = c.range("percent")
    judged = known(expected, printed)
    unit = 2 * c.half("percent")
    truncated = overlap((c.number("percent"), c.number("percent") + unit), expected)
    fewer = overlap(printed, (percent, np.minimum(percent / FEWEST, 100.0)))
    share = overlap((100 * printed[0], 100 * printed[1]), expected) & (printed[1] <= 1.01)
    return find(
        judged,
        ~overlap(printed, expected),
        np.where(truncated | share | fewer, NOTE, WARNING),
        reasons={"truncated": truncated, "share": share, "fewer": fewer},
        expected=percent,
    )


def analysed_above_randomised(c: Columns) -> Outcome:
    """Judge whether more people were analysed than randomised."""
    analysed, randomised = c.number("analysed"), c.number("randomised")
    return find(np.isfinite(analysed) & np.isfinite(randomised), analysed > randomised, ERROR)


def lost_and_analysed(c: Columns) -> Outcome:
    """Judge whether those lost and those analysed are more than those randomised.

    A note: an analysis by intention to treat counts people who were lost.
    """
    analysed, lost = c.number("analysed"), c.number("lost")
    randomised = c.number("randomised")
    judged = np.isfinite(analysed) & np.isfinite(lost) & np.isfinite(randomised)
    fails = (analysed + lost > randomised) & (analysed <= randomised) & (lost <= randomised)
    return find(judged, fails, NOTE)


def lost_above_randomised(c: Columns) -> Outcome:
    """Judge whether more people were lost than randomised."""
    lost, randomised = c.number("lost"), c.number("randomised")
    return find(np.isfinite(lost) & np.isfinite(randomised), lost > randomised, ERROR)


CHECKS = (
    Check("RD271", "proportion", "count", count_above_n),
    Check("RD272", "proportion", "percent", percent_contradicts, ("percent",)),
    Check("RD275", "sample-flow", "analysed", analysed_above_randomised),
    Check("RD276", "sample-flow", "lost", lost_and_analysed, ("lost",)),
    Check("RD277", "sample-flow", "lost", lost_above_randomised, ("lost",)),
)
