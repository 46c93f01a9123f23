"""A revision of a review as a folder: a commit of git, another folder, or a zip.

A name is a commit where the review lies in a repository. A folder or a zip is then given as a
path (`./other`, `../v1.zip`, `/tmp/v1`): a contribution can add a folder of any name, but no
commit.
"""

from __future__ import annotations

import json
import os
import tempfile
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from reviewdata.archives import extract_zip
from reviewdata.git import (
    STAGED,
    Entry,
    Repository,
    explain_unknown,
    find_commit,
    find_repository,
    list_entries,
    read_content,
    write_content,
)
from reviewdata.model import ReviewdataError
from reviewdata.package import DESCRIPTOR

PARTS = (DESCRIPTOR, ".gitattributes", "schemas", "data", "validations", "queries")
"""The files and folders of a review; others belong to it where its descriptor names them."""


WORKING_TREE = "working tree"
"""The name of the files as they are."""


@dataclass(frozen=True)
class Revision:
    """A revision by the name it was given, and the folder that has its files."""

    name: str
    root: Path


@contextmanager
def open_revision(name: str, project: Path | str) -> Iterator[Revision]:
    """Yield a revision of the review at `project`.

    What git or a zip has is in a folder of its own, which goes at the end. Raises
    ReviewdataError for a name that means nothing, a clone that is too shallow, a zip that is not
    safe, and a revision without a data package.
    """
    folder = find_folder(project)
    repository = find_repository(folder)
    if repository is not None and not _is_path(name):
        commit = STAGED if name == STAGED else find_commit(repository, name)
        if commit is None:
            raise ReviewdataError(_unknown(repository, name))
        with _workspace() as root:
            _check_out(repository, commit, name, root)
            yield Revision(name, root)
        return
    if name == STAGED:
        raise ReviewdataError(f"{folder} lies in no git repository; nothing is staged")
    path = Path(name).expanduser()
    if path.is_file() and path.name != DESCRIPTOR:
        with _workspace() as root:
            extract_zip(path, root)
            yield Revision(name, _find_package(root, name))
        return
    if not path.is_dir() and not path.is_file():
        hint = "" if repository else f"; {folder} lies in no git repository, or there is no git"
        raise ReviewdataError(f"there is no revision {name}: no folder and no zip{hint}")
    root = find_folder(path)
    if not (root / DESCRIPTOR).is_file():
        raise ReviewdataError(f"{name} has no {DESCRIPTOR}: it is no revision of a data package")
    yield Revision(name, root)


def _is_path(name: str) -> bool:
    return name.startswith((".", "/", "~")) or Path(name).is_absolute()


def find_folder(project: Path | str) -> Path:
    """Return the folder of a review that is named by it, or by its datapackage.json.

    Raises ReviewdataError where there is no such folder.
    """
    path = Path(project)
    folder = path.parent if path.name == DESCRIPTOR and not path.is_dir() else path
    if not folder.is_dir():
        raise ReviewdataError(f"there is no folder {folder}")
    return folder


def _unknown(repository: Repository, name: str) -> str:
    if Path(name).exists():
        return f"git has no revision {name}; for the folder or zip of this name write ./{name}"
    return explain_unknown(repository, name)


@contextmanager
def _workspace() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="reviewdata-", ignore_cleanup_errors=True) as folder:
        yield Path(folder).resolve()


def _check_out(repository: Repository, commit: str, name: str, root: Path) -> None:
    """Write the review's files of a commit into a folder; a link stays a link."""
    entries = list_entries(repository, commit, [DESCRIPTOR])
    if not entries:
        where = f" in {repository.prefix}" if repository.prefix else ""
        raise ReviewdataError(f"{name} has no {DESCRIPTOR}{where}: it is no data package there")
    named = _paths_of(read_content(repository, entries[0]))
    entries = list_entries(repository, commit, {*PARTS, *named})
    _check_paths([entry.path for entry in entries], name)
    # Links come last, so that nothing is written through one.
    for entry in sorted(entries, key=lambda entry: entry.is_link):
        _write(repository, entry, name, root)


def _check_paths(paths: Sequence[str], name: str) -> None:
    """Raise ReviewdataError for a tree in which a path is twice, or a file is a folder too.

    git makes none, but takes one that is made by hand; case and spelling do not count, as some
    file systems have it.
    """
    taken: set[str] = set()
    for path in paths:
        folded = unicodedata.normalize("NFC", path).casefold()
        if folded in taken:
            raise ReviewdataError(f"{name} has the path {path} twice; such a commit is not read")
        taken.add(folded)
    for path in taken:
        for parent in PurePosixPath(path).parents:
            if str(parent) in taken:
                raise ReviewdataError(f"{name} has {parent} as a file and as a folder")


def _write(repository: Repository, entry: Entry, name: str, root: Path) -> None:
    if any(part.lower() in ("..", ".git") for part in PurePosixPath(entry.path).parts):
        raise ReviewdataError(f"{name} is not read: the path {entry.path!r} leaves its folder")
    path = os.path.relpath(entry.path, repository.prefix or ".")
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    if entry.is_link:
        file.symlink_to(os.fsdecode(read_content(repository, entry)))
    else:
        write_content(repository, entry, file)
        if file.stat().st_size < 1024 and file.read_bytes().startswith(_LFS):
            raise ReviewdataError(
                f"{path} lies in Git LFS, and {name} has only a pointer to it; name a folder"
            )


_LFS = b"version https://git-lfs.github.com/spec/"


def _paths_of(descriptor: bytes) -> set[str]:
    """Return the relative paths that a descriptor names, as far as it can be read."""
    try:
        text = descriptor.decode("utf-8-sig")
        content: Any = json.loads(text.encode("utf-8", "replace"))
        listed = [e for e in content["resources"] if isinstance(e, dict)]
    except (ValueError, KeyError, TypeError, RecursionError):
        return set()  # whoever opens the package says so
    paths = [e.get(key) for e in listed for key in ("path", "schema")]  # of any JSON type
    return {
        path
        for path in paths
        if isinstance(path, str)
        and path
        and "://" not in path
        and not Path(path).is_absolute()
        and ".." not in Path(path).parts
        and "\0" not in path
        and path.isprintable()
    }


def _find_package(root: Path, name: str) -> Path:
    """Return the folder of the data package in an unpacked archive: the topmost one."""
    found = sorted(root.rglob(DESCRIPTOR), key=lambda file: (len(file.parts), str(file)))
    if not found:
        raise ReviewdataError(f"{name} has no {DESCRIPTOR} in it: it is no data package")
    return found[0].parent
