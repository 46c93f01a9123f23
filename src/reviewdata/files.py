"""The lines of a data file: what a spreadsheet, an editor or a merge leaves behind in it."""

from __future__ import annotations

import codecs
import csv
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from reviewdata.compressed import open_binary
from reviewdata.records import (
    Dialect,
    Record,
    Refusal,
    encoding_of,
    format_of,
    make_reader,
    open_text,
    read_sources,
)

Oddity = tuple[str, int | None, dict[str, Any]]

_MERGE = re.compile(r"(<{7}|>{7}|\|{7})( |\r?\n?$)")
_IN_CELL = re.compile(r"(?<!<)<{7} | ={7} | >{7}(?!>)")
_CONTROL = re.compile(r"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]")
_ENDS = {"LF": "\n", "CRLF": "\r\n", "CR": "\r"}


def inspect_file(file: Path, encoding: str) -> Iterator[Oddity]:
    """Yield the code, line and message values of what is odd about the lines of a file.

    A file that cannot be read in its encoding is told by who loads it; here it yields nothing.
    """
    with suppress(Refusal, OSError):
        yield from _inspect(file, encoding)


def _inspect(file: Path, encoding: str) -> Iterator[Oddity]:
    ends = dict.fromkeys(_ENDS.values(), 0)
    marks = ConflictMarks()
    with open_text(file, encoding, "replace") as text, open_binary(file) as binary:
        if binary.read(3) == codecs.BOM_UTF8:
            yield "RD130", 1, {}
        if codecs.lookup(encoding).name in _ASCII_BASED and _is_plain(binary):
            return
        for number, line in enumerate(text, start=1):
            if mark := marks.find(number, line):
                yield "RD132", mark[0], {"mark": mark[1]}
            if (found := _CONTROL.search(line)) and "\0" not in line:
                yield "RD133", number, {"character": f"U+{ord(found[0]):04X}"}
            end = line[-2:] if line.endswith("\r\n") else line[-1]
            if end in ends:
                ends[end] += 1
    used = [name for name, end in _ENDS.items() if ends[end]]
    if len(used) > 1 or used == ["CR"]:
        yield "RD131", None, {"ends": " and ".join(used)}


_ASCII_BASED = ("utf-8", "ascii", "iso8859-1", "iso8859-15", "cp1252")
"""Encodings in which a byte below 128 is always that character."""

_PLAIN = bytes({9, 10, 13, *range(0x20, 0x7F), *range(0x80, 0x100)})
_MARKS = (b"<" * 7, b">" * 7, b"|" * 7)


def has_controls(block: bytes) -> bool:
    """Whether bytes hold a control character that is no tab and no line end."""
    return bool(block.translate(None, _PLAIN))


def has_marks(block: bytes) -> bool:
    """Whether bytes may hold a mark of a merge conflict."""
    return any(mark[:1] in block and mark in block for mark in _MARKS)


def _is_plain(binary: BinaryIO) -> bool:
    """Whether a file has no control character, no mark of a conflict, and one kind of line end.

    Blocks of bytes are looked at, which is ten times faster than lines.
    """
    returns, pairs, newlines, last = 0, 0, 0, b""
    binary.seek(0)
    while block := binary.read(1024 * 1024):
        both = last + block
        if has_controls(block) or has_marks(both):
            return False
        newlines += block.count(b"\n")
        if b"\r" in both:
            returns += block.count(b"\r")
            pairs += both.count(b"\r\n") - last.count(b"\r\n")
        last = block[-6:]
    return returns == pairs and pairs in (0, newlines)


def describe_file(file: Path, resource: Mapping[str, Any]) -> dict[str, str]:
    """Return how a data file is written, beside what its cells say: each feature in a word.

    The features are its encoding, byte order mark, delimiter, line ends, last line and quotes.
    """
    ends = dict.fromkeys(_ENDS, 0)
    quotes, last, mark = 0, b"", "none"
    with open_binary(file) as binary:
        while block := binary.read(1024 * 1024):
            if not last and block.startswith(codecs.BOM_UTF8):
                mark = "UTF-8"
            quotes += block.count(b'"')
            pairs = block.count(b"\r\n") + (last == b"\r" and block.startswith(b"\n"))
            ends["CRLF"] += pairs
            ends["LF"] += block.count(b"\n") - pairs
            ends["CR"] += block.count(b"\r") - pairs
            last = block[-1:]
    given = resource.get("dialect")
    dialect = given if isinstance(given, Mapping) else {}
    return {
        "encoding": encoding_of(resource),
        "byte order mark": mark,
        "delimiter": repr(dialect.get("delimiter", "\t" if format_of(resource) == "tsv" else ",")),
        "line ends": " and ".join(name for name, number in ends.items() if number) or "none",
        "end of the last line": "yes" if last in (b"\n", b"\r") else "no",
        "quotation marks": str(quotes),
    }


