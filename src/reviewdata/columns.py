"""Table Schema types as DuckDB SQL: how the text of a cell becomes a typed value.

The text is tested before it is cast, since TRY_CAST alone takes '1.5' for an integer and
't' for a boolean. What frictionless accepts is typed; what DuckDB cannot hold is null.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

NUMERIC = ("integer", "number")
_NEVER_EMPTY = ("integer", "number", "year", "date", "time", "datetime")


def quote_name(name: str) -> str:
    """Return a name as an SQL identifier, whatever characters it has."""
    return '"' + name.replace('"', '""') + '"'


def quote_text(text: str) -> str:
    """Return a text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def sql_type(field: Mapping[str, Any]) -> str:
    """Return the DuckDB type that holds the values of a field."""
    return {
        "integer": "BIGINT",
        "year": "BIGINT",
        "number": "DOUBLE",
        "boolean": "BOOLEAN",
        "date": "DATE",
        "time": "TIME",
        "datetime": "TIMESTAMP",
    }.get(str(field.get("type", "string")), "VARCHAR")


def typed(field: Mapping[str, Any], text: str, missing: Sequence[str]) -> str:
    """Return an SQL expression for the typed value of `text`, itself an SQL expression.

    The value is null where the text is one of `missing`, is not of the field's type, or
    cannot be held by the DuckDB type.
    """
    present = text
    # Nothing reads an empty text as a number or a moment: that test is left out.
    absent = [m for m in missing if m or field.get("type") not in _NEVER_EMPTY]
    if absent:
        present = f"CASE WHEN NOT {is_one_of(text, absent)} THEN {text} END"
    match field.get("type", "string"):
        case "integer":
            return _quick(_integer(field, present), "[0-9]+", field, text, missing)
        case "number":
            return _quick(_number(field, present), r"[+-]?[0-9]+(\.[0-9]+)?", field, text, missing)
        case "boolean":
            true = field.get("trueValues", ["true", "True", "TRUE", "1"])
            false = field.get("falseValues", ["false", "False", "FALSE", "0"])
            no = [v for v in false if v not in missing]
            yes = [v for v in true if v not in (*missing, *false)]
            return (
                f"CASE WHEN {is_one_of(text, yes)} THEN true"
                f" WHEN {is_one_of(text, no)} THEN false END"
            )
        case "year":
            value = _matching(present, r"\+?\d+(_\d+)*", _whole(present))
            return f"CASE WHEN length({present}) = 4 THEN {value} END"
        case "date" | "time" | "datetime" as kind:
            return _moment(str(kind), field, present)
        case _:
            return present


def _quick(
    value: str, plain: str, field: Mapping[str, Any], text: str, missing: Sequence[str]
) -> str:
    """Return SQL that reads a short plain number at once, and any other text as `value` does."""
    special = {"groupChar", "decimalChar", "bareNumber"} & set(field)
    if special or any(re.fullmatch(plain, word) for word in missing):
        return value
    fits = f"length({text}) < 16 AND regexp_full_match({text}, {quote_text(plain)})"
    return f"CASE WHEN {fits} THEN TRY_CAST({text} AS {sql_type(field)}) ELSE {value} END"


def _integer(field: Mapping[str, Any], text: str) -> str:
    digits = _bare(field, f"trim({text})")
    return _matching(digits, r"[+-]?\d+(_\d+)*", _whole(digits))


def _number(field: Mapping[str, Any], text: str) -> str:
    digits = f"replace({_bare(field, f'trim({text})')}, '_', '')"
    if field.get("groupChar"):
        digits = f"replace({digits}, {quote_text(field['groupChar'])}, '')"
    if field.get("decimalChar", ".") != ".":
        mark = quote_text(field["decimalChar"])
        digits = f"CASE WHEN NOT contains({digits}, '.') THEN replace({digits}, {mark}, '.') END"
    pattern = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"
    value = f"TRY_CAST({digits} AS DOUBLE)"
    return _matching(digits, pattern, f"CASE WHEN isfinite({value}) THEN {value} END")


def _bare(field: Mapping[str, Any], text: str) -> str:
    """Return the text without what stands around a number, where the field allows for it."""
    if field.get("bareNumber", True):
        return text
    return rf"regexp_replace({text}, '(^[^-\d]*)|(\D*$)', '', 'g')"


def _whole(text: str) -> str:
    return f"TRY_CAST(replace({text}, '_', '') AS BIGINT)"


def _moment(kind: str, field: Mapping[str, Any], text: str) -> str:
    target = sql_type(field)
    format_ = field.get("format", "default")
    if format_ == "any":
        return f"TRY_CAST({text} AS {target})"
    if format_ != "default":
        return f"TRY_CAST(try_strptime({text}, {quote_text(format_)}) AS {target})"
    pattern = {
        "date": r"\d{4}-\d{1,2}-\d{1,2}",
        "time": r"\d{2}:\d{2}:\d{2}(\.\d+)?",
        "datetime": r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:?\d{2})?",
    }[kind]
    return _matching(text, pattern, f"TRY_CAST({text} AS {target})")


def _matching(text: str, pattern: str, value: str) -> str:
    return f"CASE WHEN regexp_full_match({text}, {quote_text(pattern)}) THEN {value} END"


def is_one_of(text: str, values: Sequence[str]) -> str:
    """Return the SQL of the test, as one pattern.

    IN becomes a condition for each value, which takes long.
    """
    listed = "|".join("".join(f"\\x{{{ord(c):x}}}" for c in value) for value in values)
    return f"regexp_full_match({text}, {quote_text(listed)})" if values else "false"
