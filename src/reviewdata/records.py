"""The physical records of a CSV file: their cells, their number and the line they start on.

The records are counted as frictionless counts them (the header is 1, a blank line is one),
so that a row number means the same everywhere; the line is that of the file, also after
cells with line breaks.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from reviewdata.compressed import COMPRESSED, compression_of, is_gzipped, open_binary

CELL_LIMIT = 8 * 1024 * 1024
"""Characters in one cell, above which the file is refused: no review's cell is a book."""

RECORD_LIMIT = 4 * CELL_LIMIT
"""Characters in all cells of one record, above which the file is refused."""

NULL = 0
"""A cell of a copy that is null: a number, so that no text can be it."""

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_NO_ENCODINGS = ("undefined", "unicode-escape", "raw-unicode-escape", "utf-7", "idna", "punycode")
"""Codecs of Python that are no encoding of a file: some make of bytes what is no text."""


class Record(NamedTuple):
    """One record: its number, the physical line it starts on, its cells as text.

    The line is 0 where a file has none.
    """

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
    header_rows: tuple[int, ...] = (1,)
    header_join: str = " "
    comment_rows: tuple[int, ...] = ()
    skip_blank: bool = False

    @classmethod
    def of(cls, resource: Mapping[str, Any]) -> Dialect:
        """Return the dialect that a resource descriptor declares."""
        given = resource.get("dialect", {})
        if not isinstance(given, dict):
            raise Refusal("RD106", {"note": "its dialect is not an object in datapackage.json"})
        nested = given.get("csv", {})  # as in version 1 of the standard
        control = {**given, **(nested if isinstance(nested, dict) else {})}
        control.pop("csv", None)
        for name in {"json", "excel"} & control.keys() if is_foreign(resource) else ():
            control.pop(name)  # for who reads such a file (see `foreign`)
        for name in control:
            if name not in _SETTINGS:
                raise Refusal("RD106", {"note": f"the dialect property {name} is not supported"})
        settings: dict[str, Any] = {}
        for name, value in control.items():
            attribute, kind = _SETTINGS[name]
            if value is not None and not isinstance(value, kind):
                raise Refusal("RD106", {"note": f"the dialect property {name} is {value!r}"})
            if name in _ROWS and value is not None:
                value = _read_rows(name, value)
            if attribute and (value is not None or name not in _LATER):
                settings[attribute] = value
        if format_of(resource) == "tsv":
            settings.setdefault("delimiter", "\t")
        return cls(**settings, encoding=encoding_of(resource))

    @property
    def is_whole(self) -> bool:
        """Whether the first record is the header, and each other one of the table."""
        return self.header_rows == (1,) and not (self.comment_rows or self.skip_blank)

    @property
    def codec(self) -> str:
        """The name by which Python opens the file; UTF-8 with or without a byte order mark."""
        return _without_mark(codecs.lookup(self.encoding).name)


_SETTINGS: Mapping[str, tuple[str, type]] = {
    "delimiter": ("delimiter", str),
    "quoteChar": ("quote", str),
    "escapeChar": ("escape", str),
    "doubleQuote": ("double_quote", bool),
    "skipInitialSpace": ("skip_space", bool),
    "header": ("header", bool),
    "commentChar": ("comment", str),
    "headerRows": ("header_rows", list),
    "headerJoin": ("header_join", str),
    "commentRows": ("comment_rows", list),
    "skipBlankRows": ("skip_blank", bool),
    "lineTerminator": ("", str),  # every kind of line end is read
    "$schema": ("", str),
}
"""The dialect properties that are read, and what each is here."""


_ROWS = ("headerRows", "commentRows")
_LATER = (*_ROWS, "headerJoin", "skipBlankRows")
"""The properties that no version 1 of the standard has, and that are never null."""

_HEAD = 100
"""Records among which frictionless looks for those of the header."""


def _read_rows(name: str, value: Any) -> tuple[int, ...]:
    """Return the numbers of records that a property lists; those of a header go upwards."""
    whole = all(isinstance(row, int) and not isinstance(row, bool) and row > 0 for row in value)
    head = name == "headerRows"
    if not whole or (head and (not 0 < len(value) <= value[-1] <= _HEAD or value != sorted(value))):
        raise Refusal("RD106", {"note": f"the dialect property {name} is {value!r}"})
    return tuple(value)


