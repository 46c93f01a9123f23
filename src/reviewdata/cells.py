"""A record as one line of text: the least quoting that a dialect reads back as the same cells."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from reviewdata.records import Dialect, Refusal, make_reader

MARK = "\ufeff"
"""A byte order mark: at the very start of a file it would be taken for one, and lost."""


class LineWriter:
    """Writes records in a dialect, without the line end.

    A cell is quoted where it holds a separator, a quote or a line break, and nowhere else. A
    record that cannot be written so that it reads the same raises Refusal (RD106).
    """

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.delimiter = dialect.delimiter or ""  # none at all is told by the reader
        self.quote = dialect.quote or ""
        self.escape = dialect.escape or ""
        signs = {"\r", "\n", *self.quote, *self.escape}
        self._signs = re.compile("[" + re.escape("".join(sorted(signs))) + "]")
        self._special = re.compile("[" + re.escape("".join(sorted({*signs, self.delimiter}))) + "]")
        usual = replace(dialect, encoding=Dialect.encoding) == Dialect(delimiter=self.delimiter)
        self._safe = usual and self.delimiter not in ' "\r\n'
        self._joins = self.delimiter not in (" ", *signs) and not dialect.skip_space

    def line(self, cells: Sequence[str], *, first: bool = False) -> str:
        """Return the line of a record; `first` is that at the start of the file."""
        text = self.delimiter.join(cells)
        plain = (
            text.count(self.delimiter) == len(cells) - 1
            and text != ""
            and not self._signs.search(text)
            and not (first and text[0] == MARK)
        )
        if plain and self._joins:
            return text
        single = len(cells) == 1
        text = self.delimiter.join(
            self._cell(cell, single, first and number == 0) for number, cell in enumerate(cells)
        )
        if (first and text.startswith(MARK)) or not (self._safe or self._reads(text, cells)):
            raise Refusal("RD106", {"note": "a record of it cannot be written in its dialect"})
        return text

    def _cell(self, cell: str, single: bool, first: bool) -> str:
        marked = first and cell.startswith(MARK)
        spaced = self.dialect.skip_space and cell.startswith(" ")
        needed = marked or spaced or (single and not cell) or bool(self._special.search(cell))
        if not needed:
            return cell
        if not self.quote:
            return self._escaped(cell, marked or spaced) if self.escape else cell
        inner = cell.replace(self.escape, 2 * self.escape) if self.escape else cell
        if self.quote in cell and not self.dialect.double_quote:
            if not self.escape:
                return cell
            return self.quote + inner.replace(self.quote, self.escape + self.quote) + self.quote
        return self.quote + inner.replace(self.quote, 2 * self.quote) + self.quote

    def _escaped(self, cell: str, start: bool) -> str:
        text = self._special.sub(lambda sign: self.escape + sign[0], cell)
        return self.escape + text if start else text

    def _reads(self, text: str, cells: Sequence[str]) -> bool:
        """Whether a line is read as these cells."""
        lines = re.findall(r"[^\r\n]*(?:\r\n|\r|\n)", text + "\n")
        return list(make_reader([*lines, "\n"], self.dialect)) == [list(cells), []]
