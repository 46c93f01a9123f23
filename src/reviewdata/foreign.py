"""Tables that are no CSV: JSON and XLSX, of which each cell becomes the text that means the same.

frictionless gets the values (see `stages.verdicts`), the store their text. A text is written as
the field's type and options read it back: a moment in ISO 8601 or the field's format, true and
false in its words, a whole number without a point where the field is one of integers.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reviewdata.jsontables import Number, Row, read_json
from reviewdata.package import Resource
from reviewdata.records import (
    CELL_LIMIT,
    JSON,
    NULL,
    Dialect,
    Record,
    Refusal,
    choose,
    encoding_of,
    format_of,
    is_foreign,
    read_sources,
)
from reviewdata.workbooks import read_sheet

Column = tuple[Mapping[str, Any], Sequence[str]]
"""The field of a column, and the texts that stand for a missing value in it."""


def read_rows(resource: Resource) -> Iterator[Row]:
    """Yield the rows of a foreign file with their values, those above the table too.

    Raises Refusal for what is no table, and for a setting that is not read.
    """
    assert resource.file is not None
    dialect = Dialect.of(resource.descriptor)
    if format_of(resource.descriptor) in JSON:
        given = _settings(resource, "json", {"property": str, "keys": list, "keyed": bool})
        yield from read_json(
            resource.file,
            encoding_of(resource.descriptor),
            by_line=format_of(resource.descriptor) != "json",
            within=given.get("property", ""),
            keys=[str(key) for key in given.get("keys", [])],
        )
        return
    sheet = _settings(resource, "excel", {"sheet": (int, str)}).get("sheet", 1)
    head = dialect.header_rows[-1] if dialect.header else 1
    for cells in read_sheet(resource.file, sheet, head, header=dialect.header):
        yield Row(0, cells)


def _settings(resource: Resource, name: str, known: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what the dialect of a resource says to the reader of its format."""
    given = resource.descriptor.get("dialect", {}).get(name, {})
    if not isinstance(given, dict):
        raise Refusal("RD106", {"note": f"the dialect property {name} is no object"})
    for key, value in given.items():
        if key not in known:
            note = f"the dialect property {name}.{key} is not supported"
            raise Refusal("RD106", {"note": note})
        right = isinstance(value, known[key])
        if not right or (isinstance(value, bool) and known[key] is not bool):
            raise Refusal("RD106", {"note": f"the dialect property {name}.{key} is {value!r}"})
    return given


def read_table(resource: Resource, columns: Sequence[Column] = ()) -> Iterator[Record]:
    """Yield the records of a resource in whatever format as text, the header first.

    See list_sources. Raises Refusal for what is no table.
    """
    return (record for record, _ in list_sources(resource, columns))


def list_sources(
    resource: Resource, columns: Sequence[Column] = ()
) -> Iterator[tuple[Record, list[str]]]:
    """Yield the records of a resource with their lines, of which a foreign file gives none.

    The `columns` say how the values of a foreign file are written; an empty cell is NULL where
    an empty text would not be a missing value.
    """
    assert resource.file is not None
    dialect = Dialect.of(resource.descriptor)
    if not is_foreign(resource.descriptor):
        return read_sources(resource.file, dialect)
    return choose(_list_texts(resource, dialect, columns), dialect)


def _list_texts(
    resource: Resource, dialect: Dialect, columns: Sequence[Column]
) -> Iterator[tuple[Record, list[str]]]:
    last = dialect.header_rows[-1] if dialect.header else 0
    for number, (line, values) in enumerate(read_rows(resource), start=1):
        first = values[0] if values else None
        if dialect.comment and isinstance(first, str) and first.startswith(dialect.comment):
            continue
        known = columns if number > last else ()
        texts = [write_cell(value, *known[i : i + 1]) for i, value in enumerate(values)]
        for text in texts:
            if text and len(text) > CELL_LIMIT:
                limit = f"{CELL_LIMIT:,} characters"
                raise Refusal("RD105", {"row": number, "limit": limit}, line or None)
            if text and "\0" in text:
                note = f"record {number} has a NUL character"
                raise Refusal("RD106", {"note": note}, line or None)
        yield Record(number, line, texts), []


def write_cell(value: Any, column: Column = ({}, ("",))) -> Any:
    """Return the text of a value in a column; NULL for none where no text says that."""
    field, missing = column
    kind = field.get("type")
    match value:
        case None:
            return "" if "" in missing else NULL
        case str():
            return _HALF.sub("\ufffd", value)
        case bool():
            word = "true" if value else "false"
            words = field.get(f"{word}Values") or [word]
            return word if kind != "boolean" or word in words else str(words[0])
        case Number() if kind == "integer" and value == value.to_integral_value():
            return str(int(value))
        case int() | float() | Number():
            point = field.get("decimalChar", ".") if kind == "number" else "."
            return str(value).replace(".", point)
        case dt.datetime() | dt.date() | dt.time():
            return _write_moment(value, str(kind), field.get("format", "default"))
        case dt.timedelta():
            return f"PT{value.days * 86400 + value.seconds}S"
    try:
        return _HALF.sub("\ufffd", _write_json(value))
    except RecursionError:
        raise Refusal("RD106", {"note": "a record is nested too deeply"}) from None


_HALF = re.compile("[\ud800-\udfff]")
"""Half a character, which JSON can hold and nothing can store."""


def _write_moment(value: dt.datetime | dt.date | dt.time, kind: str, form: str) -> str:
    midnight = isinstance(value, dt.datetime) and not (value.hour or value.minute or value.second)
    own = "date" if midnight and kind != "datetime" else type(value).__name__
    if kind == own and form not in ("default", "any"):
        return value.strftime(form)
    if isinstance(value, dt.datetime) and own == "date":
        return value.date().isoformat()
    return value.isoformat()


def _write_json(value: Any) -> str:
    """Return a value as JSON on one line, its numbers with the digits they have."""
    match value:
        case Number():
            return str(value)
        case dict():
            inner = (f"{_write_json(name)}: {_write_json(v)}" for name, v in value.items())
            return "{" + ", ".join(inner) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(_write_json, value)) + "]"
    return json.dumps(value, ensure_ascii=False, default=str)
