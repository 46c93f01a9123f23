"""Zip archives from strangers, written to a folder: limited in size, nothing outside the folder."""

from __future__ import annotations

import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from reviewdata.model import ReviewdataError
from reviewdata.pathnames import fold_path, has_hidden, is_git

SIZE_LIMIT = 2 * 1024**3
"""Bytes that the files of an archive may have together when unpacked."""

RATIO_LIMIT = 200
"""Times that an archive may grow above RATIO_FROM bytes; tables of numbers stay below 50."""

RATIO_FROM = 50 * 1024 * 1024
FILES_LIMIT = 10_000
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
BLOCK = 1024 * 1024


def extract_zip(archive: Path, folder: Path, *, size_limit: int = SIZE_LIMIT) -> None:
    """Write the files of a zip into a folder.

    Raises ReviewdataError for what is no zip, is encrypted or damaged, holds a link, a path that
    leaves the folder or one name twice, or is larger than its limits; sizes are counted as the
    bytes come, whatever the archive says of them.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [i for i in opened.infolist() if not i.filename.endswith("/")]
            if len(members) > FILES_LIMIT:
                _refuse(archive, f"it has {len(members):,} files, more than {FILES_LIMIT:,}")
            packed = archive.stat().st_size
            limit = most = min(size_limit, max(RATIO_FROM, RATIO_LIMIT * packed))
            names: set[str] = set()
            for info in members:
                name = check_path(info.filename, archive)
                kind = stat.S_IFMT(info.external_attr >> 16)
                if kind not in (0, stat.S_IFREG):
                    _refuse(archive, f"{name} is a link or a device")
                if info.compress_type not in _METHODS:
                    _refuse(archive, f"{name} is packed in an unusual way")
                if fold_path(name) in names:
                    _refuse(archive, f"{name} is in it twice")
                names.add(fold_path(name))
                limit -= _extract(opened, info, folder / name, archive, limit, most)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError) as error:
        raise ReviewdataError(f"{archive} is no zip that can be read: {error}") from error
    except RuntimeError as error:  # a password is asked for
        raise ReviewdataError(f"{archive} cannot be unpacked: {error}") from error
    except OSError as error:
        raise ReviewdataError(f"{archive} cannot be unpacked: {error.strerror or error}") from error


def _extract(
    opened: zipfile.ZipFile, info: zipfile.ZipInfo, file: Path, archive: Path, limit: int, most: int
) -> int:
    """Write one member and return its size; refuse where it is above the limit.

    `limit` is what is left of the `most` bytes that all members may have.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    with opened.open(info) as source, file.open("wb") as out:
        while block := source.read(BLOCK):
            size += len(block)
            if size > limit:
                packed = archive.stat().st_size
                _refuse(archive, f"{packed:,} bytes unpack to more than {most:,} (a bomb?)")
            out.write(block)
    return size


def check_path(name: str, where: object) -> str:
    """Return the path of a file within an archive or a commit; raise ReviewdataError for others."""
    path = PurePosixPath(name)
    if (
        not path.parts
        or path.is_absolute()
        or any(part == ".." or is_git(part) or ":" in part or "\\" in part for part in path.parts)
        or has_hidden(name)
    ):
        _refuse(where, f"the path {name!r} leaves its folder, or is none that is safe everywhere")
    return str(path)


def _refuse(where: object, why: str) -> None:
    raise ReviewdataError(f"{where} is not unpacked: {why}")
