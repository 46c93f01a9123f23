"""The errors of a table as they are found: all of them counted, the first of each type listed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from reviewdata.stages.errors import Error
from reviewdata.stages.tally import LIMIT


class Listing:
    """Errors by type, in order of record and column, LIMIT of each type."""

    def __init__(self) -> None:
        self.found: dict[str, int] = defaultdict(int)
        self._kept: dict[str, list[Error]] = defaultdict(list)

    def add(self, type_: str, errors: Iterable[Error], number: int | None = None) -> None:
        """Add errors of a type; `number` of them were found, where that is more than are given."""
        kept = self._kept[type_]
        before = len(kept)
        kept += errors
        self.found[type_] += len(kept) - before if number is None else number
        if len(kept) > LIMIT:
            kept.sort(key=_place)
            del kept[LIMIT:]

    def last(self, type_: str) -> int | None:
        """Return the last record that can still be listed; None where any can."""
        kept = self._kept[type_]
        return None if len(kept) < LIMIT else max(error.row or 0 for error in kept)

    def __iter__(self) -> Iterator[Error]:
        for kept in self._kept.values():
            yield from sorted(kept, key=_place)

    @property
    def more(self) -> Mapping[str, int]:
        """The number of errors of each type of which not all are listed."""
        return {t: n for t, n in self.found.items() if n > len(self._kept[t])}


def _place(error: Error) -> tuple[int, int]:
    return (error.row or 0, error.number or 0)
