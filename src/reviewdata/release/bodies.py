"""The bytes of a file on their way to a server, counted as they go."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from reviewdata.model import ReviewdataError

BLOCK = 256 * 1024

Told = Callable[[int], object]
"""Told how many more bytes went over the wire; fewer than none where they go once more."""


class Counted:
    """Blocks on their way, counted as they go."""

    def __init__(self, blocks: Iterator[bytes], told: Told) -> None:
        self._blocks = blocks
        self._told = told
        self.count = 0

    def __iter__(self) -> Iterator[bytes]:
        for block in self._blocks:
            yield block
            self.count += len(block)
            self._told(len(block))


class Reader:
    """A file that tells how much of it was read; httpx asks for its length and its blocks."""

    def __init__(self, opened: BinaryIO, told: Told) -> None:
        self._opened = opened
        self._told = told

    def fileno(self) -> int:
        """Return the number of the open file."""
        return self._opened.fileno()

    def seek(self, place: int, whence: int = 0) -> int:
        """Move to a place in the file."""
        return self._opened.seek(place, whence)

    def tell(self) -> int:
        """Return the place in the file."""
        return self._opened.tell()

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        block = self._opened.read(size)
        self._told(len(block))
        return block


@contextmanager
def opened_file(file: Path) -> Iterator[BinaryIO]:
    """Yield a file opened to be read. Raises ReviewdataError where it is not."""
    try:
        opened = file.open("rb")
    except OSError as error:
        raise ReviewdataError(f"{file} cannot be read: {error.strerror or error}") from error
    with opened:
        yield opened


def blocks_of(opened: BinaryIO) -> Iterator[bytes]:
    """Yield the rest of a file in blocks."""
    while block := opened.read(BLOCK):
        yield block
