"""The form of a table's file: records by key, quotes where they are needed, LF, UTF-8.

Every cell keeps its text. A file of which that could not be promised is unfit, and is left as
it is. Files of any length are read in little memory, and sorted with one line and one key a
record.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from reviewdata.cells import LineWriter
from reviewdata.files import ConflictMarks, check_delimiter, find_stray_quote
from reviewdata.order import Key, make_sort_key
from reviewdata.package import Resource
from reviewdata.records import Dialect, Record, Refusal, encoding_of, read_records, read_sources
from reviewdata.rules import builtin_rules, fill

ENCODING = "utf-8"
BLOCK = 1024 * 1024


class Unfit(Exception):  # noqa: N818 - a file at fault is a result, not an error of ours
    """Why a file is left as it is: what is wrong in which line, and what to mend first."""

    def __init__(self, why: str, fix: str, line: int | None = None) -> None:
        super().__init__(why)
        self.why, self.fix, self.line = why, fix, line


class Source(NamedTuple):
    """A record as the file has it: line, cells, text without the line end, that line end."""

    line: int
    cells: list[str]
    text: str
    end: str


@dataclass
class Digest:
    """What a multiset of records is told by, in the same memory for any number of them."""

    count: int = 0
    total: int = 0

    def add(self, cells: Iterable[str]) -> None:
        """Count one more record."""
        self.count += 1
        self.total = (self.total + hash(tuple(cells))) % 2**64


@dataclass(frozen=True)
class Look:
    """What was seen of a file: what is not in the form, and what must be the same afterwards.

    `head` is the first record, the header where there is one; none in a file without records.
    """

    reasons: tuple[str, ...]
    ordered: bool
    head: list[str] | None
    digest: Digest


def read_form(
    file: Path, resource: Resource, dialect: Dialect, *, marks: bool = True
) -> Iterator[Source]:
    """Yield the records of a file, blank lines too (they have no cells), the header first.

    Raises Unfit for what cannot be read without a doubt, or would not be the same in another
    order: bytes of another encoding, a quote that is left open or stands in a cell, a comment,
    a record of too few or too many cells, and, where `marks`, a conflict that was not resolved.
    """
    conflicts = ConflictMarks() if marks else None
    width = None if dialect.header else len(labels_of(resource, dialect, ())) or None
    first = True
    with _told():
        for record, lines in read_sources(file, replace(dialect, comment=None)):
            if conflicts:
                _check_marks(conflicts, record, lines)
            cells = record.cells
            if cells:
                width = width or len(cells)
                _check_record(record, lines, dialect, width)
            if first and dialect.header:
                if not cells:
                    raise Unfit("the first line is blank", "Let the header be the first line.", 1)
                check_delimiter(lines, dialect, resource.fields)
            text = "".join(lines)
            end = _line_end(text)
            yield Source(record.line, cells, text[: len(text) - len(end)], end)
            first = False
        if first and dialect.header:
            raise Refusal("RD102", {})


def _check_marks(conflicts: ConflictMarks, record: Record, lines: Sequence[str]) -> None:
    for number, line in enumerate(lines, start=record.line):
        if found := conflicts.find(number, line):
            raise Refusal("RD132", {"mark": found[1]}, found[0])


def _check_record(record: Record, lines: Sequence[str], dialect: Dialect, width: int) -> None:
    if dialect.comment and record.cells[0].startswith(dialect.comment):
        fix = "Say it in a column, or in the description of the resource."
        raise Unfit("a comment has no place among records that are sorted", fix, record.line)
    body = "".join(lines).rstrip("\r\n")
    if dialect.escape and (len(body) - len(body.rstrip(dialect.escape))) % 2:
        why = f"a line break is escaped at the end of record {record.row}"
        raise Unfit(why, "Let the record end with its line, or quote the cell.", record.line)
    if stray := find_stray_quote(record, lines, dialect):
        kind, values = stray
        rule = builtin_rules()["RD129"]
        told = {"row": record.row, **values, "cell": repr(values.get("cell", ""))[:60]}
        raise Unfit(fill(rule.messages[kind], told, rule.code), rule.fix, record.line)
    if (found := len(record.cells)) != width:
        why = f"record {record.row} has {found} cell{'s' * (found != 1)}, not {width}"
        raise Unfit(why, builtin_rules()["RD116"].fix, record.line)


def _line_end(text: str) -> str:
    return "\r\n" if text.endswith("\r\n") else text[-1] if text[-1] in "\r\n" else ""


@contextmanager
def _told(line: int | None = None) -> Iterator[None]:
    """Tell a refusal, and a file that cannot be read, as Unfit."""
    try:
        yield
    except Refusal as refusal:
        rule = builtin_rules()[refusal.code]
        why = fill(rule.message, refusal.values, rule.code)
        raise Unfit(why, rule.fix, refusal.line or line) from None
    except OSError as error:
        raise Unfit(f"it cannot be read: {error.strerror}", "Let this user read it.") from error


def dialect_of(resource: Resource) -> Dialect:
    """Return the declared dialect of a resource. Raises Unfit where a file cannot be sorted."""
    with _told():
        dialect = Dialect.of(resource.descriptor)
    if not dialect.is_whole:
        why = "its dialect tells of lines that are no records"
        raise Unfit(why, "Remove them from the file, and the setting from its dialect.")
    return dialect


def labels_of(resource: Resource, dialect: Dialect, head: Sequence[str]) -> list[str]:
    """Return the names of a file's columns, given its first record."""
    if dialect.header:
        return list(head)
    return [str(entry["name"]) for entry in resource.schema.get("fields", [])]


