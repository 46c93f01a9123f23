"""Two revisions of one table, record by record: matched by key, compared as printed.

A record is found again by its primary key, whatever its line; one whose key alone is another is
renamed. Without a key only whole records can be told apart. What is equal never leaves DuckDB.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import duckdb

from reviewdata.changes import LISTED, CellChange, RowChange
from reviewdata.columns import quote_name
from reviewdata.tables import Tables

LONGEST = 1_000
"""Characters of a cell above which it is cut where it is told."""

MOST_TOUCHED = 100_000
"""Changed records above which every record is taken for touched by the change."""


@dataclass(frozen=True)
class Match:
    """The columns by which records are matched, base name to head name, and those compared.

    `key` is empty where whole records are matched.
    """

    key: tuple[tuple[str, str], ...]
    shared: tuple[tuple[str, str], ...]


class Comparison:
    """The records of one table in two revisions, matched.

    `pairs` is a temporary table of the connection: `b` and `h`, the record's number in base and
    head (null where it is not there), `same` (no cell differs) and `renamed`.
    """

    def __init__(self, base: Tables, head: Tables, name: str) -> None:
        self.base, self.head, self.name = base, head, name
        self.old_columns = _columns(base, name)
        self.new_columns = _columns(head, name)
        self.match = self._find_match()
        self.pairs = quote_name(f"pairs of {name}")
        self._connection: duckdb.DuckDBPyConnection = head.connection
        self._pair()

    # What differs

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """The number of records `added`, `removed`, `changed`, `renamed`, and of the `cells`."""
        asked = ", ".join(f"count_if({where})" for where in _KINDS.values())
        [row] = self._ask(f"SELECT {asked} FROM {self.pairs} AS pair")
        differ = " + ".join(
            f"CAST({_side('b', old)} IS DISTINCT FROM {_side('h', new)} AS BIGINT)"
            for old, new in self.match.shared
        )
        cells = 0
        if differ and row[2]:
            [(cells,)] = self._ask(
                f"SELECT sum({differ}) FROM {self._joined} WHERE {_KINDS['changed']}"
            )
        return dict(zip(_KINDS, row, strict=True)) | {"cells": int(cells)}

    @property
    def is_same(self) -> bool:
        """Whether every record is there in both, with the same cells in the shared columns."""
        return not any(self.counts.values())

    @cached_property
    def is_reordered(self) -> bool:
        """Whether the records found again stand in another order."""
        [(moved,)] = self._ask(
            "SELECT count(*) FROM (SELECT b < lag(b) OVER (ORDER BY h) AS back"
            f" FROM {self.pairs} WHERE b IS NOT NULL AND h IS NOT NULL) WHERE back"
        )
        return bool(moved)

    def rows(self) -> list[RowChange]:
        """Return the records that differ, up to LISTED of each kind, in the order of the head."""
        old_key, new_key = self._key_of(self.base), self._key_of(self.head)
        old_key = tuple(c for c in old_key if c in self.old_columns)
        new_key = tuple(c for c in new_key if c in self.new_columns)
        listed: list[tuple[int, RowChange]] = []
        for kind, where in _KINDS.items():
            sides = [
                *(f"{_side('b', c)}" for c in self.old_columns),
                *(f"{_side('h', c)}" for c in self.new_columns),
            ]
            found = self._ask(
                f"SELECT pair.b, pair.h, base._line, head._line, {', '.join(sides)}"
                f" FROM {self._joined} WHERE {where}"
                f" ORDER BY coalesce(pair.h, pair.b) LIMIT {LISTED}"
            )
            width = len(self.old_columns)
            for b, h, old_line, new_line, *texts in found:
                old = dict(zip(self.old_columns, texts[:width], strict=True))
                new = dict(zip(self.new_columns, texts[width:], strict=True))
                kept = old if kind == "removed" else new
                names = old_key if kind == "removed" else new_key
                change = RowChange(
                    kind,
                    {name: kept[name] or "" for name in names},
                    old_line if kind == "removed" else new_line,
                    tuple(self._cells(kind, old, new)),
                    {n: old[n] or "" for n in old_key} if kind == "renamed" else None,
                )
                listed.append((h if h is not None else b, change))
        listed.sort(key=lambda pair: pair[0])
        return [change for _, change in listed]

    def _cells(
        self, kind: str, old: Mapping[str, str | None], new: Mapping[str, str | None]
    ) -> Iterable[CellChange]:
        match kind:
            case "added":
                yield from (CellChange(n, None, _cut(text)) for n, text in new.items() if text)
            case "removed":
                yield from (CellChange(n, _cut(text), None) for n, text in old.items() if text)
            case _:
                for before, after in self.match.shared:
                    if old[before] != new[after]:
                        yield CellChange(after, _cut(old[before]), _cut(new[after]))

    def renamed_columns(self) -> list[tuple[str, str]]:
        """Return the columns that hold the same under another name, old and new."""
        shared_old = {old for old, _ in self.match.shared}
        shared_new = {new for _, new in self.match.shared}
        gone = [c for c in self.old_columns if c not in shared_old]
        come = [c for c in self.new_columns if c not in shared_new]
        if not self.match.key or not gone or not come:
            return []
        found = []
        for new in come:
            for old in gone:
                [(differ, filled)] = self._ask(
                    f"SELECT count_if({_side('b', old)} IS DISTINCT FROM {_side('h', new)}),"
                    f" count_if({_side('h', new)} <> '') FROM {self._joined}"
                    " WHERE pair.b IS NOT NULL AND pair.h IS NOT NULL"
                )
                if filled and not differ:
                    found.append((old, new))
                    gone.remove(old)
                    break
        return found

    # What a finding rests on

    def find_base(self, rows: Iterable[int]) -> dict[int, tuple[int, frozenset[str]]]:
        """Return for records of the head that the base has too its number there, and what changed.

        What changed are the names of fields in the head whose cells differ.
        """
        found = self._ask(
            f"SELECT h, b, same FROM {self.pairs} WHERE b IS NOT NULL"
            f" AND h IN (SELECT unnest({sorted(set(rows))}::BIGINT[]))"
        )
        places = {h: (b, frozenset[str]()) for h, b, same in found if same}
        changed = [h for h, _, same in found if not same]
        if changed:
            flags = ", ".join(
                f"{_side('b', old)} IS DISTINCT FROM {_side('h', new)}"
                for old, new in self.match.shared
            )
            for h, b, *differs in self._ask(
                f"SELECT pair.h, pair.b, {flags} FROM {self._joined}"
                f" WHERE pair.h IN (SELECT unnest({changed}))"
            ):
                names = zip(self.match.shared, differs, strict=True)
                places[h] = (b, frozenset(new for (_, new), differ in names if differ))
        return places

    @cached_property
    def touched(self) -> frozenset[str]:
        """The fields in which any record differs; every field where a record came or went."""
        if self.counts["added"] or self.counts["removed"]:
            return frozenset((*self.old_columns, *self.new_columns))
        flags = ", ".join(
            f"bool_or({_side('b', old)} IS DISTINCT FROM {_side('h', new)})"
            for old, new in self.match.shared
        )
        [differs] = self._ask(f"SELECT {flags} FROM {self._joined} WHERE NOT pair.same")
        names = zip(self.match.shared, differs, strict=True)
        return frozenset(new for (_, new), differ in names if differ)

    @cached_property
    def named(self) -> Mapping[str, frozenset[str]] | None:
        """The texts in records of the base that changed or went, each with the fields that did.

        None where too many did. A record that came changes no cell that was read before.
        """
        if sum(self.counts[kind] for kind in _KINDS) > MOST_TOUCHED:
            return None
        texts: dict[str, set[str]] = {}
        sides = [_side("b", c) for c in self.old_columns]
        sides += [_side("h", c) for c in self.new_columns]
        width = len(self.old_columns)
        for h, *cells in self._ask(
            f"SELECT pair.h, {', '.join(sides)} FROM {self._joined}"
            " WHERE NOT pair.same AND pair.b IS NOT NULL"
        ):
            fields = {*self.old_columns, *self.new_columns}
            if h is not None:
                old = dict(zip(self.old_columns, cells[:width], strict=True))
                new = dict(zip(self.new_columns, cells[width:], strict=True))
                fields = {change.field for change in self._cells("changed", old, new)}
            for cell in cells:
                if cell:
                    texts.setdefault(cell, set()).update(fields)
        return {text: frozenset(fields) for text, fields in texts.items()}

    # How the records are matched

    @property
    def _joined(self) -> str:
        name = quote_name(self.name)
        return (
            f"{self.pairs} AS pair LEFT JOIN base.raw.{name} AS base ON base._row = pair.b"
            f" LEFT JOIN head.raw.{name} AS head ON head._row = pair.h"
        )

    def _ask(self, sql: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql).fetchall()

    def _key_of(self, tables: Tables) -> tuple[str, ...]:
        return tables.package.resources[self.name].primary_key

    def _find_match(self) -> Match:
        old, new = self._key_of(self.base), self._key_of(self.head)
        shared = [(c, c) for c in self.new_columns if c in self.old_columns]
        for key in (new, old):
            if key and all((c, c) in shared for c in key):
                return Match(tuple((c, c) for c in key), tuple(shared))
        if old and len(old) == len(new):  # a key field may have another name
            pairs = tuple(zip(old, new, strict=True))
            known = all(b in self.old_columns and h in self.new_columns for b, h in pairs)
            taken = any(
                b != h and (b in self.new_columns or h in self.old_columns) for b, h in pairs
            )
            if known and not taken:
                return Match(pairs, tuple(dict.fromkeys([*pairs, *shared])))
        return Match((), tuple(shared))

    def _pair(self) -> None:
        """Create the table of pairs: by key first, then those that differ in their key alone."""
        by = self.match.key or self.match.shared
        unique = all(self._is_unique(side, by) for side in ("base", "head"))
        same = " AND ".join(
            f"{_side('b', old)} IS NOT DISTINCT FROM {_side('h', new)}"
            for old, new in self.match.shared
        )
        on = [
            f"coalesce({_side('b', old)}, '') = coalesce({_side('h', new)}, '')" for old, new in by
        ]
        sources = [self._source(side, by, numbered=not unique) for side in ("base", "head")]
        if not unique:
            on.append("base._nth = head._nth")
        self._connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {self.pairs} AS"
            f" SELECT base._row AS b, head._row AS h, base._row IS NOT NULL AND"
            f" head._row IS NOT NULL AND {same or 'true'} AS same, false AS renamed"
            f" FROM {sources[0]} AS base FULL JOIN {sources[1]} AS head"
            f" ON {' AND '.join(on) or 'false'}"
        )
        if self.match.key:
            self._pair_renamed()

    def _is_unique(self, side: str, by: Sequence[tuple[str, str]]) -> bool:
        names = [pair[side == "head"] for pair in by]
        if not names:
            return True
        listed = ", ".join(f"coalesce({quote_name(n)}, '')" for n in names)
        [(rows, distinct)] = self._ask(
            f"SELECT count(*), count(DISTINCT ({listed})) FROM {side}.raw.{quote_name(self.name)}"
        )
        return bool(rows == distinct)

    def _source(self, side: str, by: Sequence[tuple[str, str]], *, numbered: bool) -> str:
        """Return a relation of one side; records with one key are numbered, to be told apart."""
        table = f"{side}.raw.{quote_name(self.name)}"
        if not numbered:
            return table
        listed = ", ".join(f"coalesce({quote_name(pair[side == 'head'])}, '')" for pair in by)
        number = f"row_number() OVER (PARTITION BY {listed} ORDER BY _row)"
        return f"(SELECT *, {number} AS _nth FROM {table})"

    def _pair_renamed(self) -> None:
        """Pair records that came and went and are equal but for their key, one of each.

        At least two cells beside the key must be filled (one, where there is no other): a key
        alone, or a `yes`, says nothing about who it is.
        """
        rest = [pair for pair in self.match.shared if pair not in self.match.key]
        if not rest:
            return
        fewest = min(2, len(rest))

        def unmatched(side: str, number: int) -> str:
            column = "b" if side == "base" else "h"
            texts = ", ".join(f"coalesce({quote_name(pair[number])}, '')" for pair in rest)
            filled = f"len(list_filter([{texts}], lambda x: x <> ''))"
            return (
                f"(SELECT _row, texts"
                f" FROM (SELECT _row, [{texts}] AS texts FROM {side}.raw.{quote_name(self.name)}"
                f" WHERE _row IN (SELECT {column} FROM {self.pairs}"
                f" WHERE {'h' if column == 'b' else 'b'} IS NULL) AND {filled} >= {fewest})"
                " QUALIFY count(*) OVER (PARTITION BY texts) = 1)"
            )

        self._connection.execute(
            "CREATE OR REPLACE TEMP TABLE renamed AS SELECT base._row AS b, head._row AS h"
            f" FROM {unmatched('base', 0)} AS base JOIN {unmatched('head', 1)} AS head"
            " ON base.texts = head.texts"
        )
        self._connection.execute(
            f"DELETE FROM {self.pairs} WHERE (h IS NULL AND b IN (SELECT b FROM renamed))"
            " OR (b IS NULL AND h IN (SELECT h FROM renamed))"
        )
        self._connection.execute(f"INSERT INTO {self.pairs} SELECT b, h, false, true FROM renamed")


_KINDS: Mapping[Any, str] = {
    "added": "pair.b IS NULL",
    "removed": "pair.h IS NULL",
    "changed": "NOT pair.same AND NOT pair.renamed AND pair.b IS NOT NULL AND pair.h IS NOT NULL",
    "renamed": "pair.renamed",
}


def _cut(text: str | None) -> str | None:
    """Return a cell's text, or of a long one its start and its length."""
    if text is None or len(text) <= LONGEST:
        return text
    return f"{text[: LONGEST // 2]}... ({len(text)} characters)"


def _side(letter: str, column: str) -> str:
    """Return SQL for a column's text on one side of a pair."""
    return f"{'base' if letter == 'b' else 'head'}.{quote_name(column)}"


def _columns(tables: Tables, name: str) -> list[str]:
    with tables.cursor() as cursor:
        cursor.execute(f"SELECT * FROM raw.{quote_name(name)} LIMIT 0")
        return [column[0] for column in cursor.description or ()][2:]
