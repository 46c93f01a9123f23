"""The nouns of a change: what differs between two revisions of a review, and what it does.

Nothing here reads a file or asks a table; `difference` makes these, `render` shows them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

RowKind = Literal["added", "removed", "changed", "renamed"]
TableKind = Literal["added", "removed", "changed"]
Bump = Literal["major", "minor", "patch", "none"]

BUMPS: tuple[Bump, ...] = ("major", "minor", "patch", "none")
"""The parts of a version number that a change may ask to be raised, the gravest first."""

LISTED = 2_000
"""Records of a table that are listed, of each kind; those above it are counted."""


def show_fraction(value: float) -> str:
    """Return a figure with four decimals, or four digits where those would not show it."""
    return f"{value:.4f}" if 1e-3 <= abs(value) < 1e6 or value == 0 else f"{value:.4g}"


@dataclass(frozen=True, slots=True)
class CellChange:
    """A cell's text before and after; None where the file has no such cell."""

    field: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class RowChange:
    """One record that differs.

    `key` maps the primary-key fields to their text in the head (of a removed record: in the
    base), `old_key` to that in the base where the key was renamed. `line` is the physical line
    in the file of the head (of a removed record: of the base). `cells` are those that changed;
    of an added or removed record, all that are not blank.
    """

    kind: RowKind
    key: Mapping[str, str]
    line: int | None
    cells: tuple[CellChange, ...] = ()
    old_key: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class TableChange:
    """What differs in one table.

    `added`, `removed`, `changed` and `renamed` are the full numbers of records, `cells` that of
    the cells changed; `rows` lists them up to a limit. `columns` says in words which columns
    came, went, moved or have another name; `form` how the file is written otherwise (its
    order, line ends, quotes, encoding) without another value; `schema` what the Table Schema
    and the description of the resource say otherwise. `matched_by` names the fields by which
    records were found again; without a key, it is empty and only whole records are.
    """

    table: str
    path: str
    kind: TableKind
    matched_by: tuple[str, ...] = ()
    added: int = 0
    removed: int = 0
    changed: int = 0
    renamed: int = 0
    cells: int = 0
    rows: tuple[RowChange, ...] = ()
    columns: tuple[str, ...] = ()
    form: tuple[str, ...] = ()
    schema: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file of the review that is no table: `added`, `removed` or `changed`."""

    path: str
    kind: TableKind


@dataclass(frozen=True, slots=True)
class FigureChange:
    """A row of a headline query whose figures moved.

    `where` holds the cells that tell the row from others of its query; `values` maps a column
    to its value before and after (None for null, and for a row that came or went). `why` says
    why there is no comparison: the query failed on one side.
    """

    query: str
    title: str
    where: Mapping[str, Any]
    values: Mapping[str, tuple[Any, Any]]
    why: str | None = None


@dataclass(frozen=True, slots=True)
class ClaimChange:
    """A published claim whose verdict changed; None where one side has no such claim."""

    claim_id: str
    statement: str
    published: str
    old: str | None
    new: str | None
    old_computed: str
    new_computed: str


@dataclass(frozen=True, slots=True)
class VersionChange:
    """The version number that a change asks for: which part, why, from which to which.

    `given` is the version that the head has; None where it has none.
    """

    bump: Bump
    because: tuple[str, ...]
    base: str | None
    asked: str | None
    given: str | None


@dataclass(frozen=True, slots=True)
class Diff:
    """Everything that differs between two revisions; see the parts. `changelog` is Markdown."""

    base: str
    head: str
    tables: tuple[TableChange, ...]
    files: tuple[FileChange, ...]
    figures: tuple[FigureChange, ...]
    claims: tuple[ClaimChange, ...]
    version: VersionChange
    changelog: str

    def to_dict(self) -> dict[str, Any]:
        """Return the contract of `diff --format json`, without its format version."""
        return asdict(self)
