"""The checksums that a package carries of its own files."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from reviewdata.archives import check_path, extract_zip
from reviewdata.model import ReviewdataError
from reviewdata.package import DESCRIPTOR
from reviewdata.release.deposit import measure_file

SUMS = "SHA256SUMS"
_LINE = re.compile(r"([0-9a-f]{64})(?:  | \*)(.+)")
_MOST = 10_000_000


def find_root(tree: Path) -> Path | None:
    """Return the folder of the descriptor: the tree, or the one folder in it; None for neither."""
    entries: list[Path] = list(tree.iterdir()) if tree.is_dir() else []
    folders = [tree, *entries] if len(entries) == 1 else [tree]
    return next((folder for folder in folders if (folder / DESCRIPTOR).is_file()), None)


def check_archive(archive: Path) -> int | None:
    """Unpack a zip for a moment and check its sums; None where it is no package or has none.

    Raises ReviewdataError as `check_sums` does, and for a zip that cannot be unpacked.
    """
    with tempfile.TemporaryDirectory() as folder:
        extract_zip(archive, Path(folder) / "tree")
        root = find_root(Path(folder) / "tree")
        return check_sums(root) if root is not None else None


def check_sums(root: Path) -> int | None:
    """Compare every file of a folder with its SHA256SUMS; return how many, None where it has none.

    Raises ReviewdataError for a file that differs, is missing, or is not listed.
    """
    file = root / SUMS
    if not file.is_file():
        return None
    if file.stat().st_size > _MOST:
        raise ReviewdataError(f"{SUMS} has more than {_MOST:,} bytes")
    listed: dict[str, str] = {}
    for number, line in enumerate(file.read_text("utf-8", "replace").splitlines(), start=1):
        found = _LINE.fullmatch(line)
        if found is None:
            raise ReviewdataError(f"line {number} of {SUMS} is no checksum with a name")
        listed[check_path(found[2].removeprefix("./"), SUMS)] = found[1]
    there = {p.relative_to(root).as_posix() for p in root.rglob("*") if not p.is_dir()} - {SUMS}
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
