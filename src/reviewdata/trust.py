"""A contribution under the rules of its base: of the one only tables, of the other all else.

Rules, queries and suites are code, and a schema or a waiver says what counts as wrong; so none
of them comes from who contributes. What is not applied is listed, for a maintainer to look at.
"""

from __future__ import annotations

import filecmp
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from reviewdata.changes import FileChange
from reviewdata.package import DESCRIPTOR, Package, open_package

ATTRIBUTES = ".gitattributes"
"""By which git changes the bytes of a file when it checks it out."""

FOLDERS = ("schemas", "data", "validations", "queries")
"""The folders of a review, beside its descriptor."""


@dataclass(frozen=True)
class Overlay:
    """The folder in which a contribution's tables lie beside the base's rules.

    `not_applied` are the files of the contribution that are other than the base's, or that the
    base does not name, and that were left out.
    """

    root: Path
    not_applied: tuple[FileChange, ...]


@contextmanager
def overlay(contribution: Path, base: Path) -> Iterator[Overlay]:
    """Yield the overlay of a contribution's folder on that of its base.

    A table is taken from the contribution where the base's descriptor names its file, beneath
    `data/`, and it is not the claims table. A link is taken as the link it is, to be judged
    within the overlay; what is reached through a linked folder is not taken.
    """
    package = open_package(base)
    tables = set(_tables(package))
    with tempfile.TemporaryDirectory(prefix="reviewdata-", ignore_cleanup_errors=True) as folder:
        root = Path(folder).resolve()
        for path in {*list_files(base), *_named(package)}:
            if path not in tables:
                _copy(base, root, path)
        for path in tables:
            _copy(contribution, root, path)
        yield Overlay(root, tuple(_compare(base, contribution, tables)))


def _tables(package: Package) -> Iterator[str]:
    """Yield the paths of the tables that are taken from a contribution."""
    for resource in package.resources.values():
        path = PurePosixPath(resource.path)
        inside = path.parts[:1] == ("data",) and ".." not in path.parts and len(path.parts) > 1
        if inside and resource.name != package.config.claims and "\0" not in resource.path:
            yield str(path)


def _named(package: Package) -> Iterator[str]:
    """Yield the files of the base that its descriptor names, wherever they lie in it."""
    for resource in package.resources.values():
        schema = resource.descriptor.get("schema")
        for path in (resource.path, schema if isinstance(schema, str) else ""):
            if path and (package.root / path).is_file():
                yield str(PurePosixPath(path))


def list_files(root: Path) -> Iterator[str]:
    """Yield the paths of a review's files and links; a linked folder is one link."""
    for file in (DESCRIPTOR, ATTRIBUTES):
        if os.path.lexists(root / file):
            yield file
    for name in FOLDERS:
        if (root / name).is_symlink():
            yield name
            continue
        for folder, folders, files in os.walk(root / name):
            folders.sort()
            links = [f for f in folders if Path(folder, f).is_symlink()]
            for file in sorted([*files, *links]):
                yield Path(folder, file).relative_to(root).as_posix()


def copy_package(package: Package, target: Path) -> None:
    """Copy the files of a review into a folder: its own, and what its descriptor names."""
    for path in {*list_files(package.root), *_named(package)}:
        _copy(package.root, target, path)


def _copy(source: Path, target: Path, path: str) -> None:
    """Copy a file, or a link as a link; leave out what is not there or lies behind a link."""
    if _is_behind_link(source, path) or not os.path.lexists(source / path):
        return
    file = target / path
    file.parent.mkdir(parents=True, exist_ok=True)
    if (source / path).is_symlink():
        file.symlink_to(os.readlink(source / path))
    elif (source / path).is_file():
        shutil.copyfile(source / path, file)
    elif (source / path).is_dir():
        file.mkdir()  # to be told as a folder in place of a file


def _is_behind_link(root: Path, path: str) -> bool:
    return any((root / parent).is_symlink() for parent in PurePosixPath(path).parents)


def _compare(base: Path, contribution: Path, tables: set[str]) -> Iterator[FileChange]:
    named = {*_named(open_package(base))}
    before = {*list_files(base), *named} - tables
    after = {*list_files(contribution), *(p for p in named if os.path.lexists(contribution / p))}
    after -= tables
    for path in sorted(before | after):
        if path not in after:
            yield FileChange(path, "removed")
        elif path not in before:
            yield FileChange(path, "added")
        elif not is_same(base / path, contribution / path):
            yield FileChange(path, "changed")


def is_same(first: Path, second: Path) -> bool:
    """Whether two files are the same bytes, or two links lead to the same name."""
    links = [path.is_symlink() for path in (first, second)]
    if any(links):
        return all(links) and os.readlink(first) == os.readlink(second)
    return first.is_file() and second.is_file() and filecmp.cmp(first, second, shallow=False)
