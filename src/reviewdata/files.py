"""The bytes of a data file: what a spreadsheet, an editor or a merge leaves behind in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Oddity = tuple[str, int | None, dict[str, Any]]

_MERGE = re.compile(rb"^(<{7}|>{7}|\|{7})( |\r?$)")
_CONTROL = re.compile(rb"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]")


def inspect_file(file: Path) -> Iterator[Oddity]:
    """Yield the code, line and message values of what is odd about a file's bytes."""
    ends = {b"\n": 0, b"\r\n": 0, b"\r": 0}
    with file.open("rb") as binary:
        for number, line in enumerate(binary, start=1):
            if number == 1 and line.startswith(b"\xef\xbb\xbf"):
                yield "RD130", 1, {}
            if _MERGE.match(line):
                yield "RD132", number, {"mark": line[:7].decode("ascii")}
            if b"\0" not in line and (found := _CONTROL.search(line)):
                yield "RD133", number, {"character": f"U+{found[0][0]:04X}"}
            ends[b"\r"] += line.rstrip(b"\r\n").count(b"\r")
            if line.endswith(b"\r\n"):
                ends[b"\r\n"] += 1
            elif line.endswith(b"\n"):
                ends[b"\n"] += 1
    used = [name for name, end in _ENDS.items() if ends[end]]
    if len(used) > 1 or used == ["CR"]:
        yield "RD131", None, {"ends": " and ".join(used)}


_ENDS = {"LF": b"\n", "CRLF": b"\r\n", "CR": b"\r"}
