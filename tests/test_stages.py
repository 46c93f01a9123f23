"""What the stages do with rules that break, tables that cannot be read, and suites."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Command
from mini import write_mini

from reviewdata.model import ReviewdataError
from reviewdata.validation import validate

RESULTS = "data/results.csv"
LATIN = {RESULTS: "result_id,study_id,mean,sd,n,printed\nR1,S1,5,1,40,Müller\n".encode("latin-1")}
SUITE = "validations/expectations/results.json"


@pytest.mark.parametrize("options", [("--stage", "rows"), ("--select", "RD2"), ("--stage=claims",)])
def test_a_table_that_nothing_judged_is_unchecked(
    options: tuple[str, ...], tmp_path: Path, reviewdata: Command
) -> None:
    write_mini(tmp_path, files=LATIN)
    ended = reviewdata("validate", tmp_path, *options, "--format", "concise")
    assert ended.code == 2
    assert (
        "data/results.csv  error RD901  what asks for the table results could not be" in ended.out
    )
    assert "the file is not utf-8: 0xfc" in ended.out


def test_a_lowered_level_does_not_make_an_unread_table_pass(tmp_path: Path) -> None:
    levels = {"datapackage.json": {"reviewdata": {"levels": {"RD101": "note"}}}}
    write_mini(tmp_path, files=LATIN, patch=levels)
    assert validate(tmp_path, stages=["structure"]).verdict == "unchecked"


def test_a_missing_table_is_unchecked_where_the_package_is_not_judged(tmp_path: Path) -> None:
    write_mini(tmp_path)
    (tmp_path / RESULTS).unlink()
    assert validate(tmp_path, stages=["structure"]).verdict == "unchecked"
    assert validate(tmp_path, stages=["package"]).verdict == "fail"


def test_stages_and_codes_that_exclude_each_other_are_misuse(tmp_path: Path) -> None:
    write_mini(tmp_path)
    with pytest.raises(ReviewdataError, match="no rule of structure has a code that starts"):
        validate(tmp_path, stages=["structure"], select=["RD201"])


def test_a_statistic_that_breaks_says_why(tmp_path: Path, reviewdata: Command) -> None:
    statistic = {"kind": "sample-mean", "mean": "mean", "n": "n", "min": 1, "max": 7}
    where = {"schemas/results.json": {"statistics": [{**statistic, "where": "meen > 1"}]}}
    write_mini(tmp_path, patch=where)
    ended = reviewdata("validate", tmp_path, "--stage", "rows")
    assert ended.code == 2
    assert "the rule RD201 could not be run: statistic 1 of results: Binder Error" in ended.out


def test_a_rule_without_its_check_is_broken(tmp_path: Path) -> None:
    rule = (
        'name = "x"\nstage = "STAGE"\nlevel = "error"\nmessage = "m"\nwhy = "w"\nfix = "f"\n'
        'table = "results"\n'
    )
    write_mini(tmp_path)
    rules = tmp_path / "validations" / "rules.toml"
    rules.write_text(
        rules.read_text("utf-8")
        + "".join(
            f"\n[EX{n}90]\n{rule.replace('STAGE', stage)}"
            for n, stage in ((2, "rows"), (3, "relations"), (4, "dataset"))
        )
    )
    result = validate(tmp_path, stages=["rows", "relations", "dataset"])
    broken = {run.code: run.why for run in result.runs if run.status == "broken"}
    assert broken == {
        "EX290": "no check of validations/*.py has the name EX290",
        "EX390": "no file of validations/relations has `-- code: EX390`",
        "EX490": "no suite of validations/expectations has an expectation with EX490",
    }
    assert len([f for f in result.findings if f.code == "RD901"]) == 3


def write_suite(folder: Path, *expectations: Any) -> Path:
    """Write the review with one suite, and without the rule of its own suite."""
    content = {"meta": {"table": "results"}, "expectations": list(expectations)}
    write_mini(folder, files={SUITE: json.dumps(content).encode()})
    rules = folder / "validations" / "rules.toml"
    rules.write_text(rules.read_text("utf-8").partition("[EX401]")[0])
    return folder


def expectation(**changes: Any) -> dict[str, Any]:
    kind = "expect_column_values_to_be_between"
    return {"type": kind, "kwargs": {"column": "n", "min_value": 1, "max_value": 100}, **changes}


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("x", "'x' is no expectation"),
        (expectation(meta={"code": 5}), "the code 5 is no text"),
        (expectation(meta=["RD401"]), "kwargs and meta of expect_column_values_to_be"),
        (expectation(type="expect_nothing"), "there is no expectation expect_nothing"),
        (expectation(kwargs={"column": "m", "min_value": 1}), '"m"'),
        (expectation(meta={"code": "EX999"}), "EX999 is no rule of stage dataset"),
        (
            expectation(kwargs={"column": "n", "row_condition": "__import__('os')"}),
            'row_condition needs "condition_parser": "great_expectations"',
        ),
    ],
)
def test_a_suite_that_is_wrong_is_broken_and_says_why(
    entry: Any, says: str, tmp_path: Path
) -> None:
    result = validate(write_suite(tmp_path, entry), stages=["dataset"])
    assert result.verdict == "unchecked"
    assert says in result.findings[0].message


def test_a_condition_in_python_is_not_run(tmp_path: Path) -> None:
    condition = f"mean.to_csv('{tmp_path}/written') == 1"
    kwargs = {"column": "n", "row_condition": condition}
    validate(write_suite(tmp_path, expectation(kwargs=kwargs)), stages=["dataset"])
    assert not (tmp_path / "written").exists()


def test_the_suites_import_nothing_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_mini(tmp_path, files={"great_expectations.py": b"raise SystemExit(0)"})
    monkeypatch.chdir(tmp_path)
    assert validate(tmp_path, stages=["dataset"]).verdict == "pass"


def test_a_suite_without_expectations_is_skipped_not_silent(tmp_path: Path) -> None:
    result = validate(write_suite(tmp_path), stages=["dataset"])
    assert [(r.status, r.why) for r in result.runs] == [
        ("skipped", "the suites have no expectations")
    ]


def test_what_was_observed_leaves_empty_cells_out(tmp_path: Path) -> None:
    rows = "result_id,study_id,mean,sd,n,printed\n" + "".join(
        f"R{n},S1,5,1,{'' if n < 4 else 200 if n == 9 else 50},\n" for n in range(10)
    )
    write_suite(tmp_path, expectation())
    (tmp_path / RESULTS).write_text(rows)
    [finding] = validate(tmp_path, stages=["dataset"]).findings
    assert finding.value == "5 of 6 (83 %), not 200"


def test_an_unread_table_skips_what_asks_for_it(tmp_path: Path) -> None:
    write_mini(tmp_path)
    (tmp_path / RESULTS).unlink()
    result = validate(tmp_path, stages=["package", "relations", "dataset"])
    assert result.verdict == "fail"
    assert {run.status for run in result.runs if run.stage != "package"} == {"skipped"}
