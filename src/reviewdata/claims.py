"""Published figures against what the queries give for them today.

The verdicts, in this order: `not computable` (no query is named), `broken` (the query
failed, or does not give exactly one row), `incomplete` (fewer studies than the figure
rests on, or an unknown number of them while the review is not wholly extracted),
`reproduced` (within half a unit of the last printed decimal), `differs`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reviewdata.columns import quote_name, quote_text
from reviewdata.model import Claim, ClaimVerdict, QueryResult, ReviewdataError
from reviewdata.queries import find_query, parse_assignments, run_query
from reviewdata.tables import QueryError, Tables

COLUMNS = (
    "claim_id",
    "statement",
    "value",
    "decimals",
    "unit",
    "query",
    "params",
    "where",
    "column",
    "k_column",
    "k_required",
    "why",
    "source_id",
    "locator",
)
"""The columns of a claims table; they are the framework's, not the review's."""


@dataclass(frozen=True)
class Coverage:
    """How much of the review is extracted: `present` of `expected` studies."""

    present: float
    expected: float

    @property
    def complete(self) -> bool:
        """Whether all that is expected is there."""
        return self.present >= self.expected

    def __str__(self) -> str:
        return f"{self.present:g} of {self.expected:g} studies are in the dataset"


def check_claims(tables: Tables) -> tuple[Claim, ...]:
    """Return every claim of the package with its verdict; none where none are declared.

    Raises ReviewdataError where the claims table cannot be read or lacks a column.
    """
    resource = tables.package.config.claims
    if resource is None:
        return ()
    if resource not in tables.columns:
        raise ReviewdataError(f"the claims table {resource} could not be read")
    absent = [c for c in COLUMNS if c not in tables.columns[resource]]
    if absent:
        raise ReviewdataError(f"the claims table {resource} lacks the column {absent[0]}")
    listed = ", ".join(quote_name(c) for c in COLUMNS)
    rows = tables.fetch(
        f"SELECT {listed} FROM raw.{quote_name(resource)} ORDER BY _row",
    )
    try:
        coverage = read_coverage(tables)
    except ReviewdataError as error:
        raise ReviewdataError(f"the declared coverage cannot be computed: {error}") from error
    claims = []
    for row in rows:
        entry = {name: (text or "").strip() for name, text in zip(COLUMNS, row, strict=True)}
        claims.append(_check(tables, entry, coverage))
    return tuple(claims)


def read_coverage(tables: Tables) -> Coverage | None:
    """Return the declared coverage of the review, None where it is not declared.

    Raises ReviewdataError where its query fails or does not give one number.
    """
    declared = tables.package.config.coverage
    if declared is None:
        return None
    result = run_query(tables, find_query(tables.package, declared["query"]))
    if len(result.rows) != 1:
        raise QueryError(f"{declared['query']} gives {len(result.rows)} rows, not one")
    present = _cell(result, 0, declared["column"])
    if present is None:
        raise QueryError(f"{declared['query']} gives no number in {declared['column']}")
    return Coverage(float(present), float(declared["expected"]))


def judge(
    published: float,
    decimals: int,
    computed: float | None,
    k: int | None,
    k_required: int | None,
    coverage: Coverage | None,
) -> tuple[ClaimVerdict, str | None]:
    """Return the verdict on a figure that could be computed, and why.

    `k` studies are behind the computed figure, `k_required` behind the published one.
    """
    if k_required is not None and k is not None and k < k_required:
        return "incomplete", f"rests on {k} of {k_required} studies"
    if k_required is None and coverage is not None and not coverage.complete:
        studies = "" if k is None else f"rests on {k} studies; "
        return "incomplete", f"{studies}{coverage}"
    if computed is None:
        return "broken", "the query gives no value"
    half = 0.5 * 10.0**-decimals
    slack = 1e-9 * max(1.0, abs(published))  # for the last bit of a figure on the edge
    if abs(computed - published) <= half + slack:
        return "reproduced", None
    return "differs", f"rounding allows {half:g}"


def _check(tables: Tables, entry: Mapping[str, str], coverage: Coverage | None) -> Claim:
    k_required = _whole(entry["k_required"])
    found: dict[str, Any] = {"computed": None, "k": None, "difference": None}
    if not entry["query"]:
        verdict: ClaimVerdict = "not computable"
        why: str | None = entry["why"] or "no query is given, and not why"
    else:
        try:
            published = float(entry["value"])
            decimals = _whole(entry["decimals"])
            if decimals is None:
                decimals = len(entry["value"].partition(".")[2])
            computed, k = _compute(tables, entry)
        except ReviewdataError as error:
            verdict, why = "broken", str(error)
        except ValueError:
            verdict, why = "broken", f"the value {entry['value']!r} is no number"
        else:
            found = {"computed": computed, "k": k, "difference": None}
            if computed is not None:
                found["difference"] = computed - published
            verdict, why = judge(published, decimals, computed, k, k_required, coverage)
    return Claim(
        claim_id=entry["claim_id"],
        statement=entry["statement"],
        published=entry["value"],
        decimals=_whole(entry["decimals"]),
        computed=found["computed"],
        difference=found["difference"],
        verdict=verdict,
        k=found["k"],
        k_required=k_required,
        query=entry["query"] or None,
        column=entry["column"] or None,
        source_id=entry["source_id"] or None,
        locator=entry["locator"] or None,
        why=why,
    )


def _compute(tables: Tables, entry: Mapping[str, str]) -> tuple[float | None, int | None]:
    """Return the figure that a claim's query gives, and the number of studies behind it."""
    query = find_query(tables.package, entry["query"])
    result = run_query(tables, query, parse_assignments(_split(entry["params"])))
    number = 0
    if entry["where"]:
        number = _pick(tables, result, entry["where"])
    elif len(result.rows) != 1:
        raise QueryError(f"{query.name} gives {len(result.rows)} rows; `where` must pick one")
    computed = _cell(result, number, entry["column"])
    k = _cell(result, number, entry["k_column"]) if entry["k_column"] else None
    return (None if computed is None else float(computed)), (None if k is None else int(k))


def _split(params: str) -> list[str]:
    """Return the parts of `k=v; k=v`."""
    return [part for part in params.split(";") if part.strip()]


def _pick(tables: Tables, result: QueryResult, where: str) -> int:
    """Return the index of the one row of a result that a condition is true of."""
    names = [name for name, _ in result.columns]
    listed = ", ".join(quote_name(name) for name in names)
    values = ", ".join(
        f"({number}, {', '.join(_literal(v) for v in row)})"
        for number, row in enumerate(result.rows)
    )
    if not values:
        raise QueryError(f"{result.query} gives no row")
    rows = tables.fetch(
        f"SELECT _number FROM (VALUES {values}) AS result(_number, {listed}) WHERE {where}"
    )
    if len(rows) != 1:
        raise QueryError(f"where {where} picks {len(rows)} rows of {result.query}, not one")
    return int(rows[0][0])


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool | int | float):
        return repr(value) if not isinstance(value, float) or math.isfinite(value) else "NULL"
    return quote_text(str(value))


def _cell(result: QueryResult, row: int, column: str) -> float | int | None:
    names = [name for name, _ in result.columns]
    if column not in names:
        raise QueryError(f"{result.query} has no column {column or '(none named)'}")
    value = result.rows[row][names.index(column)]
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None
    try:
        return int(value) if isinstance(value, int) else float(value)
    except (TypeError, ValueError):
        raise QueryError(f"{result.query}.{column} is {value!r}, not a number") from None


def _whole(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None
