"""Where a record stands: its line, its primary key and its cells, as printed in the file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from reviewdata.columns import quote_name
from reviewdata.tables import Tables


@dataclass(frozen=True)
class Place:
    """One record of a table: what a finding needs to point at it."""

    table: str
    path: str
    row: int
    line: int | None
    key: Mapping[str, str]
    cells: Mapping[str, str]
    numbers: Mapping[str, int]

    def at(self, field: str | None = None) -> dict[str, Any]:
        """Return the place as fields of a Finding, of one field where that is given."""
        return {
            "table": self.table,
            "path": self.path,
            "row": self.row,
            "line": self.line,
            "key": self.key,
            "field": field,
            "field_number": self.numbers.get(field or ""),
            "value": self.cells.get(field or ""),
        }


def find_places(tables: Tables, table: str, rows: Iterable[int]) -> dict[int, Place]:
    """Return the places of some records of a loaded table, by record number."""
    wanted = sorted(set(rows))
    if not wanted:
        return {}
    resource = tables.package.resources[table]
    names = tables.loaded[table].plan.raw
    found = tables.look(
        f"SELECT * FROM raw.{quote_name(table)} WHERE _row IN (SELECT unnest({wanted}))"
    )
    numbers = {name: number for number, name in enumerate(names, start=1)}
    places = {}
    for row, line, *texts in found:
        cells = {n: t for n, t in zip(names, texts, strict=True) if t is not None}
        key = {name: cells.get(name, "") for name in resource.primary_key}
        places[row] = Place(table, resource.path, row, line, key, cells, numbers)
    return places
