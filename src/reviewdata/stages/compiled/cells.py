"""The cells that are not of their type or break a constraint.

One scan counts, for all columns, the cells with which something is wrong; only a column that
has one is asked which.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from reviewdata.columns import quote_text
from reviewdata.stages.compiled.columns import Column
from reviewdata.stages.compiled.listing import Listing
from reviewdata.stages.compiled.odd import Texts
from reviewdata.stages.compiled.records import is_numbered
from reviewdata.stages.compiled.sheet import Sheet, Suspect
from reviewdata.stages.errors import Error
from reviewdata.stages.tally import LIMIT


def judge_cells(sheet: Sheet, blank: Collection[int], listing: Listing) -> None:
    """Add the errors of cells; of the records that are `blank`, none is told."""
    for column in sheet.suspects(sheet.columns):
        _judge_column(sheet, column, blank, listing)


def _judge_column(sheet: Sheet, column: Column, blank: Collection[int], listing: Listing) -> None:
    texts = sheet.texts(column)
    few = sheet.few(column)
    if few is not None:
        _judge_few(column, [s for s in few if s.row not in blank], texts, listing)
        return
    wrong = column.wrong
    if texts.wrong:
        wrong = _either(wrong, f"({column.odd} AND {is_among(column.text, texts.wrong)})")
    _list(sheet, column, "type-error", {"type": wrong}, listing)
    broken = {
        name: f"({column.plain} AND {condition})" for name, condition in column.broken.items()
    }
    for name in sorted({name for names in texts.broken.values() for name in names}):
        known = {text for text, names in texts.broken.items() if name in names}
        looked_up = f"({column.odd} AND {is_among(column.text, known)})"
        broken[name] = _either(broken.get(name, "false"), looked_up)
    if column.required:
        full = f" AND NOT {is_numbered(sheet.row, blank)}" if blank else ""
        broken["required"] = f"({column.absent}{full})"
    _list(sheet, column, "constraint-error", broken, listing)


def _judge_few(column: Column, suspects: Sequence[Suspect], texts: Texts, listing: Listing) -> None:
    """Add the errors of the flagged cells, all of which are at hand."""
    wrong, against = [], []
    for row, text, state, broken in suspects:
        here: Any = {"row": row, "field": column.name or None, "number": column.number}
        here["cell"] = text or ""
        names = broken
        if state == "absent":
            names = ("required",)
        elif state == "odd":
            names = texts.broken.get(text or "", ())
        if state == "wrong" or (state == "odd" and text in texts.wrong):
            wrong.append(Error("type-error", **here))
        else:
            against += [Error("constraint-error", constraint=name, **here) for name in names]
    listing.add("type-error", wrong)
    listing.add("constraint-error", against)


def _list(
    sheet: Sheet, column: Column, type_: str, conditions: dict[str, str], listing: Listing
) -> None:
    """Add an error for each cell and each condition that holds for it."""
    asked = {name: c for name, c in conditions.items() if c != "false"}
    if not asked:
        return
    counts = ", ".join(f"count_if({condition})" for condition in asked.values())
    [found] = sheet.tables.look(f"SELECT {counts} FROM {sheet.table}")
    asked = {name: c for (name, c), count in zip(asked.items(), found, strict=True) if count}
    if not asked:
        return
    last = listing.last(type_)
    near = "" if last is None else f" AND {sheet.row} <= {last}"
    rows = sheet.tables.look(
        f"SELECT {sheet.row} AS place, {column.text}, {', '.join(asked.values())}"
        f" FROM {sheet.table} WHERE ({' OR '.join(asked.values())}){near}"
        f" ORDER BY place LIMIT {LIMIT}"
    )
    errors = [
        Error(
            type=type_,
            row=row,
            field=column.name or None,
            number=column.number,
            cell=text or "",
            constraint=name if type_ == "constraint-error" else None,
        )
        for row, text, *holds in rows
        for name, held in zip(asked, holds, strict=True)
        if held
    ]
    listing.add(type_, errors, sum(found))


_SEPARATORS = [chr(code) for code in (31, 30, 29, 28, 1, 2, 3, 4)]


def is_among(text: str, texts: set[str]) -> str:
    """Return the SQL that says that a text, itself SQL, is one of many."""
    listed = sorted(texts)
    joined = "".join(listed)
    mark = next((mark for mark in _SEPARATORS if mark not in joined), None)
    if mark is None:
        return f"{text} IN (SELECT unnest([{', '.join(map(quote_text, listed))}]))"
    split = f"string_split({quote_text(mark.join(listed))}, chr({ord(mark)}))"
    return f"{text} IN (SELECT unnest({split}))"


def _either(condition: str, other: str) -> str:
    return other if condition == "false" else f"({condition} OR {other})"


def accepted(sheet: Sheet) -> dict[str, Texts]:
    """Return by field the texts that frictionless was asked about."""
    return {
        column.name: texts
        for column in sheet.suspects(sheet.columns)
        if (texts := sheet.texts(column)).values
    }
