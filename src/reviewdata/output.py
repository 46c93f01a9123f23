"""Files that a command writes: whole or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from reviewdata.model import ReviewdataError


def write_output(path: Path, content: str | bytes) -> None:
    """Write a file; see open_output."""
    with open_output(path) as out:
        out.write(content.encode("utf-8") if isinstance(content, str) else content)


@contextmanager
def open_output(path: Path) -> Iterator[BinaryIO]:
    """Yield a file to write: one beside its place, renamed at the end, so that no half is seen.

    Its `name` is the path of that file. A link stays a link to what is written; the mode of a
    file that is there is kept. What is no file (a device, a pipe) is written to as it stands.
    Raises ReviewdataError where the
    folder is missing or the disk is full.
    """
    beside = None
    try:
        old = path.stat() if path.exists() else None
        if old is not None and not stat.S_ISREG(old.st_mode):
            with path.open("wb") as out:
                yield out
            return
        target = Path(os.path.realpath(path))
        handle, name = tempfile.mkstemp(prefix=".reviewdata-", dir=target.parent)
        beside = Path(name)
        os.close(handle)
        with beside.open("wb") as out:
            yield out
        beside.chmod(0o666 & ~umask() if old is None else stat.S_IMODE(old.st_mode))
        beside.replace(target)
    except OSError as error:
        raise ReviewdataError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        if beside is not None:
            beside.unlink(missing_ok=True)


def umask() -> int:
    """Return the rights that new files and folders are not to have."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
