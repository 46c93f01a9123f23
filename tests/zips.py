"""Zips as a hostile run may leave them: each is to be refused, and the findings at the limits."""

from __future__ import annotations

import io
import stat
import zipfile
from typing import Any

from fakehub import zipped

from reviewdata.artefacts import MOST_BYTES, MOST_RATIO, MOST_ZIPPED


def member(name: str = "findings.jsonl", **changed: Any) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    for attribute, value in changed.items():
        setattr(info, attribute, value)
    return info


def archive(*members: zipfile.ZipInfo, content: bytes = b"{}\n", method: int = 8) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as written:
        for info in members:
            written.writestr(info, content, compress_type=method)
    return out.getvalue()


def flagged(content: bytes, bit: int) -> bytes:
    """Return a zip of one member with a flag set in both of its headers."""
    changed = bytearray(zipped(content))
    changed[6] |= bit
    changed[changed.index(b"PK\1\2") + 8] |= bit
    return bytes(changed)


def lying(content: bytes, size: int) -> bytes:
    """Return a zip of one member whose headers declare another size."""
    changed = bytearray(zipped(content))
    place = changed.index(b"PK\1\2") + 24
    changed[22:26] = changed[place : place + 4] = size.to_bytes(4, "little")
    return bytes(changed)


LINK = (stat.S_IFLNK | 0o777) << 16
SPACES = b" " * (MOST_RATIO * 4096)
HOSTILE = {
    "no zip": b"PK, but no zip",
    "nothing": b"",
    "an empty zip": archive(),
    "another name": archive(member("result.jsonl")),
    "a path upwards": archive(member("../findings.jsonl")),
    "a folder": archive(member("a/findings.jsonl")),
    "an absolute path": archive(member("/findings.jsonl")),
    "a drive": archive(member("C:\\findings.jsonl")),
    "a folder of that name": archive(member("findings.jsonl/")),
    "a name cut by NUL": archive(member("findings.jsonl!../x")).replace(b"l!../x", b"l\0../x"),
    "more members": archive(member(), member("more.txt")),
    "the same twice": archive(member(), member("findingz.jsonl")).replace(b"findingz", b"findings"),
    "a link": archive(member(external_attr=LINK), content=b"/etc/passwd"),
    "a device": archive(member(external_attr=stat.S_IFCHR << 16)),
    "encrypted": flagged(b"{}\n", 0x01),
    "strongly encrypted": flagged(b"{}\n", 0x40),
    "another packing": archive(member(), method=zipfile.ZIP_LZMA),
    "a bomb": zipped(b" " * (MOST_BYTES + 1)),
    "a small bomb": zipped(SPACES + b" "),
    "a size too small": lying(b"x" * 5000, 10),
    "a size too large": lying(b"x" * 5000, 6000),
    "damaged": zipped(b"abcdefgh" * 400).replace(b"abc", b"abd", 1)[:-3],
    "stored and oversized": archive(member(), content=b"x" * (MOST_ZIPPED + 1), method=0),
}
