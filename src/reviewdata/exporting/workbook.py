"""The tables as one Excel workbook, to be filled in and given back to `add --from`."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from reviewdata.exporting.sheets import (
    LISTS,
    ROWS,
    check_cell,
    check_size,
    explain_field,
    name_sheets,
    quote_sheet,
)
from reviewdata.exporting.whole import list_rows, text_columns, text_labels, text_sql
from reviewdata.model import ReviewdataError
from reviewdata.output import open_output
from reviewdata.package import Resource
from reviewdata.tables import Tables
from reviewdata.tableschema import list_values

TEXT = "@"
"""The format of a cell that is text whatever is typed into it."""

MOMENT = (1980, 1, 1, 0, 0, 0)
"""The time of each part of the file: the earliest that a zip can say."""

NEEDED = 'a workbook needs openpyxl: pip install "reviewdata[excel]"'
_TIMES = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*")


def write_workbook(tables: Tables, path: Path, *, keep: bool) -> None:
    """Write a workbook: one sheet a table, codelists as drop-downs, descriptions as comments.

    Every cell is text. It is the same bytes each time. Raises ReviewdataError without openpyxl,
    for a table that is larger than a sheet, for a cell that would not come back as it is, and,
    where `keep`, for a file that is there with other content.
    """
    try:
        import openpyxl
        from openpyxl.writer.excel import ExcelWriter
    except ImportError:
        raise ReviewdataError(NEEDED) from None
    names = name_sheets(tables.columns)
    for table in names:
        check_size(table, tables.count(table), len(text_columns(tables, table)))
        _check_cells(tables, table)
    with tempfile.TemporaryFile() as whole, tempfile.TemporaryFile() as fixed:
        book = openpyxl.Workbook(write_only=True)
        try:
            lists: list[Sequence[str]] = []
            for table, sheet in names.items():
                _write_sheet(book, tables, table, sheet, names, lists)
            _write_lists(book, lists)
            with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
                ExcelWriter(book, archive).save()
        except BaseException:  # Ctrl-C too
            _abandon(book)
            raise
        _fix(whole, fixed)
        if keep and path.is_file() and not _is_same(path, fixed):
            raise ReviewdataError(
                f"{path} is there with other content, which somebody may have filled in:"
                " --force replaces it"
            )
        fixed.seek(0)
        with open_output(path) as out:
            shutil.copyfileobj(fixed, out)


def _abandon(book: Any) -> None:
    """End what openpyxl has begun to write; else Python prints what it says of it at the end."""
    for sheet in book.worksheets:
        for begun in (getattr(sheet, "_rows", None), getattr(sheet._writer, "xf", None)):
            if begun is not None:
                with suppress(OSError, SyntaxError, ValueError):
                    begun.close()


def _check_cells(tables: Tables, table: str) -> None:
    """Raise ReviewdataError for a cell that would not come back as it is: before any is written."""
    columns = text_columns(tables, table)
    for column in columns:
        check_cell(column, table, 0, "the header")
    for number, row in enumerate(list_rows(tables, text_sql(tables, table)), start=1):
        for text, column in zip(row, columns, strict=True):
            check_cell(str(text), table, number, column)


def _fix(whole: IO[bytes], fixed: IO[bytes]) -> None:
    """Copy a workbook without the time at which it was made."""
    with zipfile.ZipFile(whole) as parts, zipfile.ZipFile(fixed, "w") as out:
        for name in parts.namelist():
            entry = zipfile.ZipInfo(name, MOMENT)
            entry.compress_type = zipfile.ZIP_DEFLATED
            with parts.open(name) as content, out.open(entry, "w", force_zip64=True) as copy:
                if name == "docProps/core.xml":
                    copy.write(_TIMES.sub(rb"\g<1>1980-01-01T00:00:00Z", content.read()))
                else:
                    shutil.copyfileobj(content, copy)


def _is_same(path: Path, content: IO[bytes]) -> bool:
    content.seek(0, os.SEEK_END)
    if path.stat().st_size != content.tell():
        return False
    content.seek(0)
    with path.open("rb") as old:
        while block := content.read(1 << 20):
            if old.read(1 << 20) != block:
                return False
    return True


def _write_sheet(
    book: Any,
    tables: Tables,
    table: str,
    name: str,
    names: Mapping[str, str],
    lists: list[Sequence[str]],
) -> None:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.comments import Comment
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    resource = tables.package.resources[table]
    columns = text_columns(tables, table)
    sheet = book.create_sheet(name)
    sheet.freeze_panes = "A2"
    for number, column in enumerate(columns, start=1):
        letter = get_column_letter(number)
        sheet.column_dimensions[letter].number_format = TEXT
        sheet.column_dimensions[letter].width = min(40, max(12, len(column) + 4))
        if rule := _make_rule(tables, resource, column, names, lists):
            rule.add(f"{letter}2:{letter}{ROWS}")
            sheet.data_validations.append(rule)
    head = []
    for column, label in zip(columns, text_labels(tables, table), strict=True):
        cell = WriteOnlyCell(sheet)
        _set_text(cell, label)
        cell.font = Font(bold=True)
        if field := resource.fields.get(column):
            said = explain_field(field, resource.missing_values(column))
            cell.comment = Comment(said, "reviewdata", width=320, height=40 + 16 * _lines(said))
        head.append(cell)
    sheet.append(head)
    # Two cells for each column, written again and again: a text, and one that begins as a formula.
    plain, quoted = ([WriteOnlyCell(sheet) for _ in columns] for _ in range(2))
    for cell in (*plain, *quoted):
        cell.number_format = TEXT
    for cell in quoted:
        cell.quotePrefix = True
    for row in list_rows(tables, text_sql(tables, table)):
        cells: list[Any] = []
        for place, text in enumerate(row):
            if not isinstance(text, str) or not text:
                cells.append(None)
                continue
            cell = (quoted if text[0] in "=+-@" else plain)[place]
            _set_text(cell, text)
            cells.append(cell)
        sheet.append(cells)


def _set_text(cell: Any, text: str) -> None:
    """Give a cell a text that is one, also where it looks like a formula or an error."""
    cell._value = text
    cell.data_type = "s"


def _lines(text: str) -> int:
    return sum(1 + len(line) // 50 for line in text.split("\n"))


def _make_rule(
    tables: Tables,
    resource: Resource,
    column: str,
    names: Mapping[str, str],
    lists: list[Sequence[str]],
) -> Any:
    """Return the drop-down of a column: its codelist, true and false, or the keys it refers to."""
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    field = resource.fields.get(column)
    if field is None:
        return None
    words = _codelist(field)
    if words:
        lists.append(words)
        letter = get_column_letter(len(lists))
        source = f"{quote_sheet(LISTS)}!${letter}$1:${letter}${len(words)}"
        severe, said = "stop", "It is not in the codelist; see the comment at the head."
    else:
        key = next((k for k in resource.foreign_keys if k.fields == (column,)), None)
        if key is None or key.resource not in names:
            return None
        columns = text_columns(tables, key.resource)
        if key.reference[0] not in columns:
            return None
        letter = get_column_letter(columns.index(key.reference[0]) + 1)
        last = min(ROWS, tables.count(key.resource) + 1 + 200)  # with room for new ones
        source = f"{quote_sheet(names[key.resource])}!${letter}$2:${letter}${last}"
        severe, said = "warning", f"It is no key of the sheet {names[key.resource]} yet."
    return DataValidation(
        type="list",
        formula1=source,
        allow_blank=True,
        showErrorMessage=True,
        errorStyle=severe,
        errorTitle=column[:32],
        error=said[:255],
    )


def _codelist(field: Mapping[str, Any]) -> Sequence[str]:
    """Return the texts that a field may have, as its constraints, its categories or its type say.

    None are returned where one of them is no text that a cell can hold.
    """
    constraints = field.get("constraints")
    listed = constraints.get("enum") if isinstance(constraints, Mapping) else None
    listed = listed or field.get("categories")
    if not listed and field.get("type") == "boolean":
        listed = [*field.get("trueValues", ["true"])[:1], *field.get("falseValues", ["false"])[:1]]
    words = list_values(listed) if isinstance(listed, list) else ()
    try:
        for word in words:
            check_cell(word, "", 0, "")
    except ReviewdataError:
        return ()
    return words


def _write_lists(book: Any, lists: Sequence[Sequence[str]]) -> None:
    """Write the hidden sheet of the codelists, one a column."""
    from openpyxl.cell import WriteOnlyCell

    sheet = book.create_sheet(LISTS)
    sheet.sheet_state = "hidden"
    for number in range(max(map(len, lists), default=0)):
        cells = []
        for words in lists:
            cell = WriteOnlyCell(sheet)
            if number < len(words):
                _set_text(cell, words[number])
            cells.append(cell)
        sheet.append(cells)
