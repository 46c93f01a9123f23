"""What a file's columns become in the store, and what is known of a table that was loaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from reviewdata.columns import sql_type, typed
from reviewdata.files import check_delimiter
from reviewdata.foreign import Column, list_sources
from reviewdata.package import Resource
from reviewdata.records import Dialect, Refusal, is_foreign
from reviewdata.tableschema import RESERVED

WIDE = 250
"""Columns above which values are not stored: in one scan their expressions take all memory."""

IRREGULAR = dict.fromkeys(("row", "line", "cells", "number"), "BIGINT") | {"text": "VARCHAR"}
"""The columns of a relation `irregular.NAME`, and their types."""


@dataclass(frozen=True)
class Plan:
    """The columns of a file, the fields of its schema, and where each field's text is.

    `stored` says whether typed values are, which costs half of the time. `labels` are those of
    the header, which is the record number `header`; none, and 0, where there is no header.
    """

    names: tuple[str, ...]
    fields: Mapping[str, Mapping[str, Any]]
    source: Mapping[str, str | None]
    stored: bool = True
    labels: tuple[str, ...] = ()
    header: int = 0

    @property
    def raw(self) -> tuple[str, ...]:
        """The columns of the text: those of the file, then the fields that have none there."""
        return (*self.names, *(field for field, text in self.source.items() if text is None))

    def columns(self, resource: Resource) -> list[Column]:
        """Return of each column of the file what its cells are written for."""
        missing = {name: resource.missing_values(name) for name in self.fields}
        by_name = {name.lower(): (self.fields[name], missing[name]) for name in self.fields}
        return [by_name.get(name.lower(), ({}, ("",))) for name in self.names]

    def stores(self, field: Mapping[str, Any]) -> bool:
        """Whether the typed value of a field is stored, rather than made where it is read."""
        return self.stored and sql_type(field) != "VARCHAR" and len(self.names) <= WIDE


@dataclass(frozen=True)
class Loaded:
    """A table that was loaded by its `plan`, and the number of its records that hold something.

    `refused` are the blank ones, which are read as nothing; `stamp` is that of the file.
    `by_record` says that DuckDB did not read the file by itself, `beside` that `irregular.NAME`
    is there, `numbered` that `_row` and `_line` are stored, `plain` that no line of the file is
    odd. Of a table that is not `whole`, only
    those records are there with which something may be wrong; none are of one that is `clear`.
    """

    plan: Plan
    records: int
    refused: int = 0
    stamp: tuple[int, int, int] = (0, 0, 0)
    by_record: bool = False
    beside: bool = False
    numbered: bool = False
    plain: bool = False
    whole: bool = True
    clear: bool = False


class Sieved(NamedTuple):
    """What one scan says of a file: its records, and the SQL of those that are to be loaded."""

    records: int
    where: str


NONE = "false"
"""The SQL of no record."""

Sieve = Callable[[Plan, str], Sieved | None]
"""Given the plan and the SQL of a scan, says which records are loaded; None: all are."""


def plan_columns(resource: Resource, dialect: Dialect) -> Plan:
    """Return the columns of a file. Raises Refusal for one without a first record."""
    labels = [str(entry["name"]) for entry in resource.schema.get("fields", [])]
    header = 0
    if dialect.header or not labels:
        records = list_sources(resource)
        found = next(((r, s) for r, s in records if dialect.header or any(r.cells)), None)
        if found is None:
            raise Refusal("RD102", {})
        first, lines = found
        if dialect.header:
            if is_foreign(resource.descriptor):
                if not first.cells:
                    raise Refusal("RD106", {"note": "its header is empty"}, first.line or None)
            else:
                check_delimiter(lines, dialect, resource.fields)
            header = first.row
        labels = [label.strip() if dialect.header else "" for label in first.cells]
    names = column_names(labels, resource)
    fields = resource.fields or {name: {} for name in names}
    position = {name.lower(): f"t{number}" for number, name in enumerate(names, start=1)}
    source = {name: position.get(name.lower()) for name in fields}
    given = tuple(labels) if header else ()
    return Plan(tuple(names), fields, source, labels=given, header=header)


def column_names(labels: Sequence[str], resource: Resource) -> list[str]:
    """Return a distinct column name for each label: the label itself where that is possible."""
    taken: set[str] = set(RESERVED)
    known = {name.lower(): name for name in resource.fields}
    real = {label.lower() for label in labels} | set(known)
    names = []
    for number, label in enumerate(labels, start=1):
        name = label
        clash = label.lower() in known and known[label.lower()] != label
        if not label or clash or label.lower() in taken:
            name = f"_column_{number}"
            while name in real or name in taken:
                name += "_"
        taken.add(name.lower())
        names.append(name)
    return names


def list_typed(resource: Resource, plan: Plan) -> list[str]:
    """Return the SQL of the typed values that are stored, in one scan with the text.

    The text is always selected beside its cast: alone, TRY_CAST would be pushed into the
    reader as a hard one (duckdb#23818).
    """
    return [
        f"{typed(field, text, resource.missing_values(name))} AS v{number}"
        for number, (name, field) in enumerate(plan.fields.items(), start=1)
        if (text := plan.source[name]) and plan.stores(field)
    ]
