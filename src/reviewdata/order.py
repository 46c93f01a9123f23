"""The order of a table's records: by the primary key, numbers and moments by their value.

What a text means follows `columns`, which says the same in SQL; nothing here needs DuckDB.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from reviewdata.package import Resource

Key = tuple[Any, ...]
"""What the records are sorted by; texts that are no value of their field come behind those
that are, and empty ones last."""

_VALUE, _TEXT, _NOTHING = range(3)
_INTEGER = re.compile(r"[+-]?[0-9]+(_[0-9]+)*")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_YEAR = re.compile(r"\+?[0-9]+(_[0-9]+)*")
_DATE = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")
_TIME = re.compile(r"[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?")
_AROUND = re.compile(r"^[^-0-9]*|[^0-9]*$")
_START = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_DIGITS = 18


def find_key(resource: Resource, labels: Sequence[str]) -> tuple[int, ...]:
    """Return the positions of the primary key's cells, in the order that the schema names them.

    None are returned where no key is declared, or where one of its fields has no column.
    """
    names = [label.strip() for label in labels]
    key = resource.primary_key
    return tuple(map(names.index, key)) if all(name in names for name in key) else ()


def make_sort_key(
    resource: Resource, labels: Sequence[str]
) -> Callable[[Sequence[str]], Key] | None:
    """Return the function that makes of a record's cells what it is sorted by; None without a key.

    Integers, numbers, years, dates, times and datetimes go by their value, other texts by code
    point. Blank cells, missing values and texts that are no value of their field come last.
    """
    positions = find_key(resource, labels)
    if not positions:
        return None
    parts = [
        (position, _read(resource.fields.get(name, {})), {"", *resource.missing_values(name)})
        for position, name in zip(positions, resource.primary_key, strict=True)
    ]

    def key(cells: Sequence[str]) -> Key:
        made: list[Any] = []
        for position, read, missing in parts:
            text = cells[position]
            if text in missing:
                made += (_NOTHING, text)
            else:
                value = read(text)
                made += (_TEXT, text) if value is None else (_VALUE, value)
        return tuple(made)

    return key


def _read(field: Mapping[str, Any]) -> Callable[[str], Any]:
    """Return the function that reads the value of a text; it gives None for what is none."""
    form = str(field.get("format", "default"))
    match field.get("type", "string"):
        case "integer":
            return lambda text: _integer(_bare(field, text.strip()))
        case "number":
            return lambda text: _number(field, _bare(field, text.strip()))
        case "year":
            return lambda text: _integer(text) if len(text) == 4 and _YEAR.fullmatch(text) else None
        case "date" | "time" | "datetime" as kind:
            return lambda text: _moment(str(kind), form, text)
        case _:
            return lambda text: text


def _bare(field: Mapping[str, Any], text: str) -> str:
    return text if field.get("bareNumber", True) else _AROUND.sub("", text)


def _integer(text: str) -> int | Decimal | None:
    return _decimal(text.replace("_", "")) if _INTEGER.fullmatch(text) else None


def _number(field: Mapping[str, Any], text: str) -> int | Decimal | None:
    text = text.replace("_", "")
    if field.get("groupChar"):
        text = text.replace(field["groupChar"], "")
    mark = field.get("decimalChar", ".")
    if mark != ".":
        if not mark or "." in text:
            return None
        text = text.replace(mark, ".")
    return _decimal(text) if _NUMBER.fullmatch(text) else None


def _decimal(text: str) -> int | Decimal | None:
    """Return a number with all its digits; an integer, which is smaller, where it is short."""
    if len(text) <= _DIGITS and text.lstrip("+-").isdigit():
        return int(text)
    try:
        value = Decimal(text)
    except InvalidOperation:  # an exponent that nothing can hold
        return None
    return value if value.is_finite() else None


def _moment(kind: str, form: str, text: str) -> Any:
    try:
        if form == "default":
            return _default_moment(kind, text)
        if form != "any":
            moment = dt.datetime.strptime(text, form)
        elif kind == "time":
            return dt.time.fromisoformat(text).replace(tzinfo=None)
        else:
            moment = dt.datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        return None
    match kind:
        case "date":
            return moment.date()
        case "time":
            return moment.time()
        case _:
            return _since(moment)


def _default_moment(kind: str, text: str) -> Any:
    match kind:
        case "date":
            parts = _DATE.fullmatch(text)
            return dt.date(int(parts[1]), int(parts[2]), int(parts[3])) if parts else None
        case "time":
            return dt.time.fromisoformat(text) if _TIME.fullmatch(text) else None
        case _:
            return _since(dt.datetime.fromisoformat(text))


def _since(moment: dt.datetime) -> dt.timedelta:
    """Return the time since 1970, so that moments with and without an offset can be compared."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)) - _START
