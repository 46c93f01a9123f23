"""The checksums that a package carries of its own files."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from reviewdata.archives import check_path, extract_zip
from reviewdata.model import ReviewdataError
from reviewdata.package import DESCRIPTOR
from reviewdata.release.archive import SUMS, hash_content, read_sums
from reviewdata.release.deposit import measure_file

_MOST = 10_000_000


def find_root(tree: Path) -> Path | None:
    """Return the folder of the descriptor: the tree, or the one folder in it; None for neither."""
    entries: list[Path] = list(tree.iterdir()) if tree.is_dir() else []
    folders = [tree, *entries] if len(entries) == 1 else [tree]
    return next((folder for folder in folders if (folder / DESCRIPTOR).is_file()), None)


@dataclass(frozen=True)
class Checked:
    """A package that was unpacked from a zip: how many files have a checksum, its content hash."""

    listed: int
    content: str


def check_archive(archive: Path) -> Checked | None:
    """Unpack a zip for a moment and check its sums; None where it is no package.

    Raises ReviewdataError as `check_sums` does, and for a zip that cannot be unpacked.
    """
    with tempfile.TemporaryDirectory() as folder:
        extract_zip(archive, Path(folder) / "tree")
        root = find_root(Path(folder) / "tree")
        if root is None:
            return None
        try:
            return Checked(check_sums(root) or 0, hash_content(root))
        except (ValueError, RecursionError) as error:
            raise ReviewdataError(f"{DESCRIPTOR} of {archive.name} is no JSON: {error}") from error


def check_sums(root: Path) -> int | None:
    """Compare every file of a folder with its SHA256SUMS; return how many, None where it has none.

    Raises ReviewdataError for a file that differs, is missing, or is not listed.
    """
    file = root / SUMS
    if not file.is_file():
        return None
    if file.stat().st_size > _MOST:
        raise ReviewdataError(f"{SUMS} has more than {_MOST:,} bytes")
    given = read_sums(file.read_bytes().decode("utf-8", "replace"))
    listed = {check_path(path, SUMS): digest for path, digest in given.items()}
    there = {
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if path.is_symlink() or not path.is_dir()
    } - {SUMS}
    for what, names in (
        (f"is in {SUMS} and not in the package", set(listed) - there),
        (f"is in the package and not in {SUMS}", there - set(listed)),
    ):
        if names:
            raise ReviewdataError(f"{min(names)} {what}")
    for name, digest in listed.items():
        if (root / name).is_symlink() or measure_file(root / name).sha256 != digest:
            raise ReviewdataError(f"{name} is not the file that {SUMS} has the checksum of")
    return len(listed)
