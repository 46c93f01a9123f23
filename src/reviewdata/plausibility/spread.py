"""The spread of a mean told twice: as SD, as standard error, as an interval, by its peers."""

from __future__ import annotations

import numpy as np
from scipy import special

from reviewdata.plausibility.columns import (
    ERROR,
    FEWEST,
    NOTE,
    WARNING,
    Check,
    Columns,
    Floats,
    Outcome,
    Range,
    find,
)
from reviewdata.plausibility.intervals import known, overlap, positive, precedes, subtract

LEVELS = (90.0, 99.0)
"""Levels of an interval that may be meant where another was declared or assumed."""

SE_RATIO, SE_LOW, SE_HIGH = 2.5, 0.6, 1.6
CHANCE = 1e-4
PEERS = 5
"""Rows of a group that are needed beside a row, to say what its SD should be."""


def se_against_sd(c: Columns) -> Outcome:
    """Judge whether se, sd and n agree: se = sd / sqrt(n).

    A note where fewer people explain it (from 0.8 n), and where the mean may be adjusted,
    since a model has standard errors of its own.
    """
    n = c.number("n")
    sd, se = positive(c.range("sd")), positive(c.range("se"))
    judged = known(sd, se) & (n > 0) & ~c.is_word("mean_type", "adjusted")
    expected = sd[0] / np.sqrt(n), sd[1] / np.sqrt(n)
    of_fewer = expected[0], sd[1] / np.sqrt(FEWEST * n)
    fewer = overlap(se, of_fewer)
    level = np.where(fewer | ~c.is_word("mean_type", "observed"), NOTE, WARNING)
    fails = ~overlap(se, expected)
    return find(
        judged,
        fails,
        level,
        reasons={"fewer": fewer, "same": overlap(se, sd)},
        se_low=expected[0],
        se_high=expected[1],
    )


def mean_outside_interval(role: str, c: Columns) -> Outcome:
    """Judge whether an estimate lies within its own interval, and the bounds in their order."""
    judged = np.isfinite(c.number(role))
    judged &= np.isfinite(c.number("ci_lower")) | np.isfinite(c.number("ci_upper"))
    turned = precedes(c, "ci_upper", "ci_lower")
    outside = precedes(c, role, "ci_lower") | precedes(c, "ci_upper", role)
    return find(judged, turned | outside, ERROR, reasons={"turned": turned})


def interval_against_spread(c: Columns) -> Outcome:
    """Judge whether the width of an interval is that of se, or of sd and n.

    Width = 2 q se, with q the normal or the t quantile (n - 1), whichever fits. A note where
    another level fits, where fewer people explain it, and where the mean may be adjusted.
    """
    n = c.number("n")
    width = subtract(c.range("ci_upper"), c.range("ci_lower"))
    se = positive(c.range("se"))
    sd = positive(c.range("sd"))
    root = np.sqrt(n)
    by_sd = sd[0] / root, sd[1] / root
    of_fewer = by_sd[0], sd[1] / np.sqrt(FEWEST * n)
    own = np.isfinite(se[0])
    se = np.where(own, se[0], by_sd[0]), np.where(own, se[1], by_sd[1])
    judged = known(width, se) & (n > 1) & (width[1] >= 0)
    judged &= ~c.is_word("mean_type", "adjusted")
    level = c.number_or("ci_level", 95.0)
    expected = interval_width(se, level, n - 1)
    fails = judged & ~overlap(width, expected)
    other = fewer = np.zeros(c.size, dtype=np.bool_)
    if fails.any():
        for share in LEVELS:
            other = other | overlap(width, interval_width(se, np.full(c.size, share), n - 1))
        fewest = np.where(own, se[0], of_fewer[0]), np.where(own, se[1], of_fewer[1])
        fewer = overlap(width, interval_width(fewest, level, FEWEST * n - 1))
    milder = other | fewer | ~c.is_word("mean_type", "observed")
    return find(
        judged,
        fails,
        np.where(milder, NOTE, WARNING),
        reasons={"level": other, "fewer": fewer},
        width_low=expected[0],
        width_high=expected[1],
        width=(width[0] + width[1]) / 2,
    )


def interval_width(se: Range, level: Floats, df: Floats) -> Range:
    """Return the widths of an interval of `level` percent, by the normal and the t quantile."""
    share = (1 + np.where(level > 1, level / 100, level)) / 2
    normal = special.ndtri(share)
    student = normal.copy()
    # The t quantile is slow to invert; in a table the same few levels and df recur.
    for one in np.unique(share[df >= 1]):
        rows = (share == one) & (df >= 1)
        sizes, place = np.unique(df[rows], return_inverse=True)
        student[rows] = special.stdtrit(sizes, one)[place]
    return 2 * normal * se[0], 2 * student * se[1]


def se_as_sd(c: Columns) -> Outcome:
    """Judge whether an SD is rather the standard error of its group's usual SD.

    It is where sd is below 1 / 2.5 of the reference and sd sqrt(n) within 0.6 to 1.6 of it.
    The reference is the declared one, or the median SD of the other rows of the group, if
    they are at least five. A note where a sample of n may have so small an SD by chance.
    """
    sd, n = c.number("sd"), c.number("n")
    reference = np.where(
        np.isfinite(c.number("reference_sd")), c.number("reference_sd"), peer_median(c)
    )
    judged = (sd > 0) & (n > 1) & (reference > 0)
    scaled = sd * np.sqrt(n)
    fails = sd + c.half("sd") < reference / SE_RATIO
    fails &= (scaled >= SE_LOW * reference) & (scaled <= SE_HIGH * reference)
    level = np.full(c.size, NOTE)
    small = np.flatnonzero(judged & fails)  # the quantile is slow, and few rows need it
    by_chance = np.sqrt(special.chdtri(n[small] - 1, 1 - CHANCE) / (n[small] - 1))
    beyond = sd[small] + c.half("sd")[small] < by_chance * reference[small] / SE_RATIO
    level[small[beyond]] = WARNING
    return find(judged, fails, level, reference=reference, scaled=scaled)


def peer_median(c: Columns) -> Floats:
    """Return the median SD of the other rows of the group, NaN where they are too few.

    `peers_size` is their number with the row itself, `peers_before`, `peers_middle` and
    `peers_after` the three SDs in the middle of the whole group: leaving one row out moves
    the median by one place at most.
    """
    sd, size = c.number("sd"), c.number("peers_size")
    before, middle, after = (c.number(f"peers_{n}") for n in ("before", "middle", "after"))
    odd = np.mod(size, 2) == 1
    # Odd: middle is the median. Without a lower row it lies between middle and after.
    of_odd = (
        np.where(
            sd < middle, middle + after, np.where(sd > middle, before + middle, before + after)
        )
        / 2
    )
    # Even: before and middle stand around the median.
    of_even = np.where(sd <= before, middle, before)
    return np.where(size > PEERS, np.where(odd, of_odd, of_even), np.nan)


def _outside(kind: str, role: str) -> Check:
    needs = (role, "ci_lower", "ci_upper")
    return Check("RD212", kind, role, lambda c: mean_outside_interval(role, c), needs)


CHECKS = (
    Check("RD211", "sample-mean", "se", se_against_sd, ("se", "sd")),
    _outside("sample-mean", "mean"),
    _outside("correlation", "r"),
    _outside("estimate", "estimate"),
    Check("RD213", "sample-mean", "ci_upper", interval_against_spread, ("ci_lower", "ci_upper")),
    Check("RD207", "sample-mean", "sd", se_as_sd, ("sd",)),
)
