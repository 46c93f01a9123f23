"""A file as DuckDB reads it by itself, where that cannot change what is read.

That is plain UTF-8 with one kind of line end, the right number of cells in each record, and no
quotes that Python's reader takes otherwise. Where each record is one line, the number of lines
is the proof that both read the same records; elsewhere Python counts them, and notes where a
record is more than a line or a line is blank.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from reviewdata.columns import quote_text
from reviewdata.compressed import is_gzipped, open_binary
from reviewdata.files import has_controls, has_marks
from reviewdata.records import CELL_LIMIT, Dialect, make_reader, open_text

BLOCK = 1024 * 1024
BUFFER = 1024 * 1024
"""Bytes that DuckDB reads at a time; more costs memory and saves nothing measurable."""

LONGEST = 4 * CELL_LIMIT
"""Bytes of a line that may be held; a longer one is no line of a review."""

MOST_BREAKS = 100_000
"""Records that are more than a line, and blank lines; a file with more goes by record."""

_NO_NULL = "\r"  # a whole cell in no file that DuckDB reads by itself


class Break(NamedTuple):
    """From the record `number` on, `row` and `line` are to be added for its row and line."""

    number: int
    row: int
    line: int


@dataclass
class Scan:
    """A file that DuckDB may read: its columns are `t1`, `t2`, ... in `source`.

    In one that is `plain` there is no mark of a conflict, and no control character in its first
    line.
    `breaks` and the row and line of each line that is `blank` are known once it is settled.
    """

    file: Path
    dialect: Dialect
    source: str
    width: int
    lines: int
    plain: bool
    breaks: list[Break] = field(default_factory=lambda: [Break(0, 1, 1)])
    blank: list[tuple[int, int]] = field(default_factory=list)

    @property
    def texts(self) -> list[str]:
        """The columns of the source."""
        return list_texts(self.width)

    @property
    def is_even(self) -> bool:
        """Whether each record is one line, and no line is blank."""
        return len(self.breaks) == 1 and not self.blank

    def settle(self, records: int) -> bool:
        """Find where records stand; whether they are the `records` that DuckDB has read."""
        if records + 1 == self.lines:
            return True
        return self._read() == records

    def _read(self) -> int | None:
        """Return the number of records that Python reads; None where that is no such file.

        The reader is strict: text behind a closing quote is told by who reads record by record.
        """
        breaks, blank = [Break(0, 1, 1)], []
        csv.field_size_limit(CELL_LIMIT)
        number, line, rows, lines = -1, 1, 1, 1
        try:
            with open_text(self.file, self.dialect.encoding) as text:
                reader = make_reader(text, self.dialect, strict=True)
                for row, cells in enumerate(reader, start=1):
                    if cells:
                        number += 1
                        if line - number != lines:  # of a record, so also where the row is another
                            rows, lines = row - number, line - number
                            breaks.append(Break(number, rows, lines))
                            if len(breaks) > MOST_BREAKS:
                                return None
                    else:
                        blank.append((row, line))
                        if row == 1 or len(blank) > MOST_BREAKS:
                            return None  # too many, or a header that is not the first record
                    line = reader.line_num + 1  # type: ignore[attr-defined]
        except (csv.Error, UnicodeError):
            return None
        self.breaks, self.blank = breaks, blank
        return number

    def number(self, records: str, ordinal: str) -> str:
        """Return SQL for some records of the source with their `_row` and `_line`, in order.

        `ordinal` is the SQL of the number of a record, which counts from 1.
        """
        texts = ", ".join(self.texts)
        if self.is_even:
            return f"SELECT {ordinal} + 1 AS _row, {ordinal} + 1 AS _line, {texts} FROM {records}"
        columns = zip(*self.breaks, strict=True)
        listed = ", ".join(
            f"unnest({_numbers(column)}) AS b{i}" for i, column in enumerate(columns)
        )
        return (
            f"SELECT ordinal + b1 AS _row, ordinal + b2 AS _line, {texts}"
            f" FROM (SELECT {ordinal} AS ordinal, {texts} FROM {records})"
            f" ASOF JOIN (SELECT {listed}) ON ordinal >= b0 ORDER BY ordinal"
        )


def list_texts(width: int) -> list[str]:
    """Return the names of the columns of text in the store and in a scan."""
    return [f"t{number}" for number in range(1, width + 1)]


def open_scan(file: Path, dialect: Dialect, width: int) -> Scan | None:
    """Return the scan of a file with a header and `width` columns; None where DuckDB must not."""
    plain = Dialect(delimiter=dialect.delimiter)
    odd = dialect.delimiter in ' "\r\n' or not dialect.delimiter.isascii()
    if dialect != plain or odd or width < 2:
        return None
    found = _look_at(file, dialect.delimiter)
    if found is None:
        return None
    lines, end, plain_text = found
    options = (
        f"header = true, delim = {quote_text(dialect.delimiter)}, buffer_size = {BUFFER}, "
        f"new_line = {quote_text(end)}, nullstr = {quote_text(_NO_NULL)}"
    )
    if is_gzipped(file):
        options += ", compression = 'gzip'"
    return Scan(file, dialect, read_csv(file, options, list_texts(width)), width, lines, plain_text)


def read_csv(file: Path, options: str, texts: Sequence[str], numbers: Sequence[str] = ()) -> str:
    """Return the SQL that reads this CSV file with these columns, nothing of which is guessed."""
    columns = dict.fromkeys(numbers, "BIGINT") | dict.fromkeys(texts, "VARCHAR")
    listed = ", ".join(f"{quote_text(n)}: {quote_text(t)}" for n, t in columns.items())
    return (
        f"read_csv({quote_text(_PATTERN.sub(_LITERAL, str(file)))}, columns = {{{listed}}}, "
        f"auto_detect = false, hive_partitioning = false, quote = '\"', escape = '\"', {options})"
    )


_PATTERN, _LITERAL = re.compile(r"([*?\[])"), r"[\1]"
"""What would make of a path a pattern, by which other files are read, and how it is itself."""

_SPACED = (b' "', b'" ', b'\t"', b'"\t')


def _look_at(file: Path, delimiter: str) -> tuple[int, str, bool] | None:
    """Return the number of lines, how they end and whether all is plain.

    None where DuckDB may read otherwise than Python.
    It does with old or mixed line ends, a byte order mark, NUL bytes, and white space around a
    quoted cell.
    """
    edge = rb"(^|\n|\r|" + re.escape(delimiter.encode()) + rb"|$)"
    spaced = re.compile(edge + rb'[ \t]+"|"[ \t]+' + edge)
    newlines, returns, pairs, last, plain = 0, 0, 0, b"", True
    with open_binary(file) as binary:
        while block := binary.read(BLOCK):
            rest = binary.readline(LONGEST)  # so that a block ends with its line
            block += rest
            if (
                len(rest) == LONGEST
                or (not last and block.startswith(codecs.BOM_UTF8))
                or b"\0" in block
                or (b'"' in block and any(m in block for m in _SPACED) and spaced.search(block))
            ):
                return None
            head = b"" if last else block.partition(b"\n")[0]
            plain = plain and not has_marks(block) and not has_controls(head)
            newlines += block.count(b"\n")
            if b"\r" in block:
                returns += block.count(b"\r")
                pairs += block.count(b"\r\n")
            last = block
    if returns and not returns == pairs == newlines:
        return None
    return newlines + (not last.endswith(b"\n")), "\\r\\n" if returns else "\\n", plain


def _numbers(values: Sequence[int]) -> str:
    """Return the SQL of a list of whole numbers, which as a literal would take long to parse."""
    return f"CAST(string_split({quote_text(','.join(map(str, values)))}, ',') AS BIGINT[])"
