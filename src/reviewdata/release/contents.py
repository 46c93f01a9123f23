"""Which files of a review a release holds, and what is wrong with them.

The descriptor, what it names, the folders of a review, and README, LICENSE and CHANGELOG. In a
repository, of the folders only what git has: notes and caches beside it stay where they are.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from reviewdata.git import STAGED, Repository, find_commit, list_entries
from reviewdata.package import DESCRIPTOR, Package
from reviewdata.pathnames import fold_path, has_hidden, is_git
from reviewdata.release.changelog import FILES
from reviewdata.trust import FOLDERS

MADE = (
    *("CITATION.cff", "SHA256SUMS", "codebook.html", "codebook.md", "datacite.json"),
    *("parquet", "results", "ro-crate-metadata.json", "schema.org.jsonld"),
)
"""The files and folders of a release that are made when it is built."""

_BESIDE = re.compile(r"(readme|licen[cs]e|copying|notice)([-._].*)?", re.IGNORECASE)
_OF_DATA = re.compile(r"([a-z]+)[-._]data([-._].*)?", re.IGNORECASE)
_LEFT = re.compile(r"\..*|__pycache__|.*\.py[co]|.*~", re.IGNORECASE)
_ODD = re.compile(r'[\x00-\x1f\x7f<>:"|?*\\]')
_BLOCK = 1024 * 1024


@dataclass(frozen=True)
class Contents:
    """The files of a package by their path in the release, and the faults found.

    `sums` are the SHA-256 of their bytes before the first check looked at them. `faults` are paths
    that cannot be packed with the reason; `uncommitted` the paths whose bytes are not those of the
    commit, or that git does not have.
    """

    files: Mapping[str, Path]
    faults: tuple[tuple[str, str], ...]
    uncommitted: tuple[tuple[str, str], ...]
    sums: Mapping[str, str]


def find_contents(package: Package, repository: Repository | None) -> Contents:
    """Return the files that a release of a package holds; see Contents."""
    root = package.root
    known = _tracked(repository) if repository is not None else None
    named = set(_named(package))
    listed = {*named, *(p for p in _walk(root) if known is None or p in known)}
    files: dict[str, Path] = {}
    faults: list[tuple[str, str]] = []
    taken: dict[str, str] = {}
    for path in sorted(listed):
        why = _find_fault(root, path) or _clash(path, taken)
        if why:
            faults.append((path, why))
        else:
            files[path] = root / path
    faults += [
        (name, "is the name of a table, and has a character that no file may have in its name")
        for name in package.resources
        if "/" in name or _is_odd(name)
    ]
    uncommitted = []
    if repository is not None and known is not None:
        uncommitted = list(_uncommitted(repository, files))
        loose = [p for p in _walk(root) if p not in known and p not in named]
        uncommitted += [(path, "is not in git, and is left out") for path in loose]
    sums = {path: _sum(file) for path, file in files.items()}
    return Contents(files, tuple(faults), tuple(uncommitted), sums)


def _sum(file: Path) -> str:
    with file.open("rb") as binary:
        return hashlib.file_digest(binary, "sha256").hexdigest()


def _named(package: Package) -> Iterator[str]:
    """Yield the files that the descriptor names, itself included, and those that stand beside."""
    yield DESCRIPTOR
    for resource in package.resources.values():
        entry = resource.descriptor
        for path in (resource.path, entry.get("schema"), entry.get("dialect")):
            if isinstance(path, str) and path and "://" not in path:
                yield str(PurePosixPath(path))
    yield from _named_beside(package.root)


def _named_beside(root: Path) -> Iterator[str]:
    """Yield README, licence and changelog beside the descriptor.

    Where one is named for the data (LICENSE-DATA, README-data.md), others of its kind are of
    something else, such as a framework in the same repository.
    """
    yield from [name for name in FILES if (root / name).is_file()][:1]
    found = {n: m[1].casefold() for n in os.listdir(root) if (m := _BESIDE.fullmatch(n))}
    of_data = {kind for name, kind in found.items() if _OF_DATA.fullmatch(name)}
    for name, kind in sorted(found.items()):
        if (root / name).is_file() and (kind not in of_data or _OF_DATA.fullmatch(name)):
            yield name


def _walk(root: Path) -> Iterator[str]:
    """Yield the files and links of the folders of a review; a linked folder is one link."""
    for name in FOLDERS:
        if (root / name).is_symlink():
            yield name
            continue
        for folder, folders, files in os.walk(root / name):
            folders[:] = sorted(f for f in folders if not _LEFT.fullmatch(f))
            links = [f for f in folders if Path(folder, f).is_symlink()]
            for file in sorted([*(f for f in files if not _LEFT.fullmatch(f)), *links]):
                yield Path(folder, file).relative_to(root).as_posix()


def _find_fault(root: Path, path: str) -> str:
    """Return why a path cannot be packed; blank where it can."""
    file, parts = root / path, PurePosixPath(path).parts
    if ".." in parts or PurePosixPath(path).is_absolute():
        return "leads out of the package"
    if any(_is_odd(part) for part in parts):
        return "has a character in its name that not every system can write"
    if not path.isascii() and any(0xD800 <= ord(c) <= 0xDFFF for c in path):
        return "has a name that is not UTF-8"
    if any(map(is_git, parts)):
        return "leads into what git keeps of itself"
    if fold_path(parts[0]) in {fold_path(name) for name in MADE}:
        return "has the name of a file that the release makes"
    try:
        real = file.resolve()
    except (OSError, RuntimeError):
        return "is a link to itself"
    if not real.is_relative_to(root):
        return "is a link that leads out of the package"
    if any(map(is_git, real.relative_to(root).parts)):
        return "is a link to what git keeps of itself"
    if not file.exists():
        return "is not there"
    if file.is_dir():
        return "is a link to a folder" if file.is_symlink() else "is a folder"
    return "" if file.is_file() else "is no file"


def _is_odd(name: str) -> bool:
    return bool(_ODD.search(name)) or has_hidden(name) or name != name.rstrip(". ")


def _clash(path: str, taken: dict[str, str]) -> str:
    """Return why a path cannot stand beside those taken, with regard to systems without case."""
    other = taken.setdefault(fold_path(path), path)
    return f"differs from {other} by its case or accents alone" if other != path else ""


def _tracked(repository: Repository) -> set[str]:
    return {path for path, _ in _entries(repository, STAGED, FOLDERS)}


def _entries(
    repository: Repository, commit: str, parts: Iterable[str]
) -> Iterator[tuple[str, str]]:
    """Yield the path within the review and the content's name of each file of a commit."""
    for entry in list_entries(repository, commit, parts):
        yield os.path.relpath(entry.path, repository.prefix or "."), entry.sha


def _uncommitted(repository: Repository, files: Mapping[str, Path]) -> Iterator[tuple[str, str]]:
    """Yield the files whose bytes are not those of the commit; git's own filters are not run."""
    commit = find_commit(repository, "HEAD")
    parts = {PurePosixPath(path).parts[0] for path in files}
    committed = dict(_entries(repository, commit, parts)) if commit is not None else {}
    for path, file in files.items():
        if path not in committed:
            yield path, "is not in the commit"
        elif not file.is_symlink() and _git_name(file, committed[path]) != committed[path]:
            yield path, "differs from the commit"


def _git_name(file: Path, like: str) -> str:
    """Return the name that git gives to the bytes of a file, by SHA-1 or SHA-256 as `like` is."""
    kind = "sha256" if len(like) == 64 else "sha1"
    hasher = hashlib.new(kind, b"blob %d\0" % file.stat().st_size, usedforsecurity=False)
    with file.open("rb") as binary:
        while block := binary.read(_BLOCK):
            hasher.update(block)
    return hasher.hexdigest()
