"""The findings that a job hands on in a zip, read as bytes that may be hostile.

The zip is never unpacked to the disk, so what its names say is nothing to be followed.
"""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib

from reviewdata.model import ReviewdataError

MEMBER = "findings.jsonl"

MOST_ZIPPED = 5_000_000
"""Bytes of the zip."""

MOST_BYTES = 20_000_000
"""Bytes of the findings."""

MOST_RATIO = 250
"""Bytes that one byte of the zip may become; findings that repeat each other stay below."""

_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}


class UnreadableError(ReviewdataError):
    """What was handed on is not what `validate` writes; the text repeats nothing of it."""


def read_findings(zipped: bytes) -> bytes:
    """Return the one file of a zip, MEMBER.

    Raises UnreadableError for anything else: no zip, other or more members, a link or folder,
    encryption, a size beyond the limits, be it declared or found, damaged content.
    """
    if len(zipped) > MOST_ZIPPED:
        raise UnreadableError(f"the zip has more than {MOST_ZIPPED} bytes")
    try:
        with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
            members = archive.infolist()
            if len(members) != 1:
                raise UnreadableError(f"the zip has {len(members)} members, not one")
            _check(members[0])
            with archive.open(members[0]) as file:
                content = file.read(MOST_BYTES + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, struct.error) as error:
        raise UnreadableError(f"the zip is damaged: {type(error).__name__}") from None
    except (NotImplementedError, RuntimeError, ValueError, OSError, OverflowError) as error:
        raise UnreadableError(f"the zip cannot be read: {type(error).__name__}") from None
    if len(content) != members[0].file_size:
        raise UnreadableError("the findings are not of the size that the zip declares")
    return content


def _check(member: zipfile.ZipInfo) -> None:
    kind = stat.S_IFMT(member.external_attr >> 16)
    if member.orig_filename != MEMBER or member.filename != MEMBER:
        raise UnreadableError(f"the member of the zip is not {MEMBER}")
    if kind not in (0, stat.S_IFREG) or member.is_dir():
        raise UnreadableError("the member of the zip is no plain file")
    if member.flag_bits & 0x41:
        raise UnreadableError("the member of the zip is encrypted")
    if member.compress_type not in _METHODS:
        raise UnreadableError("the member of the zip is packed in an unusual way")
    if member.file_size > MOST_BYTES:
        raise UnreadableError(f"the findings have more than {MOST_BYTES} bytes")
    if member.file_size > MOST_RATIO * max(member.compress_size, 4096):
        raise UnreadableError(f"the findings are packed more than {MOST_RATIO} to 1")
