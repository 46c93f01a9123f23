"""The lines of a data file: what a spreadsheet, an editor or a merge leaves behind in it."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reviewdata.records import Refusal, open_text

Oddity = tuple[str, int | None, dict[str, Any]]

_MERGE = re.compile(r"(<{7}|>{7}|\|{7})( |\r?\n?$)")
_CONTROL = re.compile(r"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]")
_ENDS = {"LF": "\n", "CRLF": "\r\n", "CR": "\r"}


def inspect_file(file: Path, encoding: str) -> Iterator[Oddity]:
    """Yield the code, line and message values of what is odd about the lines of a file.

    A file that cannot be read in its encoding is told by who loads it; here it yields nothing.
    """
    try:
        text = open_text(file, encoding, "replace")
    except (Refusal, OSError):
        return
    ends = dict.fromkeys(_ENDS.values(), 0)
    with text, file.open("rb") as binary:
        if binary.read(3) == codecs.BOM_UTF8:
            yield "RD130", 1, {}
        for number, line in enumerate(text, start=1):
            if _MERGE.match(line):
                yield "RD132", number, {"mark": line[:7]}
            if (found := _CONTROL.search(line)) and "\0" not in line:
                yield "RD133", number, {"character": f"U+{ord(found[0]):04X}"}
            end = line[-2:] if line.endswith("\r\n") else line[-1]
            if end in ends:
                ends[end] += 1
    used = [name for name, end in _ENDS.items() if ends[end]]
    if len(used) > 1 or used == ["CR"]:
        yield "RD131", None, {"ends": " and ".join(used)}
