"""frictionless's verdict on one table, on its own: what is wrong with others does not reach it.

frictionless gets a descriptor in which everything is explicit that it would guess, under names
that are always right, and without patterns: those are run so that they end (see `patterns`).
"""

from __future__ import annotations

import csv
import math
import re
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from importlib.metadata import version
from typing import Any

from reviewdata.columns import quote_name, quote_text
from reviewdata.compressed import BLOCK, compression_of
from reviewdata.foreign import read_rows, read_table
from reviewdata.loading import EXTRA_LIMIT
from reviewdata.model import Origin
from reviewdata.package import ForeignKey, Package, Resource, can_follow, version_of
from reviewdata.patterns import find_cell_limit, read_as_frictionless, to_re2
from reviewdata.places import find_places
from reviewdata.records import Dialect, is_foreign
from reviewdata.stages.errors import Error, Verdict
from reviewdata.statements import QueryError
from reviewdata.tables import Tables

ERROR_LIMIT = 100_000
"""Errors of one table that frictionless may report before it stops reading."""

Breaks = Callable[[str], bool]
"""Whether a text breaks the pattern of its field."""


def find_fault(package: Package, resource: Resource) -> str | None:
    """Return what keeps frictionless from using a schema, None where it can."""
    if not resource.fields:
        return "it has no Table Schema that can be used"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from frictionless import FrictionlessException, Schema
    schema = {k: v for k, v in resource.schema.items() if k not in _LEFT} | version_of(package)
    try:
        Schema.from_descriptor(schema)
    except FrictionlessException as error:
        reasons = error.reasons or [error.error]
        return str(reasons[0].note or reasons[0].message)
    return None


