"""Published figures against what the queries give for them today.

The verdicts, in this order: `not computable` (no query is named), `broken` (the query
failed, does not give exactly one row, or does not give the number of studies that the claim
asks for; or the claim itself does not say a figure), `incomplete` (fewer studies than the
figure rests on, or an unknown number of them while the review is not wholly extracted),
`reproduced` (within half a unit of the last printed decimal), `differs`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from reviewdata.columns import quote_name
from reviewdata.model import Claim, ClaimVerdict, QueryResult, ReviewdataError
from reviewdata.queries import find_query, parse_assignments, prepare_query, run_query
from reviewdata.statements import QueryError
from reviewdata.tables import Tables

REQUIRED = ("claim_id", "statement", "value", "query", "column")
OPTIONAL = (
    "decimals",
    "unit",
    "params",
    "where",
    "k_column",
    "k_required",
    "why",
    "source_id",
    "locator",
)
COLUMNS = (*REQUIRED, *OPTIONAL)
"""The columns of a claims table; they are the framework's, not the review's."""

MOST_DECIMALS = 30

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
_WHOLE = re.compile(r"\+?(\d{1,9})(\.0*)?", re.ASCII)


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


@dataclass(frozen=True)
class Printed:
    """A figure as it is printed: its value, and the place of its last digit."""

    value: Decimal
    decimals: int


def check_claims(tables: Tables) -> tuple[Claim, ...]:
    """Return every claim of the package with its verdict; none where none are declared.

    Raises ReviewdataError where the claims table cannot be read or lacks a column.
    """
    return tuple(claim for _, claim in judge_claims(tables))


def judge_claims(tables: Tables) -> list[tuple[int, Claim]]:
    """Return what check_claims returns, each claim with the number of its record."""
    name = tables.package.config.claims
    if name is None:
        return []
    if name not in tables.columns:
        raise ReviewdataError(f"the claims table {name} could not be read")
    absent = [column for column in REQUIRED if column not in tables.columns[name]]
    if absent:
        lacks = f"the claims table {name} lacks {', '.join(absent)}"
        raise ReviewdataError(f"{lacks}; a claim needs {', '.join(REQUIRED)}")
    resource = tables.package.resources[name]
    columns = [c for c in COLUMNS if c in tables.columns[name]]
    listed = ", ".join(quote_name(column) for column in columns)
    rows = tables.fetch(f"SELECT _row, {listed} FROM raw.{quote_name(name)} ORDER BY _row")
    coverage: Coverage | ReviewdataError | None
    try:
        coverage = read_coverage(tables)
    except ReviewdataError as error:
        coverage = ReviewdataError(f"the declared coverage cannot be computed: {error}")
    entries = []
    for row, *texts in rows:
        entry = dict.fromkeys(OPTIONAL, "")
        for column, text in zip(columns, texts, strict=True):
            given = text is not None and text not in resource.missing_values(column)
            entry[column] = text.strip() if given else ""
        entries.append((row, entry))
    _prepare(tables, (entry for _, entry in entries))
    return [(row, _check(tables, entry, coverage)) for row, entry in entries]


def _prepare(tables: Tables, entries: Iterable[Mapping[str, str]]) -> None:
    """Ask once for what several claims pick from one query by their `where`."""
    wheres: dict[tuple[str, str], dict[str, None]] = {}
    for entry in entries:
        if entry["query"] and entry["where"]:
            asked = wheres.setdefault((entry["query"], entry["params"]), {})
            asked[entry["where"]] = None
    for (name, params), listed in wheres.items():
        if len(listed) > 1:
            with suppress(ReviewdataError):  # each claim tells what is wrong with it
                query, given = find_query(tables.package, name), parse_assignments(_split(params))
                prepare_query(tables, query, given, list(listed))


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
    present = _cell(result, declared["column"])
    if present is None:
        raise QueryError(f"{declared['query']} gives no number in {declared['column']}")
    return Coverage(present, float(declared["expected"]))


def judge(
    published: Printed,
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
    half = Decimal(5).scaleb(-published.decimals - 1)
    # For the last bits of a figure on the edge, never for a digit that could be printed.
    slack = min(Decimal(abs(computed)) * Decimal("1e-12"), half / 100)
    if abs(Decimal(computed) - published.value) <= half + slack:
        return "reproduced", None
    return "differs", f"rounding allows {float(half):g}"


def read_printed(value: str, decimals: str) -> Printed:
    """Return the published figure from its text, and that of its decimals.

    Without decimals the text has them: two in 5.10, five in 1e-5. More than it has are
    zeros that a spreadsheet took off. Raises ReviewdataError for a text that is no number,
    and for decimals that are none, too many, or fewer than the text has.
    """
    if not _NUMBER.fullmatch(value) or not math.isfinite(float(value)):
        raise ReviewdataError(f"the value {value!r} is no number")
    exponent = Decimal(value).as_tuple().exponent
    assert isinstance(exponent, int)  # a text is for what is not finite
    given = _read_whole(decimals, "decimals")
    last = -exponent if given is None else given
    if last > MOST_DECIMALS:
        raise ReviewdataError(f"the value has {last} decimals; at most {MOST_DECIMALS} are judged")
    if last < -exponent:
        raise ReviewdataError(f"the value {value} has {-exponent} decimals, and decimals is {last}")
    return Printed(Decimal(value), last)


def _check(
    tables: Tables, entry: Mapping[str, str], coverage: Coverage | ReviewdataError | None
) -> Claim:
    """Return one claim with its verdict; where it is broken, with all that could be read."""
    claim = Claim(
        claim_id=entry["claim_id"],
        statement=entry["statement"],
        published=entry["value"],
        decimals=None,
        computed=None,
        difference=None,
        verdict="broken",
        k=None,
        k_required=None,
        query=entry["query"] or None,
        column=entry["column"] or None,
        source_id=entry["source_id"] or None,
        locator=entry["locator"] or None,
        why=None,
    )
    with suppress(ReviewdataError):
        claim = replace(claim, decimals=read_printed(entry["value"], entry["decimals"]).decimals)
    with suppress(ReviewdataError):
        claim = replace(claim, k_required=_read_whole(entry["k_required"], "k_required"))
    if not entry["query"]:
        why = entry["why"] or "no query is given, and not why"
        return replace(claim, verdict="not computable", why=why)
    try:
        published = read_printed(entry["value"], entry["decimals"])
        k_required = _read_whole(entry["k_required"], "k_required")
        computed, k = _compute(tables, entry)
        claim = replace(claim, computed=computed, k=k)
        if computed is not None:
            claim = replace(claim, difference=float(Decimal(computed) - published.value))
        if k_required is not None and k is None:
            raise QueryError(_unknown_k(entry))
        if isinstance(coverage, ReviewdataError):
            if k_required is None:
                raise coverage
            coverage = None
    except ReviewdataError as error:
        return replace(claim, why=str(error))
    verdict, said = judge(published, computed, k, k_required, coverage)
    return replace(claim, verdict=verdict, why=said)


def _unknown_k(entry: Mapping[str, str]) -> str:
    asked = f"k_required is {entry['k_required']}"
    if not entry["k_column"]:
        return f"{asked}, and no k_column says how many studies there are"
    return f"{asked}, and {entry['query']} gives no number in {entry['k_column']}"


def _compute(tables: Tables, entry: Mapping[str, str]) -> tuple[float | None, int | None]:
    """Return the figure that a claim's query gives, and the number of studies behind it."""
    query = find_query(tables.package, entry["query"])
    given = parse_assignments(_split(entry["params"]))
    result = run_query(tables, query, given, where=entry["where"])
    name = query.name
    if len(result.rows) != 1:
        if entry["where"]:
            picks = f"where {entry['where']} picks {len(result.rows)} rows of {name}, not one"
            raise QueryError(picks)
        raise QueryError(f"{name} gives {len(result.rows)} rows; `where` must pick one")
    computed = _cell(result, entry["column"])
    k = _cell(result, entry["k_column"]) if entry["k_column"] else None
    if k is not None and k != int(k):
        raise QueryError(f"{name}.{entry['k_column']} is {k:g}, not a number of studies")
    return computed, (None if k is None else int(k))


def _split(params: str) -> list[str]:
    """Return the parts of `k=v; k=v`."""
    return [part for part in params.split(";") if part.strip()]


def _cell(result: QueryResult, column: str) -> float | None:
    """Return the number in a column of the one row of a result; None for null or no number."""
    names = [name for name, _ in result.columns]
    if column not in names:
        raise QueryError(f"{result.query} has no column {column or '(none named)'}")
    value: Any = result.rows[0][names.index(column)]
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise QueryError(f"{result.query}.{column} is {value!r}, not a number")
    return number


def _read_whole(text: str, name: str) -> int | None:
    """Return a whole number from the claims table, None for a blank."""
    if not text:
        return None
    match = _WHOLE.fullmatch(text)
    if match is None:
        raise ReviewdataError(f"{name} is {text}, not a whole number of zero or more")
    return int(match[1])
