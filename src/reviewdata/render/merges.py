"""How the merge driver ended, in lines for the person who merges."""

from __future__ import annotations

from reviewdata.mergedriver import Outcome
from reviewdata.merging import REMOVED
from reviewdata.render.values import plain

WIDTH = 80
"""Characters of a cell that are shown."""


def outcome_lines(path: str, outcome: Outcome) -> list[str]:
    """Return a line for each conflict, or one that says why git has merged by line."""
    lines = [
        f"{path}: {', '.join(conflict.key)} {conflict.column}: {_side(conflict.ours)} (ours)"
        f" or {_side(conflict.theirs)} (theirs), "
        + ("new on both sides" if conflict.base is None else f"was {_shown(conflict.base)}")
        for conflict in outcome.conflicts
    ]
    if outcome.by_line is not None:
        lines.append(f"{path}: merged by line, not by record and cell: {outcome.by_line}")
    return [plain(line) for line in lines]


def _side(text: str | None) -> str:
    return REMOVED if text is None else _shown(text)


def _shown(text: str) -> str:
    return (text if len(text) <= WIDTH else f"{text[:WIDTH]}…") or "(empty)"
