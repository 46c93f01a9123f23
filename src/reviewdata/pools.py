"""What should be told of a query that pools: no unit of analysis, an estimate without an end."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from reviewdata.model import Finding
from reviewdata.rules import builtin_rules, make_finding
from reviewdata.synthesis.macros import find_calls, split_arguments

_UNIT = re.compile(r"unit\s*(:=|=>)", re.IGNORECASE)

POOLING = ("pool", "pool_mh", "leave_one_out", "regress", "egger")
"""The macros that take the independent sample of a row as their `unit`."""


def judge_query(sql: str, path: str | None) -> tuple[Finding, ...]:
    """Return the finding on a statement that pools without saying which rows are one sample."""
    without = [
        name
        for name in POOLING
        for given in find_calls(sql, name)
        if not any(
            re.match(r"unit\s*(:=|=>)", part, re.IGNORECASE) for part in split_arguments(given)
        )
    ]
    if not without:
        return ()
    rule = builtin_rules()["RD504"]
    values = {"query": path or "the query", "macro": without[0]}
    return (make_finding(rule, values, path=path),)


def judge_result(
    columns: Sequence[tuple[str, str]], rows: Sequence[tuple[Any, ...]], path: str | None
) -> tuple[Finding, ...]:
    """Return the finding on a result in which an estimate did not converge."""
    places = [number for number, (name, _) in enumerate(columns) if name.lower() == "converged"]
    structs = [n for n, (_, type_) in enumerate(columns) if type_.startswith("STRUCT")]
    failed = 0
    for row in rows:
        inner = [row[n].get("converged") for n in structs if isinstance(row[n], dict)]
        failed += any(value is False for value in (*inner, *(row[n] for n in places)))
    if not failed:
        return ()
    rule = builtin_rules()["RD505"]
    values = {"query": path or "the query", "number": failed}
    return (make_finding(rule, values, path=path),)
