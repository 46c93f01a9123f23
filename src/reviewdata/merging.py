"""Three versions of a table merged record by record and cell by cell.

Records are found again by their primary key, columns by their label. Nothing here reads a file
or asks git. What cannot be merged so, without losing a cell, raises Unmergeable.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from reviewdata.order import find_key, make_sort_key
from reviewdata.package import Resource

REMOVED = "(row removed)"
"""What stands in a conflict for the side that has removed the record."""

Key = tuple[str, ...]
Row = Sequence[str]
Item = TypeVar("Item", bound=Hashable)


class Unmergeable(Exception):  # noqa: N818 - git's own merge is tried instead
    """Why three tables cannot be merged by record and cell."""


@dataclass(frozen=True)
class Version:
    """One version of a table: the labels of its columns, and its records' cells.

    The base of a file that both sides have added has neither.
    """

    labels: Sequence[str]
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Conflict:
    """A cell that both sides changed; `ours` or `theirs` is None where that side removed the row.

    `base` is None where the base has no such cell.
    """

    key: Key
    column: str
    ours: str | None
    theirs: str | None
    base: str | None

    @property
    def cell(self) -> str:
        """The text that stands in the cell until somebody has decided."""
        ours = REMOVED if self.ours is None else self.ours
        theirs = REMOVED if self.theirs is None else self.theirs
        return f"<<<<<<< {ours} ======= {theirs} >>>>>>>"


@dataclass(frozen=True)
class Merged:
    """The merged table, and its conflicts in the order of its cells."""

    labels: tuple[str, ...]
    rows: tuple[Row, ...]
    conflicts: tuple[Conflict, ...]


def merge_tables(resource: Resource, base: Version, ours: Version, theirs: Version) -> Merged:
    """Return the table with the changes of both sides.

    It is in the order of the key where both sides are. A record that both sides renamed, or
    one renamed and the other removed, is one record with a conflict in its key. Raises
    Unmergeable without a primary key in each header, for labels or keys that repeat, and where
    one side removed a column in which the other changed a cell.
    """
    keys = [_key_labels(resource, version) for version in (ours, theirs)]
    keys += [_key_labels(resource, base)] if base.labels else []
    if keys.count(keys[0]) < len(keys):
        raise Unmergeable("the columns of the key are not called the same on both sides")
    indexes = [_index(resource, version) for version in (base, ours, theirs)]
    columns = _merge_columns(base, ours, theirs, *indexes)
    plan = [(c, _position(base, c), _position(ours, c), _position(theirs, c)) for c in columns]
    rows: dict[Key, list[str]] = {}
    conflicts: dict[Key, list[Conflict]] = {}
    old, our, their = indexes
    ours_new = _find_renames(keys[0], base, ours, old, our)
    theirs_new = _find_renames(keys[0], base, theirs, old, their)
    moved = _find_moves(ours_new, theirs_new, our, their)
    aside = {key for _, *sides in moved.values() for key in sides} - {*moved}
    for key in {**our, **their}:
        if key in aside:  # it is one record with that of another key
            continue
        was, a, b = moved.get(key, (key, key, key))
        row, found = _merge_row(
            was, plan, old.get(was), our.get(a), their.get(b), keys[0] if key in moved else ()
        )
        if row is not None:
            rows[key] = row
            conflicts[key] = found
    ordered = [*merge_order(list(old), list(our), list(their), rows)]
    sort_key = make_sort_key(resource, columns)
    if sort_key is not None and all(_is_sorted(resource, v) for v in (ours, theirs)):
        ordered.sort(key=lambda key: sort_key(rows[key]))
    return Merged(
        tuple(columns),
        tuple(rows[key] for key in ordered),
        tuple(conflict for key in ordered for conflict in conflicts[key]),
    )


def merge_order(
    base: Sequence[Item], ours: Sequence[Item], theirs: Sequence[Item], kept: Collection[Item]
) -> Iterator[Item]:
    """Yield the items that are `kept` in ours' order, those of theirs behind their predecessors.

    Where only theirs has put the items of the base into another order, it is the other way round.
    """
    common = set(base) & set(ours) & set(theirs)
    old, our, their = ([i for i in side if i in common] for side in (base, ours, theirs))
    first, second = (theirs, ours) if our == old != their else (ours, theirs)
    placed = [item for item in first if item in kept]
    present = set(placed)
    behind: dict[Item | None, list[Item]] = defaultdict(list)
    anchor = None
    for item in second:
        if item in present:
            anchor = item
        elif item in kept:
            behind[anchor].append(item)
    yield from behind[None]
    for item in placed:
        yield item
        yield from behind.get(item, ())


def _key_labels(resource: Resource, version: Version) -> list[str]:
    if not resource.primary_key:
        raise Unmergeable("the table has no primary key")
    names = [label.strip() for label in version.labels]
    if len(set(names)) < len(names):
        raise Unmergeable("two columns have one name")
    positions = find_key(resource, version.labels)
    if not positions:
        raise Unmergeable("a column of the primary key is missing")
    return [version.labels[position] for position in positions]


def _index(resource: Resource, version: Version) -> dict[Key, Row]:
    """Return the records by their key. Raises Unmergeable where two have the same."""
    positions = find_key(resource, version.labels)
    index: dict[Key, Row] = {}
    for row in version.rows:
        key = tuple(row[position] for position in positions)
        if key in index:
            raise Unmergeable(f"two records have the key {', '.join(key)}")
        index[key] = row
    return index


def _find_renames(
    labels: Collection[str],
    base: Version,
    side: Version,
    old: Mapping[Key, Row],
    new: Mapping[Key, Row],
) -> dict[Key, Key]:
    """Return the new keys of the base's records that one side gave another key, by the old.

    Such a record is gone from the side, which added one with the same other cells; of each
    there is but one. Where one of each is left, a single other cell may differ too.
    """
    columns = [c for c in base.labels if c in side.labels and c not in labels]
    places = [(base.labels.index(c), side.labels.index(c)) for c in columns]
    gone: dict[Key, list[Key]] = defaultdict(list)
    added: dict[Key, list[Key]] = defaultdict(list)
    for key in old.keys() - new.keys():
        gone[tuple(old[key][was] for was, _ in places)].append(key)
    for key in new.keys() - old.keys():
        added[tuple(new[key][now] for _, now in places)].append(key)
    renamed = {
        keys[0]: added[cells][0]
        for cells, keys in gone.items()
        if any(cells) and len(keys) == 1 and len(added.get(cells, ())) == 1
    }
    left = [(key, cells) for cells, keys in gone.items() for key in keys if key not in renamed]
    taken = set(renamed.values())
    more = [(key, cells) for cells, keys in added.items() for key in keys if key not in taken]
    if len(left) == len(more) == 1:
        [(key, was)], [(other, now)] = left, more
        same = [x for x, y in zip(was, now, strict=True) if x == y]
        if len(same) == len(places) - 1 and sum(map(bool, same)) > 1:
            renamed[key] = other
    return renamed


def _find_moves(
    ours: Mapping[Key, Key],
    theirs: Mapping[Key, Key],
    our: Mapping[Key, Row],
    their: Mapping[Key, Row],
) -> dict[Key, tuple[Key, Key, Key]]:
    """Return the records of the base that neither side has under their key, and one renamed.

    Each is its key in base, ours and theirs, under the key that holds its place in the order.
    A key that the other side gave to another record is left to be merged as that.
    """
    moved = {}
    for was in {**ours, **theirs}:
        a, b = ours.get(was), theirs.get(was)
        if was in our or was in their or (a != b and (a in their or b in our)):
            continue
        moved[a or b or was] = (was, a or was, b or was)
    return moved


def _position(version: Version, column: str) -> int | None:
    return version.labels.index(column) if column in version.labels else None


def _merge_columns(
    base: Version,
    ours: Version,
    theirs: Version,
    old: Mapping[Key, Row],
    our: Mapping[Key, Row],
    their: Mapping[Key, Row],
) -> list[str]:
    """Return the labels of the merged table: those of both sides but what one has removed."""
    kept = {*ours.labels, *theirs.labels}
    for version, rows, other in ((ours, our, theirs), (theirs, their, ours)):
        for column in set(version.labels) & set(base.labels) - set(other.labels):
            new, was = _position(version, column), _position(base, column)
            assert new is not None
            assert was is not None
            for key, row in rows.items():
                if row[new] != (old[key][was] if key in old else ""):
                    why = f"one side removed the column {column}, the other changed it"
                    raise Unmergeable(f"{why} ({', '.join(key)})")
            kept.discard(column)
    return list(merge_order(base.labels, ours.labels, theirs.labels, kept))


Plan = Sequence[tuple[str, int | None, int | None, int | None]]
"""Each column of the merged table, and its position in base, ours and theirs."""


def _merge_row(
    key: Key,
    plan: Plan,
    base: Row | None,
    ours: Row | None,
    theirs: Row | None,
    names: Collection[str],
) -> tuple[list[str] | None, list[Conflict]]:
    """Return the cells of a record, None where it is removed, and the conflicts in them.

    In the columns `names` two texts are a conflict even where one is that of the base: those
    of a key belong together.
    """
    cells: list[str] = []
    conflicts: list[Conflict] = []
    removed = base is not None and (ours is None or theirs is None)
    for column, old, our, their in plan:
        x, y, z = _cell(ours, our), _cell(theirs, their), _cell(base, old)
        was = "" if z is None else z
        if removed:
            text = x if ours is not None else y
            if text is None or text == was:  # None: the other side has added the column
                cells.append(text or "")
                continue
        elif x is None or y is None or x == y:  # None: the record or the column is new
            cells.append((x if y is None else y) or "")
            continue
        elif base is not None and was in (x, y) and column not in names:
            cells.append(y if x == was else x)
            continue
        conflict = Conflict(key, column, x, y, None if base is None else z)
        conflicts.append(conflict)
        cells.append(conflict.cell)
    return (None if removed and not conflicts else cells), conflicts


def _cell(row: Row | None, position: int | None) -> str | None:
    return None if row is None or position is None else row[position]


def _is_sorted(resource: Resource, version: Version) -> bool:
    sort_key = make_sort_key(resource, version.labels)
    if sort_key is None:
        return False
    keys = map(sort_key, version.rows)
    last = next(keys, None)
    for key in keys:
        if last is not None and key < last:
            return False
        last = key
    return True
