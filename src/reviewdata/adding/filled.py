"""A workbook that came back: what it has more, and what otherwise, than the tables.

The sheets are those of `export xlsx`. A row is found again by its primary key; what the sheet
has no longer stays in the table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from reviewdata.adding.add import Change
from reviewdata.adding.records import Records, read_table_file
from reviewdata.exporting.sheets import LABEL_ROW, name_sheets
from reviewdata.exporting.workbook import NEEDED
from reviewdata.foreign import write_cell
from reviewdata.model import ReviewdataError
from reviewdata.package import Package
from reviewdata.records import Refusal
from reviewdata.rules import builtin_rules, fill, nearest
from reviewdata.workbooks import list_sheets, read_sheet

SHOWN = 20
"""Differences that are told one by one."""


@dataclass(frozen=True)
class Filled:
    """What a workbook brings: the changes, and in words what of it is not taken."""

    changes: tuple[Change, ...]
    notes: tuple[str, ...]


def read_filled(
    package: Package, file: Path, table: str | None = None, *, update: bool = False
) -> Filled:
    """Return what the sheet of a table (or every sheet) of a workbook brings.

    New rows are taken; cells that differ in a row that is there only with `update`. Raises
    ReviewdataError for a file that is no workbook, one without the sheet of the table, and a
    sheet in which a row cannot be found again.
    """
    names = name_sheets(package.resources)
    if table is not None and table not in names:
        hint = nearest(table, dict(package.resources))
        raise ReviewdataError(f"the review has no table {table}; {hint}")
    with _told(file):
        with_sheet = list_sheets(file)
    notes: list[str] = []
    changes = []
    wanted = {table: names[table]} if table is not None else names
    known = {sheet.lower(): sheet for sheet in with_sheet}
    for name, sheet in wanted.items():
        if sheet.lower() not in known:
            said = f"{file} has no sheet {sheet}"
            if table is not None:
                raise ReviewdataError(f"{said}; it has: {', '.join(with_sheet)}")
            notes.append(f"{said}: nothing is taken into {name}")
            continue
        records = read_table_file(package.resources[name])
        change = _compare(records, file, known[sheet.lower()], notes, update=update)
        if change.new or change.changed:
            changes.append(change)
    return Filled(tuple(changes), tuple(notes))


def _compare(records: Records, file: Path, sheet: str, notes: list[str], *, update: bool) -> Change:
    """Return the rows of a sheet that the table has not, and the cells that it has otherwise."""
    name = records.resource.name
    rows = _rows(records, file, sheet, notes)
    if not records.key:
        there = Counter(tuple(source.cells) for source in records.sources if source.cells)
        new = []
        for _, cells, _ in rows:
            if there[tuple(cells)]:
                there[tuple(cells)] -= 1
            else:
                new.append(cells)
        _note_missing(name, sum(there.values()), notes)
        return Change(records, tuple(new))
    places = {records.key_of(s.cells): n for n, s in enumerate(records.sources) if s.cells}
    new, changed, seen = [], {}, set()
    kept = 0
    for number, cells, given in rows:
        key = records.key_of(cells)
        place = places.get(key)
        if place is None:
            new.append(cells)
            continue
        if key in seen:
            raise ReviewdataError(
                f"row {number} of the sheet {sheet} has the key {', '.join(key)} once more;"
                " give each row a key of its own"
            )
        seen.add(key)
        old = records.sources[place].cells
        cells = [cell if mine else was for cell, was, mine in zip(cells, old, given, strict=True)]
        if cells != old:
            told = _differences(records, old, cells)
            if update:
                changed[place] = cells
            else:
                kept += 1
                if kept <= SHOWN:
                    notes.append(
                        f"{name} {' '.join(key)}: {told} in the sheet;"
                        " kept as it is, --update takes the sheet's"
                    )
    if kept > SHOWN:
        notes.append(f"{name}: {kept - SHOWN} more rows differ, and are kept as they are")
    _note_missing(name, len(places) - len(seen), notes)
    return Change(records, tuple(new), changed)


def _note_missing(name: str, number: int, notes: list[str]) -> None:
    if number:
        rows = f"{number} row{'s are' if number != 1 else ' is'}"
        notes.append(f"{name}: {rows} not in the sheet, and stay{'s' * (number == 1)} in the table")


def _differences(records: Records, old: Sequence[str], new: Sequence[str]) -> str:
    told = [
        f"{label} {was[:40]!r} is {cell[:40]!r}"
        for label, was, cell in zip(records.labels, old, new, strict=True)
        if was != cell
    ]
    return ", ".join(told[:3]) + (f" and {len(told) - 3} more" if len(told) > 3 else "")


def _rows(
    records: Records, file: Path, sheet: str, notes: list[str]
) -> Iterator[tuple[int, list[str], list[bool]]]:
    """Yield the rows of a sheet: number, cells as the table has them, and which of these it has."""
    with _told(file):
        given = list(read_sheet(file, sheet, LABEL_ROW, header=True))
    if not given:
        return
    labels = [str(label or "").strip() for label in given[0]]
    columns: dict[int, int] = {}
    for number, label in enumerate(labels):
        if label in records.position:
            if records.position[label] in columns.values():
                raise ReviewdataError(f"the sheet {sheet} has the column {label} twice")
            columns[number] = records.position[label]
    for place in records.key:
        if place not in columns.values():
            raise ReviewdataError(
                f"the sheet {sheet} has no column {records.labels[place]}, which is of the key"
            )
    if not columns:
        raise ReviewdataError(f"the sheet {sheet} has no column of {records.resource.name}")
    left: Counter[str] = Counter()
    has = [place in columns.values() for place in range(len(records.labels))]
    for row, values in enumerate(given[1:], start=LABEL_ROW + 1):
        cells = [""] * len(records.labels)
        for number, value in enumerate(values):
            if number in columns:
                label = records.labels[columns[number]]
                field = records.resource.fields.get(label, {})
                missing = records.resource.missing_values(label)
                cells[columns[number]] = str(write_cell(value, (field, ("", *missing))))
            elif value not in (None, ""):
                left[labels[number] if number < len(labels) and labels[number] else "no name"] += 1
        if any(cells):
            yield row, cells, has
    for label, count in left.items():
        notes.append(
            f"the sheet {sheet} has a column of {label} that {records.resource.name} has not:"
            f" its {count} cell{'s are' if count != 1 else ' is'} not taken"
        )


@contextmanager
def _told(file: Path) -> Iterator[None]:
    """Turn the refusal of a file that is no workbook into misuse, in one line."""
    try:
        yield
    except Refusal as refusal:
        rule = builtin_rules()[refusal.code]
        why = NEEDED if refusal.code == "RD107" else fill(rule.message, refusal.values, rule.code)
        raise ReviewdataError(f"{file}: {why}") from None
    except OSError as error:
        raise ReviewdataError(f"{file} cannot be read: {error.strerror or error}") from error
