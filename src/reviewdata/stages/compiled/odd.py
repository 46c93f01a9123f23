"""Texts that have no plain form, read by frictionless itself: each once, however often it stands.

Its verdict on a cell depends on the text alone, so that nothing can differ.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reviewdata.patterns import find_cell_limit, read_as_frictionless
from reviewdata.stages.compiled.beyond import Beyond
from reviewdata.stages.compiled.columns import Column
from reviewdata.tables import Tables

MOST = 100_000
"""Texts of one column that are looked up; a column with more goes to frictionless."""


@dataclass
class Texts:
    """What frictionless says of some texts of a column.

    `wrong` are not of the type; `broken` has by text the constraints it breaks; `values` has
    what it reads from each that is of the type.
    """

    wrong: set[str] = field(default_factory=set)
    broken: dict[str, tuple[str, ...]] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)


def look_up(tables: Tables, table: str, column: Column) -> Texts:
    """Return what frictionless says of the odd texts of a column.

    Raises Beyond where there are too many, or where frictionless breaks on one.
    """
    breaks = column.broken.get("pattern", "false")
    rows = tables.look(
        f"SELECT {column.text} AS text, any_value({breaks}) FROM {table}"
        f" WHERE {column.odd} GROUP BY {column.text} LIMIT {MOST + 1}"
    )
    if len(rows) > MOST:
        raise Beyond(f"{column.name} has more than {MOST:,} unusual values")
    return read_texts(column, {text: bool(breaking) for text, breaking in rows})


def read_texts(column: Column, given: Mapping[str, bool]) -> Texts:
    """Return what frictionless says of some texts; each is given with whether it breaks a pattern.

    Raises Beyond where frictionless breaks on one.
    """
    texts = Texts()
    if not given:
        return texts
    tried = _python_pattern(column)
    for (text, breaking), (value, notes) in zip(given.items(), _read(column, given), strict=True):
        if "type" in notes:
            texts.wrong.add(text)
            continue
        texts.values[text] = value
        if tried is not None:
            breaking = tried(text)
        names = (*notes, *(("pattern",) if breaking and isinstance(value, str) else ()))
        if names:
            texts.broken[text] = names
    return texts


def _read(column: Column, texts: Iterable[str]) -> Iterable[tuple[Any, Mapping[str, str]]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from frictionless import Field, FrictionlessException

        kept = {k: v for k, v in column.field["constraints"].items() if k not in _NOT_OF_CELLS}
        descriptor = {k: v for k, v in column.field.items() if k in _READ}
        try:
            field = Field.from_descriptor(
                {**descriptor, "constraints": kept, "missingValues": []}  # these are not missing
            )
            reader = field.create_cell_reader()
            return [(value, notes or {}) for value, notes in map(reader, texts)]
        except (FrictionlessException, TypeError, ValueError, ArithmeticError) as error:
            raise Beyond(f"frictionless breaks on {column.name}: {error}") from error


_NOT_OF_CELLS = ("pattern", "unique", "required")
_READ = (
    *("name", "type", "format", "groupChar", "decimalChar", "bareNumber"),
    *("trueValues", "falseValues", "delimiter", "itemType"),
)


def _python_pattern(column: Column) -> Any:
    """Return what says that a text breaks the pattern of a column that RE2 does not run."""
    if not column.looks_up:
        return None
    pattern = column.field["constraints"]["pattern"]
    limit = find_cell_limit(pattern)
    assert limit is not None
    known = read_as_frictionless(pattern)
    return lambda text: len(text) > limit or known.match(text) is None
