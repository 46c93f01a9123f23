"""Mistakes of copying, seeded into rows that are correct.

Each takes the roles of a statistic and returns them with one mistake a row, and which rows were
changed: a mistake that leaves the printed numbers as they are is none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from simulate import Roles

from reviewdata.statistics import KINDS

Bools = NDArray[np.bool_]
Seed = Callable[[Roles, str, np.random.Generator], tuple[Roles, Bools]]

_ARMS = (*(("mean1", "mean2"), ("sd1", "sd2"), ("n1", "n2"), ("events1", "events2")),)


def copied(roles: Roles, kind: str) -> list[str]:
    """Return the roles whose numbers a person copies, and may copy wrongly."""
    fixed = ("min", "max", "items", "predictors", "sides")
    return [r for r in KINDS[kind].numbers if r in roles and r not in fixed]


def digits_swapped(roles: Roles, kind: str, rng: np.random.Generator) -> tuple[Roles, Bools]:
    """Exchange two neighbouring digits of one number."""

    def swap(text: str) -> str:
        places = [
            i
            for i in range(len(text) - 1)
            if text[i].isdigit() and text[i + 1].isdigit() and text[i] != text[i + 1]
        ]
        if not places:
            return text
        i = int(rng.choice(places))
        return text[:i] + text[i + 1] + text[i] + text[i + 2 :]

    return _change_one(roles, kind, rng, swap)


def decimal_shifted(roles: Roles, kind: str, rng: np.random.Generator) -> tuple[Roles, Bools]:
    """Move the decimal point of one number by a place."""

    def shift(text: str) -> str:
        whole, point, part = text.partition(".")
        if not point:
            return text + "0"
        return f"{whole}{part[0]}.{part[1:]}".rstrip(".")

    return _change_one(roles, kind, rng, shift)


def _change_one(
    roles: Roles, kind: str, rng: np.random.Generator, change: Callable[[str], str]
) -> tuple[Roles, Bools]:
    names = [role for role in copied(roles, kind) if role != "p" or rng is not None]
    seeded = {role: values.copy() for role, values in roles.items()}
    size = len(roles[names[0]])
    changed = np.zeros(size, dtype=np.bool_)
    for row, name in enumerate(rng.choice(names, size)):
        number, decimals = roles[name][row], int(roles[f"{name}__decimals"][row])
        if not np.isfinite(number):
            continue
        before = f"{number:.{decimals}f}"
        after = change(before)
        if after != before:
            seeded[name][row] = float(after)
            seeded[f"{name}__decimals"][row] = len(after.partition(".")[2])
            changed[row] = True
    return seeded, changed


def sign_lost(roles: Roles, kind: str, rng: np.random.Generator) -> tuple[Roles, Bools]:
    """Leave out the minus of an estimate, or of a bound of its interval."""
    names = [r for r in ("r", "d", "g", "rd", "estimate", "ci_lower") if r in roles]
    seeded = dict(roles)
    if not names:
        return seeded, np.zeros(len(next(iter(roles.values()))), dtype=np.bool_)
    chosen = rng.integers(0, len(names), len(roles[names[0]]))
    changed = np.zeros(len(chosen), dtype=np.bool_)
    for number, name in enumerate(names):
        rows = (chosen == number) & (roles[name] < 0)
        seeded[name] = np.where(rows, -roles[name], roles[name])
        changed |= rows
    return seeded, changed


def se_for_sd(roles: Roles, kind: str, rng: np.random.Generator) -> tuple[Roles, Bools]:
    """Enter the standard error in place of the SD, and nothing else that would tell."""
    size = len(next(iter(roles.values())))
    if "se" not in roles or kind != "sample-mean":
        return roles, np.zeros(size, dtype=np.bool_)
    seeded = {
        r: v for r, v in roles.items() if r.split("__")[0] not in ("se", "ci_lower", "ci_upper")
    }
    seeded["sd"], seeded["sd__decimals"] = roles["se"], roles["se__decimals"]
    return seeded, roles["se"] != roles["sd"]


def row_shifted(roles: Roles, kind: str, rng: np.random.Generator) -> tuple[Roles, Bools]:
    """Enter each number in the column of the one before it."""
    names = copied(roles, kind)
    seeded = dict(roles)
    for name, source in zip(names, [*names[1:], names[0]], strict=True):
        seeded[name], seeded[f"{name}__decimals"] = roles[source], roles[f"{source}__decimals"]
    changed = np.logical_or.reduce([seeded[n] != roles[n] for n in names])
    return seeded, changed


def arms_swapped(roles: Roles, kind: str, rng: np.random.Generator) -> tuple[Roles, Bools]:
    """Exchange the numbers of the two arms, and leave the effect as printed."""
    seeded = dict(roles)
    changed = np.zeros(len(next(iter(roles.values()))), dtype=np.bool_)
    for a, b in _ARMS:
        if a in roles:
            for suffix in ("", "__decimals"):
                seeded[a + suffix], seeded[b + suffix] = roles[b + suffix], roles[a + suffix]
            changed |= roles[a] != roles[b]
    return seeded, changed


MISTAKES: Mapping[str, Seed] = {
    "digits swapped": digits_swapped,
    "decimal shifted": decimal_shifted,
    "sign lost": sign_lost,
    "SE for SD": se_for_sd,
    "row shifted by a column": row_shifted,
    "arms swapped": arms_swapped,
}
