"""Medians and quartiles: their order and scale; and mean and SD estimated from them."""

from __future__ import annotations

import numpy as np
from scipy import special

from reviewdata.plausibility.columns import EDGE, ERROR, Check, Columns, Floats, Outcome, find
from reviewdata.plausibility.intervals import precedes
from reviewdata.plausibility.scales import item_scale


def quartiles_out_of_order(c: Columns) -> Outcome:
    """Judge whether q1 <= median <= q3."""
    judged = np.isfinite(c.number("median"))
    judged &= np.isfinite(c.number("q1")) | np.isfinite(c.number("q3"))
    fails = precedes(c, "median", "q1") | precedes(c, "q3", "median") | precedes(c, "q3", "q1")
    return find(judged, fails, ERROR)


def median_outside_scale(role: str, c: Columns) -> Outcome:
    """Judge whether the median or a quartile lies on the scale."""
    low, high = item_scale(c)
    value = c.range(role)
    slack = EDGE * np.maximum(np.abs(low), np.abs(high))
    judged = np.isfinite(value[0]) & np.isfinite(low)
    fails = (value[1] + slack < low) | (value[0] - slack > high)
    return find(judged, fails, ERROR, value=c.number(role), low=low, high=high)


def estimate_mean(q1: Floats, median: Floats, q3: Floats, n: Floats) -> Floats:
    """Return the mean that quartiles and median suggest.

    Luo et al. (2018), Statistical Methods in Medical Research 27(6), 1785-1805, equation 15:
    w (q1 + q3) / 2 + (1 - w) median, w = 0.7 + 0.39 / n.
    """
    weight = 0.7 + 0.39 / n
    return np.asarray(weight * (q1 + q3) / 2 + (1 - weight) * median, dtype=np.float64)


def estimate_sd(q1: Floats, q3: Floats, n: Floats) -> Floats:
    """Return the SD that the quartiles suggest.

    Wan et al. (2014), BMC Medical Research Methodology 14:135, equation 16:
    (q3 - q1) / (2 Phi^-1((0.75 n - 0.125) / (n + 0.25))).
    """
    quantile = special.ndtri((0.75 * n - 0.125) / (n + 0.25))
    return np.asarray((q3 - q1) / (2 * quantile), dtype=np.float64)


def _outside(role: str) -> Check:
    needs = (role, "min", "max")
    return Check("RD222", "sample-median", role, lambda c: median_outside_scale(role, c), needs)


CHECKS = (
    Check("RD221", "sample-median", "median", quartiles_out_of_order),
    *(_outside(role) for role in ("median", "q1", "q3")),
)
