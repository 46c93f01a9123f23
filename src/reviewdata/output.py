"""Files that a command writes: whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from reviewdata.model import ReviewdataError


def write_output(path: Path, content: str | bytes) -> None:
    """Write a file beside its place and then rename it, so that no half of it is ever seen.

    Raises ReviewdataError where the folder is missing or the disk is full.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    beside = None
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        beside = Path(name)
        with os.fdopen(handle, "wb") as out:
            out.write(data)
        beside.chmod(0o666 & ~_umask())
        beside.replace(path)
    except OSError as error:
        raise ReviewdataError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        if beside is not None:
            beside.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
