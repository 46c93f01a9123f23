"""The questions by which a row is asked for at a terminal: one for each column of its table."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from reviewdata.adding.records import Records
from reviewdata.model import ReviewdataError
from reviewdata.package import Package
from reviewdata.rules import nearest
from reviewdata.tableschema import list_values

Ask = Callable[..., str]
"""Puts a question; see `reviewdata.asking.ask`."""

MANY = 12
"""Keys of another table up to which they are listed."""


def ask_row(
    package: Package,
    records: Records,
    ask: Ask,
    *,
    only: Collection[str] = (),
    known: Mapping[str, str] | None = None,
    keys: Callable[[str, str], Sequence[str]],
) -> dict[str, str]:
    """Return the row that the answers give.

    `only` asks for these columns alone, with what is `known` as what a blank answer leaves.
    `keys` gives the texts of a column of another table.
    """
    row = dict(known or {})
    for label in records.labels:
        if only and label not in only:
            continue
        field = records.resource.fields.get(label, {})
        choices, hint = _choices(package, records, label, field, keys)
        question = " - ".join(filter(None, (_name(label, field), field.get("description"), hint)))
        row[label] = ask(
            question,
            choices=choices,
            default=row.get(label) or None,
            check=_checker(records, label, field, choices),
        )
    return row


def _name(label: str, field: Mapping[str, Any]) -> str:
    required = (field.get("constraints") or {}).get("required") is True
    return f"{label}{' (required)' if required else ''}"


def _choices(
    package: Package,
    records: Records,
    label: str,
    field: Mapping[str, Any],
    keys: Callable[[str, str], Sequence[str]],
) -> tuple[Sequence[str], str]:
    """Return what may be chosen from, and a hint where there is too much to be listed."""
    listed = (field.get("constraints") or {}).get("enum") or field.get("categories")
    if isinstance(listed, list) and listed:
        return list_values(listed), ""
    key = next((k for k in records.resource.foreign_keys if k.fields == (label,)), None)
    if key is None or key.resource not in package.resources:
        return (), ""
    found = keys(key.resource, key.reference[0])
    if len(found) <= MANY:
        return found, f"a key of {key.resource}"
    return (), f"a key of {key.resource}, such as {', '.join(found[:3])}"


def _checker(
    records: Records, label: str, field: Mapping[str, Any], choices: Sequence[str]
) -> Callable[[str], object]:
    constraints = field.get("constraints") or {}
    missing = records.resource.missing_values(label)
    closed = bool(constraints.get("enum") or field.get("categories"))

    def check(answer: str) -> None:
        if not answer:
            if constraints.get("required") is True:
                raise ReviewdataError(f"{label} is required; Ctrl-D stops without a row")
            return
        if answer in missing:
            return
        if closed and answer not in choices:
            raise ReviewdataError(f"{label} is not {answer}; {nearest(answer, list(choices))}")
        _check_number(label, field, answer)

    return check


def _check_number(label: str, field: Mapping[str, Any], answer: str) -> None:
    """Raise ReviewdataError for a text that is no number, where the field is of plain numbers."""
    if {"groupChar", "decimalChar", "bareNumber"} & set(field):
        return  # what such a field reads is left to the checks of the row
    kind = field.get("type")
    if kind in ("integer", "year") and not re.fullmatch(r"[+-]?[0-9]+", answer):
        raise ReviewdataError(f"{label} is a whole number, and {answer} is none")
    if kind == "number":
        try:
            finite = Decimal(answer).is_finite()
        except InvalidOperation:
            finite = False
        if not finite:
            raise ReviewdataError(f"{label} is a number with a decimal point, and {answer} is none")
