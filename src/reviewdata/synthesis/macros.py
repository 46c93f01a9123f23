"""The macros of the .sql files of this folder: which a statement uses, and how they are created.

A macro is created only where a statement names it: creating all takes a third of a second.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

FILES = (
    *("arguments", "distributions", "effects", "counts", "conversions", "descriptions"),
    *("pooling", "mantel_haenszel", "regression", "sensitivity"),
)
"""The files in the order in which they build on each other."""

_MACRO = re.compile(r"^CREATE OR REPLACE MACRO (\w+)\s*\(.*?;$", re.MULTILINE | re.DOTALL)
_OPTION = re.compile(r"(\w+)\s*(?::=|=>)")
_CALL = re.compile(r"(\w+)\s*\(")
_SKIPPED = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"", re.DOTALL)


@dataclass(frozen=True)
class Macro:
    """A macro: its name, its file, its statement with the comment above it, what it calls."""

    name: str
    file: str
    comment: str
    statement: str
    calls: tuple[str, ...]

    @property
    def options(self) -> tuple[str, ...]:
        """Return the names of its parameters, by each of which an argument may be given."""
        given = self.statement.partition("(")[2].partition(") AS")[0]
        return tuple(part.partition(":=")[0].strip() for part in split_arguments(given))


@cache
def read_macros() -> Mapping[str, Macro]:
    """Return the macros by name (lower case), each after those that it calls."""
    folder = files(__package__)
    texts = [(name, folder.joinpath(f"{name}.sql").read_text("utf-8")) for name in FILES]
    found = [
        (name, match[1], _comment_above(text[: match.start()]), match[0])
        for name, text in texts
        for match in _MACRO.finditer(text)
    ]
    known = {macro.lower() for _, macro, _, _ in found}
    return {
        name.lower(): Macro(
            name, file, comment, statement, tuple(_calls(statement, known - {name.lower()}))
        )
        for file, name, comment, statement in found
    }


def find_used(sql: str) -> list[str]:
    """Return the macros that a statement uses, and those that these use, in order of creation.

    A column or table of a macro's name is none: a macro is called. Names in comments, texts and
    quotation marks do not count.
    """
    macros = read_macros()
    used: set[str] = set()
    waiting = list(_calls(sql, macros))
    while waiting:
        name = waiting.pop()
        if name not in used:
            used.add(name)
            waiting += macros[name].calls
    return [name for name in macros if name in used]


def install(connection: duckdb.DuckDBPyConnection, names: Iterable[str] | None = None) -> None:
    """Create the macros in the current schema of a connection: all, or those named.

    Those that the named ones call must be among them, as find_used gives them. Raises KeyError
    for a name that no macro has.
    """
    macros = read_macros()
    wanted = list(macros) if names is None else [name.lower() for name in names]
    statements = [macros[name].statement for name in wanted]
    if statements:
        connection.execute("\n".join(statements))


def script(sql: str) -> str:
    """Return the statements that create what a statement uses; blank where it uses none."""
    macros = read_macros()
    return "".join(f"{macros[name].statement}\n\n" for name in find_used(sql))


def find_calls(sql: str, name: str) -> Iterator[str]:
    """Yield the arguments of each call of a macro in a statement, as they are written."""
    bare = _SKIPPED.sub(lambda match: " " * len(match[0]), sql)
    for match in re.finditer(rf"\b{name}\s*\(", bare, re.IGNORECASE):
        depth, start = 1, match.end()
        for position in range(start, len(bare)):
            depth += {"(": 1, ")": -1}.get(bare[position], 0)
            if not depth:
                yield bare[start:position]
                break


def split_arguments(given: str) -> list[str]:
    """Return the arguments of a call one by one, as they are written."""
    depth, parts = 0, [""]
    for character in given:
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(character, 0)
        if character == "," and not depth:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]


def find_unknown_option(sql: str) -> tuple[str, str, tuple[str, ...]] | None:
    """Return the first macro called with an option that it does not have: it, that, those it has.

    DuckDB says of such a call only that the arguments are not supported.
    """
    macros = read_macros()
    for name in _calls(sql, macros):
        known = macros[name].options
        for given in find_calls(sql, name):
            for part in split_arguments(given):
                option = _OPTION.match(part)
                if option and option[1].lower() not in known:
                    return name, option[1], tuple(word for word in known if word != "by_name")
    return None


def _calls(sql: str, known: Iterable[str]) -> Iterator[str]:
    names = set(known)
    for word in dict.fromkeys(m[1].lower() for m in _CALL.finditer(_SKIPPED.sub(" ", sql))):
        if word in names:
            yield word


def _comment_above(text: str) -> str:
    """Return the comment lines that end a text, without their dashes."""
    lines: list[str] = []
    for line in reversed(text.rstrip("\n").split("\n")):
        if not line.startswith("--"):
            break
        lines.insert(0, line.removeprefix("--").removeprefix(" "))
    return "\n".join(lines)
