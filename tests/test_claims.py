"""Published figures: how they are read, what they are compared with, and what is told of them."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from mini import write_mini

import reviewdata as rd
from reviewdata.claims import COLUMNS, REQUIRED, judge, read_printed
from reviewdata.model import Claim, ReviewdataError

FIGURES = "queries/figures.sql"


def claims_of(folder: Path, *entries: dict[str, str], sql: str = "SELECT 1") -> tuple[Claim, ...]:
    """Return the claims of a review with these entries, each about the query `figures`."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for number, entry in enumerate(entries):
        given = {"claim_id": f"c{number}", "statement": "a figure", "query": "figures"}
        writer.writerow({**given, "column": "x", **entry})
    write_mini(folder, files={"data/claims.csv": out.getvalue(), FIGURES: sql})
    return rd.open(folder).reproduce()


@pytest.mark.parametrize(
    ("value", "computed", "verdict"),
    [
        ("5.01", 5.0149, "reproduced"),
        ("5.01", 5.005, "reproduced"),  # on the edge, where either rounding is right
        ("5.01", 5.0151, "differs"),
        ("1000000000.000", 1000000000.9, "differs"),
        ("1000000000.000", 1000000000.0004, "reproduced"),
        ("0.0000000000012", 0.0, "differs"),
        ("0.0000000000012", 0.00000000000124, "reproduced"),
        ("1e-5", 0.3, "differs"),
        ("1e-5", 0.0000104, "reproduced"),
        ("1.5e3", 1520.0, "reproduced"),
        ("1.5e3", 1551.0, "differs"),
        ("-0.30", -0.3049, "reproduced"),
    ],
)
def test_a_figure_is_compared_to_its_last_printed_digit(
    value: str, computed: float, verdict: str
) -> None:
    assert judge(read_printed(value, ""), computed, None, None, None)[0] == verdict


@pytest.mark.parametrize(
    ("value", "decimals", "says"),
    [
        ("inf", "", "the value 'inf' is no number"),
        ("nan", "", "the value 'nan' is no number"),
        ("1e400", "", "the value '1e400' is no number"),
        ("about 5", "", "the value 'about 5' is no number"),
        ("", "", "the value '' is no number"),
        ("5", "-400", "decimals is -400, not a whole number of zero or more"),
        ("5", "two", "decimals is two, not a whole number of zero or more"),
        ("5", "3000000000", "decimals is 3000000000, not a whole number"),
        ("5", "400", "the value has 400 decimals; at most 30 are judged"),
        ("1e-400", "", "the value has 400 decimals; at most 30 are judged"),
        ("5.01", "1", "the value 5.01 has 2 decimals, and decimals is 1"),
    ],
)
def test_a_figure_that_cannot_be_read_is_broken(
    value: str, decimals: str, says: str, tmp_path: Path
) -> None:
    entry = {"value": value, "decimals": decimals}
    [claim] = claims_of(tmp_path, entry, sql="SELECT 5 AS x")
    assert claim.verdict == "broken"
    assert says in str(claim.why)


def test_zeros_that_a_spreadsheet_took_off_are_given_as_decimals(tmp_path: Path) -> None:
    entries = ({"value": "5.1", "decimals": "2"}, {"value": "5.1"})
    listed, inferred = claims_of(tmp_path, *entries, sql="SELECT 5.13 AS x")
    assert (listed.verdict, listed.decimals, listed.computed_text) == ("differs", 2, "5.1300")
    assert (inferred.verdict, inferred.decimals) == ("reproduced", 1)
    assert inferred.computed_text == "5.130"


@pytest.mark.parametrize(
    ("k", "k_required", "verdict", "why"),
    [
        ("10", "10.0", "reproduced", None),
        ("10", "", "reproduced", None),
        ("9", "10", "incomplete", "rests on 9 of 10 studies"),
        ("10", "10 studies", "broken", "k_required is 10 studies, not a whole number"),
        ("10", "1e999999999", "broken", "k_required is 1e999999999, not a whole number"),
        ("10", "-1", "broken", "k_required is -1, not a whole number"),
        ("NULL", "10", "broken", "k_required is 10, and figures gives no number in k"),
        ("'inf'", "10", "broken", "figures.k is 'inf', not a number"),
        ("2.5", "2", "broken", "figures.k is 2.5, not a number of studies"),
    ],
)
def test_the_studies_behind_a_figure(
    k: str, k_required: str, verdict: str, why: str | None, tmp_path: Path
) -> None:
    entry = {"value": "5.0", "k_column": "k", "k_required": k_required}
    [claim] = claims_of(tmp_path, entry, sql=f"SELECT 5.0 AS x, {k} AS k")
    assert claim.verdict == verdict
    assert (claim.why or "").startswith(why or "")


