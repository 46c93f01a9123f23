"""The physical records of a CSV file: their cells, their number and the line they start on.

The records are counted as frictionless counts them (the header is 1, a blank line is one),
so that a row number means the same everywhere; the line is that of the file, also after
cells with line breaks.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

CELL_LIMIT = 8 * 1024 * 1024
"""Characters in one cell, above which the file is refused: no review's cell is a book."""

_END = "\0reviewdata: end of file\n"  # a NUL never stands in a file that is read


class Record(NamedTuple):
    """One record: its number, the physical line it starts on, its cells as text."""

    row: int
    line: int
    cells: list[str]


@dataclass(frozen=True)
class Refusal(Exception):  # noqa: N818 - a file at fault is a finding, not an error of ours
    """Why a file cannot be read as a table: a code of the structure stage and its values."""

    code: str
    values: Mapping[str, Any]
    line: int | None = None


@dataclass(frozen=True)
class Dialect:
    """How the cells of a file are separated; the defaults are those of the standard."""

    delimiter: str = ","
    quote: str | None = '"'
    escape: str | None = None
    double_quote: bool = True
    skip_space: bool = False
    header: bool = True
    comment: str | None = None
    encoding: str = "utf-8"

    @classmethod
    def of(cls, resource: Mapping[str, Any]) -> Dialect:
        """Return the dialect that a resource descriptor declares."""
        given = resource.get("dialect", {})
        if not isinstance(given, dict):
            raise Refusal("RD106", {"note": "its dialect is not an object in datapackage.json"})
        nested = given.get("csv", {})  # as in version 1 of the standard
        control = {**given, **(nested if isinstance(nested, dict) else {})}
        control.pop("csv", None)
        for name in control:
            if name not in _SETTINGS:
                raise Refusal("RD106", {"note": f"the dialect property {name} is not supported"})
        settings: dict[str, Any] = {}
        for name, value in control.items():
            attribute, kind = _SETTINGS[name]
            if value is not None and not isinstance(value, kind):
                raise Refusal("RD106", {"note": f"the dialect property {name} is {value!r}"})
            if attribute:
                settings[attribute] = value
        if _format(resource) == "tsv":
            settings.setdefault("delimiter", "\t")
        return cls(**settings, encoding=str(resource.get("encoding", "utf-8")))


_SETTINGS: Mapping[str, tuple[str, type]] = {
    "delimiter": ("delimiter", str),
    "quoteChar": ("quote", str),
    "escapeChar": ("escape", str),
    "doubleQuote": ("double_quote", bool),
    "skipInitialSpace": ("skip_space", bool),
    "header": ("header", bool),
    "commentChar": ("comment", str),
    "lineTerminator": ("", str),  # every kind of line end is read
    "$schema": ("", str),
}
"""The dialect properties that are read, and what each is here."""


def is_delimited(resource: Mapping[str, Any]) -> bool:
    """Whether a resource is text with separators: CSV or TSV."""
    return _format(resource) in ("csv", "tsv")


def _format(resource: Mapping[str, Any]) -> str:
    return str(resource.get("format") or Path(str(resource.get("path"))).suffix.lstrip(".")).lower()


def read_records(file: Path, dialect: Dialect) -> Iterator[Record]:
    """Yield the records of a file, the header first.

    Raises Refusal for a file that no reader can make a table of: bytes that are not of its
    encoding, NUL bytes, a quote that is never closed, a cell above CELL_LIMIT.
    """
    encoding = "utf-8-sig" if dialect.encoding.lower() in ("utf-8", "utf8") else dialect.encoding
    try:
        with file.open(encoding=encoding, newline="") as text:
            yield from _parse(text, dialect)
    except UnicodeDecodeError:
        raise _locate_byte(file, dialect.encoding) from None
    except LookupError:
        raise Refusal("RD101", {"encoding": dialect.encoding, "what": "no such encoding"}) from None


def _parse(text: Iterator[str], dialect: Dialect) -> Iterator[Record]:
    csv.field_size_limit(CELL_LIMIT)  # frictionless sets its own; the limit is the process's
    try:
        reader = csv.reader(
            _lines(text),
            delimiter=dialect.delimiter,
            quotechar=dialect.quote,
            escapechar=dialect.escape,
            doublequote=dialect.double_quote,
            skipinitialspace=dialect.skip_space,
            quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
        )
    except (TypeError, ValueError) as error:  # csv's own check of the dialect
        raise Refusal("RD106", {"note": f"its dialect: {error}"}) from None
    row, line = 0, 1
    try:
        for row, cells in enumerate(reader, start=1):
            if len(cells) == 1 and cells[0] == _END.rstrip("\n"):
                return
            if cells and cells[-1].endswith(_END):
                raise Refusal("RD104", {"row": row}, line)
            if not (dialect.comment and cells and cells[0].startswith(dialect.comment)):
                yield Record(row, line, cells)
            line = reader.line_num + 1
    except csv.Error as error:
        if "field larger" in str(error):
            limit = f"{CELL_LIMIT:,} characters"
            raise Refusal("RD105", {"row": row + 1, "limit": limit}, line) from None
        raise Refusal("RD106", {"note": str(error)}, line) from None


def _lines(text: Iterator[str]) -> Iterator[str]:
    """Yield the lines and then a mark of ours, which an open quote would swallow."""
    line = ""
    for line in text:
        if "\0" in line:
            raise Refusal("RD103", {})
        yield line
    if line and line[-1] not in "\r\n":
        yield "\n"
    yield _END


def _locate_byte(file: Path, encoding: str) -> Refusal:
    """Return the refusal that names the first byte that the encoding does not know."""
    number = 0
    with file.open("rb") as binary:
        for number, line in enumerate(binary, start=1):
            if b"\0" in line:
                return Refusal("RD103", {}, number)
            try:
                line.decode(encoding)
            except UnicodeDecodeError as error:
                byte = f"0x{line[error.start]:02x} at byte {error.start + 1} of the line"
                return Refusal("RD101", {"encoding": encoding, "what": f"{byte}"}, number)
    return Refusal("RD101", {"encoding": encoding, "what": "cut off at its end"}, number)
