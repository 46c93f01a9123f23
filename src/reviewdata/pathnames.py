"""Paths of a package or an archive: which of them are dangerous, which are one elsewhere."""

from __future__ import annotations

import unicodedata

_HIDDEN = ("Cc", "Cf", "Cs")
"""Categories of characters that nobody sees: controls, joiners and marks of direction, halves."""


def is_git(part: str) -> bool:
    """Whether some system takes a part of a path for `.git`, whose configuration has commands.

    Some leave out case, characters that nobody sees, and dots and spaces at the end; `git~1` is
    its short name on Windows.
    """
    seen = "".join(letter for letter in part if unicodedata.category(letter) not in _HIDDEN)
    return seen.rstrip(". ").casefold() in (".git", "git~1")


def has_hidden(path: str) -> bool:
    """Whether a path has a character that nobody sees, or that commands a terminal."""
    return any(unicodedata.category(letter) in _HIDDEN for letter in path)


def fold_path(path: str) -> str:
    """Return a path as a system has it that knows neither case nor how an accent is written."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())
