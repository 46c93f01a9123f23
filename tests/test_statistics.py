"""Declared statistics: what a declaration binds, refuses and skips, under any column names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from conftest import ROOT
from mini import write_mini

from reviewdata.model import Finding, Validation
from reviewdata.package import open_package
from reviewdata.stages import tally
from reviewdata.statistics import (
    KINDS,
    DeclarationError,
    bind_statistics,
    declaration_schema,
)
from reviewdata.tables import load_tables
from reviewdata.validation import validate


def write(
    folder: Path, rows: str, statistics: list[Any], fields: dict[str, Any] | None = None
) -> Path:
    """Write a review of one table whose columns are numbers, but for `fields`."""
    names = rows.partition("\n")[0].split(",")
    described = [{"name": n, "type": "number", **(fields or {}).get(n, {})} for n in names]
    resource = {
        "name": "t",
        "path": "t.csv",
        "schema": {"fields": described, "statistics": statistics},
    }
    folder.mkdir(exist_ok=True)
    (folder / "t.csv").write_text(rows, "utf-8")
    (folder / "datapackage.json").write_text(json.dumps({"resources": [resource]}), "utf-8")
    return folder


def judge(folder: Path) -> Validation:
    return validate(folder, stages=["rows"])


def found(folder: Path) -> list[Finding]:
    return list(judge(folder).findings)


MEAN = {"kind": "sample-mean", "mean": "m", "n": "n", "min": 1, "max": 7}


def test_a_schema_without_keys_and_a_package_without_licence_are_judged(tmp_path: Path) -> None:
    [finding] = found(write(tmp_path, "m,n\n8.2,40\n", [MEAN]))
    assert (finding.code, finding.line, finding.field, finding.key) == ("RD201", 2, "m", {})


def test_several_statistics_of_one_kind_judge_a_wide_table_arm_by_arm(tmp_path: Path) -> None:
    arms = [{**MEAN, "mean": f"m{a}", "n": f"n{a}"} for a in "12"]
    folder = write(tmp_path, "m1,n1,m2,n2\n5,40,8.2,40\n9.1,40,5,40\n", arms)
    assert [(f.line, f.field, f.value) for f in found(folder)] == [
        (2, "m2", "8.2"),
        (3, "m1", "9.1"),
    ]


def test_where_chooses_the_rows(tmp_path: Path) -> None:
    kinds = {"kind": {"type": "string"}}
    statistic = {"kind": "correlation", "r": "x", "n": "n", "where": "kind = 'r'"}
    folder = write(tmp_path, "x,n,kind\n1.5,40,beta\n1.5,40,r\n", [statistic], kinds)
    assert [(f.code, f.line) for f in found(folder)] == [("RD230", 3)]


def test_a_role_follows_foreign_keys_and_the_message_has_what_is_printed_there(
    tmp_path: Path,
) -> None:
    statistic = {"kind": "sample-mean", "mean": "mean", "n": "study_id.n", "min": 1, "max": 7}
    fields = [
        {"name": "study_id", "type": "string"},
        {"name": "n", "type": "integer"},
        {"name": "design", "type": "string"},
    ]
    write_mini(
        tmp_path,
        files={"data/studies.csv": "study_id,n,design\nS1,-4,trial\nS2,35,cohort\n"},
        patch={
            "schemas/studies.json": {"fields": fields},
            "schemas/results.json": {"statistics": [statistic]},
        },
    )
    told = [f for f in found(tmp_path) if f.code == "RD291"]
    assert [(f.table, f.line, f.field, f.value, f.message) for f in told] == [
        ("results", 2, None, "-4", "n is -4")
    ]


def test_a_key_that_occurs_twice_doubles_no_row(tmp_path: Path) -> None:
    statistic = {"kind": "sample-mean", "mean": "mean", "n": "study_id.year", "min": 1, "max": 7}
    write_mini(
        tmp_path,
        files={"data/studies.csv": "study_id,year,design\nS1,2019,trial\nS1,2020,trial\n"},
        patch={"schemas/results.json": {"statistics": [statistic]}},
    )
    [run] = [r for r in judge(tmp_path).runs if r.code == "RD201"]
    assert run.rows == 2


@pytest.mark.parametrize(
    ("declared", "says"),
    [
        ({**MEAN, "maen": "m"}, "statistic 1: it has no role maen; did you mean mean?"),
        ({**MEAN, "sd": "s"}, "s: t has no s; "),
        ({**MEAN, "kind": "sample-men"}, "there is no kind sample-men; did you mean sample-mean?"),
        ({"kind": "sample-mean", "mean": "m"}, "sample-mean lacks the role n"),
        (
            {"kind": "two-by-two", "events1": "m", "events2": "n", "n2": "n"},
            "two-by-two lacks the role n1 or nonevents1",
        ),
        ({**MEAN, "min": {"value": "one"}}, "min has the constant 'one'; it takes a number"),
        ({**MEAN, "min": {"valu": 1}}, 'min is neither a column nor {"value": a constant}'),
        ({**MEAN, "min": None}, 'min is neither a column nor {"value": a constant}'),
        ({**MEAN, "mean": "label"}, "mean needs a number; t.label is a string"),
        ({**MEAN, "n": "m.n"}, "m.n: t.m is not a foreign key"),
        ({**MEAN, "where": 5}, "where is an SQL condition on the row, as text"),
        ("sample-mean", "it is no object with a kind"),
        ({"mean": "m"}, "it is no object with a kind"),
    ],
)
def test_a_wrong_declaration_says_what_is_wrong_and_names_the_nearest(
    declared: Any, says: str, tmp_path: Path
) -> None:
    fields = {"label": {"type": "string"}}
    folder = write(tmp_path, "m,n,label\n5,40,x\n", [declared], fields)
    [error] = bind_statistics(*_opened(folder))
    assert isinstance(error, DeclarationError)
    assert says in str(error)
    codes = [f.code for f in validate(folder, stages=["package"]).findings]
    assert "RD013" in codes


def _opened(folder: Path) -> Any:
    package = open_package(folder)
    return package, package.resources["t"]


DECLARATIONS = [
    ([MEAN], True),
    ([{**MEAN, "score_type": {"value": "item-mean"}, "where": "n > 3"}], True),
    ([{**MEAN, "maen": "m"}], False),
    ([{"kind": "sample-mean", "mean": "m"}], False),
    ([{"kind": "two-by-two", "events1": "m", "nonevents1": "m", "events2": 1, "n2": 4}], True),
    ([{"kind": "two-by-two", "events1": "m", "events2": 1, "n2": 4}], False),
    ([{"kind": "nothing"}], False),
    ([{"mean": "m"}], False),
    (["m"], False),
    ([{**MEAN, "min": None}], False),
    ([{**MEAN, "min": {"valu": 1}}], False),
]


@pytest.mark.parametrize(("statistics", "valid"), DECLARATIONS)
def test_the_json_schema_says_what_binding_says(
    statistics: list[Any], valid: bool, tmp_path: Path
) -> None:
    checker = jsonschema.Draft202012Validator(declaration_schema())
    assert checker.is_valid(statistics) is valid
    bound = list(bind_statistics(*_opened(write(tmp_path, "m,n\n5,40\n", statistics))))
    assert any(isinstance(b, DeclarationError) for b in bound) is not valid


def test_the_json_schema_is_one_and_the_shipped_reviews_obey_it() -> None:
    schema = declaration_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    checker = jsonschema.Draft202012Validator(schema)
    for path in (*ROOT.glob("schemas/*.json"), *ROOT.glob("examples/*/schemas/*.json")):
        checker.validate(json.loads(path.read_text("utf-8")).get("statistics", []))


def test_every_kind_has_roles_that_exist() -> None:
    for name, kind in KINDS.items():
        assert {role for either in kind.needs for role in either} <= set(kind.roles), name
        assert set(kind.counts) <= set(kind.numbers), name


def test_a_value_that_cannot_be_read_skips_the_row_and_says_so(tmp_path: Path) -> None:
    result = judge(write(tmp_path, "m,n\neight,40\n8.2,40\n", [MEAN]))
    assert [f.line for f in result.findings] == [3]
    [run] = [r for r in result.runs if r.code == "RD201"]
    assert (run.status, run.rows) == ("fail", 1)
    assert run.why == "1 row with a value that cannot be read"


ODD = ["1e400", "-1e400", "4.9e-324", "1e300", "1000000000000", "0." + "3" * 5000, "0", "-0.0"]


@pytest.mark.parametrize("kind", KINDS)
def test_odd_numbers_crash_no_rule(kind: str, tmp_path: Path) -> None:
    roles = KINDS[kind].numbers
    if not roles:
        return
    rows = [
        ",".join(ODD[(place + shift) % len(ODD)] for place in range(len(roles)))
        for shift in range(len(ODD))
    ]
    rows += [",".join([value] * len(roles)) for value in ODD]
    words = {role: {"value": vocabulary[0]} for role, vocabulary in KINDS[kind].words.items()}
    names = {role: {"value": "x"} for role in KINDS[kind].names}
    statistic = {"kind": kind, **{role: role for role in roles}, **words, **names}
    folder = write(tmp_path, "\n".join([",".join(roles), *rows]) + "\n", [statistic])
    result = validate(folder, stages=["rows", "relations"])
    assert not [run for run in result.runs if run.status == "broken"]


@pytest.mark.parametrize(
    ("field", "text", "decimals"),
    [
        ({}, "1.20", 2),
        ({}, " 1.20 ", 2),
        ({}, "1.2e3", -1),
        ({}, "0.30000000000000004", 17),
        ({}, "5.", 0),
        ({"decimalChar": ","}, "1,20", 2),
        ({"groupChar": ","}, "1,500", 0),
        ({"groupChar": ",", "decimalChar": "."}, "1,500.5", 1),
        ({"bareNumber": False}, "12.5 %", 1),
        ({"type": "integer"}, "12", 0),
    ],
)
def test_the_printed_decimals_are_counted(
    field: dict[str, Any], text: str, decimals: int, tmp_path: Path
) -> None:
    folder = write(tmp_path, f'm,n\n"{text}",40\n', [MEAN], {"m": field})
    with load_tables(open_package(folder)) as tables:
        [statistic] = bind_statistics(tables.package, tables.package.resources["t"])
        assert not isinstance(statistic, DeclarationError)
        [(counted,)] = tables.fetch(f"SELECT mean__decimals FROM ({statistic.sql})")
    assert counted == decimals


def test_an_se_among_the_sds_of_its_group_is_found(tmp_path: Path) -> None:
    statistic = {**MEAN, "sd": "s", "group": "form"}
    sds = ["0.95", "1.02", "0.99", "1.10", "1.05", "1.00", "0.16"]
    rows = "m,n,s,form\n" + "".join(f"5.1,40,{sd},WAI\n" for sd in sds)
    rows += "".join(f"5.1,40,{sd},other\n" for sd in ("0.16", "0.9"))
    told = found(write(tmp_path, rows, [statistic], {"form": {"type": "string"}}))
    assert [(f.code, f.level, f.line, f.value) for f in told] == [("RD207", "warning", 8, "0.16")]


def test_more_findings_than_are_listed_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tally, "LIMIT", 10)
    result = judge(write(tmp_path, "m,n\n" + "8.2,40\n" * 25, [MEAN]))
    assert len(result.findings) == 10
    [run] = [r for r in result.runs if r.code == "RD201"]
    assert run.why == "25 findings, of which 10 are listed"


def test_a_level_of_the_review_holds_for_every_outcome_of_a_rule(tmp_path: Path) -> None:
    folder = write(tmp_path, "m,n\n8.2,40\n", [MEAN])
    descriptor = json.loads((folder / "datapackage.json").read_text())
    descriptor["reviewdata"] = {"levels": {"RD201": "warning"}}
    (folder / "datapackage.json").write_text(json.dumps(descriptor))
    result = judge(folder)
    assert [f.level for f in result.findings] == ["warning"]
    assert result.verdict == "pass"


def test_arms_are_added_up_within_a_pool(tmp_path: Path) -> None:
    rows = "study,arm,time,r,a\n" + "".join(
        f"s1,{arm},{time},{50 if arm != 'total' else 100},{50 if arm != 'total' else 100}\n"
        for time in ("post", "later")
        for arm in ("A", "B", "total")
    )
    fields = {name: {"type": "string"} for name in ("study", "arm", "time")}
    statistic = {"kind": "sample-flow", "randomised": "r", "analysed": "a"}
    statistic |= {"study": "study", "arm": "arm"}
    for pool in ({}, {"pool": "time"}):  # without one, an arm that occurs twice is not judged
        folder = write(tmp_path, rows, [{**statistic, **pool}], fields)
        assert not validate(folder, stages=["relations"]).findings
    wrong = rows.replace("s1,B,post,50", "s1,B,post,60")
    folder = write(tmp_path, wrong, [{**statistic, "pool": "time"}], fields)
    [finding] = validate(folder, stages=["relations"]).findings
    assert (
        finding.message
        == "randomised: the 2 arms of study s1 are 110 together, and its total is 100"
    )


def test_a_diagram_with_other_methods_is_no_warning_and_included_studies_are_summed(
    tmp_path: Path,
) -> None:
    boxes = [("identified", 1000), ("identified", 30), ("removed", 200), ("screened", 800)]
    boxes += [("included-studies", 1), ("included-studies", 3)]
    rows = "box,count\n" + "".join(f"{box},{count}\n" for box, count in boxes)
    statistic = {"kind": "study-flow", "box": "box", "count": "count"}
    folder = write(tmp_path, rows, [statistic], {"box": {"type": "string"}})
    found = validate(folder, stages=["relations"]).findings
    assert [(f.code, f.level) for f in found] == [("RD321", "note")]
