"""The patterns of a Table Schema, run so that they end.

Python's regular expressions may try ways without number: `(a+)+` on 32 letters takes hours.
RE2, which DuckDB has, is linear in the text. So a pattern is put into RE2's words where that
says exactly the same as `re.match("^PATTERN$")`, frictionless's reading; look-around and
back-references, which RE2 does not have, are tried by Python on cells up to a limit.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Sequence
from functools import cache
from typing import Any

_PARSER: Any = importlib.import_module("re._parser")  # Python's own, which gives a tree
_STEPS = 1_000_000
_LONGEST = 10_000
_MOST = 1000  # RE2's own limit of repeats
_CLASSES = {"DIGIT": r"\d", "SPACE": r"\s", "WORD": r"\w"}


class _Untranslatable(Exception):  # noqa: N818 - no error: the pattern is tried by Python
    """What RE2 does not have, or has in another sense."""


def read_as_frictionless(pattern: str) -> re.Pattern[str]:
    """Return the pattern compiled as frictionless does, to be used with `match`."""
    return re.compile(f"^{pattern}$")


def to_re2(pattern: str) -> str | None:
    """Return an RE2 that is found in exactly the texts that the pattern allows, or None."""
    try:
        return r"\A" + _sequence(list(_PARSER.parse(f"^{pattern}$")), last=True)
    except _Untranslatable:
        return None


def find_cell_limit(pattern: str) -> int | None:
    """Return the length of text up to which Python may try a pattern; None where it may not.

    Steps grow as the length to the power of the number of repeats in a row, and without bound
    where a repeat stands within a repeat, or a choice does.
    """
    repeats = _count_repeats(list(_PARSER.parse(f"^{pattern}$")), within=False)
    return None if repeats is None else min(_LONGEST, int(_STEPS ** (1 / max(repeats, 1))))


def _sequence(items: list[Any], *, last: bool) -> str:
    """Return a sequence of nodes; `last` says that nothing but `$` follows it."""
    ends = len(items)
    while ends and _name(items[ends - 1][1]) == "AT_END":
        ends -= 1
    return "".join(_node(item, last and at >= ends - 1) for at, item in enumerate(items))


def _node(item: Any, last: bool) -> str:
    name, value = _name(item[0]), item[1]
    match name:
        case "LITERAL":
            return _character(value)
        case "NOT_LITERAL":
            return f"[^{_character(value)}]"
        case "ANY":
            return r"[^\n]"
        case "IN":
            return _set(value)
        case "BRANCH":
            return f"(?:{'|'.join(_sequence(list(way), last=last) for way in value[1])})"
        case "SUBPATTERN" if not value[1] and not value[2]:  # no flags
            return f"(?:{_sequence(list(value[3]), last=last)})"
        case "MAX_REPEAT" | "MIN_REPEAT":
            least, most, body = value
            endless = _name(most) == "MAXREPEAT"
            if least > _MOST or (not endless and most > _MOST):
                raise _Untranslatable
            bounds = f"{least}," if endless else f"{least},{most}"
            return f"(?:{_sequence(list(body), last=False)}){{{bounds}}}"
        case "AT":
            return _place(_name(value), last)
    raise _Untranslatable


def _place(name: str, last: bool) -> str:
    if name in ("AT_BEGINNING", "AT_BEGINNING_STRING"):
        return r"\A"
    if name == "AT_END_STRING":
        return r"\z"
    if name == "AT_END" and last:
        return r"\n?\z"  # as in Python, `$` also stands before a line break at the end
    raise _Untranslatable


def _set(items: Sequence[Any]) -> str:
    parts = []
    for kind, value in items:
        match _name(kind):
            case "NEGATE":
                parts.append("^")
            case "LITERAL":
                parts.append(_character(value))
            case "RANGE":
                parts.append(f"{_character(value[0])}-{_character(value[1])}")
            case "CATEGORY":
                parts.append(_category(_name(value).removeprefix("CATEGORY_")))
            case _:
                raise _Untranslatable
    return f"[{''.join(parts)}]"


@cache
def _category(name: str) -> str:
    r"""Return the ranges of the characters that Python counts under `\d`, `\s`, `\w` and others."""
    negated = name.startswith("NOT_")
    known = _CLASSES.get(name.removeprefix("NOT_"))
    if known is None:
        raise _Untranslatable
    wanted = known.upper() if negated else known
    every = "".join(chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000)
    runs = (match[0] for match in re.finditer(f"{wanted}+", every))
    return "".join(f"{_character(ord(run[0]))}-{_character(ord(run[-1]))}" for run in runs)


def _character(code: int) -> str:
    return f"\\x{{{code:x}}}"


def _name(constant: Any) -> str:
    return str(constant)


def _count_repeats(items: list[Any], *, within: bool) -> int | None:
    """Return the number of repeats of a sequence; None for one within another."""
    total = 0
    for kind, value in items:
        name = _name(kind)
        repeats = name.endswith("REPEAT") and value[1] != 1
        if within and (repeats or name == "BRANCH"):
            return None
        total += repeats
        for inner in _inner(name, value):
            count = _count_repeats(inner, within=within or repeats)
            if count is None:
                return None
            total += count
    return total


def _inner(name: str, value: Any) -> list[list[Any]]:
    """Return the sequences within a node."""
    match name:
        case "BRANCH":
            return [list(way) for way in value[1]]
        case "SUBPATTERN":
            return [list(value[3])]
        case "ASSERT" | "ASSERT_NOT":
            return [list(value[1])]
        case "ATOMIC_GROUP":
            return [list(value)]
        case "GROUPREF_EXISTS":
            return [list(way) for way in value[1:] if way is not None]
    return [list(value[2])] if name.endswith("REPEAT") else []
