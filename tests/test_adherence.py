"""The review of correlations: 16 studies pooled as Fisher's z, under names of its own."""

from __future__ import annotations

import csv
import json
import math
from typing import Any

import duckdb
import pytest
from conftest import ROOT, Command
from macros import connect
from scipy import stats

import reviewdata as rd

EXAMPLE = ROOT / "examples" / "adherence"

FACTS = {
    # Molloy et al. 2014 as in dat.molloy2014: people and correlation.
    "axelsson-2009": (109, 0.187),
    "axelsson-2011": (749, 0.162),
    "bruce-2010": (55, 0.34),
    "christensen-1999": (107, 0.32),
    "christensen-smith-1995": (72, 0.27),
    "cohen-2004": (65, 0.00),
    "dobbels-2005": (174, 0.175),
    "ediger-2007": (326, 0.05),
    "insel-2006": (58, 0.26),
    "jerant-2011": (771, 0.01),
    "moran-1997": (56, -0.09),
    "ocleirigh-2007": (91, 0.37),
    "penedo-2003": (116, 0.00),
    "quine-2012": (537, 0.15),
    "stilley-2004": (158, 0.24),
    "wiebe-christensen-1997": (65, 0.04),
}


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    """Return a plain connection with the tables of the review and the macros."""
    con = connect()
    for path in sorted((EXAMPLE / "data").glob("*.csv")):
        source = f"read_csv('{path}', header = true)"
        con.execute(f"CREATE TEMP TABLE {path.stem} AS FROM {source}")
    return con


def rows(con: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    found = con.execute((EXAMPLE / "queries" / f"{query}.sql").read_text("utf-8"))
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def test_its_numbers_are_those_of_the_published_dataset() -> None:
    with (EXAMPLE / "data" / "correlations.csv").open(encoding="utf-8", newline="") as file:
        found = {
            row["paper_id"]: (int(row["people_count"]), float(row["correlation_r"]))
            for row in csv.DictReader(file)
        }
    assert found == FACTS


@pytest.mark.parametrize("stage", ["package", "structure", "rows", "relations", "dataset"])
def test_nothing_is_wrong_with_it(stage: str, reviewdata: Command) -> None:
    ended = reviewdata("validate", EXAMPLE, "--stage", stage, "--format", "json")
    assert ended.code == 0
    assert json.loads(ended.out)["findings"] == []


def test_each_correlation_has_its_interval_and_p_by_plain_sql(
    con: duckdb.DuckDBPyConnection,
) -> None:
    found = {row["paper_id"]: row for row in rows(con, "correlation_per_paper")}
    assert set(found) == set(FACTS)
    for paper, (n, r) in FACTS.items():
        z, half = math.atanh(r), stats.norm.ppf(0.975) / math.sqrt(n - 3)
        t = r * math.sqrt((n - 2) / (1 - r * r))
        expected = (math.tanh(z - half), math.tanh(z + half), 2 * stats.t.sf(abs(t), n - 2))
        values = [found[paper][name] for name in ("r_lower", "r_upper", "p_value")]
        assert values == pytest.approx(list(expected), rel=1e-9)


def test_the_votes_are_counted_by_direction(con: duckdb.DuckDBPyConnection) -> None:
    [found] = rows(con, "directions")
    assert [found[name] for name in ("k", "positive", "negative", "unclear")] == [16, 13, 1, 2]
    assert found["p"] == pytest.approx(stats.binomtest(13, 14).pvalue)


def test_its_published_figures_reproduce_but_for_one_that_differs() -> None:
    """The abstract says 3,476 people, and the sample sizes of the dataset add up to 3,509."""
    claims = {claim.claim_id: claim.verdict for claim in rd.open(EXAMPLE).reproduce()}
    assert len(claims) == 20
    assert claims.pop("abstract-people") == "differs"
    assert claims.pop("abstract-younger-r") == "not computable"
    assert set(claims.values()) == {"reproduced"}
