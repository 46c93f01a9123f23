"""The constraints of a field as SQL on the value of a plain cell."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from reviewdata.columns import is_one_of, quote_text
from reviewdata.patterns import to_re2
from reviewdata.stages.compiled.types import FALSE, TRUE, Reading

BOUNDS = {
    "minimum": "<",
    "maximum": ">",
    "exclusiveMinimum": "<=",
    "exclusiveMaximum": ">=",
}
"""The constraints that bound a value, and how a value that breaks each compares with it."""

FEW = 200
"""Words of a codelist up to which one pattern is quicker than a list."""

_WHOLE = 2**63


class Undecided(Exception):  # noqa: N818 - no error: the texts are looked up
    """A constraint that SQL does not compare as frictionless does."""


def find_broken(field: Mapping[str, Any], text: str, reading: Reading) -> dict[str, str]:
    """Return by name the SQL that says that a plain cell breaks a constraint.

    `required` is no matter of a cell that is there, and a pattern that RE2 has not in the same
    sense is left out. Raises Undecided where the texts must be looked up.
    """
    constraints = field.get("constraints", {})
    broken = {}
    for name, operator in BOUNDS.items():
        if constraints.get(name) is not None:
            broken[name] = f"{reading.value} {operator} {_bound(field, constraints[name])}"
    for name, operator in (("minLength", "<"), ("maxLength", ">")):
        if constraints.get(name) is not None:
            broken[name] = f"{_length(field, text)} {operator} {constraints[name]:d}"
    if constraints.get("enum") is not None:
        broken["enum"] = _enum(field, text, reading, constraints["enum"])
    if constraints.get("pattern") is not None:
        pattern = to_re2(constraints["pattern"])
        if pattern is None:
            raise Undecided
        broken["pattern"] = f"NOT regexp_matches({text}, {quote_text(pattern)})"
    return broken


def is_compared(field: Mapping[str, Any]) -> bool:
    """Whether a constraint compares the values of a field with others."""
    return any(field.get("constraints", {}).get(name) is not None for name in (*BOUNDS, "enum"))


def _length(field: Mapping[str, Any], text: str) -> str:
    if field.get("type") != "list":
        return f"length({text})"
    mark = str(field.get("delimiter", ","))
    return f"len(string_split({text}, {quote_text(mark)}))"


def _bound(field: Mapping[str, Any], bound: Any) -> str:
    """Return the SQL of a minimum or maximum."""
    make = _BOUND.get(str(field.get("type", "string")))
    if make is None:
        raise Undecided
    return make(field, bound)


def _whole(field: Mapping[str, Any], bound: Any) -> str:
    if isinstance(bound, float) and bound.is_integer() and field.get("type") == "integer":
        bound = int(bound)
    if isinstance(bound, bool) or not isinstance(bound, int) or not -_WHOLE < bound < _WHOLE:
        raise Undecided
    return f"CAST({bound} AS BIGINT)"


def _number(field: Mapping[str, Any], bound: Any) -> str:
    """Return a number that a DOUBLE holds as exactly as the plain numbers of a column."""
    if isinstance(bound, bool) or not isinstance(bound, int | float):
        raise Undecided
    digits = Decimal(str(bound)).normalize().as_tuple()
    if len(digits.digits) > 15 or (bound and not 1e-300 < abs(bound) < 1e300):
        raise Undecided
    return f"CAST({quote_text(str(bound))} AS DOUBLE)"


def _date(field: Mapping[str, Any], bound: Any) -> str:
    return f"DATE {quote_text(_moment(field, bound, '%Y-%m-%d').date().isoformat())}"


def _time(field: Mapping[str, Any], bound: Any) -> str:
    return f"TIME {quote_text(_moment(field, bound, '%H:%M:%S').time().isoformat())}"


def _datetime(field: Mapping[str, Any], bound: Any) -> str:
    moment = _moment(field, bound, "%Y-%m-%dT%H:%M:%S")
    return f"TIMESTAMP {quote_text(moment.isoformat(' '))}"


def _moment(field: Mapping[str, Any], bound: Any, default: str) -> dt.datetime:
    """Return a bound that is written as plainly as a plain cell."""
    form = field.get("format", "default")
    form = default if form in ("default", "any") else form
    if not isinstance(bound, str) or not re.search("[0-9]", bound) or "%z" in form:
        raise Undecided
    try:
        moment = dt.datetime.strptime(bound, form)
    except ValueError:
        raise Undecided from None
    if moment.strftime(form) != bound or moment.year < 1000 or moment.tzinfo is not None:
        raise Undecided
    return moment


def _yearmonth(field: Mapping[str, Any], bound: Any) -> str:
    if not isinstance(bound, str) or not re.fullmatch("[0-9]{4}-[0-9]{2}", bound, re.ASCII):
        raise Undecided
    return bound.replace("-", "")


_BOUND: Mapping[str, Callable[[Mapping[str, Any], Any], str]] = {
    "integer": _whole,
    "year": _whole,
    "number": _number,
    "date": _date,
    "time": _time,
    "datetime": _datetime,
    "yearmonth": _yearmonth,
}


def _enum(field: Mapping[str, Any], text: str, reading: Reading, words: Sequence[Any]) -> str:
    """Return the SQL for a value that is none of a codelist, each word read as a cell is."""
    match str(field.get("type", "string")):
        case "string" | "any":
            return not_among(text, [word for word in words if isinstance(word, str)])
        case "boolean":
            yes, no = field.get("trueValues", TRUE), field.get("falseValues", FALSE)
            meant = {**dict.fromkeys(yes, True), **dict.fromkeys(no, False)}
            values = {w if isinstance(w, bool) else meant.get(str(w)) for w in words}
            return not_among(text, [word for word, value in meant.items() if value in values])
        case "integer" | "year" | "number":
            bounds = [_bound(field, word) for word in words]
            return f"{reading.value} NOT IN ({', '.join(bounds)})" if bounds else "true"
    raise Undecided


def not_among(text: str, words: Sequence[str]) -> str:
    """Return the SQL that says that a text is none of some words."""
    if not words:
        return "true"
    if len(words) <= FEW:
        return f"NOT {is_one_of(text, words)}"
    return f"NOT list_contains([{', '.join(map(quote_text, words))}], {text})"
