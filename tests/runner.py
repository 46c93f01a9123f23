"""What a runner of GitHub Actions takes for a command in what is printed; written from its code.

It reads lines that end in CR, LF or both, obeys `::name a=b,c=d::data` first on a line (after white
space, or a byte order mark that begins the stream) and the older `##[name a=b;c=d]data` anywhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

NAMES = {"error", "warning", "notice", "debug", "group", "endgroup", "echo", "stop-commands"}
NAMES |= {"add-mask", "add-path", "set-env", "set-output", "save-state", "add-matcher"}
NAMES |= {"remove-matcher", "internal-set-repo-path"}
WHITE = "\t\n\v\f\r \x85\u2028\u2029\xa0\u1680\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)


@dataclass
class Obeyed:
    """One command that was carried out."""

    name: str
    properties: dict[str, str] = field(default_factory=dict)
    data: str = ""


def obey(printed: str) -> list[Obeyed]:
    """Return the commands that a runner carries out when it reads this."""
    names, token, done = set(NAMES), None, []
    for line in re.split(r"\r\n|\r|\n", printed.removeprefix("\ufeff")):
        command = _new(line, names) or _old(line, names)
        if command is None:
            continue
        if token is not None:
            if command.name == token:
                names.discard(token)
                token = None
            continue
        if command.name == "stop-commands":
            token = command.data.lower()
            names.add(token)
        done.append(command)
    return done


def _new(line: str, names: set[str]) -> Obeyed | None:
    line = line.lstrip(WHITE)
    end = line.find("::", 2)
    if not line.startswith("::") or end < 0:
        return None
    name, _, said = line[2:end].partition(" ")
    return _command(name, said.strip(), ",", line[end + 2 :], names, ("%0D", "%0A", "%3A", "%2C"))


def _old(line: str, names: set[str]) -> Obeyed | None:
    start = line.find("##[")
    end = line.find("]", start)
    if start < 0 or end < 0:
        return None
    name, _, said = line[start + 3 : end].partition(" ")
    return _command(name, said, ";", line[end + 1 :], names, ("%3B", "%0D", "%0A", "%5D"))


def _command(
    name: str, said: str, between: str, data: str, names: set[str], escapes: tuple[str, ...]
) -> Obeyed | None:
    if name.lower() not in names:
        return None
    pairs = [part.split("=", 1) for part in said.split(between) if part]
    given = {pair[0]: _read(pair[1], escapes) for pair in pairs if len(pair) == 2 and pair[1]}
    return Obeyed(name.lower(), given, _read(data, ("%0D", "%0A")))


def _read(text: str, escapes: tuple[str, ...]) -> str:
    for escape in (*escapes, "%25"):
        text = text.replace(escape, chr(int(escape[1:], 16)))
    return text
