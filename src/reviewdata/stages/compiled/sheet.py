"""A loaded table with its columns compiled, and the counts that one scan of it gives."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from reviewdata.columns import quote_name, quote_text
from reviewdata.package import Resource
from reviewdata.patterns import find_cell_limit, to_re2
from reviewdata.plans import Plan
from reviewdata.stages.compiled.beyond import Beyond
from reviewdata.stages.compiled.columns import Column, compile_column
from reviewdata.stages.compiled.labels import expect
from reviewdata.stages.compiled.odd import Texts, look_up, read_texts
from reviewdata.stages.errors import Error
from reviewdata.stages.tally import LIMIT
from reviewdata.statements import QueryError
from reviewdata.tables import Tables
from reviewdata.tableschema import list_values

FEW = LIMIT
"""Flagged cells of a column that are fetched in one scan; of more, SQL counts each kind."""

AT_ONCE = 50
"""Columns whose flags are counted in one scan: of thousands side by side, each takes memory."""


class Suspect(NamedTuple):
    """A cell that is flagged: its record, its text, its state and the constraints it breaks."""

    row: int
    text: str | None
    state: str
    broken: tuple[str, ...]


@dataclass
class Sheet:
    """A table as SQL: `table` is its relation, `row` the number of a record.

    `beside` is the relation of the records that are not in it whole; None where all are.
    """

    tables: Tables
    resource: Resource
    table: str
    row: str
    beside: str | None
    columns: Sequence[Column]
    header: Sequence[Error]
    labels: int
    unjudged: list[tuple[str, str]] = field(default_factory=list)
    _texts: dict[int, Texts] = field(default_factory=dict)
    _flagged: dict[int, int] = field(default_factory=dict)
    _suspects: dict[int, list[Suspect]] = field(default_factory=dict)

    def find(self, name: str) -> Column | None:
        """Return the column that is read as a field."""
        return next((column for column in self.columns if column.name == name), None)

    def suspects(self, columns: Collection[Column]) -> list[Column]:
        """Return the columns in which a cell is wrong, or is to be looked up."""
        asked = [c for c in columns if c.number not in self._flagged and not c.free]
        for some in _batches(asked):
            flags = ", ".join(f"count_if({column.flag})" for column in some)
            [counts] = self.tables.look(f"SELECT {flags} FROM {self.table}")
            for column, count in zip(some, counts, strict=True):
                self._flagged[column.number] = count
        return [column for column in columns if self._flagged.get(column.number)]

    def few(self, column: Column) -> list[Suspect] | None:
        """Return the flagged cells of a column; None where they are more than FEW."""
        if self._flagged.get(column.number, 0) > FEW:
            return None
        if column.number not in self._suspects:
            broken = ", ".join(f"coalesce({sql}, false)" for sql in column.broken.values())
            rows = self.tables.look(
                f"SELECT {self.row} AS place, {column.text}, {column.state}, [{broken}]"
                f" FROM {self.table} WHERE {column.flag} ORDER BY place"
            )
            self._suspects[column.number] = [
                Suspect(
                    row,
                    text,
                    state,
                    tuple(name for name, holds in zip(column.broken, held, strict=True) if holds),
                )
                for row, text, state, held in rows
            ]
        return self._suspects[column.number]

    def texts(self, column: Column) -> Texts:
        """Return what frictionless says of the texts of a column that SQL cannot read."""
        if column.number not in self._texts:
            self._texts[column.number] = self._look_up(column)
        return self._texts[column.number]

    def _look_up(self, column: Column) -> Texts:
        if not self.suspects([column]):
            return Texts()
        suspects = self.few(column)
        if suspects is None:
            return look_up(self.tables, self.table, column)
        odd = {s.text or "": "pattern" in s.broken for s in suspects if s.state == "odd"}
        return read_texts(column, odd)


def open_sheet(tables: Tables, resource: Resource) -> Sheet:
    """Return a loaded table compiled. Raises Beyond for one that SQL does not take."""
    loaded = tables.loaded[resource.name]
    labels, header = loaded.plan.labels, loaded.plan.header
    if len(resource.fields) != len(resource.schema["fields"]):
        raise Beyond("two fields have names that SQL cannot tell apart")
    if header > 1 or (header and not labels):
        raise Beyond("its header is not its first record")
    expected = expect(resource, labels)
    if len(expected.fields) > len(loaded.plan.names):
        raise Beyond("it has other columns than its header")
    unjudged: list[tuple[str, str]] = []
    stored = _find_stored(resource, loaded.plan)
    columns = compile_columns(tables, resource, expected.fields, stored, unjudged)
    name = quote_name(resource.name)
    beside = f"irregular.{name}" if loaded.beside else None
    return Sheet(
        tables=tables,
        resource=resource,
        table=f"store.{name}",
        row="_row" if loaded.numbered else "(rowid + 2)",
        beside=beside,
        columns=columns,
        header=expected.errors,
        labels=len(labels),
        unjudged=unjudged,
    )


def compile_columns(
    tables: Tables,
    resource: Resource,
    entries: Sequence[Mapping[str, Any]],
    stored: Mapping[str, str],
    unjudged: list[tuple[str, str]],
) -> list[Column]:
    """Return the columns `t1`, `t2`, ... compiled, each as the field that it is read as.

    `stored` has by field the column with its typed value, where there is one; patterns that are
    not run are told in `unjudged`. Raises Beyond for a column that SQL does not take.
    """
    keyed = _keyed(tables, resource)
    columns = []
    for number, entry in enumerate(entries, start=1):
        name = str(entry["name"])
        if name in resource.fields:
            missing: Sequence[str] = resource.missing_values(name)
        else:
            missing = list_values(entry["missingValues"])
        pattern = _pattern(tables, name, entry.get("constraints", {}).get("pattern"), unjudged)
        columns.append(
            compile_column(
                number,
                entry,
                f"t{number}",
                stored.get(name),
                missing,
                keyed=name in keyed,
                pattern=pattern,
            )
        )
    return columns


def _find_stored(resource: Resource, plan: Plan) -> dict[str, str]:
    """Return by field the column with the typed value that was stored.

    The loader types by the name of a column, frictionless may read by its place.
    """
    if list(plan.labels or resource.fields) != list(resource.fields):
        return {}
    fields = enumerate(resource.fields.items(), start=1)
    return {name: f"v{number}" for number, (name, field) in fields if plan.stores(field)}


def _keyed(tables: Tables, resource: Resource) -> set[str]:
    """Return the fields whose values are compared with one another, here or by another table."""
    found = set(resource.primary_key)
    found |= {n for n, f in resource.fields.items() if f.get("constraints", {}).get("unique")}
    for other in tables.package.resources.values():
        for key in other.foreign_keys:
            found |= set(key.fields) if other.name == resource.name else set()
            found |= set(key.reference) if key.resource == resource.name else set()
    return found


def _pattern(
    tables: Tables, name: str, pattern: str | None, unjudged: list[tuple[str, str]]
) -> str | None:
    """Return the pattern of a field where it can be run, and say where it cannot."""
    if pattern is None:
        return None
    translated = to_re2(pattern)
    runs = translated is not None
    if translated is not None:
        try:
            tables.look(f"SELECT regexp_matches('', {quote_text(translated)})")
        except QueryError:  # too large for RE2
            runs = False
    if not runs:
        if find_cell_limit(pattern) is None:
            note = f"the pattern {pattern} of {name} may run without end and was not tried"
            unjudged.append(("pattern", note))
            return None
        if translated is not None:
            raise Beyond(f"the pattern of {name} is too large")
    return pattern


def _batches(columns: Sequence[Column]) -> Iterator[Sequence[Column]]:
    for start in range(0, len(columns), AT_ONCE):
        yield columns[start : start + AT_ONCE]