def judge(tables: Tables, resource: Resource, usable: Collection[str]) -> Verdict:
    """Return frictionless's verdict on a table; keys to tables that are not `usable` are left out.

    What frictionless itself breaks on (a time with a zone against a bound without one) is
    told as not judged.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from frictionless import FrictionlessException, system
        from frictionless import Package as Descriptor

        names = {name: f"t{number}" for number, name in enumerate(sorted(usable))}
        keys = [key for key in resource.foreign_keys if can_follow(tables.package, key, usable)]
        needed = {resource.name, *(key.resource for key in keys)}
        described = [_describe(tables.package.resources[name], names[name]) for name in needed]
        for entry in described:
            if entry["name"] == names[resource.name]:
                _add_keys(entry, resource, keys, names)
        patterns, unjudged = _patterns(tables, resource)
        read = {names[name]: tables.package.resources[name] for name in needed}
        widths = {alias: _width(tables, table) for alias, table in read.items()}
        lengths: dict[str, dict[int, int]] = {name: {} for name in widths}
        try:
            # Trusted: the paths were checked when the package was opened.
            with system.use_context(trusted=True), _reading(read, widths, lengths):
                package = Descriptor.from_descriptor(
                    {"resources": described, **version_of(tables.package)},
                    basepath=str(tables.package.root),
                )
                target = package.get_resource(names[resource.name])
                report = target.validate(_checklist(patterns), limit_errors=ERROR_LIMIT)
        except (FrictionlessException, TypeError, ValueError, ArithmeticError) as error:
            note = f"frictionless broke on it: {' '.join(str(error).split())}"
            return Verdict(_origin(), (), 0, [*unjudged, (type(error).__name__, note)], last=0)
    real = {alias: name for name, alias in names.items()}
    cut = lengths[names[resource.name]]
    found = [f for task in report.tasks for f in task.errors]
    errors = [_neutral(f, real.get(getattr(f, "reference_name", ""), resource.name)) for f in found]
    errors = [replace(e, cells=cut[e.row]) if e.row in cut else e for e in errors]
    if is_foreign(resource.descriptor):
        errors = _as_written(tables, resource, errors)
    last = math.inf
    if len(errors) >= ERROR_LIMIT:
        last = errors[-1].row or 0
        note = f"{ERROR_LIMIT:,} errors; the rest of the table was not judged"
        unjudged.append(("error-limit", note))
    labels = [label for task in report.tasks for label in task.labels]
    return Verdict(_origin(), errors, len(labels), unjudged, last)


@cache
def _origin() -> Origin:
    return Origin("frictionless", version("frictionless"))


_FIRST = re.compile(r"the row at position (\d+)")


def _neutral(error: Any, target: str) -> Error:
    """Return an error of frictionless as an Error; `target` is the table that a key refers to."""
    note = str(error.note)
    first = _FIRST.search(note)
    broken = error.type == "constraint-error"
    key = zip(getattr(error, "field_names", ()), getattr(error, "field_cells", ()), strict=True)
    return Error(
        type=error.type,
        row=getattr(error, "row_number", None),
        field=getattr(error, "field_name", None) or None,
        number=getattr(error, "field_number", None),
        cell=str(getattr(error, "cell", None) or getattr(error, "label", None) or ""),
        note=note,
        constraint=note.removeprefix('constraint "').split('"')[0] if broken else None,
        first=int(first[1]) if first and not broken else None,
        cells=len(getattr(error, "cells", ())),
        key=tuple(key),
        target=target,
        reference=tuple(getattr(error, "reference_field_names", ())),
    )


_LEFT = ("primaryKey", "foreignKeys", "$schema")


def _width(tables: Tables, resource: Resource) -> int:
    """Return how many cells a record of a table may have."""
    columns = len(_labels(tables, resource))
    return max(columns, len(resource.fields))


def _labels(tables: Tables, resource: Resource) -> list[str]:
    return list(tables.loaded[resource.name].plan.raw)


@contextmanager
def _reading(
    resources: Mapping[str, Resource],
    widths: Mapping[str, int],
    lengths: Mapping[str, dict[int, int]],
) -> Iterator[None]:
    """Have frictionless read CSV as declared, and what is no CSV as it was loaded.

    Of CSV it lets `csv.Sniffer` guess at the dialect even where nothing is left to guess, and
    that takes time with the square of a cell: minutes for one long cell of quotes. A record with
    more than EXTRA_LIMIT cells above the width of its resource is cut behind the first of them,
    and its length noted in `lengths`. A file that is no CSV was read by `foreign`, which refuses
    what frictionless loses in silence; it gets the same values, and counts the bytes itself.
    """
    from frictionless.formats.csv import CsvControl, CsvParser
    from frictionless.formats.json import JsonParser

    def read(parser: Any) -> Iterator[list[Any]]:
        control = CsvControl.from_dialect(parser.resource.dialect)
        return cut(parser, csv.reader(parser.loader.text_stream, dialect=control.to_python()))

    def read_foreign(parser: Any) -> Iterator[list[Any]]:
        rows = read_rows(resources[parser.resource.name])
        yield from cut(parser, (list(row.cells) for row in rows))
        while parser.loader.byte_stream.read1(BLOCK):
            pass

    def cut(parser: Any, records: Iterable[list[Any]]) -> Iterator[list[Any]]:
        width, known = widths[parser.resource.name], lengths[parser.resource.name]
        for row, cells in enumerate(records, start=1):
            if len(cells) > width + EXTRA_LIMIT:
                known[row] = len(cells)
                del cells[width + 1 :]
            yield cells

    given = CsvParser.read_cell_stream_create, JsonParser.read_cell_stream_create
    CsvParser.read_cell_stream_create = read
    JsonParser.read_cell_stream_create = read_foreign
    try:
        yield
    finally:
        CsvParser.read_cell_stream_create, JsonParser.read_cell_stream_create = given


def _as_written(tables: Tables, resource: Resource, errors: Sequence[Error]) -> list[Error]:
    """Return the errors with the text of their cells, where frictionless tells Python's."""
    rows = [error.row for error in errors if error.row is not None and error.number]
    places = find_places(tables, resource.name, rows)
    names = dict(enumerate(_labels(tables, resource), start=1))
    return [
        replace(e, cell=places[e.row].cells.get(names[e.number], ""))
        if e.row in places and e.number in names
        else e
        for e in errors
    ]


def _describe(resource: Resource, name: str) -> dict[str, Any]:
    """Return the descriptor that frictionless gets: explicit where it would guess."""
    dialect = Dialect.of(resource.descriptor)
    csv = {
        "delimiter": dialect.delimiter,
        "quoteChar": dialect.quote,
        "escapeChar": dialect.escape,
        "doubleQuote": dialect.double_quote,
        "skipInitialSpace": dialect.skip_space,
        "lineTerminator": "\r\n",
    }
    given: dict[str, Any] = {"csv": {k: v for k, v in csv.items() if v is not None}}
    if is_foreign(resource.descriptor):
        given = {}
    if dialect.header:
        # Or frictionless looks for what it takes for a header.
        given |= {"headerRows": _header_rows(resource, dialect), "headerJoin": dialect.header_join}
    else:
        given["header"] = False
    if dialect.comment:
        given["commentChar"] = dialect.comment
    given |= {"commentRows": list(dialect.comment_rows)} if dialect.comment_rows else {}
    given |= {"skipBlankRows": True} if dialect.skip_blank else {}
    schema = {k: v for k, v in resource.schema.items() if k not in (*_LEFT, "fields")}
    return {
        "name": name,
        "type": "table",
        "path": resource.path,
        # Whatever is no CSV comes from `_reading`; which parser gives it way does not matter.
        "format": "json" if is_foreign(resource.descriptor) else "csv",
        **({"compression": "gz"} if compression_of(resource.descriptor) else {}),
        "encoding": dialect.codec,
        "dialect": given,
        "schema": {**schema, "fields": [_without_patterns(f) for f in resource.schema["fields"]]},
    }


