"""What the tables are in a workbook: the names of their sheets, and what a cell can hold.

Every cell is text, as printed: `1.20` keeps its zero, and what is typed into the sheet is neither
made a date nor a formula. So the sheets come back as they went.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from reviewdata.model import ReviewdataError

ROWS = 1_048_576
"""The rows of a sheet, its header among them."""

COLUMNS = 16_384
CELL = 32_767
"""Characters of a cell."""

LISTS = "lists"
"""The hidden sheet of the codelists."""

LABEL_ROW = 1

_NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\\x00-\x1f\x7f]")
_ESCAPED = re.compile(r"_x[0-9A-Fa-f]{4}_|x005F_")
_UNHELD = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff\ud800-\udfff]")


def name_sheets(tables: Iterable[str]) -> dict[str, str]:
    """Return the name of each table's sheet: its own, as far as a workbook takes it.

    At most 31 characters, distinct whatever the case; the same for the same tables each time.
    """
    taken = {LISTS, "history"}
    names = {}
    for table in tables:
        plain = _NOT_IN_NAMES.sub("_", table).strip("'")[:31] or "table"
        chosen, number = plain, 1
        while chosen.lower() in taken:
            number += 1
            mark = f"~{number}"
            chosen = plain[: 31 - len(mark)] + mark
        taken.add(chosen.lower())
        names[table] = chosen
    return names


def check_size(table: str, rows: int, columns: int) -> None:
    """Raise ReviewdataError where a sheet does not hold a table."""
    if rows + 1 > ROWS:
        raise ReviewdataError(
            f"{table} has {rows:,} rows; a sheet holds {ROWS - 1:,} below its header:"
            " export csv, parquet, sqlite or duckdb"
        )
    if columns > COLUMNS:
        raise ReviewdataError(
            f"{table} has {columns:,} columns; a sheet holds {COLUMNS:,}:"
            " export csv, parquet, sqlite or duckdb"
        )


def check_cell(text: str, table: str, row: int, column: str) -> None:
    """Raise ReviewdataError for a text that would not come back from a workbook as it is."""
    if len(text) > CELL:
        why = f"has {len(text):,} characters; a cell of a workbook holds {CELL:,}"
    elif found := _UNHELD.search(text):
        why = f"has the character U+{ord(found[0]):04X}, which a workbook does not keep"
    elif found := _ESCAPED.search(text):
        why = f"has {found[0]}, which a workbook reads as another character"
    else:
        return
    raise ReviewdataError(f"{table}, row {row} of the data: {column} {why}")


def quote_sheet(name: str) -> str:
    """Return the name of a sheet as a formula has it."""
    return "'" + name.replace("'", "''") + "'"


def explain_field(field: Mapping[str, object], missing: Sequence[str]) -> str:
    """Return what a field is, for the comment at its column: words, type, and what must be."""
    said = [str(field[key]) for key in ("title", "description") if field.get(key)]
    kind = str(field.get("type", "string"))
    form = field.get("format")
    said.append(f"Type: {kind}" + (f" ({form})" if form and form != "default" else ""))
    constraints = field.get("constraints")
    if isinstance(constraints, Mapping):
        said += [
            _CONSTRAINTS[k].format(v) for k, v in constraints.items() if k in _CONSTRAINTS and v
        ]
    listed = field.get("categories")
    if not listed and isinstance(constraints, Mapping):
        listed = [{"value": value} for value in constraints.get("enum") or ()]
    if isinstance(listed, list):
        for entry in listed:
            if isinstance(entry, Mapping) and "value" in entry:
                label = f": {entry['label']}" if entry.get("label") else ""
                said.append(f"  {entry['value']}{label}")
    if words := [word for word in missing if word]:
        said.append(f"Not known: {', '.join(words)}, or an empty cell")
    text = _UNHELD.sub("\ufffd", "\n".join(said))
    return text if len(text) <= 2000 else text[:1999] + "\u2026"


_CONSTRAINTS = {
    "required": "Required",
    "unique": "Each value once",
    "minimum": "At least {}",
    "maximum": "At most {}",
    "minLength": "At least {} characters",
    "maxLength": "At most {} characters",
    "pattern": "Pattern: {}",
}
