"""The records of a table's file, and the same file with some added or changed.

What is there stays as it is, byte for byte; a new record stands where its key puts it if the
file is in the order of its key, and at the end if it is not.
"""

from __future__ import annotations

import codecs
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from reviewdata.cells import LineWriter
from reviewdata.form import Source, Unfit, dialect_of, labels_of, read_form
from reviewdata.model import ReviewdataError
from reviewdata.order import find_key, make_sort_key
from reviewdata.package import Resource
from reviewdata.records import Dialect, Refusal, is_delimited

Row = Mapping[str, str]
"""The texts of a record by the names of their columns; one that is left out is blank."""


@dataclass
class Records:
    """The file of a table: its columns and records; `stamp` is its content."""

    resource: Resource
    file: Path
    dialect: Dialect
    labels: tuple[str, ...]
    sources: list[Source]
    stamp: bytes
    header: Source | None = None
    position: Mapping[str, int] = field(default_factory=dict)

    @property
    def key(self) -> tuple[int, ...]:
        """The places of the primary key's cells; none where there is no key."""
        return find_key(self.resource, self.labels)

    def key_of(self, cells: Sequence[str]) -> tuple[str, ...]:
        """Return the texts of a record's key."""
        return tuple(cells[place] for place in self.key)

    def cells_of(self, row: Row) -> list[str]:
        """Return the cells of a row, in the order of the file.

        Raises ReviewdataError for a column that the file does not have.
        """
        for name in row:
            if name not in self.position:
                known = ", ".join(self.labels)
                raise ReviewdataError(f"{self.resource.name} has no column {name}; it has: {known}")
        return [row.get(label, "") for label in self.labels]


def read_table_file(resource: Resource) -> Records:
    """Return the records of a table. Raises ReviewdataError where nothing can be added to it."""
    if resource.file is None or not is_delimited(resource.descriptor):
        raise ReviewdataError(
            f"{resource.name} is no CSV or TSV file that is there; rows are added to such alone"
        )
    try:
        dialect = dialect_of(resource)
        content = resource.file.read_bytes()
        found = list(read_form(resource.file, resource, dialect))
    except Unfit as unfit:
        where = f"{resource.path}:{unfit.line}" if unfit.line else resource.path
        raise ReviewdataError(f"{where}: {unfit.why}. {unfit.fix}".rstrip()) from None
    except OSError as error:
        raise ReviewdataError(f"{resource.path} cannot be read: {error.strerror}") from error
    header = found.pop(0) if dialect.header else None
    labels = tuple(n.strip() for n in labels_of(resource, dialect, header.cells if header else ()))
    if not labels:
        raise ReviewdataError(f"{resource.path} has no header, and its schema names no column")
    position: dict[str, int] = {}
    for number, label in enumerate(labels):
        if label in position:
            raise ReviewdataError(f"{resource.path} has the column {label} twice")
        position[label] = number
    return Records(resource, resource.file, dialect, labels, found, content, header, position)


def write_records(
    records: Records, new: Sequence[Sequence[str]], changed: Mapping[int, Sequence[str]]
) -> tuple[bytes, list[int]]:
    """Return the content of the file with records added and changed, and the lines of the new.

    `changed` has the cells of a record by its place among the sources. Raises ReviewdataError
    for a cell that cannot be written in the dialect or encoding of the file.
    """
    writer = LineWriter(records.dialect)
    ends = [s.end for s in (records.header, *records.sources) if s is not None and s.end]
    end = ends[0] if ends else "\n"
    first = records.header is None
    texts: list[tuple[str, int | None]] = []
    for number, source in enumerate(records.sources):
        text = source.text
        if number in changed:
            text = _line(records, writer, changed[number], first=first and number == 0)
        texts.append((text + (source.end or end), None))
    keys = _ordered_keys(records, changed)
    make = make_sort_key(records.resource, records.labels)
    for number, cells in enumerate(new):
        line = _line(records, writer, cells, first=first and not texts) + end
        place = len(texts)
        if keys is not None and make is not None:
            key = make(cells)
            place = bisect_right(keys, key)
            keys.insert(place, key)
        texts.insert(place, (line, number))
    head = ""
    if records.header is not None:
        head = records.header.text + (records.header.end or end)
    lines = [0] * len(new)
    at = 1 + _breaks(head)
    for text, which in texts:
        if which is not None:
            lines[which] = at
        at += _breaks(text)
    return _encode(records, head + "".join(text for text, _ in texts)), lines


def _line(records: Records, writer: LineWriter, cells: Sequence[str], *, first: bool) -> str:
    if any("\0" in cell for cell in cells):
        raise ReviewdataError(f"{records.resource.name}: a cell has a NUL character")
    try:
        return writer.line(cells, first=first)
    except Refusal:
        path = records.resource.path
        raise ReviewdataError(f"{path}: a cell cannot be written in its dialect") from None


def _ordered_keys(
    records: Records, changed: Mapping[int, Sequence[str]]
) -> list[tuple[object, ...]] | None:
    """Return what the records are sorted by; None where they are in no order, or have no key."""
    make = make_sort_key(records.resource, records.labels)
    if make is None or any(not source.cells for source in records.sources):
        return None
    keys = [make(changed.get(n, source.cells)) for n, source in enumerate(records.sources)]
    ordered = all(not later < earlier for earlier, later in pairwise(keys))
    return keys if ordered else None


def _breaks(text: str) -> int:
    return text.count("\n") + text.replace("\r\n", "\n").count("\r")


def _encode(records: Records, text: str) -> bytes:
    codec = records.dialect.codec
    try:
        if codec == "utf-8-sig":
            mark = codecs.BOM_UTF8 if records.stamp.startswith(codecs.BOM_UTF8) else b""
            return mark + text.encode("utf-8")
        return text.encode(codec)
    except UnicodeEncodeError as error:
        character = f"U+{ord(error.object[error.start]):04X}"
        raise ReviewdataError(
            f"{records.resource.path} is in {records.dialect.encoding}, which has no {character}"
        ) from None
