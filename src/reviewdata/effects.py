"""What a change does to the results: headline figures and claims, before and after."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from reviewdata.changes import ClaimChange, FigureChange
from reviewdata.claims import check_claims
from reviewdata.model import Claim, QueryResult, ReviewdataError
from reviewdata.queries import Query, list_queries, run_query
from reviewdata.tables import Tables

NOISE = 1e-12
"""Relative difference of two figures that sums in another order alone can make."""

Row = Mapping[str, Any]


def compare_figures(base: Tables, head: Tables) -> list[FigureChange]:
    """Return the rows of headline queries whose figures moved; each side runs its own queries.

    Rows are found again by their cells that are no numbers; where these do not tell them apart,
    by their place. A query that one side does not have has no rows there.
    """
    old, new = _headlines(base), _headlines(head)
    changes = []
    for name in dict.fromkeys([*old, *new]):
        before, after = (_run(side, found.get(name)) for side, found in ((base, old), (head, new)))
        title = (new.get(name) or old[name]).title
        failed = [
            f"{side}: {result}"
            for side, result in (("before", before), ("after", after))
            if isinstance(result, str)
        ]
        if failed:
            changes.append(FigureChange(name, title, {}, {}, "; ".join(failed)))
        elif isinstance(before, QueryResult) and isinstance(after, QueryResult):
            changes += _compare(name, title, before, after)
    return changes


def compare_claims(base: Tables, head: Tables) -> list[ClaimChange]:
    """Return the claims whose verdict changed, those that came and those that went."""
    old, new = ({c.claim_id: c for c in _claims(tables)} for tables in (base, head))
    changes = []
    for name in dict.fromkeys([*new, *old]):
        before, after = old.get(name), new.get(name)
        said = after or before
        if said is not None and _verdict(before) != _verdict(after):
            changes.append(
                ClaimChange(
                    name,
                    said.statement,
                    said.published,
                    _verdict(before),
                    _verdict(after),
                    before.computed_text if before else "",
                    after.computed_text if after else "",
                )
            )
    return changes


def _headlines(tables: Tables) -> dict[str, Query]:
    return {n: q for n, q in list_queries(tables.package).items() if q.headline or q.fault}


def _run(tables: Tables, query: Query | None) -> QueryResult | str:
    if query is None:
        return QueryResult("", (), ())
    try:
        return run_query(tables, query)
    except ReviewdataError as error:
        return str(error)


def _claims(tables: Tables) -> tuple[Claim, ...]:
    try:
        return check_claims(tables)
    except ReviewdataError:  # the claims stage tells of it
        return ()


def _verdict(claim: Claim | None) -> str | None:
    return claim.verdict if claim else None


def _compare(query: str, title: str, before: QueryResult, after: QueryResult) -> list[FigureChange]:
    labels = _labels(before, after)
    old, new = (_by_label(result, labels) for result in (before, after))
    changes = []
    for key in dict.fromkeys([*old, *new]):
        left, right = old.get(key, {}), new.get(key, {})
        values = {
            name: (left.get(name), right.get(name))
            for name in dict.fromkeys([*left, *right])
            if name not in labels and not _is_equal(left.get(name), right.get(name))
        }
        if values:
            where = {name: (right or left).get(name) for name in labels}
            changes.append(FigureChange(query, title, where, values))
    return changes


def _labels(before: QueryResult, after: QueryResult) -> list[str]:
    """Return the columns that tell rows apart: those of both sides that hold no numbers."""
    if len(before.rows) <= 1 and len(after.rows) <= 1:
        return []
    types = [dict(result.columns) for result in (before, after) if result.columns]
    return [
        name
        for name, type_ in types[-1].items()
        if all(name in columns for columns in types) and type_ in _WORDS
    ]


_WORDS = ("VARCHAR", "BOOLEAN", "DATE")


def _by_label(result: QueryResult, labels: list[str]) -> dict[tuple[Any, ...], Row]:
    """Return the rows by their labels, and by their number among those with the same."""
    rows: dict[tuple[Any, ...], Row] = {}
    seen: dict[tuple[Any, ...], int] = {}
    for record in result.records():
        key = tuple(record.get(name) for name in labels)
        seen[key] = seen.get(key, 0) + 1
        rows[(*key, seen[key])] = record
    return rows


def _is_equal(old: Any, new: Any) -> bool:
    if old == new:
        return True
    numbers = [v for v in (old, new) if isinstance(v, int | float | Decimal)]
    if len(numbers) < 2:
        return False
    first, second = map(float, numbers)
    if math.isnan(first) and math.isnan(second):
        return True
    return math.isclose(first, second, rel_tol=NOISE)
