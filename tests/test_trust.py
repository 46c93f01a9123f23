"""A hostile contribution: of it only tables are taken, and a maintainer is told of all else."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from conftest import Command
from mini import write_mini
from repositories import commit, git

from reviewdata.contribution import validate_change
from reviewdata.model import Validation
from reviewdata.trust import overlay

HEAD = "result_id,study_id,mean,sd,n,printed\n"
WRONG = {"data/results.csv": HEAD + "R1,S1,9.20,1.10,40,\nR2,S2,4.80,1.30,35,\n"}
MINI = Path(__file__).parent / "packages" / "mini"
SUITE = "validations/expectations/results.json"


@pytest.fixture
def review(tmp_path: Path) -> Path:
    """Return the synthetic review in a repository, on the branch of a contribution."""
    folder = write_mini(tmp_path / "review")
    commit(folder)
    git(folder, "checkout", "--quiet", "-b", "contribution")
    return folder


QUICK = ("package", "structure", "rows", "relations", "claims")


def contribute(
    review: Path, files: Mapping[str, str | bytes], stages: Sequence[str] = QUICK
) -> Validation:
    """Validate what a contribution changes under the rules of the branch it is meant for."""
    for name, content in files.items():
        data = content if isinstance(content, bytes) else content.encode()
        (review / name).parent.mkdir(parents=True, exist_ok=True)
        (review / name).write_bytes(data)
    commit(review)
    return validate_change(review, rules_from="main", since="main", stages=stages)


def not_applied(validation: Validation) -> list[str]:
    return [str(f.path) for f in validation.findings if f.code == "RD904"]


def errors(validation: Validation) -> list[str]:
    return [f.code for f in validation.findings if f.level == "error" and f.counts]


def test_a_contribution_of_rows_alone_is_applied_whole(review: Path) -> None:
    validation = contribute(review, WRONG)
    assert errors(validation) == ["RD201"]
    assert not_applied(validation) == []


def test_a_suite_with_code_does_not_run(review: Path, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    evil = {
        "type": "expect_column_values_to_not_be_null",
        "kwargs": {
            "column": "mean",
            "row_condition": f"__import__('os').system('touch {mark}') == 0",
            "condition_parser": "pandas",
        },
    }
    suite = {"name": "x", "meta": {"table": "results"}, "expectations": [evil]}
    python = f"import pathlib; pathlib.Path({str(mark)!r}).touch()\n"
    names = ("validations/results.py", "conftest.py", "reviewdata.py", "usercustomize.py")
    files = {SUITE: json.dumps(suite), **dict.fromkeys(names, python), **WRONG}
    validation = contribute(review, files, [*QUICK, "dataset"])
    assert not mark.exists()
    assert errors(validation) == ["RD201"]
    assert not_applied(validation) == [SUITE, "validations/results.py"]


def test_a_waiver_for_its_own_error_waives_nothing(review: Path) -> None:
    waiver = (
        '[[waiver]]\ncode = "RD201"\ntable = "results"\nkey = { result_id = "R1" }\n'
        'field = "mean"\nvalue = "9.20"\nreason = "trust me"\nwho = "me"\n'
    )
    validation = contribute(review, {"validations/waivers.toml": waiver, **WRONG})
    assert errors(validation) == ["RD201"]
    assert validation.counts["waived"] == 0
    assert not_applied(validation) == ["validations/waivers.toml"]


def test_a_lowered_level_lowers_nothing(review: Path) -> None:
    descriptor = json.loads((MINI / "datapackage.json").read_text())
    descriptor["reviewdata"]["levels"] = {"RD201": "note"}
    validation = contribute(review, {"datapackage.json": json.dumps(descriptor), **WRONG})
    assert errors(validation) == ["RD201"]
    assert not_applied(validation) == ["datapackage.json"]


def test_a_changed_missing_value_hides_nothing(review: Path) -> None:
    schema = json.loads((MINI / "schemas/results.json").read_text())
    schema["missingValues"] = ["", "9.20"]
    validation = contribute(review, {"schemas/results.json": json.dumps(schema), **WRONG})
    assert errors(validation) == ["RD201"]
    assert not_applied(validation) == ["schemas/results.json"]


def test_a_resource_pointed_elsewhere_is_read_where_the_base_has_it(review: Path) -> None:
    descriptor = (MINI / "datapackage.json").read_text()
    clean = (MINI / "data/results.csv").read_text()
    files = {
        "datapackage.json": descriptor.replace("data/results.csv", "data/clean.csv"),
        "data/clean.csv": clean,
        **WRONG,
    }
    validation = contribute(review, files)
    assert errors(validation) == ["RD201"]
    assert not_applied(validation) == ["data/clean.csv", "datapackage.json"]


def test_a_claim_made_to_come_true_is_not_applied(review: Path) -> None:
    claims = (MINI / "data/claims.csv").read_text()
    figure = {"data/results.csv": HEAD + "R1,S1,6.20,1.10,40,\nR2,S2,4.80,1.30,35,\n"}
    validation = contribute(review, {"data/claims.csv": claims.replace("5.01", "5.55"), **figure})
    assert not_applied(validation) == ["data/claims.csv"]
    assert [f.code for f in validation.findings if f.counts and f.code != "RD904"] == ["RD501"]


def test_a_query_is_the_bases(review: Path) -> None:
    query = "-- headline: yes\nSELECT 5.0133333 AS mean, 2 AS k"
    figure = {"data/results.csv": HEAD + "R1,S1,6.20,1.10,40,\nR2,S2,4.80,1.30,35,\n"}
    validation = contribute(review, {"queries/pooled.sql": query, **figure})
    assert validation.diff is not None
    assert [f.values.keys() for f in validation.diff.figures] == [{"mean"}]
    assert validation.diff.files == ()
    assert not_applied(validation) == ["queries/pooled.sql"]


@pytest.mark.parametrize("target", ["{secret}", "../../secret.csv", "../../../../../../etc/passwd"])
def test_a_table_that_is_a_link_out_of_the_review_is_not_read(
    review: Path, tmp_path: Path, target: str
) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text(HEAD + "R1,S1,5.00,1.00,40,a secret\n")
    (review / "data/results.csv").unlink()
    (review / "data/results.csv").symlink_to(target.format(secret=secret))
    validation = contribute(review, {})
    assert errors(validation) == ["RD003"]
    assert "secret" not in str([f for f in validation.findings if f.code != "RD003"])


def test_a_linked_folder_of_tables_is_not_followed(review: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (review / "data").rename(elsewhere)
    (review / "data").symlink_to(elsewhere)
    validation = contribute(review, {})
    assert set(errors(validation)) == {"RD005"}
    assert not_applied(validation) == ["data"]


def test_a_linked_folder_of_rules_is_not_followed(review: Path, tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "big").write_bytes(b"0" * 10)
    git(review, "rm", "-r", "--quiet", "validations")
    (review / "validations").symlink_to(tmp_path / "rules")
    validation = contribute(review, {})
    assert "validations" in not_applied(validation)
    assert "validations/rules.toml" in not_applied(validation)
    assert not any("big" in path for path in not_applied(validation))


def test_a_folder_or_a_pipe_in_place_of_a_table_is_told(review: Path) -> None:
    (review / "data/results.csv").unlink()
    (review / "data/results.csv").mkdir()
    (review / "data/studies.csv").unlink()
    os.mkfifo(review / "data/studies.csv")
    with overlay(review, MINI) as laid:
        assert (laid.root / "data/results.csv").is_dir()
        assert not (laid.root / "data/studies.csv").exists()
    validation = validate_change(review, rules_from="main", stages=QUICK)
    assert {"RD005", "RD006"} <= set(errors(validation))


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"[" * 100_000, b"null"])
def test_a_descriptor_that_cannot_be_read_is_no_matter(
    review: Path, content: bytes, reviewdata: Command
) -> None:
    (review / "datapackage.json").write_bytes(content)
    ended = reviewdata("validate", review, "--rules-from", "main", "--stage", "structure")
    assert ended.code == 0
    assert "datapackage.json  warning RD904  datapackage.json is changed" in ended.out


def test_a_pattern_that_never_ends_is_not_tried_on_a_contributed_cell(tmp_path: Path) -> None:
    endless = json.loads((MINI / "schemas/studies.json").read_text())
    endless["fields"][0]["constraints"]["pattern"] = "(a+)+(?=b)"  # no pattern of RE2's
    folder = write_mini(tmp_path / "review", patch={"schemas/studies.json": endless})
    commit(folder)
    git(folder, "checkout", "--quiet", "-b", "contribution")
    cell = "a" * 5000 + "!"
    studies = f"study_id,year,design\nS1,2019,trial\nS2,2021,cohort\n{cell},2000,trial\n"
    validation = contribute(folder, {"data/studies.csv": studies})
    [told] = [f for f in validation.findings if f.code == "RD199"]
    assert "may run without end and was not tried" in told.message


def test_a_contributed_pattern_is_not_applied(review: Path) -> None:
    schema = json.loads((MINI / "schemas/studies.json").read_text())
    schema["fields"][0]["constraints"]["pattern"] = "(a+)+(?=b)"
    validation = contribute(review, {"schemas/studies.json": json.dumps(schema)})
    assert not_applied(validation) == ["schemas/studies.json"]
    assert errors(validation) == []


def test_the_base_may_be_a_folder_beside_the_contribution(review: Path, tmp_path: Path) -> None:
    base = write_mini(tmp_path / "base")
    (review / "validations/rules.toml").write_text("not toml [")
    validation = validate_change(review, rules_from=str(base), since=str(base), stages=QUICK)
    assert not_applied(validation) == ["validations/rules.toml"]
    assert validation.verdict == "pass"


def test_a_folder_named_like_the_base_does_not_stand_in_for_it(
    review: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reviewdata: Command
) -> None:
    write_mini(review / "upstream")  # the revision is not fetched, and a folder lies ready
    monkeypatch.chdir(review)
    ended = reviewdata("validate", ".", "--rules-from", "upstream")
    assert ended.code == 2
    assert "for the folder or zip of this name write ./upstream" in ended.err


def test_a_table_outside_of_data_is_told_and_not_taken(tmp_path: Path) -> None:
    resources = json.loads((MINI / "datapackage.json").read_text())["resources"]
    resources[1]["path"] = "tables/results.csv"
    folder = write_mini(tmp_path / "review", patch={"datapackage.json": {"resources": resources}})
    (folder / "tables").mkdir()
    (folder / "data/results.csv").rename(folder / "tables/results.csv")
    commit(folder)
    git(folder, "checkout", "--quiet", "-b", "contribution")
    validation = contribute(folder, {"tables/results.csv": WRONG["data/results.csv"]})
    assert not_applied(validation) == ["tables/results.csv"]


def test_a_compiled_rule_is_neither_run_nor_passed_over(review: Path) -> None:
    name = "validations/__pycache__/results.cpython-311.pyc"
    assert not_applied(contribute(review, {name: b"x"})) == [name]


def test_attributes_of_git_are_told(review: Path) -> None:
    assert not_applied(contribute(review, {".gitattributes": "*.csv text"})) == [".gitattributes"]


def test_no_line_above_the_header_switches_the_rules_off(review: Path) -> None:
    rows = WRONG["data/results.csv"]
    assert errors(contribute(review, {"data/results.csv": "A title,\n" + rows}))


def test_no_number_of_notes_hides_an_error_of_their_code(
    review: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reviewdata.stages.tally.LIMIT", 5)
    rows = "".join(f"R{n},S1,9.{n}0,1.10,40,\n" for n in range(1, 9))
    validation = contribute(review, {"data/results.csv": HEAD + rows})
    assert len([f for f in validation.findings if f.code == "RD201"]) == 5
    assert not any(f.old for f in validation.findings)
