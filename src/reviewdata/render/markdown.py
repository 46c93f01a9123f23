r"""Markdown for GitHub: text of the data that stays text, and parts that fit into a comment.

GitHub reads a comment twice. Markdown comes first; what it renders is then searched for mentions,
issues, commits, links and the names of emoji, however the source was escaped: `\@name` still
notifies somebody. So the second reading is stopped by a space of no width in what is rendered,
which dependency bots have proven on mentions for years, and mathematics by the `<span>` that
GitHub's own documentation asks for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape

from reviewdata.render.values import plain, plural, shortened

MAX_BYTES = 60_000
"""Below what GitHub takes for a comment: 65,536 characters, which it may count as bytes."""

_READ_TWICE = re.compile(
    r"""(?<=@)(?=\w)             # @name, a.person@example.org
      | (?<=\#)(?=\d)            # #12, and owner/name#12
      | (?<=\bgh-)(?=\d)         # GH-12
      | (?<=/)(?=/)              # https://example.org
      | (?<=www)(?=\.)           # www.example.org
      | (?<=:)(?=[\w+-]+:)       # :smile:
    """,
    re.IGNORECASE | re.VERBOSE,
)
_COMMIT = re.compile(r"(?<![0-9a-z])[0-9a-f]{7,}(?![0-9a-z])", re.IGNORECASE)
"""What may be the name of a commit, which GitHub knows by seven digits."""

_NOTHING = "\u200b"
"""The space of no width; `plain` leaves none of the data's own."""

_ESCAPES = str.maketrans(
    {mark: f"\\{mark}" for mark in "\\`*_{}[]#~|"}
    | {"&": "&amp;", "<": "&lt;", ">": "&gt;", "$": "<span>$</span>", _NOTHING: "&#8203;"}
)


def markdown_text(text: str) -> str:
    """Return text for within a line of Markdown, a cell too, in which nothing is read but text.

    It is what `plain` gives, but for spaces of no width where GitHub would make a link, a mention
    or a picture of it. At the head of a line, what begins a list would be read; and a colon next
    to it might end the name of a picture.
    """
    text = _READ_TWICE.sub(_NOTHING, plain(text))
    return _COMMIT.sub(_apart, text).translate(_ESCAPES)


def _apart(found: re.Match[str]) -> str:
    digits = found[0]
    return _NOTHING.join(digits[n : n + 6] for n in range(0, len(digits), 6))


def short_text(text: str) -> str:
    """Return text for a comment: escaped, and a long one without its middle."""
    return markdown_text(shortened(text))


def code_text(text: str) -> str:
    """Return text for a comment in the type of code; a code span could not hold every text."""
    return f"<code>{short_text(text)}</code>" if text else ""


def raw_lines(text: str) -> list[str]:
    """Return lines to stand between `<pre>` and `</pre>`, where Markdown reads nothing.

    In a fenced block the source would hold what a search for a marker or a tag finds.
    """
    return [escape(plain(line)) for line in text.split("\n")]


@dataclass
class Part:
    """Rows of a document of which some may be left out, with what stands around them.

    `more` rows are left out already, and `shown` is how many are not. `rank` says which part is
    cut first, the lowest; `folded` parts are opened by the reader.
    """

    title: str
    rows: Sequence[str]
    noun: str
    rank: int
    head: Sequence[str] = ()
    tail: Sequence[str] = ()
    folded: bool = True
    more: int = 0
    shown: int = field(init=False)

    def __post_init__(self) -> None:
        self.shown = len(self.rows)

    def lines(self) -> list[str]:
        """Return the part with the rows that are shown, and how many are not."""
        if not (self.rows or self.more):
            return []
        rows = self.rows[: self.shown]
        lines = [*self.head, *rows, *self.tail] if rows else []
        left = len(self.rows) - len(rows) + self.more
        if left:
            lines += ["", f"and {plural(left, self.noun)} more"] if rows else []
            lines += [] if rows else [f"{plural(left, self.noun)}, left out of this page"]
        if self.folded:
            return [
                *(f"<details><summary>{self.title}</summary>", ""),
                *lines,
                *("", "</details>", ""),
            ]
        return [*((self.title, "") if self.title else ()), *lines, ""]


def fitted(before: Iterable[str], parts: Sequence[Part], after: Iterable[str]) -> str:
    """Return a document of less than MAX_BYTES: rows are left out, by rank, until it is."""
    around = sum(len(line.encode()) + 1 for line in (*before, *after))
    sizes = {id(part): _size(part) for part in parts}
    for part in sorted(parts, key=lambda part: part.rank):
        while around + sum(sizes.values()) >= MAX_BYTES and part.shown:
            part.shown //= 2
            sizes[id(part)] = _size(part)
    lines = [*before, *(line for part in parts for line in part.lines()), *after]
    return "\n".join(lines).rstrip("\n") + "\n"


def _size(part: Part) -> int:
    return sum(len(line.encode()) + 1 for line in part.lines())
