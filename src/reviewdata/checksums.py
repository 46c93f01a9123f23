"""The size and the checksums that a descriptor declares of a file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from reviewdata.descriptor import Place
from reviewdata.model import ReviewdataError

BLOCK = 1024 * 1024
_KINDS = ("md5", "sha1", "sha256", "sha512")


class Checksums:
    """What a resource declares of the bytes of its file.

    `declared` has each by its place in the descriptor: `bytes`, `hash` (`sha256:...`; MD5 where
    no kind is named), and those of the older `stats`. Raises ReviewdataError for a checksum
    that nothing here computes.
    """

    def __init__(self, resource: Mapping[str, Any]) -> None:
        found: dict[Place, Any] = {(name,): resource.get(name) for name in ("hash", "bytes")}
        stats = resource.get("stats")
        if isinstance(stats, dict):
            found |= {("stats", name): stats.get(name) for name in ("hash", "bytes", *_KINDS)}
        self.declared: dict[Place, Any] = {p: v for p, v in found.items() if v is not None}
        for place in self.declared:
            if place[-1] != "bytes" and self._kind(place) not in _KINDS:
                known = ", ".join(_KINDS)
                raise ReviewdataError(f"its {place[-1]} is of no kind that is known: {known}")

    def _kind(self, place: Place) -> str:
        if place[-1] in _KINDS:
            return place[-1]
        kind, sign, _ = str(self.declared[place]).partition(":")
        return kind.lower() if sign else "md5"

    def measure(self, blocks: Iterable[bytes]) -> dict[Place, str | int]:
        """Return each as it is for some bytes, written as it is declared."""
        size = 0
        kinds = {self._kind(place) for place in self.declared if place[-1] != "bytes"}
        hashers = {kind: hashlib.new(kind, usedforsecurity=False) for kind in kinds}
        for block in blocks:
            size += len(block)
            for hasher in hashers.values():
                hasher.update(block)
        measured: dict[Place, str | int] = {}
        for place, value in self.declared.items():
            if place[-1] == "bytes":
                measured[place] = size
            else:
                prefix, sign, _ = str(value).rpartition(":")
                measured[place] = prefix + sign + hashers[self._kind(place)].hexdigest()
        return measured

    def hold(self, file: Path) -> bool:
        """Whether a file has the size and the checksums that are declared."""
        if not self.declared:
            return True
        with file.open("rb") as binary:
            measured = self.measure(_blocks(binary))
        return all(str(measured[p]).lower() == str(v).lower() for p, v in self.declared.items())


def _blocks(binary: Any) -> Iterator[bytes]:
    while block := binary.read(BLOCK):
        yield block