def test_a_number_of_studies_that_no_column_gives_is_broken(tmp_path: Path) -> None:
    [claim] = claims_of(tmp_path, {"value": "5", "k_required": "3"}, sql="SELECT 5 AS x")
    assert claim.verdict == "broken"
    assert claim.why == "k_required is 3, and no k_column says how many studies there are"


@pytest.mark.parametrize(
    ("where", "verdict"),
    [
        ("amount > 9", "reproduced"),  # as text, 10.50 is not
        ("day < DATE '2020-10-01'", "differs"),
        ("day >= '2020-10-01' -- the later one", "reproduced"),
        ("tag = 'b' AND amount = 10.5", "reproduced"),
        ("amount > 100", "broken"),
        ("amount > 0", "broken"),
        ("amont > 0", "broken"),
    ],
)
def test_where_compares_by_type(where: str, verdict: str, tmp_path: Path) -> None:
    sql = """-- title: Two rows
    SELECT * FROM (VALUES
        (1, 'a', CAST(9.00 AS DECIMAL(6, 2)), DATE '2020-09-30'),
        (2, 'b', CAST(10.50 AS DECIMAL(6, 2)), DATE '2020-10-01')
    ) AS listed(x, tag, amount, day); -- the end
    """
    [claim] = claims_of(tmp_path, {"value": "2", "where": where}, sql=sql)
    assert claim.verdict == verdict, claim.why


@pytest.mark.parametrize("x", ["'five'", "true", "'nan'", "[1]"])
def test_what_is_no_number_is_broken(x: str, tmp_path: Path) -> None:
    [claim] = claims_of(tmp_path, {"value": "5"}, sql=f"SELECT {x} AS x")
    assert claim.verdict == "broken"
    assert "not a number" in str(claim.why)


def test_each_finding_is_at_the_row_of_its_claim(tmp_path: Path) -> None:
    entries = ({"claim_id": " one ", "value": "1"}, {"claim_id": "same", "value": "2"})
    claims_of(tmp_path, *entries, {"claim_id": "same", "value": "3"}, sql="SELECT 7 AS x")
    result = rd.open(tmp_path).validate(stages=["claims"])
    assert [(f.line, f.value) for f in result.findings] == [(2, "1"), (3, "2"), (4, "3")]


def shorten(folder: Path, columns: list[str]) -> Path:
    """Leave only some columns in the claims table of the synthetic review."""
    fields: list[dict[str, Any]] = [{"name": name, "type": "string"} for name in columns]
    cells = {"claim_id": "mean", "value": "5.01", "query": "pooled", "column": "mean"}
    row = ",".join(cells.get(name, "") for name in columns)
    return write_mini(
        folder,
        files={"data/claims.csv": f"{','.join(columns)}\n{row}\n"},
        patch={"schemas/claims.json": {"fields": fields, "primaryKey": []}},
    )


def test_only_five_columns_of_a_claims_table_are_needed(tmp_path: Path) -> None:
    [claim] = rd.open(shorten(tmp_path, list(REQUIRED))).reproduce()
    assert claim.verdict == "reproduced"


def test_all_missing_columns_of_a_claims_table_are_told_at_once(tmp_path: Path) -> None:
    review = rd.open(shorten(tmp_path, ["claim_id", "statement", "value"]))
    with pytest.raises(ReviewdataError, match="the claims table claims lacks query, column; a"):
        review.reproduce()
    [finding] = review.validate(stages=["claims"]).findings
    assert (finding.code, finding.path) == ("RD901", "data/claims.csv")


def test_a_coverage_that_cannot_be_computed_breaks_only_the_claims_that_need_it(
    tmp_path: Path,
) -> None:
    entries = ({"value": "5", "k_column": "k", "k_required": "2"}, {"value": "5"})
    claims_of(tmp_path, *entries, sql="SELECT 5 AS x, 2 AS k")
    coverage = {"query": "none", "column": "studies", "expected": 2}
    write_mini(
        tmp_path,
        files={FIGURES: "SELECT 5 AS x, 2 AS k", "data/claims.csv": read(tmp_path)},
        patch={"datapackage.json": {"reviewdata": {"coverage": coverage}}},
    )
    known, unknown = rd.open(tmp_path).reproduce()
    assert known.verdict == "reproduced"
    assert unknown.verdict == "broken"
    assert str(unknown.why).startswith("the declared coverage cannot be computed: no query none")


def read(folder: Path) -> str:
    return (folder / "data" / "claims.csv").read_text("utf-8")


def test_a_missing_value_of_the_schema_is_a_blank(tmp_path: Path) -> None:
    entry = {"value": "5", "k_required": "NA", "decimals": "NA"}
    claims_of(tmp_path, entry)
    write_mini(
        tmp_path,
        files={"data/claims.csv": read(tmp_path), FIGURES: "SELECT 5 AS x"},
        patch={"schemas/claims.json": {"missingValues": ["", "NA"]}},
    )
    [claim] = rd.open(tmp_path).reproduce()
    assert claim.verdict == "reproduced", claim.why