def look_at(file: Path, resource: Resource) -> Look:
    """Return what is not in the form about a file. Raises Unfit where it must be left as it is."""
    dialect = dialect_of(resource)
    writer = LineWriter(dialect)
    digest = Digest()
    head: list[str] | None = None
    blank = quoting = False
    ends: set[str] = set()
    ordered, key, last = True, None, None
    for source in read_form(file, resource, dialect):
        cells = source.cells
        if not cells:
            blank = True
            continue
        digest.add(cells)
        ends.add(source.end)
        with _told(source.line):
            line = writer.line(cells, first=head is None or not dialect.header)
        quoting = quoting or line != source.text
        if head is None:
            head = cells
            key = make_sort_key(resource, labels_of(resource, dialect, head))
            if dialect.header:
                continue
        if key is not None and ordered:
            now = key(cells)
            ordered = last is None or not now < last
            last = now
    reasons = {
        "order": not ordered,
        "quoting or spaces" if dialect.skip_space else "quoting": quoting,
        "blank lines": blank,
        "line ends": not ends <= {"\n", ""},
        "last line end": "" in ends,
        "byte order mark": _has_mark(file),
        "encoding": codecs.lookup(dialect.encoding).name != ENCODING,
    }
    return Look(tuple(r for r, holds in reasons.items() if holds), ordered, head, digest)


def _has_mark(file: Path) -> bool:
    with _told(), file.open("rb") as binary:
        return binary.read(3) == codecs.BOM_UTF8


def check_encoding(file: Path, resource: Resource) -> None:
    """Raise Unfit where the bytes are UTF-8, and another encoding is declared by mistake."""
    if codecs.lookup(encoding_of(resource.descriptor)).name == "utf-8-sig":
        return
    decoder = codecs.getincrementaldecoder(ENCODING)()
    plain = True
    with file.open("rb") as binary:
        try:
            while block := binary.read(BLOCK):
                plain = plain and block.isascii()
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return
    if not plain:
        why = f"{encoding_of(resource.descriptor)} is declared, and the bytes are UTF-8"
        raise Unfit(why, 'Correct `encoding` in datapackage.json to "utf-8", or the file.')


def form_lines(file: Path, resource: Resource, look: Look) -> Iterator[bytes]:
    """Yield the lines of a file as they should be; `look` is that at this file."""
    dialect = dialect_of(resource)
    writer = LineWriter(dialect)
    records = (s.cells for s in read_form(file, resource, dialect) if s.cells)
    head = look.head or []
    key = None if look.ordered else make_sort_key(resource, labels_of(resource, dialect, head))

    def encode(cells: Sequence[str], first: bool = not dialect.header) -> bytes:
        return (writer.line(cells, first=first) + "\n").encode(ENCODING)

    with _told():
        if dialect.header:
            yield from (encode(cells, first=True) for cells in islice(records, 1))
        if key is None:
            yield from map(encode, records)
            return
        keys: list[Key] = []
        lines: list[bytes] = []
        for cells in records:
            keys.append(key(cells))
            lines.append(encode(cells))
        for number in sorted(range(len(lines)), key=keys.__getitem__):
            yield lines[number]


def check_same(file: Path, resource: Resource, look: Look) -> None:
    """Raise where a file that was written does not hold the records that were seen: our mistake."""
    dialect = replace(dialect_of(resource), encoding=ENCODING)
    digest = Digest()
    head: list[str] | None = None
    try:
        for record in read_records(file, dialect):
            digest.add(record.cells)
            head = record.cells if head is None else head
    except Refusal as refusal:
        raise RuntimeError(f"what would have been written to {resource.path}") from refusal
    if digest != look.digest or (dialect.header and head != look.head):
        raise RuntimeError(f"other records would have been written to {resource.path}")
