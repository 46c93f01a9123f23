"""When a release was made: a moment that every machine finds again, never the clock's."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping
from typing import Any

from reviewdata.git import Repository, ask_git
from reviewdata.model import ReviewdataError

VARIABLE = "SOURCE_DATE_EPOCH"
"""Seconds since 1970 that stand for the moment of the build (reproducible-builds.org)."""

_FIRST = dt.datetime(1980, 1, 1, tzinfo=dt.UTC)
_LAST = dt.datetime(2107, 12, 31, tzinfo=dt.UTC)
"""What a zip can hold."""


def find_moment(repository: Repository | None, descriptor: Mapping[str, Any]) -> dt.datetime:
    """Return the moment of a release, in UTC and whole seconds.

    It is SOURCE_DATE_EPOCH, else that of the commit, else `created` of the descriptor. Raises
    ReviewdataError where there is none of them, or the one that counts is no moment that a zip
    can hold.
    """
    given = os.environ.get(VARIABLE)
    if given:
        if not (given.isascii() and given.isdigit() and len(given) <= 12):
            raise ReviewdataError(f"{VARIABLE} is {given}; it is a number of seconds since 1970")
        return _check(int(given), f"{VARIABLE} {given}")
    if repository is not None:
        ended = ask_git(("log", "-1", "--format=%ct"), repository.top)
        said = ended.stdout.decode().strip()
        if not ended.returncode and said.isdigit():
            return _check(int(said), f"the date of the commit, {said},")
    created = descriptor.get("created")
    if not isinstance(created, str):
        raise ReviewdataError(
            f"the release has no date: give `created` in datapackage.json, or set {VARIABLE}"
        )
    try:
        moment = dt.datetime.fromisoformat(created)
    except ValueError as error:
        raise ReviewdataError(
            f"`created` in datapackage.json is {created}; a date is such as 2026-01-31T00:00:00Z"
        ) from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return _check(int(moment.timestamp()), f"`created`, {created},")


def _check(seconds: int, what: str) -> dt.datetime:
    try:
        moment = dt.datetime.fromtimestamp(seconds, dt.UTC)
    except (OverflowError, ValueError, OSError):
        moment = None
    if moment is None or not _FIRST <= moment <= _LAST:
        raise ReviewdataError(f"{what} is no date from {_FIRST.year} to {_LAST.year}")
    return moment
