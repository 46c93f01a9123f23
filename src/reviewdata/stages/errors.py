"""What is wrong with a table, in words that no engine owns.

The types are frictionless's; its engine and that of SQL (see `engines`) both speak in these
terms, so that what is made of an error never asks who found it.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from reviewdata.model import Origin


@dataclass(frozen=True, slots=True)
class Error:
    """One error of a table; what does not apply to its type is left out.

    `row` and `number` (of the column) count as frictionless counts, `cell` is the text or the
    label. `constraint` names the constraint that is broken, `first` is the record that has the
    same value, `cells` the number of cells of the record. Of a foreign key, `key` has the
    fields and their texts, `target` the other table and `reference` its fields.
    """

    type: str
    row: int | None = None
    field: str | None = None
    number: int | None = None
    cell: str = ""
    note: str = ""
    constraint: str | None = None
    first: int | None = None
    cells: int = 0
    key: tuple[tuple[str, str], ...] = ()
    target: str = ""
    reference: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """The errors of a table, the number of its labels, and what was not judged: a type and a note.

    `last` is the last record that was judged; infinite where all were. `found` has the number
    of errors of each type where that is more than are listed. `accepted` has by field the texts
    that the engine had to look up and that are of the field's type; None where it does not say.
    """

    origin: Origin
    errors: Sequence[Error]
    labels: int = 0
    unjudged: Sequence[tuple[str, str]] = ()
    last: float = math.inf
    found: Mapping[str, int] = field(default_factory=dict)
    accepted: Mapping[str, Collection[str]] | None = None
