"""The claims stage: the verdicts on published figures, as findings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import version

from reviewdata.claims import judge_claims
from reviewdata.model import (
    Claim,
    Finding,
    Origin,
    ReviewdataError,
    Run,
    StageResult,
    Status,
)
from reviewdata.places import find_places
from reviewdata.pools import judge_query
from reviewdata.queries import FOLDER, list_queries, run_query
from reviewdata.rules import make_finding
from reviewdata.tables import Tables

_POOLS = ("RD504", "RD505")
_POOLED = re.compile(r"\b(pool\w*|subgroups|leave_one_out)\s*\(|\bconverged\b")
_CODES = {"differs": "RD501", "incomplete": "RD502", "broken": "RD503"}


def check(tables: Tables) -> StageResult:
    """Return the findings on the published figures, the claims themselves, and on what pools."""
    judged, pooled = _check_claims(tables), list(_check_pools(tables))
    runs = [
        Run("claims", code, "fail" if any(f.code == code for f in pooled) else "pass")
        for code in _POOLS
    ]
    findings = (*judged.findings, *pooled)
    return StageResult((*judged.runs, *runs), findings, judged.claims)


def _check_pools(tables: Tables) -> Iterator[Finding]:
    """Yield what is to be told of the query files that pool."""
    for query in list_queries(tables.package).values():
        if not query.fault and _POOLED.search(query.sql):
            try:
                yield from run_query(tables, query).findings
            except ReviewdataError:
                yield from judge_query(query.sql, f"{FOLDER}/{query.path.name}")


def _check_claims(tables: Tables) -> StageResult:
    if tables.package.config.claims is None:
        return _skipped("the package declares no claims")
    unread = sorted(set(tables.package.resources) - set(tables.columns))
    if unread:
        return _skipped(f"the table {unread[0]} could not be read")
    try:
        judged = judge_claims(tables)
    except ReviewdataError as error:
        values = {"subject": "the claims", "why": str(error)}
        table = tables.package.config.claims
        path = tables.package.resources[table].path
        finding = make_finding(tables.package.rules["RD901"], values, table=table, path=path)
        return StageResult((Run("claims", "RD503", "broken", str(error)),), (finding,))
    claims = tuple(claim for _, claim in judged)
    runs = []
    for verdict, code in _CODES.items():
        hit = any(claim.verdict == verdict for claim in claims)
        status: Status = "broken" if hit and verdict == "broken" else "fail" if hit else "pass"
        runs.append(Run("claims", code, status, None, len(claims)))
    return StageResult(tuple(runs), tuple(_findings(tables, judged)), claims)


def _skipped(why: str) -> StageResult:
    return StageResult(tuple(Run("claims", code, "skipped", why) for code in _CODES.values()), ())


def _findings(tables: Tables, judged: list[tuple[int, Claim]]) -> list[Finding]:
    table = str(tables.package.config.claims)
    told = [(row, claim) for row, claim in judged if claim.verdict in _CODES]
    places = find_places(tables, table, [row for row, _ in told])
    origin = Origin("duckdb", version("duckdb"))
    findings = []
    for row, claim in told:
        values = {**claim.to_dict(), "computed": claim.computed_text or "nothing"}
        rule = tables.package.rules[_CODES[claim.verdict]]
        findings.append(make_finding(rule, values, origin=origin, **places[row].at("value")))
    return findings