def encoding_of(resource: Mapping[str, Any]) -> str:
    """Return the declared encoding of a resource."""
    return str(resource.get("encoding") or "utf-8")


def is_delimited(resource: Mapping[str, Any]) -> bool:
    """Whether the file of a resource is itself text with separators: CSV or TSV."""
    return format_of(resource) in _DELIMITED and not compression_of(resource)


def has_lines(resource: Mapping[str, Any]) -> bool:
    """Whether a resource is CSV or TSV, also gzipped."""
    return format_of(resource) in _DELIMITED and compression_of(resource) in ("", "gz")


def is_foreign(resource: Mapping[str, Any]) -> bool:
    """Whether a resource is JSON (also gzipped) or XLSX, which `foreign` reads."""
    compressions = ("", "gz") if format_of(resource) in JSON else ("",)
    return format_of(resource) in (*JSON, "xlsx") and compression_of(resource) in compressions


def is_table(resource: Mapping[str, Any]) -> bool:
    """Whether a resource is read."""
    return has_lines(resource) or is_foreign(resource)


_DELIMITED = ("csv", "tsv")
JSON = ("json", "jsonl", "ndjson")


def format_of(resource: Mapping[str, Any]) -> str:
    """Return the declared format of a resource, or the ending of its file name; lower case.

    Of a compressed file it is that of its content.
    """
    path = Path(str(resource.get("path")))
    if path.suffix.lower() in COMPRESSED:
        path = path.with_suffix("")
    return str(resource.get("format") or path.suffix.lstrip(".")).lower()


def name_form(resource: Mapping[str, Any]) -> str:
    """Return in words the form of a file that is no table to be read."""
    named = format_of(resource)
    if compression_of(resource) not in (("",) if named == "xlsx" else ("", "gz")):
        return f"the compression {compression_of(resource)}"
    return f"the format {named}" if named else "no ending that tells its format"


def check_compression(file: Path, resource: Mapping[str, Any]) -> None:
    """Raise Refusal for a file that is gzipped though not said to be, or said to be and is not."""
    declared, gzipped = compression_of(resource) == "gz", is_gzipped(file)
    if declared and not gzipped and file.stat().st_size:
        raise Refusal("RD106", {"note": "it is said to be gzipped, and is not"})
    if gzipped and not declared:
        note = 'it is gzipped; add "compression": "gz", or let its name end in .gz'
        raise Refusal("RD106", {"note": note})


def open_text(file: Path, encoding: str, errors: str = "strict") -> TextIO:
    """Open a data file as text, its line ends untouched and without a byte order mark.

    Raises Refusal for an encoding that is none, or that the first bytes contradict.
    """
    try:
        known = codecs.lookup(encoding)
        readable = known._is_text_encoding and known.name not in _NO_ENCODINGS
    except (LookupError, ValueError):  # ValueError: a NUL in the name
        readable = False
    if not readable:
        what = "that is no encoding of text files"
        raise Refusal("RD101", {"encoding": repr(encoding)[1:-1], "what": what})
    with open_binary(file) as binary:
        if binary.read(2) in _UTF16 and not known.name.startswith(("utf-16", "utf-32")):
            what = "it looks like UTF-16; save it as UTF-8"
            raise Refusal("RD101", {"encoding": encoding, "what": what})
    binary = open_binary(file)
    return io.TextIOWrapper(binary, _without_mark(known.name), errors, newline="")


def _without_mark(encoding: str) -> str:
    return "utf-8-sig" if encoding == "utf-8" else encoding


def read_records(file: Path, dialect: Dialect) -> Iterator[Record]:
    """Yield the records of a file, the header first.

    Raises Refusal for a file that no reader can make a table of: bytes that are not of its
    encoding, NUL bytes, a quote that is never closed, a cell above CELL_LIMIT.
    """
    return (record for record, _ in read_sources(file, dialect))


def read_sources(file: Path, dialect: Dialect) -> Iterator[tuple[Record, list[str]]]:
    """Yield the records of a file with the lines that each was read from; raises as above."""
    try:
        with open_text(file, dialect.encoding) as text:
            records = _parse(text, dialect)
            yield from records if dialect.is_whole else choose(records, dialect)
    except UnicodeError:
        raise locate_byte(file, dialect.encoding) from None