def _header_rows(resource: Resource, dialect: Dialect) -> list[int]:
    """Return the records of the header; where none is declared, the first that is no comment."""
    if dialect.header_rows != (1,) or not (dialect.comment or dialect.comment_rows):
        return list(dialect.header_rows)
    return [next(read_table(resource)).row]


def _add_keys(
    described: dict[str, Any],
    resource: Resource,
    keys: list[ForeignKey],
    names: Mapping[str, str],
) -> None:
    """Add to the descriptor of the table that is judged what the others do without."""
    schema = described["schema"]
    if all(name in resource.fields for name in resource.primary_key):
        schema["primaryKey"] = list(resource.primary_key)
    schema["foreignKeys"] = [
        {
            "fields": list(key.fields),
            "reference": {
                "resource": "" if key.resource == resource.name else names[key.resource],
                "fields": list(key.reference),
            },
        }
        for key in keys
        if all(name in resource.fields for name in key.fields)
    ]
    for name, kind in (("hash", str), ("bytes", int), ("fields", int), ("rows", int)):
        if isinstance(resource.descriptor.get(name), kind):
            described[name] = resource.descriptor[name]


def _without_patterns(field: Mapping[str, Any]) -> dict[str, Any]:
    kept = dict(field)
    if isinstance(field.get("constraints"), dict):
        kept["constraints"] = {k: v for k, v in field["constraints"].items() if k != "pattern"}
    if isinstance(field.get("arrayItem"), dict):
        kept["arrayItem"] = _without_patterns(field["arrayItem"])
    return kept


def _patterns(
    tables: Tables, resource: Resource
) -> tuple[dict[str, tuple[str, Breaks]], list[tuple[str, str]]]:
    """Return, by field, its pattern and what breaks it, and the patterns that cannot be run."""
    broken: dict[str, tuple[str, Breaks]] = {}
    unjudged = []
    labels = _labels(tables, resource)
    for number, (name, field) in enumerate(resource.fields.items()):
        if "pattern" in field.get("arrayItem", {}).get("constraints", {}):
            unjudged.append(("pattern", f"the pattern of the items of {name} was not tried"))
        pattern = field.get("constraints", {}).get("pattern")
        if pattern is None:
            continue
        # frictionless reads columns by place or by name, as fieldsMatch says.
        columns = {name, labels[number]}
        texts = _find_breaking(tables, resource.name, columns, pattern)
        limit = find_cell_limit(pattern)
        if texts:
            broken[name] = pattern, texts.__contains__
        elif texts is None and limit is not None:
            broken[name] = pattern, _breaks_within(pattern, limit)
        elif texts is None:
            note = f"the pattern {pattern} of {name} may run without end and was not tried"
            unjudged.append(("pattern", note))
    return broken, unjudged


def _find_breaking(
    tables: Tables, table: str, columns: Collection[str], pattern: str
) -> set[str] | None:
    """Return the texts of the columns that break a pattern; None where RE2 cannot say."""
    translated = to_re2(pattern)
    if translated is None:
        return None
    select = " UNION ".join(
        f"SELECT {quote_name(c)} AS text FROM raw.{quote_name(table)}" for c in sorted(columns)
    )
    sql = f"SELECT text FROM ({select}) WHERE NOT regexp_matches(text, {quote_text(translated)})"
    try:
        return {text for (text,) in tables.fetch(sql)}
    except QueryError:  # too large for RE2
        return None


def _breaks_within(pattern: str, limit: int) -> Breaks:
    known = read_as_frictionless(pattern)
    return lambda text: len(text) > limit or known.match(text) is None


def _checklist(patterns: Mapping[str, tuple[str, Breaks]]) -> Any:
    """Return the checks of frictionless and one of ours, which yields its constraint errors."""
    import attrs
    from frictionless import Check, Checklist, errors

    @attrs.define(kw_only=True, repr=False)
    class Patterns(Check):  # type: ignore[misc]
        type = "patterns"
        Errors = (errors.ConstraintError,)

        def validate_row(self, row: Any) -> Iterator[Any]:
            for name, (pattern, breaks) in patterns.items():
                cell = row[name] if name in row.field_names else None
                if isinstance(cell, str) and breaks(cell):
                    note = f'constraint "pattern" is "{pattern}"'
                    yield errors.ConstraintError.from_row(row, note=note, field_name=name)

    return Checklist(checks=[Patterns()] if patterns else [])
