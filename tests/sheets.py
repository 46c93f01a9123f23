"""XLSX workbooks for tests: as openpyxl writes them, and with parts changed by hand."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import openpyxl

SHEET = "xl/worksheets/sheet1.xml"
_NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def workbook(*rows: Sequence[Any], **sheets: Sequence[Sequence[Any]]) -> bytes:
    """Return a workbook of a sheet with these rows, and others by their names."""
    book = openpyxl.Workbook()
    for name, content in {"Sheet": rows, **sheets}.items():
        sheet = book[name] if name in book.sheetnames else book.create_sheet(name)
        for cells in content:
            sheet.append(list(cells))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def changed(content: bytes, parts: Mapping[str, bytes | None]) -> bytes:
    """Return a workbook with some of its parts replaced, or with None removed."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        kept = {name: old.read(name) for name in old.namelist()}
        for name, part in (kept | dict(parts)).items():
            if part is not None:
                new.writestr(name, part)
    return out.getvalue()


def sheet(rows: str, before: str = "") -> bytes:
    """Return a workbook of one sheet with this XML of its rows."""
    body = f'<worksheet xmlns="{_NAMESPACE}">{before}<sheetData>{rows}</sheetData></worksheet>'
    return changed(workbook(), {SHEET: body.encode()})


def row(number: int, *cells: str | int) -> str:
    """Return the XML of a row of texts and numbers."""
    inner = "".join(
        f"<c><v>{cell}</v></c>"
        if isinstance(cell, int)
        else f'<c t="inlineStr"><is><t>{cell}</t></is></c>'
        for cell in cells
    )
    return f'<row r="{number}">{inner}</row>'
