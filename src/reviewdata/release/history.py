"""The releases before this one: tags of git, and what has changed since the last."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from reviewdata.changes import VersionChange
from reviewdata.git import Repository, ask_git, run_git
from reviewdata.package import DESCRIPTOR
from reviewdata.release.semver import is_version, rank_version, version_of_tag


@dataclass(frozen=True)
class Tagged:
    """A release that git has: the tag, and the version of the data in it."""

    tag: str
    version: str


def list_tagged(repository: Repository) -> Iterator[Tagged]:
    """Yield the releases that HEAD descends from, the latest version first.

    A release is a tag that ends in a version (`v1.0.0`, `data-1.0.0`) which is also that of
    datapackage.json in it: a tag of something else in the repository is none.
    """
    asked = ("for-each-ref", "--merged=HEAD", "--format=%(refname:short)", "refs/tags")
    ended = ask_git(asked, repository.top)
    if ended.returncode:  # there is no commit yet
        return
    found = []
    for tag in os.fsdecode(ended.stdout).split():
        version = version_of_tag(tag)
        if version is not None:
            found.append(Tagged(tag, version))
    found.sort(key=lambda tagged: (rank_version(tagged.version), tagged.tag), reverse=True)
    yield from (tagged for tagged in found if _version_in(repository, tagged.tag) == tagged.version)


def is_shallow(repository: Repository) -> bool:
    """Whether the clone lacks a part of the history, and so of the tags."""
    return run_git(repository.top, "rev-parse", "--is-shallow-repository").strip() == b"true"


def compare_with(project: Path, revision: str | Tagged) -> VersionChange:
    """Return what has changed since a release, as what it asks of the version."""
    from reviewdata.difference import compare_revisions

    name = revision if isinstance(revision, str) else f"refs/tags/{revision.tag}"
    return compare_revisions(project, name).version


def _version_in(repository: Repository, tag: str) -> str | None:
    path = PurePosixPath(repository.prefix, DESCRIPTOR)
    ended = ask_git(("cat-file", "blob", f"refs/tags/{tag}:{path}"), repository.top)
    try:
        content = json.loads(ended.stdout.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    version = content.get("version") if isinstance(content, dict) else None
    return version if is_version(version) else None
