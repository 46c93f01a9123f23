"""`reviewdata stats`: what can be computed, and the one number that would give more."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Command
from mini import merge

import reviewdata as rd
from reviewdata.computable import Stats
from reviewdata.measures import MEASURES
from reviewdata.starter import OUTCOMES, init
from reviewdata.statistics import KINDS

RESULTS = "data/results.csv"


def make(folder: Path, kind: str, roles: dict[str, Any], *rows: dict[str, Any]) -> Path:
    """Return a review whose results have the roles of a kind as columns, and these rows."""
    init(folder, title="A review", kind="estimate", ci="none")
    words = {*KINDS[kind].words, "study"}
    fields = [{"name": "result_id", "type": "string"}, {"name": "study_id", "type": "string"}]
    columns = [name for name, bound in roles.items() if bound == name]
    fields += [{"name": n, "type": "string" if n in words else "number"} for n in columns]
    schema = json.loads((folder / "schemas/results.json").read_text("utf-8"))
    schema |= {"fields": fields, "statistics": [{"kind": kind, **roles}]}
    (folder / "schemas/results.json").write_text(json.dumps(schema), "utf-8")
    write(folder, [field["name"] for field in fields], *rows)
    return folder


def write(folder: Path, names: list[str], *rows: dict[str, Any]) -> None:
    with (folder / RESULTS).open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, names, restval="", lineterminator="\n")
        writer.writeheader()
        for number, row in enumerate(rows, start=1):
            writer.writerow({"result_id": f"r{number}", "study_id": "example-1", **row})


def all_roles(kind: str) -> dict[str, str]:
    return {role: role for role in (*KINDS[kind].numbers, *KINDS[kind].words)}


def gives(stats: Stats) -> dict[str, int]:
    return stats.studies["example-1"].measures


def lacks(stats: Stats) -> set[tuple[str, str]]:
    """Return the columns that are one number short, each with what it would give."""
    return {(m.column, " ".join(m.measures)) for m in stats.missing.values()}


MEANS = {"mean1": 5.2, "sd1": 0.9, "n1": 40, "mean2": 4.7, "sd2": 1.05, "n2": 42}
COUNTS = {"events1": 11, "n1": 120, "events2": 23, "n2": 118}
CASES: dict[str, tuple[str, dict[str, Any], set[str], set[tuple[str, str]]]] = {
    "mean, SD and n": ("sample-mean", {"mean": 5, "sd": 1, "n": 9}, {"MN"}, set()),
    "mean and SE": ("sample-mean", {"mean": 5, "se": 0.3}, {"MN"}, set()),
    "mean, interval and n": (
        "sample-mean",
        {"mean": 5, "ci_lower": 4.5, "ci_upper": 5.5, "n": 9},
        {"MN"},
        set(),
    ),
    "mean and n": ("sample-mean", {"mean": 5, "n": 9}, set(), {("sd", "MN"), ("se", "MN")}),
    "mean alone": ("sample-mean", {"mean": 5}, set(), {("se", "MN")}),
    "two means": ("mean-difference", MEANS, {"SMD", "MD"}, set()),
    "two means without an n": (
        "mean-difference",
        MEANS | {"n2": ""},
        set(),
        {("n2", "SMD MD")},
    ),
    "two means of a paired design": ("mean-difference", MEANS | {"method": "paired"}, set(), set()),
    "g of a paired design": (
        "mean-difference",
        MEANS | {"method": "paired", "g": 0.5},
        set(),
        {("se", "SMD")},
    ),
    "d and one n": ("mean-difference", {"d": 0.5, "n1": 20}, set(), {("n2", "SMD")}),
    "g with its interval": (
        "mean-difference",
        {"g": 0.5, "ci_lower": 0.1, "ci_upper": 0.9},
        {"SMD"},
        set(),
    ),
    "counts": ("two-by-two", COUNTS, {"RR", "OR", "RD"}, set()),
    "counts of who has not the event": (
        "two-by-two",
        {"events1": 11, "nonevents1": 109, "events2": 23, "n2": 118},
        {"RR", "OR", "RD"},
        set(),
    ),
    "counts without a group": (
        "two-by-two",
        COUNTS | {"n1": ""},
        set(),
        {("n1", "RR OR RD"), ("nonevents1", "RR OR RD")},
    ),
    "a printed ratio": ("two-by-two", {"or": 0.5, "ci_lower": 0.3, "ci_upper": 0.9}, {"OR"}, set()),
    "two printed ratios": (
        "two-by-two",
        {"or": 0.5, "rr": 0.6, "ci_lower": 0.3, "ci_upper": 0.9},
        set(),
        set(),
    ),
    "a proportion": ("proportion", {"count": 5, "n": 20}, {"PLO", "PR"}, set()),
    "a correlation": ("correlation", {"r": 0.3, "n": 40}, {"ZCOR", "COR"}, set()),
    "r alone": ("correlation", {"r": 0.3}, set(), {("n", "ZCOR COR")}),
    "r and a bound": (
        "correlation",
        {"r": 0.3, "ci_lower": 0.1},
        set(),
        {("n", "ZCOR COR"), ("ci_upper", "ZCOR")},
    ),
    "a t test": ("test", {"test": "t", "value": 2.2, "df": 79}, {"ZCOR"}, set()),
    "a t test without df": ("test", {"test": "t", "value": 2.2}, set(), {("df", "ZCOR")}),
    "an F test": ("test", {"test": "F", "value": 13.1, "df2": 80}, set(), set()),
    "a coefficient": ("coefficient", {"estimate": 2, "se": 0.5}, {"GEN"}, set()),
    "a coefficient and t": ("coefficient", {"estimate": 2, "t": 4}, {"GEN"}, set()),
    "an estimate": ("estimate", {"estimate": 2, "se": 0.5}, {"GEN"}, set()),
    "an estimate and an exact p": ("estimate", {"estimate": 2, "p": 0.04}, {"GEN"}, set()),
    "an estimate and a bound of p": (
        "estimate",
        {"estimate": 2, "p": 0.05, "p_operator": "<"},
        set(),
        {("se", "GEN")},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_can_be_computed_of_a_row_and_what_one_number_would_give(
    case: str, tmp_path: Path
) -> None:
    kind, row, measures, missing = CASES[case]
    found = rd.open(make(tmp_path / "r", kind, all_roles(kind), row)).stats()
    assert (gives(found), lacks(found)) == (dict.fromkeys(measures, 1), missing)
    assert found.impossible == []


VALUES = {"se": 0.4, "n1": 20, "n2": 20, "nonevents1": 100, "ci_upper": 0.6, "df": 30, "sd": 1}


@pytest.mark.parametrize("case", [name for name, case in CASES.items() if case[3]])
def test_the_one_number_gives_what_is_said(case: str, tmp_path: Path) -> None:
    kind, row, _, missing = CASES[case]
    rows = [row | {column: VALUES.get(column, 40)} for column, _ in sorted(missing)]
    found = rd.open(make(tmp_path / "r", kind, all_roles(kind), *rows)).stats()
    expected: dict[str, int] = {}
    for _, measures in missing:
        for measure in measures.split():
            expected[measure] = expected.get(measure, 0) + 1
    assert gives(found) == expected


def test_an_effect_of_reported_numbers_is_the_one_that_they_say(tmp_path: Path) -> None:
    from reviewdata.measures import measures_sql
    from reviewdata.statistics import Statistic, bind_statistics
    from reviewdata.tables import load_tables

    rows: list[dict[str, Any]] = [
        {"estimate": 0.66, "ci_lower": 0.52, "ci_upper": 0.84, "scale": "log"},
        {"estimate": 0.66, "p": 0.04, "scale": "log"},
        {"estimate": -3, "ci_lower": -5, "ci_upper": -1, "ci_level": 90},
        {"estimate": -3, "ci_lower": -1, "ci_upper": -5},
        {"estimate": -3, "ci_lower": 0, "ci_upper": 2, "scale": "log"},
    ]
    folder = make(tmp_path / "r", "estimate", all_roles("estimate"), *rows)
    package = rd.open(folder).package
    with load_tables(package) as tables:
        [statistic] = bind_statistics(package, package.resources["results"])
        assert isinstance(statistic, Statistic)
        effects = [
            row[0] for row in tables.query(f"SELECT GEN FROM ({measures_sql(statistic)})").rows
        ]
    normal = 1.959963984540054
    expected = [
        (math.log(0.66), ((math.log(0.84) - math.log(0.52)) / 2 / normal) ** 2),
        (math.log(0.66), (math.log(0.66) / 2.0537489106318225) ** 2),
        (-3, (4 / 2 / 1.6448536269514722) ** 2),
    ]
    for effect, pair in zip(effects, expected, strict=False):
        assert [effect["yi"], effect["vi"]] == pytest.approx(pair, rel=1e-9)
    assert effects[3:] == [None, None]


def test_numbers_that_are_there_and_give_nothing_are_told(tmp_path: Path) -> None:
    rows = [{"r": 0.3, "n": 2}, {"r": 1.0, "n": 20}]
    roles = {"r": "r", "n": "n"}
    found = rd.open(make(tmp_path / "r", "correlation", roles, *rows)).stats()
    assert {(e.key, e.measure) for e in found.impossible} == {
        ("r1", "ZCOR"),
        ("r1", "COR"),
        ("r2", "ZCOR"),
        ("r2", "COR"),
    }
    assert found.missing == {}


def test_a_column_that_is_not_declared_cannot_be_the_missing_number(tmp_path: Path) -> None:
    roles = {"mean": "mean", "n": "n", "sd": "sd"}
    found = rd.open(make(tmp_path / "r", "sample-mean", roles, {"mean": 5, "n": 9})).stats()
    assert lacks(found) == {("sd", "MN")}


def test_a_constant_is_there(tmp_path: Path) -> None:
    roles = {"r": "r", "n": 40}
    found = rd.open(make(tmp_path / "r", "correlation", roles, {"r": 0.3})).stats()
    assert gives(found) == {"ZCOR": 1, "COR": 1}


def test_the_number_of_a_sample_is_one_number_for_all_its_rows(tmp_path: Path) -> None:
    folder = make(
        tmp_path / "r",
        "correlation",
        {"r": "r", "n": "study_id.n"},
        {"r": 0.3},
        {"r": 0.2},
        {"r": 0.1, "study_id": "example-2"},
        {"r": 0.1, "study_id": ""},
    )
    studies = folder / "schemas/studies.json"
    schema = json.loads(studies.read_text("utf-8"))
    schema["fields"] = [*schema["fields"], {"name": "n", "type": "integer"}]
    studies.write_text(json.dumps(schema), "utf-8")
    (folder / "data/studies.csv").write_text(
        "study_id,label,year,citation,doi,n\nexample-1,One,2020,x,,\nexample-2,Two,2020,y,,30\n"
    )
    found = rd.open(folder).stats()
    [missing] = found.missing.values()
    assert (missing.table, missing.key, missing.column) == ("studies", "example-1", "n")
    assert list(missing.rows) == ["results r1", "results r2"]
    assert [(s.label, s.rows, s.bare, s.short) for s in found.studies.values()] == [
        ("One", 2, 2, 2),
        ("Two", 1, 0, 0),
        ("", 1, 1, 0),
    ]


def test_only_the_rows_of_a_declaration_are_counted(tmp_path: Path) -> None:
    roles = {"r": "r", "n": "n", "where": "r > 0"}
    rows = [{"r": 0.3, "n": 40}, {"r": -0.3, "n": 40}]
    assert gives(rd.open(make(tmp_path / "r", "correlation", roles, *rows)).stats())["ZCOR"] == 1


@pytest.mark.parametrize("kind", OUTCOMES)
def test_the_example_of_each_kind_gives_every_effect_size(kind: str, tmp_path: Path) -> None:
    init(tmp_path / "review", title="A review", kind=kind)
    found = rd.open(tmp_path / "review").stats()
    names = {measure.name: 1 for measure in MEASURES[kind]}
    assert [study.measures for study in found.studies.values()] == [names, names]


def test_the_shipped_review_is_told_what_it_lacks(reviewdata: Command) -> None:
    ended = reviewdata("stats", ROOT)
    assert (ended.code, ended.err) == (0, "")
    assert "anderson2012    samples    anderson2012-2a   n        MN         1" in ended.out
    assert "hanley2009                 0 " in ended.out


def test_json_and_markdown_say_the_same(tmp_path: Path, reviewdata: Command) -> None:
    rows = [{"mean": 5, "n": 9}] * 30
    folder = make(tmp_path / "r", "sample-mean", {"mean": "mean", "n": "n", "sd": "sd"}, *rows)
    content = json.loads(reviewdata("stats", folder, "--format", "json").out)
    assert len(content["missing"]) == 30
    assert content["studies"][0] | {"label": ""} == {
        "study": "example-1",
        "label": "",
        "rows": 30,
        "measures": {},
        "bare": 30,
        "short": 30,
    }
    assert content["missing"][0]["rows"] == ["results r1"]
    markdown = reviewdata("stats", folder, "--format", "markdown").out
    assert "| Example 1 \\(synthetic\\) |" in markdown or "| Example 1 (synthetic) |" in markdown
    assert markdown.count("| results |") == 20
    assert "... and 10 more (--all)" in markdown
    assert (
        reviewdata("stats", folder, "--format", "markdown", "--all").out.count("| results |") == 30
    )


def test_what_gives_no_effect_size_and_what_cannot_be_read_is_named(
    tmp_path: Path, reviewdata: Command
) -> None:
    folder = make(
        tmp_path / "r", "sample-median", {"median": "median", "n": "n"}, {"median": 5, "n": 9}
    )
    schema = folder / "schemas/results.json"
    content = json.loads(schema.read_text("utf-8"))
    content["statistics"].append({"kind": "correlation", "r": "nothing", "n": "n"})
    schema.write_text(json.dumps(content), "utf-8")
    ended = reviewdata("stats", folder)
    assert ended.code == 0
    assert "No effect size is known of: results, statistic 1: sample-median" in ended.out
    assert "Not read: results: statistic 2:" in ended.out


def test_a_table_that_cannot_be_read_is_told(tmp_path: Path, reviewdata: Command) -> None:
    folder = make(tmp_path / "r", "correlation", {"r": "r", "n": "n"}, {"r": 0.3, "n": 40})
    (folder / RESULTS).write_text('result_id,study_id,r,n\n"open')
    ended = reviewdata("stats", folder)
    assert ended.code == 0
    assert "Not read: results: statistic 1: results cannot be read" in ended.out


def test_hostile_names_are_names(tmp_path: Path, reviewdata: Command) -> None:
    evil = "a'\"; DROP TABLE x; --"
    folder = make(tmp_path / "r", "correlation", {"r": evil, "n": "n"}, {"n": 40})
    schema = folder / "schemas/results.json"
    content = json.loads(schema.read_text("utf-8"))
    content["fields"].append({"name": evil, "type": "number"})
    schema.write_text(json.dumps(content), "utf-8")
    write(folder, [f["name"] for f in content["fields"]], {"n": 40})
    assert lacks(rd.open(folder).stats()) == {(evil, "ZCOR COR")}
    patch = {"reviewdata": {"studies": {"label": "\x1b[31m"}}}
    descriptor = folder / "datapackage.json"
    descriptor.write_text(json.dumps(merge(json.loads(descriptor.read_text("utf-8")), patch)))
    ended = reviewdata("stats", folder)
    assert ended.code == 0
    assert "\x1b" not in ended.out
