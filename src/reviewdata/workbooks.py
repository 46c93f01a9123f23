"""The rows of a sheet of an XLSX workbook, as openpyxl reads them, which comes with `[excel]`.

A workbook is a zip file of XML, so its parts are looked at first: how large they are unpacked,
whether a row is one, and whether each formula has its value.
"""

from __future__ import annotations

import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

from reviewdata.records import Refusal

UNPACKED = 128 * 1024 * 1024
"""Bytes of a sheet, unpacked, above which a workbook is refused."""

TEXTS = 32 * 1024 * 1024
"""Bytes of the texts of all sheets above which a workbook is refused: they are held."""

SMALL = 16 * 1024 * 1024
"""Bytes of each other part, and of one row of a sheet, above which a workbook is refused."""

ROWS = 1024 * 1024
"""The rows of a sheet, which no program goes beyond."""

GAP = 10_000
"""Empty rows between others above which a sheet is refused; those below the last are no rows."""

_BLOCK = 1024 * 1024
_TOO_MANY = f"the sheet has more than {ROWS:,} rows: delete the empty ones"
_SHEETS = re.compile(r"xl/worksheets/[^/]*\.xml", re.IGNORECASE)
_TEXTS = "xl/sharedstrings.xml"

_BROKEN = (
    *(ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, OSError),
    *(RuntimeError, SyntaxError, TypeError, ValueError, zipfile.BadZipFile, zlib.error),
)
"""What openpyxl raises where the XML of a workbook is not what it expects."""


def read_sheet(file: Path, sheet: int | str, head: int, *, header: bool) -> Iterator[list[Any]]:
    """Yield the rows of a sheet (its number from 1, or its name), down to the last with a value.

    Empty cells are None; each row behind row `head`, where the table starts, goes at least as far
    as that. A number that is whole is an int, whatever the program that wrote it made of it.
    Raises Refusal for what is no workbook, or none that can be read without a loss or in bounded
    memory, and where row `head` should be the `header` and is empty.
    """
    try:
        import openpyxl
    except ImportError:
        raise Refusal("RD107", _NEEDED) from None
    check_workbook(file)
    try:
        with file.open("rb") as binary:
            with _quiet():
                book = openpyxl.load_workbook(binary, read_only=True, data_only=True)
            with closing(book):
                found = _find_sheet(book.worksheets, sheet)
                _check_sheet(file, found._worksheet_path)
                found.reset_dimensions()  # what a sheet says of its size may be wrong, and cut it
                yield from _trim(found.iter_rows(values_only=True), head, header=header)
    except _BROKEN as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise _refuse(f"it is no workbook that can be read: {reason}") from None


def list_sheets(file: Path) -> list[str]:
    """Return the names of the sheets with cells. Raises Refusal for what is no workbook."""
    try:
        import openpyxl
    except ImportError:
        raise Refusal("RD107", _NEEDED) from None
    check_workbook(file)
    try:
        with file.open("rb") as binary, _quiet():
            book = openpyxl.load_workbook(binary, read_only=True)
            with closing(book):
                return [str(sheet.title) for sheet in book.worksheets]
    except _BROKEN as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise _refuse(f"it is no workbook that can be read: {reason}") from None


def _quiet() -> warnings.catch_warnings[None]:
    """Keep openpyxl from telling of styles, and of dates that it takes for errors."""
    return warnings.catch_warnings(action="ignore")


_NEEDED = {
    "format": "the format xlsx",
    "read": 'to read it, install openpyxl: pip install "reviewdata[excel]"',
}


def _refuse(note: str) -> Refusal:
    return Refusal("RD106", {"note": note})


