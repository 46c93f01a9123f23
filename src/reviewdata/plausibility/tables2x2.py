"""Counts of events in two arms, and the risk ratio, odds ratio and risk difference of them.

Formulas as in the Cochrane Handbook, section 6.4, and metafor's `escalc` (measures RR, OR, RD).
A printed measure may be adjusted, so another value is a note; beyond a ratio of 2 or with the
other sign it is a warning; an error, only where the row says that it comes from the raw counts.
"""

from __future__ import annotations

import numpy as np

from reviewdata.plausibility.columns import (
    ERROR,
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
from reviewdata.plausibility.differences import MOVED, RATIO
from reviewdata.plausibility.intervals import hull, known, logarithm, overlap, subtract
from reviewdata.plausibility.spread import interval_width, mean_outside_interval

CORRECTION = 0.5
"""What is added to each cell of a table with an empty one, by those who add anything."""


def events_above_n(arm: str, c: Columns) -> Outcome:
    """Judge whether an arm has more events than people."""
    events, n = c.number(f"events{arm}"), c.number(f"n{arm}")
    judged = np.isfinite(events) & np.isfinite(n)
    return find(judged, events > n, ERROR, events=events, n=n)


def arm_does_not_add_up(arm: str, c: Columns) -> Outcome:
    """Judge whether events and non-events of an arm add up to its n."""
    parts = c.number(f"events{arm}") + c.number(f"nonevents{arm}")
    n = c.number(f"n{arm}")
    judged = np.isfinite(parts) & np.isfinite(n)
    return find(judged, np.abs(parts - n) > 1e-6 * np.maximum(n, 1.0), ERROR, parts=parts, n=n)


def measure_contradicts(role: str, c: Columns) -> Outcome:
    """Judge a printed rr, or, or rd against the counts, with and without a correction."""
    value, _ = _measures(c)[role]
    corrected, se = _measures(c, CORRECTION)[role]
    everywhere, _ = _measures(c, CORRECTION, empty_only=False)[role]
    expected = hull(value, corrected, everywhere, *([_peto(c)] if role == "or" else []))
    printed = c.range(role)
    percent = overlap(printed, (100 * expected[0], 100 * expected[1])) & (role == "rd")
    judged = known(expected, printed) & _possible(c)
    null = 0.0 if role == "rd" else 1.0
    other_side = ((printed[0] > null) & (expected[1] < null)) | (
        (printed[1] < null) & (expected[0] > null)
    )
    far = (other_side | _beyond(role, printed, expected)) & ~_moved(role, printed, expected, se)
    level = np.where(c.is_word("method", "raw-counts"), ERROR, np.where(far, WARNING, NOTE))
    level = np.where(percent, NOTE, level)
    return find(
        judged,
        ~overlap(printed, expected),
        level,
        reasons={"percent": percent, "side": other_side},
        expected=value,
    )


def interval_contradicts(role: str, c: Columns) -> Outcome:
    """Judge the interval of a measure by its width: 2 * 1.96 se, on the log scale for ratios."""
    _, se = _measures(c)[role]
    _, corrected = _measures(c, CORRECTION)[role]
    level = c.number_or("ci_level", 95.0)
    df = c.number("n1") + c.number("n2") - 2
    expected = interval_width(hull(se, corrected), level, df)
    lower, upper = c.range("ci_lower"), c.range("ci_upper")
    if role != "rd":
        lower, upper = logarithm(lower), logarithm(upper)
    width = subtract(upper, lower)
    judged = known(expected, width) & np.isfinite(width[0] + width[1]) & _possible(c)
    judged &= _alone(role, c)
    middle = (width[0] + width[1]) / 2
    return find(
        judged,
        ~overlap(width, expected),
        NOTE,
        width=middle,
        width_low=expected[0],
        width_high=expected[1],
    )


def outside_interval(role: str, c: Columns) -> Outcome:
    """Judge whether a measure lies within its interval, where it is the only one printed."""
    found, alone = mean_outside_interval(role, c), _alone(role, c)
    levels = np.where(alone, found.levels, SILENT).astype(np.int8)
    return Outcome(found.judged & alone, levels, found.reasons)


def _alone(role: str, c: Columns) -> Bools:
    """Return where a measure is the only one printed, so that the interval is its own."""
    alone = np.isfinite(c.number(role))
    for other in {"rr", "or", "rd"} - {role}:
        alone &= ~np.isfinite(c.number(other))
    return alone


def _peto(c: Columns) -> Floats:
    """Return Peto's odds ratio: exp((O - E) / V), by the hypergeometric mean and variance."""
    e1, n1 = c.number("events1"), c.number("n1")
    events, total = e1 + c.number("events2"), n1 + c.number("n2")
    expected = n1 * events / total
    variance = expected * (total - events) * c.number("n2") / (total * (total - 1))
    return np.asarray(np.exp((e1 - expected) / variance), dtype=np.float64)


def _measures(
    c: Columns, added: float = 0.0, *, empty_only: bool = True
) -> dict[str, tuple[Floats, Floats]]:
    """Return estimate and standard error of each measure; that of ratios is of their log.

    `added` is added to each cell of a table with an empty one, or of every table.
    """
    cells = []
    for arm in ("1", "2"):
        events, n = c.number(f"events{arm}"), c.number(f"n{arm}")
        rest = np.where(np.isfinite(n), n - events, c.number(f"nonevents{arm}"))
        cells += [events, rest]
    empty = np.logical_or.reduce([cell == 0 for cell in cells])
    a, b, x, d = (np.where(empty | (not empty_only), cell + added, cell) for cell in cells)
    n1, n2 = a + b, x + d
    return {
        "rr": ((a / n1) / (x / n2), np.sqrt(1 / a - 1 / n1 + 1 / x - 1 / n2)),
        "or": (a * d / (b * x), np.sqrt(1 / a + 1 / b + 1 / x + 1 / d)),
        "rd": (a / n1 - x / n2, np.sqrt(a * b / n1**3 + x * d / n2**3)),
    }


def _possible(c: Columns) -> Bools:
    """Return where the counts can be those of two arms."""
    good = np.ones(c.size, dtype=np.bool_)
    for arm in ("1", "2"):
        events, n = c.number(f"events{arm}"), c.number(f"n{arm}")
        good &= (events >= 0) & ~(n < events) & ~(n <= 0)
    return good


def _beyond(role: str, printed: Range, expected: Range) -> Bools:
    if role == "rd":
        apart = np.maximum(printed[0] - expected[1], expected[0] - printed[1])
        size = np.maximum(np.abs(expected[0]), np.abs(expected[1]))
        return np.asarray(apart > size, dtype=np.bool_)
    return np.asarray(
        (printed[0] > RATIO * expected[1]) | (expected[0] > RATIO * printed[1]), dtype=np.bool_
    )


def _moved(role: str, printed: Range, expected: Range, se: Floats) -> Bools:
    """Return where an adjustment may have moved the measure from one to the other."""
    if role != "rd":
        printed, expected = logarithm(printed), logarithm(expected)
    gap = np.maximum(printed[0] - expected[1], expected[0] - printed[1])
    return np.asarray(gap <= MOVED * se, dtype=np.bool_)


def _of(code: str, role: str, field: str, needs: tuple[str, ...]) -> Check:
    judge = {"RD263": measure_contradicts, "RD264": interval_contradicts}.get(
        code, outside_interval
    )
    return Check(code, "two-by-two", field, lambda c: judge(role, c), needs)


_INTERVAL = ("ci_lower", "ci_upper")

CHECKS = (
    Check("RD261", "two-by-two", "events1", lambda c: events_above_n("1", c), ("n1",)),
    Check("RD261", "two-by-two", "events2", lambda c: events_above_n("2", c), ("n2",)),
    Check("RD262", "two-by-two", "n1", lambda c: arm_does_not_add_up("1", c), ("n1", "nonevents1")),
    Check("RD262", "two-by-two", "n2", lambda c: arm_does_not_add_up("2", c), ("n2", "nonevents2")),
    *(_of("RD263", role, role, (role,)) for role in ("rr", "or", "rd")),
    *(_of("RD264", role, "ci_upper", (role, *_INTERVAL)) for role in ("rr", "or", "rd")),
    *(_of("RD212", role, role, (role, *_INTERVAL)) for role in ("rr", "or", "rd")),
)
"""An interval belongs to the printed measure; a declaration names one measure with it."""
