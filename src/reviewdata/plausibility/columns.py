"""The columns of a statistic as arrays, and what a check says of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reviewdata.model import Level

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Range = tuple[Floats, Floats]
"""All numbers from the first to the second."""

SILENT, NOTE, WARNING, ERROR = 0, 1, 2, 3
LEVEL_NAMES: Mapping[int, Level] = {NOTE: "note", WARNING: "warning", ERROR: "error"}

MISSING = -2
"""Code of a word that is missing, as statistics.NO_WORD."""

EDGE = 1e-9
"""Relative slack for the last bits of a computation, far below any printed digit."""

COMPUTED = 1e-6
"""Relative tolerance of a number with more than six decimals: a spreadsheet computed it."""

FEWEST = 0.8
"""Share of n that may lie behind a figure where people are missing."""

_HALVES = 0.5 * 10.0 ** -np.arange(7)


class Columns:
    """The columns of a bound statistic, each computed once; a role not bound reads as missing."""

    def __init__(
        self,
        size: int,
        arrays: Mapping[str, NDArray[Any]],
        vocabularies: Mapping[str, tuple[str, ...]],
    ) -> None:
        """Hold arrays of one length: numbers, ROLE__decimals, and codes of words."""
        self.size = size
        self._arrays = arrays
        self._vocabularies = vocabularies
        self._known: dict[str, tuple[Any, set[str]]] = {}
        self.read: set[str] = set()

    def has(self, role: str) -> bool:
        """Whether the role is bound."""
        return role in self._arrays

    def _array(self, name: str) -> NDArray[Any] | None:
        """Return an array, None where it is not there; `read` keeps the role."""
        self.read.add(name.removesuffix("__decimals"))
        return self._arrays.get(name)

    def number(self, role: str) -> Floats:
        """Return the values of a role, NaN where missing."""
        values = self._array(role)
        if values is None:
            return np.full(self.size, np.nan)
        return np.asarray(values, dtype=np.float64)

    def number_or(self, role: str, default: float) -> Floats:
        """Return the values of a role, a default where missing."""
        return np.nan_to_num(self.number(role), nan=default)

    def decimals(self, role: str) -> Floats:
        """Return the printed decimals of a role, NaN where missing or computed."""
        decimals = self.number(f"{role}__decimals")
        return np.where((decimals < 0) | (decimals >= len(_HALVES)), np.nan, decimals)

    def half(self, role: str) -> Floats:
        """Return half a unit of the last printed decimal of each value; 0 for a constant."""
        half: Floats = self._once(f"half {role}", lambda: self._half(role))
        return half

    def _half(self, role: str) -> Floats:
        if f"{role}__decimals" not in self._arrays:
            return np.zeros(self.size)
        decimals = np.nan_to_num(self.number(f"{role}__decimals"), nan=0.0).astype(np.int64)
        computed = (decimals < 0) | (decimals >= len(_HALVES))
        half = _HALVES[np.where(computed, 0, decimals)]
        return np.where(computed, np.abs(np.nan_to_num(self.number(role))) * COMPUTED, half)

    def range(self, role: str) -> Range:
        """Return the numbers that round to what is printed."""
        printed: Range = self._once(
            f"range {role}",
            lambda: (self.number(role) - self.half(role), self.number(role) + self.half(role)),
        )
        return printed

    def is_word(self, role: str, *words: str) -> Bools:
        """Return where a role is one of some words of its vocabulary."""
        codes = self._array(role)
        if codes is None:
            return np.zeros(self.size, dtype=np.bool_)
        vocabulary = self._vocabularies[role]
        return np.asarray(np.isin(codes, [vocabulary.index(w) for w in words]), dtype=np.bool_)

    def no_word(self, role: str) -> Bools:
        """Return where a role has no word."""
        codes = self._array(role)
        if codes is None:
            return np.ones(self.size, dtype=np.bool_)
        return np.asarray(codes == MISSING, dtype=np.bool_)

    def _once(self, name: str, compute: Callable[[], Any]) -> Any:
        if name not in self._known:
            before, self.read = self.read, set()
            self._known[name] = (compute(), self.read)
            self.read = before
        value, read = self._known[name]
        self.read |= read
        return value


@dataclass(frozen=True)
class Outcome:
    """What a check found: which rows it could judge, and how grave each one is.

    `levels` is SILENT where nothing is wrong or nothing could be judged. `reasons` maps keys
    of the rule's `messages` to the rows they explain, the first that holds counting; `facts`
    are the values that the messages name.
    """

    judged: Bools
    levels: NDArray[np.int8]
    reasons: Mapping[str, Bools] = field(default_factory=dict)
    facts: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def reason(self, position: int) -> str | None:
        """Return the key of the message for one row; None for the rule's own."""
        return next((key for key, rows in self.reasons.items() if rows[position]), None)


@dataclass(frozen=True)
class Check:
    """A rule on one kind of statistic: its code, the role at fault, and its function.

    `needs` are the roles without which it is not run at all.
    """

    code: str
    kind: str
    role: str
    judge: Callable[[Columns], Outcome]
    needs: tuple[str, ...] = ()

    def run(self, columns: Columns) -> Outcome:
        """Return what the check finds; what cannot be computed is NaN, and not judged."""
        with np.errstate(all="ignore"):
            return self.judge(columns)


def find(
    judged: Bools,
    fails: Bools,
    level: int | NDArray[Any],
    *,
    reasons: Mapping[str, Bools] | None = None,
    **facts: NDArray[Any],
) -> Outcome:
    """Return the outcome of a check that fails at one level, or at one for each row."""
    levels = np.where(judged & fails, level, SILENT).astype(np.int8)
    return Outcome(judged, levels, reasons or {}, facts)
