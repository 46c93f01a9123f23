"""Compressed data files: which are, and the bytes of their content."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

COMPRESSED = (".gz", ".zip", ".bz2", ".xz")
"""The endings of compressed files; only gzip is read."""

BLOCK = 1024 * 1024


def compression_of(resource: Mapping[str, Any]) -> str:
    """Return how a resource is compressed, as declared or by the ending of its name; or nothing."""
    ending = Path(str(resource.get("path"))).suffix.lower()
    return str(resource.get("compression") or (ending[1:] if ending in COMPRESSED else "")).lower()


def is_gzipped(file: Path) -> bool:
    """Whether a file starts as gzip does, and no text."""
    with file.open("rb") as binary:
        return binary.read(2) == b"\x1f\x8b"


def most_bytes(file: Path) -> int:
    """Return the number of bytes that the content of a file has at most; 0 where none is read."""
    try:
        return file.stat().st_size * (_RATIO if is_gzipped(file) else 1)
    except OSError:  # told by who loads it
        return 0


_RATIO = 1032
"""Bytes that deflate can make of one."""


def open_binary(file: Path) -> BinaryIO:
    """Open a data file for its bytes, those of its content where it is gzipped.

    What is read raises OSError where the compressed file is damaged.
    """
    if not is_gzipped(file):
        return file.open("rb")
    return io.BufferedReader(_Unzipped(file), BLOCK)


class _Unzipped(io.RawIOBase):
    """The content of a gzipped file, whatever is wrong with which is one kind of error."""

    def __init__(self, file: Path) -> None:
        self.content = gzip.GzipFile(file, "rb")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self.content.seek(offset, whence)

    def tell(self) -> int:
        return self.content.tell()

    def readinto(self, buffer: Any) -> int:
        try:
            read = self.content.read(len(buffer))
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise OSError(f"the gzip file is damaged: {error}") from error
        buffer[: len(read)] = read
        return len(read)

    def close(self) -> None:
        self.content.close()
        super().close()
