"""What is wrong with a cell, in words: the value, the bound and a hint."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from reviewdata.package import Resource
from reviewdata.stages.errors import Error

_BREAKS = "\t\r\n"
_BREAKS_SHOWN = str.maketrans({"\t": r"\t", "\r": r"\r", "\n": r"\n"})
_COMMA = re.compile(r"\s*[+-]?\d+,\d+\s*")
_FORMS = {"date": "YYYY-MM-DD", "time": "hh:mm:ss", "datetime": "YYYY-MM-DDThh:mm:ss"}


def show(text: str) -> str:
    """Return a text as a message gives it: on one line, in quotes where white space matters."""
    spaced = not text or text != text.strip() or "  " in text or any(c in text for c in _BREAKS)
    return "'" + text.translate(_BREAKS_SHOWN) + "'" if spaced else text


def explain(
    error: Error, labels: int, resource: Resource, name: str | None, cells: Mapping[str, str]
) -> str:
    """Return what is wrong, in words rather than in frictionless's notes."""
    field = resource.fields.get(name or "") or _find_field(resource, error.field)
    match error.type:
        case "type-error":
            return _expect(field, error.cell)
        case "constraint-error":
            kind = str(error.constraint)
            bound = field.get("constraints", {}).get(kind, "")
            told = f"{kind} {_list(bound)}".strip()
            return told + (_hint(error.cell, bound) if kind == "enum" else "")
        case "unique-error" if error.first:
            return f"record {error.first}"
        case "primary-key":
            key = ", ".join(show(cells.get(k, "")) for k in resource.primary_key)
            return f"{key} is that of record {error.first} already" if error.first else "is empty"
        case "foreign-key":
            told = ", ".join(f"{field} {show(cell)}" for field, cell in error.key)
            return f"{told} is not in {error.target} ({', '.join(error.reference)})"
        case "extra-cell":
            return _count_cells(error.cells, labels)
        case "hash-count" | "byte-count":
            return error.note.replace('"', "")
        case "field-count" | "row-count":
            return f"{error.type.partition('-')[0]}s, " + error.note.replace('"', "")
        case "unmatched-header":
            return "no column of the header is a field of the schema"
    return error.note


def _find_field(resource: Resource, name: str | None) -> Mapping[str, Any]:
    """Return a field whose name another has in SQL."""
    entries: list[Mapping[str, Any]] = resource.schema.get("fields", [])
    return next((entry for entry in entries if entry["name"] == name), {})


def _count_cells(cells: int, labels: int) -> str:
    """Return how many cells a record has, and what too many of them point at."""
    told = f"{cells} cells, the header {labels}"
    return told + (": two records on one line?" if cells >= 2 * labels - 1 > 1 else "")


def _expect(field: Mapping[str, Any], cell: str) -> str:
    """Return what a cell of the field should be, and what it looks like."""
    kind = str(field.get("type", "string"))
    told = f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
    if kind == "string" and field.get("format", "default") == "default":
        return f"{told}: the file has it as a value of another type"
    if kind in _FORMS and field.get("format") != "any":
        form = field.get("format", "default")
        return f"{told} ({_FORMS[kind] if form == 'default' else form})"
    if kind == "number" and _COMMA.fullmatch(cell) and field.get("decimalChar", ".") == ".":
        point = cell.strip().replace(",", ".")
        return f'{told}: a decimal comma? write {point}, or declare "decimalChar": ","'
    return told


def _hint(cell: str, known: Any) -> str:
    """Return what the word was probably meant to be, and where it has spaces."""
    sides = [
        side
        for side, stripped in (("start", cell.lstrip()), ("end", cell.rstrip()))
        if stripped != cell
    ]
    space = f"; it has a space at its {' and its '.join(sides)}" if sides else ""
    meant = suggest(cell, known if isinstance(known, list) else ())
    return space + (f"; did you mean {meant}?" if meant else "")


def suggest(word: str, known: Iterable[Any]) -> str | None:
    """Return the known word that is nearest to a word, spaces and case apart; None for none."""
    words = {str(k).strip().lower(): str(k) for k in known}
    close = get_close_matches(word.strip().lower(), list(words), n=1)
    return words[close[0]] if close else None


def _list(value: Any) -> str:
    if value is True:
        return ""
    return ", ".join(str(v) for v in value) if isinstance(value, list) else str(value)
