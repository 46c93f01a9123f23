"""The changelog: what it says of a version."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from reviewdata.model import ReviewdataError

FILES = ("CHANGELOG.md", "CHANGELOG", "CHANGELOG.txt", "CHANGELOG.rst")

_HEADING = re.compile(r"(#{1,6})[ \t]+(.+?)[ \t#]*")
Heading = tuple[int, int, str]
"""The number of its line, its level and its text."""

_DATA = re.compile(r"\W*data\b", re.IGNORECASE)


def read_changelog(root: Path) -> tuple[str, str] | None:
    """Return the name and the text of a review's changelog; None where there is none.

    Raises ReviewdataError for one that is not UTF-8.
    """
    for name in FILES:
        if (root / name).is_file():
            try:
                return name, (root / name).read_text("utf-8-sig")
            except UnicodeDecodeError as error:
                raise ReviewdataError(f"{name} is not UTF-8: byte {error.start}") from error
    return None


def find_entry(text: str, version: str) -> str | None:
    """Return what stands beneath the heading of a version, stripped; None without the heading.

    Where headings begin with the word Data, as those that `diff` writes, the others are of
    something else, such as a framework in the same repository.
    """
    lines = text.splitlines()
    headings = _headings(lines)
    found = _find(headings, version)
    if found is None:
        return None
    number, level, _ = found
    ends = (n for n, other, _ in headings if n > number and other <= level)
    return "\n".join(lines[number + 1 : next(ends, len(lines))]).strip()


def find_heading(text: str, version: str) -> str | None:
    """Return the text of the heading of a version; None without one."""
    found = _find(_headings(text.splitlines()), version)
    return found[2] if found else None


def _find(headings: Sequence[Heading], version: str) -> Heading | None:
    data = [heading for heading in headings if _DATA.match(heading[2])]
    named = re.compile(rf"(?<![0-9A-Za-z.+-])v?{re.escape(version)}(?![0-9A-Za-z+-]|\.\w)")
    return next((heading for heading in data or headings if named.search(heading[2])), None)


def _headings(lines: Sequence[str]) -> list[Heading]:
    """Return the line number, level and text of each heading; none within a block of code."""
    found: list[Heading] = []
    fenced = False
    for number, line in enumerate(lines):
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        match = None if fenced else _HEADING.fullmatch(line)
        if match is not None:
            found.append((number, len(match[1]), match[2]))
        elif number and re.fullmatch(r"=+|-+", line) and lines[number - 1].strip() and not fenced:
            found.append((number, 1 + line.startswith("-"), lines[number - 1].strip()))
    return found
