"""The records of a JSON file: a list of objects or of lists, or one of them on each line.

They are what frictionless makes of the file: the first record says which columns there are, and
a key that another lacks is an empty cell. Read in little memory, with the line of each record;
numbers keep their digits.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from reviewdata.records import RECORD_LIMIT, Refusal, locate_byte, open_text

BLOCK = 1024 * 1024

LARGEST = 308
"""The exponent of the largest number that any reader of JSON holds."""

_MARGIN = 32
"""Characters before the end of what was read in which an error may only be a text cut off."""


class Row(NamedTuple):
    """One record: the line it starts on, 0 where a file has no lines, and its values."""

    line: int
    cells: Sequence[Any]


class Number(Decimal):
    """A number with a fraction or an exponent, which prints as it is written."""

    text: str

    def __new__(cls, text: str) -> Number:
        """Return the number that a text of JSON means; raises Refusal where no reader holds it."""
        try:
            made = super().__new__(cls, text)
            held = abs(made.adjusted()) <= LARGEST
        except ArithmeticError:
            held = False
        if not held or len(text) > 2 * LARGEST:
            raise Refusal("RD106", {"note": f"the number {text[:40]} is too large to be held"})
        made.text = text
        return made

    def __mod__(self, other: Any) -> Decimal:
        """Return the rest of a division, also where a Decimal has too few digits for it."""
        with localcontext(prec=4 * LARGEST):
            return super().__mod__(other)

    def __str__(self) -> str:
        return self.text


def read_json(
    file: Path, encoding: str, *, by_line: bool, within: str, keys: Sequence[str]
) -> Iterator[Row]:
    """Yield the records of a file, the header first: of each line, or of a list.

    The list is the file, or the value that is `within` it (keys, with dots between them). Of
    objects, the header is `keys`, or the keys of the first. Raises Refusal (with the line) for
    what is no list of records, and for a key that the header does not have, or that is twice.
    """
    try:
        with open_text(file, encoding) as text:
            if by_line:
                yield from _arrange(_read_lines(text), keys)
            else:
                yield from _arrange(_read_list(_Text(text), within), keys)
    except UnicodeError:
        raise locate_byte(file, encoding) from None


def _arrange(values: Iterator[tuple[int, Any]], keys: Sequence[str]) -> Iterator[Row]:
    """Yield the header and the records as rows of cells."""
    kind: type | None = None
    header: dict[str, None] = {}
    for line, value in values:
        if kind is None:
            if not isinstance(value, dict | list):
                raise _refuse(f"it holds {_name(value)} where a record should be", line)
            kind = type(value)
            if isinstance(value, dict):
                header = dict.fromkeys(keys or value)
                yield Row(line, list(header))
        if type(value) is not kind:
            raise _refuse(f"it holds {_name(value)} where the first record is {_KINDS[kind]}", line)
        if isinstance(value, list):
            yield Row(line, value)
        if not isinstance(value, dict):
            continue
        if not keys and (more := value.keys() - header.keys()):
            named = f"the key {min(more)[:60]!r}"
            raise _refuse(f"a record has {named}, and the first has not: give it there too", line)
        yield Row(line, [value.get(name) for name in header])


_KINDS: dict[type, str] = {dict: "an object", list: "a list", str: "a text", bool: "true or false"}


def _name(value: Any) -> str:
    return "null" if value is None else _KINDS.get(type(value), "a number")


def _refuse(note: str, line: int) -> Refusal:
    return Refusal("RD106", {"note": note}, line)


# What is no JSON: duplicate keys, of which all but one would be lost, and NaN


def _make_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        last = {name: number for number, (name, _) in enumerate(pairs)}
        twice = next(name for number, (name, _) in enumerate(pairs) if last[name] != number)
        raise Refusal("RD106", {"note": f"a record has the key {twice[:60]!r} twice"})
    return made


def _refuse_constant(name: str) -> Any:
    raise Refusal("RD106", {"note": f"it holds {name}, which is no JSON: write null"})


_DECODER = json.JSONDecoder(
    object_pairs_hook=_make_object, parse_float=Number, parse_constant=_refuse_constant
)


def _decode(text: str, start: int, line: int) -> tuple[Any, int]:
    """Return the value that starts in a text, and where it ends; JSONDecodeError as it comes."""
    try:
        return _DECODER.raw_decode(text, start)
    except json.JSONDecodeError:
        raise
    except Refusal as refusal:
        raise Refusal(refusal.code, refusal.values, line) from None
    except RecursionError:
        raise _refuse("a record is nested too deeply", line) from None
    except ValueError:  # Python's limit on the digits of a whole number
        raise _refuse("it holds a number of too many digits", line) from None


def _read_lines(text: TextIO) -> Iterator[tuple[int, Any]]:
    number = 0
    while line := text.readline(RECORD_LIMIT + 1):
        number += 1
        if len(line) > RECORD_LIMIT:
            raise _refuse(f"a line has more than {RECORD_LIMIT:,} characters", number)
        if not line.strip(_SPACE):
            continue
        try:
            value, end = _decode(line, len(line) - len(line.lstrip(_SPACE)), number)
        except json.JSONDecodeError as error:
            where = f"at character {error.pos + 1} of the line"
            raise _refuse(f"it is no JSON: {_words(error)} {where}", number) from None
        if line[end:].strip(_SPACE):
            raise _refuse("it has more than one record on a line", number)
        yield number, value


_SPACE = " \t\r\n"
_BLANK = re.compile("[ \t\r\n]*")


def _words(error: json.JSONDecodeError) -> str:
    return error.msg[:1].lower() + error.msg[1:]


def _read_list(text: _Text, within: str) -> Iterator[tuple[int, Any]]:
    """Yield the values of the list, and read the file to its end."""
    yield from _find_list(text, within.split(".") if within else [])
    if text.peek():
        raise _refuse("it goes on behind its end", text.line)


def _find_list(text: _Text, path: Sequence[str]) -> Iterator[tuple[int, Any]]:
    first = text.peek()
    if not first:
        raise Refusal("RD102", {})
    if not path:
        if first != "[":
            note = "it is no list of records"
            if first == "{":
                note += '; name the key that has one: "dialect": {"json": {"property": "..."}}'
            raise _refuse(note, text.line)
        for line in text.entries("]"):
            yield line, text.take()
        return
    if first != "{":
        raise _refuse(f"it has no key {path[0]!r}", text.line)
    found = False
    for line in text.entries("}"):
        key = text.take()
        text.expect(":")
        if key != path[0]:
            text.take()
        elif found:
            raise _refuse(f"it has the key {path[0]!r} twice", line)
        else:
            found = True
            yield from _find_list(text, path[1:])
    if not found:
        raise _refuse(f"it has no key {path[0]!r}", text.line)


class _Text:
    """A text of JSON, of which no more is held than the value that is read."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.held = ""
        self.at = 0
        self.line = 1
        self.over = False

    def peek(self) -> str:
        """Return the next character that is no space; none at the end."""
        while True:
            blank = _BLANK.match(self.held, self.at)
            self._go(blank.end() if blank else self.at)
            if self.at < len(self.held) or self.over:
                return self.held[self.at : self.at + 1]
            self._read(BLOCK)

    def expect(self, sign: str) -> None:
        """Go behind the next character, which must be this."""
        if (found := self.peek()) != sign:
            told = f"{found!r}" if found else "its end"
            raise _refuse(f"it is no JSON: {told} where {sign!r} should be", self.line)
        self._go(self.at + 1)

    def entries(self, end: str) -> Iterator[int]:
        """Yield the line of each entry of a list or an object, which is to be taken."""
        self.expect({"]": "[", "}": "{"}[end])
        if self.peek() != end:
            while True:
                self.peek()
                yield self.line
                if self.peek() != ",":
                    break
                self.expect(",")
        self.expect(end)

    def take(self) -> Any:
        """Return the next value."""
        self.peek()
        while True:
            try:
                value, end = _decode(self.held, self.at, self.line)
            except json.JSONDecodeError as error:
                cut = error.msg.startswith("Unterminated") or len(self.held) - error.pos < _MARGIN
                if self.over or not cut:
                    line = self.line + self.held.count("\n", self.at, error.pos)
                    raise _refuse(f"it is no JSON: {_words(error)}", line) from None
            else:
                if end < len(self.held) or self.over:
                    self._go(end)
                    return value
            if len(self.held) - self.at > RECORD_LIMIT:
                note = f"a record has more than {RECORD_LIMIT:,} characters"
                raise _refuse(note, self.line)
            self._read(max(BLOCK, len(self.held) - self.at))

    def _go(self, to: int) -> None:
        self.line += self.held.count("\n", self.at, to)
        self.at = to

    def _read(self, size: int) -> None:
        block = self.stream.read(size)
        self.over = len(block) == 0
        self.held = self.held[self.at :] + block
        self.at = 0
