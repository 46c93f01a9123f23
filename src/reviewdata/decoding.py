"""Values read from JSON, held against the annotations of a dataclass, and made one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from decimal import Decimal
from functools import cache
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")

MAX_COUNT = 2**53
"""The largest whole number that every reader of JSON can hold."""

MAX_DEPTH = 20
"""How deep the lists and objects of a value may lie in each other that may be anything."""


class Mismatch(Exception):  # noqa: N818  # a verdict on a file, told by whoever reads it
    """A value that is not what the annotation says; the text says which, and why."""


def decode(kind: type[T], content: Mapping[str, Any], *, leave: Sequence[str] = ()) -> T:
    """Return a dataclass made from an object; what it does not know is left aside.

    A field in `leave` keeps its default, as does one that the object does not have. A whole
    number is a count: from 0 to MAX_COUNT. Raises Mismatch where a type or a word is another.
    """
    made: T = _decode_object(kind, content, "it", frozenset(leave))
    return made


def _decode(kind: Any, value: Any, where: str) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is Any:
        return _check_any(value, where, MAX_DEPTH)
    if origin in (Union, UnionType):
        if value is None and type(None) in arguments:
            return None
        [kind] = [a for a in arguments if a is not type(None)]
        return _decode(kind, value, where)
    if origin is Literal:
        if isinstance(value, str) and value in arguments:
            return value
        raise _mismatch(value, where, f"one of {', '.join(arguments)}")
    if origin is tuple:
        return _decode_list(arguments, value, where)
    if origin is Mapping:
        if not isinstance(value, dict):
            raise _mismatch(value, where, "an object")
        return {_text(k, where): _decode(arguments[1], v, where) for k, v in value.items()}
    if is_dataclass(kind):
        return _decode_object(kind, value, where, frozenset())
    return _decode_scalar(kind, value, where)


def _decode_object(kind: Any, value: Any, where: str, leave: frozenset[str]) -> Any:
    if not isinstance(value, dict):
        raise _mismatch(value, where, "an object")
    given = {}
    for name, annotation, needed in _fields_of(kind):
        if name in value and name not in leave:
            given[name] = _decode(annotation, value[name], f"its {name}")
        elif needed:
            raise Mismatch(f"{where} has no {name}")
    return kind(**given)


def _decode_list(arguments: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise _mismatch(value, where, "a list")
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return tuple(_decode(arguments[0], entry, where) for entry in value)
    if len(value) != len(arguments):
        raise _mismatch(value, where, f"a list of {len(arguments)}")
    return tuple(_decode(a, entry, where) for a, entry in zip(arguments, value, strict=True))


def _decode_scalar(kind: Any, value: Any, where: str) -> Any:
    if kind is str:
        return _text(value, where)
    if kind is bool:
        if isinstance(value, bool):
            return value
        raise _mismatch(value, where, "true or false")
    if kind is int:
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_COUNT:
            return value
        raise _mismatch(value, where, f"a whole number from 0 to {MAX_COUNT}")
    if kind is dt.date:
        try:
            return dt.date.fromisoformat(value)
        except (TypeError, ValueError) as error:
            raise _mismatch(value, where, "a date such as 2027-01-31") from error
    raise TypeError(f"{kind} is not decoded")  # a mistake of ours


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise _mismatch(value, where, "a text")
    return value


def _check_any(value: Any, where: str, depth: int) -> Any:
    if depth == 0:
        raise Mismatch(f"{where} is nested too deeply")
    if isinstance(value, str):
        return _text(value, where)
    if isinstance(value, list):
        return [_check_any(entry, where, depth - 1) for entry in value]
    if isinstance(value, dict):
        return {_text(k, where): _check_any(v, where, depth - 1) for k, v in value.items()}
    assert value is None or isinstance(value, bool | int | float | Decimal)
    return value


def _mismatch(value: Any, where: str, wanted: str) -> Mismatch:
    shown = "an object" if isinstance(value, dict) else "a list" if isinstance(value, list) else ""
    given = repr(value)
    return Mismatch(f"{where} is {shown or given[:40] + '...' * (len(given) > 40)}, not {wanted}")


@cache
def _fields_of(kind: type[Any]) -> tuple[tuple[str, Any, bool], ...]:
    """Return name, annotation and whether it must be given, of each field of a dataclass."""
    hints = get_type_hints(kind)
    return tuple(
        (f.name, hints[f.name], f.default is MISSING and f.default_factory is MISSING)
        for f in fields(kind)
    )