class ConflictMarks:
    """Finds the marks of a merge conflict, given the lines of a file one by one.

    Those of git stand at the start of a line; those of the merge driver enclose both texts of
    one cell, `<<<<<<< ours ======= theirs >>>>>>>`, which may go over several lines.
    """

    def __init__(self) -> None:
        self._start = 0  # line of a mark within a cell that is not closed yet
        self._middle = False

    def find(self, number: int, line: str) -> tuple[int, str] | None:
        """Return the line of a conflict that starts or ends in this line, and its first mark."""
        if _MERGE.match(line):
            self._start = 0
            return number, line[:7]
        if not self._start and "<<<<<<< " not in line:
            return None
        found = None
        for part in _IN_CELL.finditer(line):
            sign = part[0].strip()
            if sign[0] == "<":
                if self._middle:  # the text of theirs may itself hold one
                    continue
                self._start, self._middle = number, False
            elif sign[0] == "=":
                self._middle = bool(self._start)
            elif self._middle:
                found = found or (self._start, "<<<<<<<")
                self._start, self._middle = 0, False
        return found


def find_stray_quotes(file: Path, dialect: Dialect) -> Iterator[tuple[Record, str, dict[str, Any]]]:
    """Yield the records in which a quote is not where one opens or closes a cell.

    With each comes what is odd: `closed` where text follows a closing quote (a quote left open
    that meets a later one swallows the lines between), `spaced` where a space before a quote
    keeps it from opening a cell. An inch sign within a cell is neither.
    """
    quote = dialect.quote
    if not quote or (quote.isascii() and not _holds(file, quote.encode())):
        return
    for record, lines in read_sources(file, dialect):
        if found := find_stray_quote(record, lines, dialect):
            yield record, *found


def find_stray_quote(
    record: Record, lines: Sequence[str], dialect: Dialect
) -> tuple[str, dict[str, Any]] | None:
    """Return what is odd about the quotes of one record, as above, given its lines."""
    quote, text = dialect.quote, "".join(lines)
    if not quote or quote not in text:
        return None
    try:
        next(make_reader(lines, dialect, strict=True))
    except csv.Error:
        last = record.line + len(lines) - 1
        span = f"; lines {record.line} to {last} are one record" if len(lines) > 1 else ""
        return "closed", {"span": span}
    if not dialect.skip_space and any(_is_spaced(cell, quote) for cell in record.cells):
        starts = _find_starts(text, dialect, quote)
        spaced = (c for c, start in zip(record.cells, starts, strict=False) if start)
        return next((("spaced", {"cell": cell}) for cell in spaced), None)
    return None


def _is_spaced(cell: str, quote: str) -> bool:
    return cell[:1] in (" ", "\t") and cell.lstrip(" \t").startswith(quote)


def _find_starts(text: str, dialect: Dialect, quote: str) -> Iterator[bool]:
    """Yield for each cell of a record's text whether it starts with a quote behind blanks.

    The text is one that Python's reader takes as strict: a quoted cell ends in its quote, or
    goes on without quotes where the dialect doubles none.
    """
    mark, end = re.escape(quote), re.escape(dialect.delimiter) + r"\r\n"
    escape = re.escape(dialect.escape) if dialect.escape else ""
    blank = "[ \\t]".replace({" ": " ", "\t": "\\t"}.get(dialect.delimiter, "none"), "")
    # Possessive: a cell of millions of characters needs no way back.
    inner, plain = f"[^{mark}{escape}]", f"[^{end}{escape}]"
    if escape:
        inner, plain = f"(?:{inner}|{escape}(?s:.))", f"(?:{plain}|{escape}(?s:.))"
    doubled = f"(?:{mark}{mark}{inner}*+)*+" if dialect.double_quote else ""
    cell = re.compile(
        f"(?:{mark}{inner}*+{doubled}{mark}{plain}*+|(?P<spaced>{blank}++(?={mark}))?{plain}*+)"
        rf"(?:[{end}]|\Z)"
    )
    return (found["spaced"] is not None for found in cell.finditer(text))


def check_delimiter(lines: Sequence[str], dialect: Dialect, names: Collection[str]) -> None:
    """Raise Refusal for a header that another separator splits into the columns `names`."""

    def count(delimiter: str) -> int:
        reader = make_reader(lines, replace(dialect, delimiter=delimiter))
        return len({label.strip() for label in next(reader)} & set(names))

    if len(names) < 2 or count(dialect.delimiter):
        return
    for delimiter in _DELIMITERS:
        if 2 * count(delimiter) > len(names):
            declared = json.dumps({"delimiter": delimiter})
            note = f'its columns are separated otherwise than declared; add "dialect": {declared}'
            raise Refusal("RD106", {"note": note}, 1)


_DELIMITERS = ",;\t|:"


def _holds(file: Path, mark: bytes) -> bool:
    with open_binary(file) as binary:
        while block := binary.read(1024 * 1024):
            if mark in block:
                return True
    return False
