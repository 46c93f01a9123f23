"""One column of a table compiled: what SQL says of its cells, and of which texts it cannot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reviewdata.columns import is_one_of, quote_text
from reviewdata.stages.compiled.beyond import Beyond
from reviewdata.stages.compiled.constraints import Undecided, find_broken, is_compared
from reviewdata.stages.compiled.types import NEVER, Reading, read


@dataclass(frozen=True, eq=False)
class Column:
    """A column of the file, and the field that frictionless reads it as.

    `number` counts from 1, `text` is the SQL of its text, `absent` says that a cell holds
    nothing. `broken` has by constraint the SQL that a plain cell breaks it; with `looks_up`,
    a pattern is tried by Python as each text is looked up.
    """

    number: int
    field: Mapping[str, Any]
    missing: tuple[str, ...]
    text: str
    absent: str
    reading: Reading
    broken: Mapping[str, str]
    looks_up: bool = False

    @property
    def name(self) -> str:
        """The name of the field."""
        return str(self.field["name"])

    @property
    def required(self) -> bool:
        """Whether a cell that holds nothing breaks a constraint."""
        return bool(self.field.get("constraints", {}).get("required"))

    @property
    def free(self) -> bool:
        """Whether any text will do, and none as well."""
        return not self.required and self.reading.plain == "true" and not self.broken

    @property
    def flag(self) -> str:
        """The SQL that says that something is wrong with a cell, or that it is to be looked up."""
        reading = self.reading
        bad = " OR ".join(self.broken.values()) or "false"
        gone = "true" if self.required else "false"
        absent, plain = f"WHEN {self.absent} THEN {gone}", f"WHEN {reading.plain} THEN {bad}"
        first, second = (plain, absent) if reading.sure else (absent, plain)
        return f"CASE {first} {second} ELSE true END"

    @property
    def state(self) -> str:
        """The SQL of what a flagged cell is: `absent`, `plain`, `wrong` or `odd`."""
        states = f"WHEN {self.reading.plain} THEN 'plain' WHEN {self.reading.wrong or 'false'}"
        return f"CASE WHEN {self.absent} THEN 'absent' {states} THEN 'wrong' ELSE 'odd' END"

    @property
    def plain(self) -> str:
        """The SQL that says that a cell has the plain form."""
        if self.reading.sure:
            return self.reading.plain
        return f"(NOT {self.absent} AND {self.reading.plain})"

    @property
    def wrong(self) -> str:
        """The SQL that says that a cell certainly is not of the type."""
        if self.reading.wrong is None:
            return "false"
        return f"(NOT {self.absent} AND NOT {self.reading.plain} AND {self.reading.wrong})"

    @property
    def odd(self) -> str:
        """The SQL that says that a cell has neither the plain form nor a wrong one."""
        wrong = self.reading.wrong or "false"
        return f"(NOT {self.absent} AND NOT {self.reading.plain} AND NOT {wrong})"


def compile_column(
    number: int,
    field: Mapping[str, Any],
    text: str,
    stored: str | None,
    missing: Sequence[str],
    *,
    keyed: bool,
    pattern: str | None,
) -> Column:
    """Return a column compiled; `keyed` says that its values are compared with one another.

    `pattern` is that of the field, None where it is not to be run. Raises Beyond for a field
    that SQL does not take.
    """
    constraints = {k: v for k, v in field.get("constraints", {}).items() if k != "pattern"}
    field = {**field, "constraints": constraints | ({"pattern": pattern} if pattern else {})}
    reading = read(field, text, stored, missing, exact=keyed or is_compared(field))
    if reading is None:
        raise Beyond(f"{field['name']} is {_kind(field)}")
    looks_up = False
    try:
        broken = find_broken(field, text, reading)
    except Undecided:
        reading, broken = reading._replace(plain=NEVER, sure=False), {}
        looks_up = pattern is not None
    absent = _absent(text, missing)
    return Column(number, field, tuple(missing), text, absent, reading, broken, looks_up)


def _kind(field: Mapping[str, Any]) -> str:
    kind = str(field.get("type", "string"))
    form = field.get("format", "default")
    told = f"{kind} of the format {form}" if kind == "string" and form != "default" else kind
    return f"{told} with floatNumber" if field.get("floatNumber") else told


def _absent(text: str, missing: Sequence[str]) -> str:
    if list(missing) == [""]:
        return f"({text} IS NULL OR {text} = '')"
    if not missing:
        return f"({text} IS NULL)"
    if len(missing) == 1:
        return f"({text} IS NULL OR {text} = {quote_text(missing[0])})"
    return f"({text} IS NULL OR {is_one_of(text, missing)})"