def _trim(rows: Iterator[tuple[Any, ...]], head: int, *, header: bool) -> Iterator[list[Any]]:
    """Yield the rows with what a spreadsheet adds to them, or leaves out, made good."""
    width = empty = 0
    for number in count(1):
        with _quiet():
            cells = next(rows, None)
        if cells is None:
            return
        if number > ROWS:
            raise _refuse(_TOO_MANY)
        last = len(cells)
        while last and cells[last - 1] in (None, ""):
            last -= 1
        if not last:
            empty += 1
            continue
        if number - empty <= head < number and header:
            note = f"row {head} of the sheet should be the header, and is empty"
            raise _refuse(f'{note}; "dialect": {{"headerRows": [{number}]}} names another')
        if empty > GAP:
            raise _refuse(f"row {number} of the sheet stands below {empty:,} empty ones")
        for _ in range(empty):
            yield [None] * width
        empty = 0
        width = max(width, last) if number <= head else width or last
        row = [_tidy(cell) for cell in cells[:last]]
        yield row + [None] * (width - last)


def _tidy(cell: Any) -> Any:
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return int(cell)
    return cell


def _find_sheet(sheets: list[Any], wanted: int | str) -> Any:
    """Return the sheet of a number or a name; raises Refusal where there is none."""
    names = {sheet.title: sheet for sheet in sheets}
    if isinstance(wanted, int) and 1 <= wanted <= len(sheets):
        return sheets[wanted - 1]
    if wanted in names:
        return names[wanted]
    told = ", ".join(names) or "none"
    raise _refuse(f"it has no sheet {wanted}; there are: {told[:200]}")


def check_workbook(file: Path) -> None:
    """Raise Refusal for a file that is no workbook, or takes too much room unpacked."""
    with file.open("rb") as binary:
        start = binary.read(512)
    if not start:
        raise Refusal("RD102", {})
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        raise _refuse("it has a password, or is an old XLS: save it as XLSX without one")
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise _refuse("it is HTML or XML under the name of a workbook")
    try:
        with zipfile.ZipFile(file) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, LookupError) as error:
        reason = str(error).lower()
        raise _refuse(f"it is no XLSX workbook: {reason}") from None
    if not any(part.filename.lower() == "[content_types].xml" for part in parts):
        raise _refuse("it is a zip file, and no XLSX workbook")
    for part in parts:
        limit = UNPACKED if _SHEETS.fullmatch(part.filename) else SMALL
        limit = TEXTS if part.filename.lower() == _TEXTS else limit
        media = part.filename.startswith("xl/media/")  # is not read
        if part.file_size > limit and not media:
            size, name = part.file_size / 1024 / 1024, part.filename[:60]
            raise _refuse(f"its part {name} has {size:,.0f} MB unpacked, more than {limit >> 20}")


_END = re.compile(rb"</(?:\w+:)?(?:(?P<row>row)|c)>|(?P<none><(?:\w+:)?row\b[^<>]*/>)")
_UNSAVED = re.compile(
    rb"<(?:\w+:)?c\b(?P<about>[^<>]*)>\s*<(?:\w+:)?f\b[^<>]*(?:/>|>[^<]*</(?:\w+:)?f>)\s*"
    rb"(?:</(?:\w+:)?c>|<(?:\w+:)?v\s*/>|<(?:\w+:)?v></)"
)
_NAMED = re.compile(rb'\br="([A-Z]{1,3}\d{1,7})"')


def _check_sheet(file: Path, part: str) -> None:
    """Raise Refusal for too many rows, one too long to be held, a formula without its value.

    A program that is no spreadsheet writes a formula without computing it; the cell would be
    taken for empty.
    """
    with zipfile.ZipFile(file) as archive, archive.open(part.lstrip("/")) as binary:
        held, since, number = b"", 0, 0
        while block := binary.read(_BLOCK):
            held += block
            for found in _UNSAVED.finditer(held):
                if b't="str"' not in found["about"]:  # an empty text is a value
                    name = _NAMED.search(found["about"])
                    cell = f"cell {name[1].decode()}" if name else "a cell"
                    note = f"{cell} has a formula that was not computed"
                    raise _refuse(f"{note}: open it in a spreadsheet program, and save it")
            ends = [(f.end(), f["row"] or f["none"]) for f in _END.finditer(held)]
            rows = [end for end, row in ends if row]
            number += len(rows)
            if number > ROWS:
                raise _refuse(_TOO_MANY)
            since = len(held) - rows[-1] if rows else since + len(block)
            if since > SMALL:
                raise _refuse(f"a row of the sheet has more than {SMALL >> 20} MB")
            held = held[ends[-1][0] :] if ends else held
