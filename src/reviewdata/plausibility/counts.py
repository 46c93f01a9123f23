"""Counts of people and things: whole numbers, and not below what can be counted."""

from __future__ import annotations

from functools import partial

import numpy as np

from reviewdata.plausibility.columns import COMPUTED, ERROR, WARNING, Check, Columns, Outcome, find
from reviewdata.statistics import KINDS

_MAY_BE_ZERO = ("events1", "nonevents1", "events2", "nonevents2", "count", "lost", "analysed")


def impossible_count(role: str, c: Columns) -> Outcome:
    """Judge whether a count is possible: not negative, and above zero where people were seen."""
    n = c.number(role)
    judged = np.isfinite(n)
    fails = n < 0 if role in _MAY_BE_ZERO else n <= 0
    return find(judged, fails, ERROR)


def fractional_count(role: str, c: Columns) -> Outcome:
    """Judge whether a count is a whole number, but for what a spreadsheet computed."""
    n = c.number(role)
    judged = np.isfinite(n) & (n > 0)
    return find(judged, np.abs(n - np.round(n)) > COMPUTED * np.abs(n), WARNING)


CHECKS = tuple(
    Check(code, kind, role, partial(judge, role), (role,))
    for kind, roles in KINDS.items()
    for role in roles.counts
    for code, judge in (("RD291", impossible_count), ("RD292", fractional_count))
)
