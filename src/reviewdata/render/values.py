"""Values and cell text as they are shown: safe for a terminal, plain for JSON."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from reviewdata.changes import show_fraction

Paint = Callable[[str, str], str]
"""Gives a text in a style of rich (`bold red`) for a terminal, or just the text."""


def unpainted(text: str, style: str) -> str:
    """Return the text as it is: what pipes and files get."""
    return text


def plain(text: object) -> str:
    """Return text on one line, with control and direction characters shown as escapes.

    A cell may hold terminal sequences, or marks that turn the reading order around.
    """
    said = str(text)
    if said.isprintable():
        return said
    return "".join(c if c.isprintable() else _escape(c) for c in said)


def visible(text: str) -> str:
    """Return text with its lines and tabs, other control and direction characters escaped."""
    return "".join(c if c.isprintable() or c in "\n\t" else _escape(c) for c in text)


_COMMAND = re.compile(r"(?:\A|(?<=[\n\r]))(?:[^\S\n\r]|\ufeff)*:(?=:)|##(?=\[)")
"""Where a runner of GitHub Actions would read a command: `::` first on a line after white space
(of .NET, which is less than Python's) or a byte order mark, and the older `##[` anywhere."""


def defused(text: str, spelled: str = r"\u{{{:x}}}") -> str:
    """Return text in whose lines a runner of GitHub Actions finds no command.

    The sign that makes the command is `spelled` as `plain` does with what cannot be seen.
    """
    return _COMMAND.sub(lambda found: found[0][:-1] + spelled.format(ord(found[0][-1])), text)


def shortened(text: str, limit: int = 200) -> str:
    """Return a text longer than `limit` with its middle left out, and how much that was."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}… ({len(text) - 2 * half:,} characters) …{text[-half:]}"


def _escape(character: str) -> str:
    short = {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\u00a0": "\u00a0"}
    return short.get(character, f"\\u{{{ord(character):x}}}")


def json_value(value: Any) -> Any:
    """Return a value as JSON can hold it: null for a number that is not finite, ISO dates.

    A decimal stays one, to be printed with all its digits.
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int | bool | Decimal):
        return value
    if isinstance(value, dict):
        return {str(k): json_value(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [json_value(v) for v in value]
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return str(value)


def shown(value: Any) -> str:
    """Return a value for a table: four decimals for a fraction, blank for null."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if not math.isfinite(value):
            return ""
        return show_fraction(value)
    return plain(value)


def plural(number: int, noun: str) -> str:
    """Return `1 error`, `2 errors`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def size_text(size: int) -> str:
    """Return a number of bytes in the unit that suits it: `512 B`, `3.4 kB`, `12 MB`."""
    value = float(size)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if value < 999.5 or unit == "TB":
            return f"{value:.0f} {unit}" if unit == "B" or value >= 99.5 else f"{value:.1f} {unit}"
        value /= 1000
    raise AssertionError