def make_reader(
    lines: Iterable[str], dialect: Dialect, *, strict: bool = False
) -> Iterator[list[str]]:
    """Return Python's reader of CSV for a dialect. Raises Refusal where the dialect is none."""
    try:
        return csv.reader(
            lines,
            delimiter=dialect.delimiter,
            quotechar=dialect.quote,
            escapechar=dialect.escape,
            doublequote=dialect.double_quote,
            skipinitialspace=dialect.skip_space,
            quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
            strict=strict,
        )
    except (TypeError, ValueError) as error:  # csv's own check of the dialect
        raise Refusal("RD106", {"note": f"its dialect: {error}"}) from None


class _Tape:
    """The lines of a file, and one empty line more, which an open quote would swallow.

    `lines` are those of the file that were read since it was last emptied; `over` says that a
    reader has asked for more than there is.
    """

    def __init__(self, text: Iterator[str]) -> None:
        self.text = text
        self.lines: list[str] = []
        self.over = False

    def __iter__(self) -> Iterator[str]:
        line = "\n"
        for number, line in enumerate(self.text, start=1):
            if "\0" in line:
                raise Refusal("RD103", {}, number)
            self.lines.append(line)
            yield line
        if line[-1] not in "\r\n":
            yield "\n"
        yield "\n"
        self.over = True


def _parse(text: Iterator[str], dialect: Dialect) -> Iterator[tuple[Record, list[str]]]:
    csv.field_size_limit(CELL_LIMIT)  # frictionless sets its own; the limit is the process's
    tape = _Tape(text)
    reader = make_reader(tape, dialect)
    row, line = 0, 1
    try:
        for row, cells in enumerate(reader, start=1):
            if tape.over:
                raise Refusal("RD104", {"row": row}, line)
            if not tape.lines:  # the empty line that is not the file's
                return
            lines, tape.lines = tape.lines, []
            if not (dialect.comment and cells and cells[0].startswith(dialect.comment)):
                yield Record(row, line, cells), lines
            line += len(lines)
    except csv.Error as error:
        if "field larger" in str(error):
            limit = f"{CELL_LIMIT:,} characters"
            raise Refusal("RD105", {"row": row + 1, "limit": limit}, line) from None
        raise Refusal("RD106", {"note": str(error)}, line) from None


Source = tuple[Record, list[str]]


def choose(records: Iterable[Source], dialect: Dialect) -> Iterator[Source]:
    """Yield the header, which may be several records or a later one, and the table's behind it."""
    last = dialect.header_rows[-1] if dialect.header else 0
    head: list[Source] = []
    for record, lines in records:
        if record.row in dialect.comment_rows:
            continue
        if record.row > last:
            if head:
                yield _join(head, dialect.header_join)
                head = []
            if any(record.cells) or not dialect.skip_blank:
                yield record, lines
        elif record.row in dialect.header_rows:
            head.append((record, lines))
    if head:
        yield _join(head, dialect.header_join)


def _join(head: Sequence[Source], mark: str) -> Source:
    """Return the records of a header as one; a cell that repeats the one above adds nothing."""
    labels: list[str] = []
    above: dict[int, str] = {}
    for record, _ in head:
        for number, cell in enumerate(text.strip() for text in record.cells):
            if above.get(number) == cell:
                continue
            above[number] = cell
            if number < len(labels):
                labels[number] = mark.join([labels[number], cell])
            else:
                labels.append(cell)
    lines = [line for _, some in head for line in some]
    return Record(head[-1][0].row, head[0][0].line, labels), lines


def locate_byte(file: Path, encoding: str) -> Refusal:
    """Return the refusal that names the first byte that the encoding does not know."""
    wide = encoding.lower().startswith(("utf-16", "utf_16", "utf-32", "utf_32"))
    decoder = codecs.getincrementaldecoder(encoding)()
    number = 0
    with open_binary(file) as binary:
        for number, line in enumerate(binary, start=1):
            if b"\0" in line and not wide:
                return Refusal("RD103", {}, number)
            try:
                decoder.decode(line)
            except UnicodeDecodeError as error:
                byte = f"0x{error.object[error.start]:02x} at byte {error.start + 1} of the line"
                return Refusal("RD101", {"encoding": encoding, "what": byte}, number)
            except UnicodeError as error:  # UTF-16 without a mark
                return Refusal("RD101", {"encoding": encoding, "what": str(error)}, number)
    return Refusal("RD101", {"encoding": encoding, "what": "cut off at its end"}, number)
