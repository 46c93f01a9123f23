"""What frictionless passes over in a table that was read.

Quotes that nobody means, values that no database type holds, keys of several columns that must
be unique, values that are none of their categories, cells that a spreadsheet would execute.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from reviewdata.columns import quote_name, quote_text
from reviewdata.files import find_stray_quotes
from reviewdata.package import Resource
from reviewdata.properties import CATEGORICAL
from reviewdata.records import Dialect, has_lines
from reviewdata.stages.compiled.constraints import not_among
from reviewdata.stages.errors import Verdict
from reviewdata.stages.hygiene import is_formula
from reviewdata.stages.wording import show, suggest
from reviewdata.tables import Tables
from reviewdata.tableschema import list_names, list_values


class Fault(NamedTuple):
    """What a rule of ours finds in a record; `kind` names one of the rule's several messages."""

    code: str
    row: int
    field: str | None
    values: Mapping[str, Any]
    kind: str | None = None


def find_faults(tables: Tables, resource: Resource, verdict: Verdict) -> list[Fault]:
    """Return the faults of the records of a table; the verdict says what is known already."""
    return [
        *_unheld(tables, resource, verdict),
        *_stray_quotes(tables, resource),
        *_unique_keys(tables, resource),
        *_categories(tables, resource),
        *_formulas(tables, resource),
    ]


def _stray_quotes(tables: Tables, resource: Resource) -> Iterator[Fault]:
    """Yield the records whose quotes stand where frictionless reads them, but nobody means them.

    DuckDB reads no such file by itself.
    """
    lines = has_lines(resource.descriptor)
    if resource.file is not None and lines and tables.loaded[resource.name].by_record:
        dialect = Dialect.of(resource.descriptor)
        for record, kind, values in find_stray_quotes(resource.file, dialect):
            values = {name: show(text) if name == "cell" else text for name, text in values.items()}
            yield Fault("RD129", record.row, None, {"row": record.row, **values}, kind)


def _unheld(tables: Tables, resource: Resource, verdict: Verdict) -> Iterator[Fault]:
    """Yield the values that are of their type and that the typed table cannot hold.

    SQL has looked up each of them; of frictionless it is known which cells it did not accept.
    """
    known = {(error.row, error.field) for error in verdict.errors}
    accepted = verdict.accepted
    lost = {
        name: f"CASE WHEN {quote_name(name)} IS NULL THEN _text_{number} END"
        for number, name in enumerate(tables.columns[resource.name], start=1)
        if resource.fields.get(name, {}).get("type") in _TYPED
        and (accepted is None or name in accepted)
    }
    absent = ", ".join(quote_text(m) for m in ("", *_common_missing(resource)))
    where = f"text NOT IN ({absent})"
    for row, name, text in _find_cells(tables, resource, "cells", lost, where):
        if text in resource.missing_values(name) or row > verdict.last:
            continue
        if (row, name) not in known if accepted is None else text in accepted[name]:
            yield Fault("RD125", row, name, {"type": resource.fields[name]["type"]})


_TYPED = ("integer", "number", "year", "date", "time", "datetime")


def _common_missing(resource: Resource) -> list[str]:
    """Return the texts that stand for a missing value in every field."""
    listed = [set(resource.missing_values(name)) for name in resource.fields]
    return sorted(set.intersection(*listed)) if listed else []


def _unique_keys(tables: Tables, resource: Resource) -> Iterator[Fault]:
    """Yield the records that repeat a `uniqueKeys` entry, which frictionless ignores."""
    for entry in resource.schema.get("uniqueKeys", ()):
        names = list_names(entry)
        if not names or any(name not in tables.columns[resource.name] for name in names):
            continue
        listed = ", ".join(quote_name(n) for n in names)
        table = quote_name(resource.name)
        present = " AND ".join(f"{quote_name(n)} IS NOT NULL" for n in names)
        rows = tables.look(
            f"SELECT _row, first(_row) OVER key FROM cells.{table} WHERE {present} "
            f"WINDOW key AS (PARTITION BY {listed} ORDER BY _row) QUALIFY row_number() OVER key > 1"
            " ORDER BY _row"
        )
        for row, first in rows:
            yield Fault("RD127", row, names[0], {"fields": ", ".join(names), "first": first})


def _categories(tables: Tables, resource: Resource) -> Iterator[Fault]:
    """Yield the values that are none of their field's `categories`, which frictionless ignores."""
    listed = {}
    other = {}
    for number, name in enumerate(tables.columns[resource.name], start=1):
        field = resource.fields.get(name, {})
        words = list_values(field.get("categories", ()))
        kind = field.get("type", "string")
        if not words or kind not in CATEGORICAL:
            continue
        value, text = quote_name(name), f"_text_{number}"
        strange = not_among(value, words)
        if kind == "integer":
            whole = ", ".join(word for word in words if _WHOLE.fullmatch(word))
            strange = f"{value} NOT IN ({whole})" if whole else "true"
        listed[name] = words
        other[name] = f"CASE WHEN {value} IS NOT NULL AND {strange} THEN {text} END"
    for row, name, text in _find_cells(tables, resource, "cells", other, "text IS NOT NULL"):
        meant = suggest(text, listed[name])
        hint = f"; did you mean {meant}?" if meant else ""
        yield Fault("RD139", row, name, {"categories": ", ".join(listed[name]), "hint": hint})


_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")


def _formulas(tables: Tables, resource: Resource) -> Iterator[Fault]:
    """Yield the cells that a spreadsheet would execute: no numbers, no words of a codelist."""
    cells = {name: quote_name(name) for name in tables.loaded[resource.name].plan.raw}
    for row, name, text in _find_cells(tables, resource, "raw", cells, is_formula("text")):
        field = resource.fields.get(name, {})
        words = [*field.get("constraints", {}).get("enum", ()), *field.get("categories", ())]
        if text not in (*list_values(words), *resource.missing_values(name)):
            yield Fault("RD134", row, name, {})


def _find_cells(
    tables: Tables, resource: Resource, relation: str, texts: Mapping[str, str], where: str
) -> list[tuple[int, str, str]]:
    """Return the record, the column and the text of each cell for which a condition holds.

    `texts` has the SQL of each column's text; `where` is a condition on `text`. All columns
    are made one, since thousands of conditions side by side take DuckDB minutes.
    """
    if not texts:
        return []
    names = list(texts)
    found = tables.look(
        f"SELECT * FROM (SELECT _row, unnest(range({len(names)})) AS number,"
        f" unnest([{', '.join(texts.values())}]) AS text"
        f" FROM {relation}.{quote_name(resource.name)}) WHERE {where} ORDER BY _row, number"
    )
    return [(row, names[number], text) for row, number, text in found]
