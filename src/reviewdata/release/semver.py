"""Semantic versions: which texts are one, and which of two is later (semver.org, 2.0.0)."""

from __future__ import annotations

import re

_NUMBER = r"(?:0|[1-9]\d{0,8})"
_WORD = rf"(?:{_NUMBER}|\d*[A-Za-z-][0-9A-Za-z-]*)"
_CORE = rf"({_NUMBER})\.({_NUMBER})\.({_NUMBER})"
_AFTER = rf"(?:-({_WORD}(?:\.{_WORD})*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
_VERSION = re.compile(_CORE + _AFTER)
_TAG = re.compile(rf"(?:.*[-_/])?v?({_CORE}{_AFTER})")

LONGEST = 60
"""Characters of a version: it becomes the name of a folder."""

Rank = tuple[int, int, int, bool, tuple[tuple[bool, int, str], ...]]


def is_version(text: object) -> bool:
    """Whether a value is a semantic version such as 1.0.2 or 2.0.0-rc.1."""
    return isinstance(text, str) and len(text) <= LONGEST and bool(_VERSION.fullmatch(text))


def rank_version(text: str) -> Rank:
    """Return what orders a semantic version among others; what follows a `+` does not count."""
    match = _VERSION.fullmatch(text)
    assert match is not None, text
    major, minor, patch = (int(part) for part in match.groups()[:3])
    words = match[4].split(".") if match[4] else []
    # A version with a word after it comes before the one without; numbers come before words.
    order = tuple((not w.isdigit(), int(w) if w.isdigit() else 0, w) for w in words)
    return major, minor, patch, not words, order


def reaches(version: str, asked: str) -> bool:
    """Whether a version raises what another asks for, be it as a release candidate of it."""
    return rank_version(version)[:3] >= rank_version(asked)[:3]


def version_of_tag(tag: str) -> str | None:
    """Return the version that a tag names (`v1.0.0`, `data-1.0.0`), None where it names none."""
    match = _TAG.fullmatch(tag)
    return match[1] if match and is_version(match[1]) else None
