"""Whether the printed numbers of a statistic could be true together.

Every function takes the columns of a bound statistic as arrays and returns what it found
for each row. A printed number stands for all numbers that round to it; a rule fires only
where none of them could agree. Nothing here knows a table, a file or a review.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from reviewdata.model import Level

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Objects = NDArray[np.object_]

SILENT, NOTE, WARNING, ERROR = 0, 1, 2, 3
LEVEL_NAMES: Mapping[int, Level] = {NOTE: "note", WARNING: "warning", ERROR: "error"}
EDGE = 1e-9
"""Relative slack for the last bits of a computation, far below any printed digit."""


@dataclass(frozen=True)
class Columns:
    """The columns of a bound statistic; a role that is not bound reads as missing."""

    size: int
    arrays: Mapping[str, NDArray[Any]]

    def number(self, role: str) -> Floats:
        """Return the values of a role, NaN where missing."""
        if role not in self.arrays:
            return np.full(self.size, np.nan)
        return np.asarray(self.arrays[role], dtype=np.float64)

    def half(self, role: str) -> Floats:
        """Return half a unit of the last printed decimal of each value."""
        return np.nan_to_num(self.number(f"{role}__half"), nan=0.0)

    def word(self, role: str) -> Objects:
        """Return the words of a role, None where missing."""
        if role not in self.arrays:
            return np.full(self.size, None, dtype=object)
        words = np.asarray(self.arrays[role], dtype=object)
        present = np.array([isinstance(w, str) and w != "" for w in words], dtype=bool)
        words = words.copy()
        words[~present] = None
        return words

    def printed(self, role: str) -> Objects:
        """Return the text of a role as printed."""
        return self.word(f"{role}__printed")

    def has(self, role: str) -> bool:
        """Whether the role is bound."""
        return role in self.arrays


@dataclass(frozen=True)
class Outcome:
    """What a rule found: which rows it could judge, and how grave each one is.

    `levels` is SILENT where nothing is wrong or nothing could be judged. `reasons` gives
    the key of the message in the rule's words, `facts` the values that it names.
    """

    judged: Bools
    levels: NDArray[np.int8]
    reasons: Objects
    facts: Mapping[str, NDArray[Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Check:
    """A rule on one kind of statistic: its code, the role at fault, and its function."""

    code: str
    kind: str
    role: str
    judge: Callable[[Columns], Outcome]


def scale_of_score(c: Columns) -> tuple[Floats, Floats]:
    """Return the lowest and highest possible score of each row, NaN where not known.

    `min` and `max` are per item where a score type is declared, of the score as printed
    where it is not. A sum needs the number of items; a change runs from min - max to
    max - min.
    """
    low, high = c.number("min"), c.number("max")
    if c.has("score_type"):
        kind = c.word("score_type")
        items = c.number("items")
        is_sum, is_mean = kind == "sum", kind == "item-mean"
        low = np.where(is_sum, low * items, np.where(is_mean, low, np.nan))
        high = np.where(is_sum, high * items, np.where(is_mean, high, np.nan))
        for name, top in (("percent", 100.0), ("binary", 1.0)):
            low, high = np.where(kind == name, 0.0, low), np.where(kind == name, top, high)
    is_change = c.word("mean_type") == "change"
    low, high = np.where(is_change, low - high, low), np.where(is_change, high - low, high)
    known = np.isfinite(low) & np.isfinite(high) & (low < high)
    return np.where(known, low, np.nan), np.where(known, high, np.nan)


def mean_outside_scale(c: Columns) -> Outcome:
    """Judge whether the mean of a bounded score lies within the bounds.

    Skipped for adjusted means, which a model may carry beyond the scale.
    """
    low, high = scale_of_score(c)
    mean, half = c.number("mean"), c.half("mean")
    judged = np.isfinite(mean) & np.isfinite(low) & (c.word("mean_type") != "adjusted")
    slack = half + EDGE * np.maximum(np.abs(low), np.abs(high))
    fails = judged & ((mean + slack < low) | (mean - slack > high))
    return _outcome(judged, np.where(fails, ERROR, SILENT), "message", low=low, high=high)


def sd_above_bound(c: Columns) -> Outcome:
    """Judge whether the SD is possible for a score of these bounds, mean and n.

    Bhatia and Davis (2000), for the SD with n - 1: sd <= sqrt((mean - min)(max - mean)
    n / (n - 1)), at the mean within rounding that allows most; without n, n = 2; without a
    mean, the middle of the scale (Popoviciu).
    """
    low, high = scale_of_score(c)
    middle = (low + high) / 2
    mean, half = c.number("mean"), c.half("mean")
    best = np.where(np.isfinite(mean), np.clip(middle, mean - half, mean + half), middle)
    n = np.maximum(np.nan_to_num(c.number("n"), nan=2.0), 2.0)
    room = (best - low) * (high - best)
    bound = np.sqrt(np.maximum(room, 0.0) * n / (n - 1))
    sd, kind = c.number("sd"), c.word("mean_type")
    judged = np.isfinite(sd) & np.isfinite(bound) & (room >= 0)
    judged &= (kind != "adjusted") & (kind != "change")
    fails = judged & (sd - c.half("sd") > bound * (1 + EDGE))
    level = np.where(kind == "observed", ERROR, WARNING)
    return _outcome(
        judged, np.where(fails, level, SILENT), "message", bound=bound, low=low, high=high
    )


def p_against_r(c: Columns) -> Outcome:
    """Judge a printed p against the one that r and n give: t = r sqrt((n-2)/(1-r^2)).

    n only bounds the pairs behind r: where some n' from 0.8 n to n agrees, or a one-sided p
    (each alone), it is a note, and never more than a warning.
    """
    r, half = np.abs(c.number("r")), c.half("r")
    n = c.number("n")
    p_low, p_high, known = printed_p(c)
    judged = known & np.isfinite(r) & (n > 2) & (r <= 1)

    def two_sided(size: Floats) -> tuple[Floats, Floats]:
        return _p_of_r(np.minimum(r + half, 1.0), size), _p_of_r(np.maximum(r - half, 0.0), size)

    with np.errstate(all="ignore"):
        low, high = two_sided(n)
        fewer_low, fewer_high = low, two_sided(np.maximum(0.8 * n, 3.0))[1]
    return _compare(
        c,
        judged,
        (p_low, p_high),
        (low, high),
        has_sides=np.full(c.size, True),
        gravest=WARNING,
        fewer=(fewer_low, fewer_high),
    )


def p_against_test(c: Columns) -> Outcome:
    """Judge a printed p against the one that a test value and its own df give.

    Nuijten et al. (2016), statcheck: t, F, chi2 and z. A one-sided p of t or z is a note.
    """
    kind = c.word("test")
    value, half = c.number("value"), c.half("value")
    size = np.abs(value)
    df, df1, df2 = c.number("df"), c.number("df1"), c.number("df2")
    df = np.where(np.isnan(df) & (kind == "t") & np.isnan(df1), df2, df)
    p_low, p_high, known = printed_p(c)

    def p_of(x: Floats) -> Floats:
        result = np.full(c.size, np.nan)
        for name, values in (
            ("t", 2 * special.stdtr(df, -x)),
            ("F", special.fdtrc(df1, df2, x)),
            ("chi2", special.chdtrc(df, x)),
            ("z", 2 * special.ndtr(-x)),
        ):
            result = np.where(kind == name, values, result)
        return result

    with np.errstate(all="ignore"):
        low, high = p_of(size + half), p_of(np.maximum(size - half, 0.0))
    judged = known & np.isfinite(low) & np.isfinite(high)
    one_tailed = (kind == "F") | (kind == "chi2")
    judged &= ~(one_tailed & (value < 0))
    return _compare(c, judged, (p_low, p_high), (low, high), has_sides=~one_tailed, gravest=ERROR)


def printed_p(c: Columns) -> tuple[Floats, Floats, Bools]:
    """Return the interval of p that is printed, and where one is: `=`, `<` and `>` and kin."""
    p, half = c.number("p"), c.half("p")
    operator = c.word("p_operator")
    plain = (operator == None) | (operator == "=")  # noqa: E711 - elementwise
    below = (operator == "<") | (operator == "<=") | (operator == "≤")
    above = (operator == ">") | (operator == ">=") | (operator == "≥")
    low = np.where(plain, p - half, np.where(above, p, 0.0))
    high = np.where(plain, p + half, np.where(below, p, 1.0))
    known = np.isfinite(p) & (p >= 0) & (p <= 1) & (plain | below | above)
    return np.maximum(low, 0.0), np.minimum(high, 1.0), known


def _p_of_r(r: Floats, n: Floats) -> Floats:
    t = r * np.sqrt((n - 2) / np.maximum(1 - r * r, 1e-300))
    return np.asarray(2 * special.stdtr(n - 2, -t), dtype=np.float64)


def _compare(
    c: Columns,
    judged: Bools,
    printed: tuple[Floats, Floats],
    computed: tuple[Floats, Floats],
    *,
    has_sides: Bools,
    gravest: int,
    fewer: tuple[Floats, Floats] | None = None,
) -> Outcome:
    """Compare the interval of a printed p with that of the computed one, gravest last."""
    low, high = computed
    declared_one = has_sides & (c.number("sides") == 1)
    low, high = np.where(declared_one, low / 2, low), np.where(declared_one, high / 2, high)
    unknown_sides = has_sides & ~np.isfinite(c.number("sides"))
    equal = (c.word("p_operator") == None) | (c.word("p_operator") == "=")  # noqa: E711

    agrees = _overlap(printed, (low, high))
    zero = equal & (c.number("p") == 0)
    next_unit = c.number("p") + 2 * c.half("p")
    truncated = equal & _overlap((c.number("p"), next_unit), (low, high))
    one_sided = unknown_sides & _overlap(printed, (low / 2, high / 2))
    smaller_n = _overlap(printed, fewer) if fewer is not None else np.full(c.size, False)

    levels = np.full(c.size, gravest, dtype=np.int8)
    reasons = np.full(c.size, "message", dtype=object)
    for explains, reason in (
        (smaller_n, "fewer"),
        (one_sided, "one_sided"),
        (truncated, "truncated"),
    ):
        levels = np.where(explains, NOTE, levels)
        reasons = np.where(explains, reason, reasons)
    levels = np.where(agrees, SILENT, levels)
    levels = np.where(agrees & zero, NOTE, levels)
    reasons = np.where(agrees & zero, "zero", reasons)
    levels = np.where(judged, levels, SILENT).astype(np.int8)
    return Outcome(judged, levels, reasons, {"p_low": low, "p_high": high})


def _overlap(a: tuple[Floats, Floats], b: tuple[Floats, Floats]) -> Bools:
    slack = EDGE
    return np.asarray((a[0] <= b[1] * (1 + slack)) & (b[0] <= a[1] * (1 + slack)), dtype=np.bool_)


def _outcome(judged: Bools, levels: NDArray[Any], reason: str, **facts: NDArray[Any]) -> Outcome:
    return Outcome(
        judged, levels.astype(np.int8), np.full(len(levels), reason, dtype=object), facts
    )


CHECKS: tuple[Check, ...] = (
    Check("RD201", "sample-mean", "mean", mean_outside_scale),
    Check("RD202", "sample-mean", "sd", sd_above_bound),
    Check("RD231", "correlation", "p", p_against_r),
    Check("RD241", "test", "p", p_against_test),
)
"""The rules on declared statistics, in order of code."""
