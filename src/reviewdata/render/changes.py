"""The words for what differs between two revisions; text and Markdown write them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from math import isfinite
from typing import Any

from reviewdata.changes import ClaimChange, Diff, FigureChange, RowChange, TableChange
from reviewdata.render.json import json_text
from reviewdata.render.values import json_value, plain, plural

Write = Callable[[str], str]
"""How a text of the data is written: `plain`, or escaped for Markdown."""

DECIMALS = 15
"""Digits of a number that a float is sure of."""

SMALL, LARGE = 1e-4, 1e12
"""Between these a fraction is written out; beyond, with a power of ten."""


def figure_words(figure: FigureChange, write: Write = plain) -> tuple[str, str]:
    """Return the query, and what moved in one row of it: `mean 5.11 -> 5.32, k 4 -> 5`."""
    where = ", ".join(f"{write(name)} {_value(v, write)}" for name, v in figure.where.items())
    name = write(figure.query) + (f" ({where})" if where else "")
    if figure.why is not None:
        return name, f"not compared: {write(figure.why)}"
    moved = []
    for column, (old, new) in figure.values.items():
        before, after = _numbers(old, new, write)
        said = after if before == after else f"{before} -> {after}"
        moved.append(f"{write(column)} {said}")
    return name, ", ".join(moved)


def claim_words(claim: ClaimChange, write: Write = plain) -> tuple[str, str]:
    """Return the claim, and its verdict and computed figure before and after."""
    words = f"{write(claim.old or '-')} -> {write(claim.new or '-')}"
    if claim.old_computed != claim.new_computed:
        old, new = (write(text or "-") for text in (claim.old_computed, claim.new_computed))
        words += f" (published {write(claim.published)}, computed {old} -> {new})"
    return write(claim.claim_id), words


def version_words(diff: Diff, write: Write = plain) -> str:
    """Return the version that is asked for and why: `0.1.0 -> 0.2.0 (minor: 1 study added)`."""
    version = diff.version
    if version.bump == "none":
        return f"{write(version.base)} stays" if version.base else "none is asked for"
    because = "; ".join(write(reason) for reason in version.because)
    why = f"{version.bump}: {because}" if because else version.bump
    words = f"{write(version.base or '-')} -> {write(version.asked or '-')} ({why})"
    if version.given != version.asked and version.given is not None:
        words += f"; datapackage.json has {write(version.given)}"
    return words


def count_words(table: TableChange) -> list[str]:
    """Return the number of rows of each kind: `1 row added`, `2 changed (3 cells)`."""
    counts = {"added": table.added, "removed": table.removed, "changed": table.changed}
    parts: list[str] = []
    for kind, number in (counts | {"renamed": table.renamed}).items():
        if number:
            words = f"{number} {kind}" if parts else f"{plural(number, 'row')} {kind}"
            cells = f" ({plural(table.cells, 'cell')})" if kind == "changed" and table.cells else ""
            parts.append(words + cells)
    return parts


def other_words(table: TableChange, write: Write = plain) -> list[str]:
    """Return what differs in a table beside its rows: columns, form, schema."""
    kinds = {"columns": table.columns, "written otherwise": table.form, "schema": table.schema}
    return [
        f"{kind}: {'; '.join(write(text) for text in texts)}"
        for kind, texts in kinds.items()
        if texts
    ]


def cells_words(row: RowChange, write: Write = plain) -> list[str]:
    """Return each cell of a row that changed: `mean 5.77 -> 5.80`."""
    return [
        f"{write(cell.field)} {cell_word(cell.old, write)} -> {cell_word(cell.new, write)}"
        for cell in row.cells
    ]


def cell_word(text: str | None, write: Write = plain) -> str:
    """Return a cell's text, quoted where its spaces would not be seen."""
    if text is None:
        return "-"
    if text == "":
        return "(blank)"
    spaced = text != text.strip() or "  " in text
    return write(f'"{text}"' if spaced else text)


def whole_words(row: RowChange, write: Write = plain) -> list[str]:
    """Return the cells of a record that was added or removed."""
    return [cell_word(c.old if row.kind == "removed" else c.new, write) for c in row.cells]


def key_words(key: Mapping[str, str], write: Write = plain) -> str:
    """Return a primary key as one text."""
    return ", ".join(write(text) for text in key.values())


def _numbers(old: Any, new: Any, write: Write) -> tuple[str, str]:
    """Return two values; fractions with the fewest decimals that tell them from each other."""
    given = [_float(value) for value in (old, new)]
    numbers = [number for number in given if number is not None]
    if not numbers:
        return _value(old, write), _value(new, write)
    if len(numbers) == 2 and numbers[0] == numbers[1] and old != new:
        return json_text(old, None), json_text(new, None)  # more digits than a float has
    found = iter(_spelled(numbers))
    before, after = (
        _value(value, write) if number is None else next(found)
        for value, number in zip((old, new), given, strict=True)
    )
    return before, after


def _spelled(numbers: Sequence[float]) -> list[str]:
    """Return numbers as text: whole ones as such, else two decimals and as many more as differ."""
    if all(number.is_integer() and abs(number) < 10**DECIMALS for number in numbers):
        return [str(int(number)) for number in numbers]
    wanted = len(set(numbers))
    if all(number == 0 or SMALL <= abs(number) < LARGE for number in numbers):
        for decimals in range(2, DECIMALS):
            texts = [f"{number:.{decimals}f}" for number in numbers]
            hidden = any(n != 0 and float(t) == 0 for n, t in zip(numbers, texts, strict=True))
            if len(set(texts)) == wanted and not hidden:
                return texts
    for digits in range(4, DECIMALS + 1):
        texts = [f"{number:.{digits}g}" for number in numbers]
        if len(set(texts)) == wanted:
            return texts
    return [repr(number) for number in numbers]


def _float(value: Any) -> float | None:
    """Return a number as JSON would have it; None for what is none, or too large for a float."""
    value = json_value(value)
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if isfinite(number) else None


def _value(value: Any, write: Write) -> str:
    value = json_value(value)
    match value:
        case None:
            return "-"
        case bool():
            return "true" if value else "false"
        case str():
            return cell_word(value, write)
        case int() | float() | Decimal():
            number = _float(value)
            return write(str(value)) if number is None else _spelled([number])[0]
        case _:
            return write(json_text(value, None))
