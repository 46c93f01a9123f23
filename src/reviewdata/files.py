"""The lines of a data file: what a spreadsheet, an editor or a merge leaves behind in it."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

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
_CONTROL = re.compile(r"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]")
_ENDS = {"LF": "\n", "CRLF": "\r\n", "CR": "\r"}


def inspect_file(file: Path, encoding: str) -> Iterator[Oddity]:
    """Yield the code, line and message values of what is odd about the lines of a file.

    A file that cannot be read in its encoding is told by who loads it; here it yields nothing.
    """
    try:
        text = open_text(file, encoding, "replace")
    except (Refusal, OSError):
        return
    ends = dict.fromkeys(_ENDS.values(), 0)
    with text, file.open("rb") as binary:
        if binary.read(3) == codecs.BOM_UTF8:
            yield "RD130", 1, {}
        for number, line in enumerate(text, start=1):
            if _MERGE.match(line):
                yield "RD132", number, {"mark": line[:7]}
            if (found := _CONTROL.search(line)) and "\0" not in line:
                yield "RD133", number, {"character": f"U+{ord(found[0]):04X}"}
            end = line[-2:] if line.endswith("\r\n") else line[-1]
            if end in ends:
                ends[end] += 1
    used = [name for name, end in _ENDS.items() if ends[end]]
    if len(used) > 1 or used == ["CR"]:
        yield "RD131", None, {"ends": " and ".join(used)}


def describe_file(file: Path, resource: Mapping[str, Any]) -> dict[str, str]:
    """Return how a data file is written, beside what its cells say: each feature in a word.

    The features are its encoding, byte order mark, delimiter, line ends, last line and quotes.
    """
    ends = dict.fromkeys(_ENDS, 0)
    quotes, last, mark = 0, b"", "none"
    with file.open("rb") as binary:
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


def find_stray_quotes(file: Path, dialect: Dialect) -> Iterator[tuple[Record, str, dict[str, Any]]]:
    """Yield the records in which a quote is not where one opens or closes a cell.

    With each comes what is odd: `closed` where text follows a closing quote (a quote left open
    that meets a later one swallows the lines between), `spaced` where a space before a quote
    keeps it from opening a cell. An inch sign within a cell is neither.
    """
    quote = dialect.quote
    if not quote or (quote.isascii() and not _holds(file, quote.encode())):
        return
    spaced = re.compile(rf"[ \t]+{re.escape(quote)}")
    for record, lines in read_sources(file, dialect):
        text = "".join(lines)
        if quote not in text:
            continue
        try:
            next(make_reader(lines, dialect, strict=True))
        except csv.Error:
            last = record.line + len(lines) - 1
            span = f"; lines {record.line} to {last} are one record" if len(lines) > 1 else ""
            yield record, "closed", {"span": span}
            continue
        for cell in record.cells:
            # A quoted cell that starts so has its quotes doubled in the text.
            if spaced.match(cell) and cell in text and not dialect.skip_space:
                yield record, "spaced", {"cell": cell}
                break


def _holds(file: Path, mark: bytes) -> bool:
    with file.open("rb") as binary:
        while block := binary.read(1024 * 1024):
            if mark in block:
                return True
    return False
