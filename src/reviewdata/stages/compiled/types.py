"""The types of a Table Schema as SQL on a text that stands for a value.

Of each type there is a plain form, about which SQL and frictionless cannot differ: nearly all
cells have it. What certainly is not of the type is told by SQL too; the texts between the two
are looked up with frictionless itself, each once (see `odd`). So a plain form may be narrow,
but must hold nothing that frictionless reads otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from reviewdata.columns import is_one_of, quote_text, sql_type, typed


class Reading(NamedTuple):
    """How the text of a cell is read; all but `missing` is SQL on a text that is there.

    `plain` says that it certainly is of the type, `wrong` that it certainly is not; None where
    SQL cannot tell. `value` is its value where it is plain: two are equal where frictionless's
    are. With `sure`, plain is never true of a missing value, so that it may be asked first.
    """

    plain: str
    value: str
    wrong: str | None = None
    sure: bool = False


NEVER = "false"
TRUE, FALSE = ["true", "True", "TRUE", "1"], ["false", "False", "FALSE", "0"]
_MARKS = ("", ",", ".", " ", "'", "_", "\u00a0", "\u2019", "\u202f")
_LETTER = "[A-Za-z]"
_NOT_WHOLE = r"[!-*,./:-^\x60a-z{-~]"  # of ASCII, what no integer has: all but digits + - _
_NOT_NUMBER = r"[!-*,/:-@\[-^\x60{-~b-dg-hj-mo-ru-xzB-DG-HJ-MO-RU-XZ]"  # also . inf nan e
_NOT_DATE = r"[!-,./:-~]"
_HOUR, _SIXTY = "([01][0-9]|2[0-3])", "[0-5][0-9]"
_TIME = f"{_HOUR}:{_SIXTY}:{_SIXTY}" + r"(\.[0-9]{1,6})?"
_EMAIL = (
    r"[A-Za-z0-9]{1,16}([._+-][A-Za-z0-9]{1,12}){0,3}"
    r"@([a-z][a-z0-9]{0,20}(-[a-z0-9]{1,20})?\.){1,3}[a-z]{2,12}"
)
_URI = r"[A-Za-z][A-Za-z0-9+.-]*://[A-Za-z0-9.-]+(/[!-~]*)?"
_UUID = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_DURATION = (
    "P[0-9]{1,4}[YMWD]|PT[0-9]{1,4}[HMS]|P[0-9]{1,4}Y[0-9]{1,4}M([0-9]{1,4}D)?"
    "|P[0-9]{1,4}DT[0-9]{1,4}H|PT[0-9]{1,4}H[0-9]{1,4}M([0-9]{1,4}S)?|PT[0-9]{1,4}M[0-9]{1,4}S"
)
_DIRECTIVES = {"d": "[0-9]{2}", "m": "[0-9]{2}", "Y": "[0-9]{4}"}
_DIRECTIVES |= {"H": "[0-9]{2}", "M": "[0-9]{2}", "S": "[0-9]{2}"}


def read(
    field: Mapping[str, Any], text: str, stored: str | None, missing: Sequence[str], *, exact: bool
) -> Reading | None:
    """Return how SQL reads a field from `text`, an SQL expression; None for another type.

    `stored` is the column with the typed value of the text, where there is one. `exact` says
    that values are compared: then a number is plain only where a DOUBLE is the same number.
    """
    make = _TYPES.get(str(field.get("type", "string")))
    if make is None:
        return None
    return make(field, text, stored or typed(field, text, missing), exact)


def _string(field: Mapping[str, Any], text: str, value: str, exact: bool) -> Reading | None:
    match field.get("format", "default"):
        case "default":
            return Reading("true", text)
        case "email":
            return Reading(_full(text, _EMAIL), text, f"NOT contains({text}, '@')")
        case "uri":
            return Reading(_full(text, _URI), text, f"NOT contains({text}, ':')")
        case "uuid":
            return Reading(_full(text, _UUID), text, f"length({text}) < 32")
    return None


def _any(field: Mapping[str, Any], text: str, value: str, exact: bool) -> Reading:
    return Reading("true", text)


def _integer(field: Mapping[str, Any], text: str, value: str, exact: bool) -> Reading:
    if not field.get("bareNumber", True):
        return Reading(_full(text, "-?[0-9]{1,18}"), f"TRY_CAST({text} AS BIGINT)")
    return Reading(f"{value} IS NOT NULL", value, _has(text, _NOT_WHOLE), sure=True)


def _number(field: Mapping[str, Any], text: str, value: str, exact: bool) -> Reading | None:
    if field.get("floatNumber"):
        return None
    if not field.get("bareNumber", True):
        return Reading(_full(text, "-?[0-9]{1,15}"), f"(TRY_CAST({text} AS DOUBLE) + 0)")
    marks = [field.get("groupChar", ""), field.get("decimalChar", ".")]
    if any(mark not in _MARKS for mark in marks) or not marks[1]:
        return Reading(NEVER, value)
    wrong = None if {"groupChar", "decimalChar"} & set(field) else _has(text, _NOT_NUMBER)
    plain = f"{value} IS NOT NULL"
    if exact:
        # Up to 15 digits, two numbers are equal where their DOUBLEs are, but for the smallest.
        small = f"abs({value}) > 1e-300 OR NOT {_has(text, '[eE]')}"
        plain = f"({plain} AND length({text}) < 16 AND ({small}))"
    return Reading(plain, f"({value} + 0)", wrong, sure=True)  # no negative zero


def _boolean(field: Mapping[str, Any], text: str, value: str, exact: bool) -> Reading:
    words = [*field.get("trueValues", TRUE), *field.get("falseValues", FALSE)]
    plain = is_one_of(text, words)
    return Reading(plain, value, f"NOT {plain}")


def _year(field: Mapping[str, Any], text: str, value: str, exact: bool) -> Reading:
    wrong = f"(length({text}) <> 4 OR {_has(text, _NOT_WHOLE)})"
    return Reading(f"{value} IS NOT NULL", value, wrong, sure=True)


def _yearmonth(field: Mapping[str, Any], text: str, value: str, exact: bool) -> Reading:
    plain = _full(text, "[0-9]{4}-(0[1-9]|1[0-2])")
    wrong = f"(NOT contains({text}, '-') OR {_has(text, _LETTER)})"
    return Reading(plain, f"TRY_CAST(replace({text}, '-', '') AS BIGINT)", wrong)


def _date(field: Mapping[str, Any], text: str, value: str, exact: bool) -> Reading:
    form = field.get("format", "default")
    if form == "default":
        plain = f"coalesce({value} >= DATE '0001-01-01', false)"
        none = f"({value} IS NULL AND {_full(text, '[0-9]{4}-[0-9]{2}-[0-9]{2}')})"
        return Reading(plain, value, f"({none} OR {_has(text, _NOT_DATE)})", sure=True)
    if form == "any":
        plain = _full(text, "[12][0-9]{3}-[0-9]{2}-[0-9]{2}")
        return Reading(f"({plain} AND {value} IS NOT NULL)", value)
    return _formed(form, text, "DATE", "dmY")


def _time(field: Mapping[str, Any], text: str, value: str, exact: bool) -> Reading:
    form = field.get("format", "default")
    if form in ("default", "any"):
        plain = f"({_full(text, _TIME)} AND {value} IS NOT NULL)"
        return Reading(plain, value, f"NOT contains({text}, ':')" if form == "default" else None)
    return _formed(form, text, "TIME", "H")


def _datetime(field: Mapping[str, Any], text: str, value: str, exact: bool) -> Reading:
    form = field.get("format", "default")
    if form in ("default", "any"):
        year = "[0-9]{4}" if form == "default" else "[12][0-9]{3}"
        zone = "" if exact or form == "any" else "Z?"  # with a zone, it compares with its like only
        plain = _full(text, f"{year}-[0-9]{{2}}-[0-9]{{2}}[T ]{_TIME}{zone}")
        plain = f"({plain} AND coalesce({value} >= TIMESTAMP '0001-01-01 00:00:00', false))"
        return Reading(plain, value, f"NOT contains({text}, ':')" if form == "default" else None)
    return _formed(form, text, "TIMESTAMP", "dmY")


def _formed(form: str, text: str, target: str, needed: str) -> Reading:
    """Return how a moment is read by a format of fixed widths; any other is looked up."""
    pattern, found = "", []
    for directive, character in re.findall(r"%(.)|(.)", form, re.DOTALL):
        if directive:
            found.append(directive)
            pattern += _DIRECTIVES.get(directive, "")
        else:
            pattern += re.escape(character)
    known = set(found) <= set(_DIRECTIVES) and len(found) == len(set(found))
    literal = re.sub("%.", "", form)
    if not known or not set(needed) <= set(found) or not re.fullmatch(r"[-./:T]*", literal):
        return Reading(NEVER, text)
    moment = f"try_strptime({text}, {quote_text(form)})"
    valid = f"coalesce({moment} >= TIMESTAMP '0001-01-01 00:00:00', false)"
    return Reading(f"({_full(text, pattern)} AND {valid})", f"TRY_CAST({moment} AS {target})")


def _duration(field: Mapping[str, Any], text: str, value: str, exact: bool) -> Reading:
    return Reading(_full(text, _DURATION), text, f"NOT contains({text}, 'P')")


def _list(field: Mapping[str, Any], text: str, value: str, exact: bool) -> Reading:
    mark = str(field.get("delimiter", ","))
    item = {"string": None, "integer": "-?[0-9]{1,18}", "number": r"-?[0-9]{1,15}(\.[0-9]+)?"}
    kind = field.get("itemType", "string")
    if kind == "string":
        return Reading("true", text)
    if kind not in item or re.search(r"[-0-9.\\]", mark):
        return Reading(NEVER, text)
    return Reading(_full(text, f"{item[kind]}({re.escape(mark)}{item[kind]})*"), text)


def _full(text: str, pattern: str) -> str:
    return f"regexp_full_match({text}, {quote_text(pattern)})"


def _has(text: str, pattern: str) -> str:
    return f"regexp_matches({text}, {quote_text(pattern)})"


_TYPES: Mapping[str, Callable[[Mapping[str, Any], str, str, bool], Reading | None]] = {
    "string": _string,
    "any": _any,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "year": _year,
    "yearmonth": _yearmonth,
    "date": _date,
    "time": _time,
    "datetime": _datetime,
    "duration": _duration,
    "list": _list,
}

KEYS: Mapping[str, str] = {"string": "VARCHAR", "any": "VARCHAR", "yearmonth": "BIGINT"}
"""The SQL type of the values of a type that may be in a key, where it is not that of `columns`."""


def key_type(field: Mapping[str, Any]) -> str | None:
    """Return the SQL type of a field's values as a key compares them; None where none does."""
    kind = str(field.get("type", "string"))
    if kind in ("duration", "list") or kind not in _TYPES:
        return None
    return KEYS.get(kind) or sql_type(field)
