"""The review's own words: rules.toml and waivers.toml, right, wrong and hostile."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Command
from mini import write_mini

import reviewdata as rd
from reviewdata.model import ReviewdataError

RULES = "validations/rules.toml"
WAIVERS = "validations/waivers.toml"
RULE = (
    '[EX301]\nname = "a"\nstage = "relations"\nlevel = "error"\n'
    'message = "b"\nwhy = "c"\nfix = "d"\ntable = "studies"\n'
)
WAIVER = '[[waiver]]\ncode = "RD130"\nreason = "from a spreadsheet"\nwho = "the authors"\n'


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("formula = 5", "EX301 needs formula, a text"),
        ("column = ['n']", "EX301 needs column, a text"),
        ("messages = 5", "EX301 needs messages, a table of texts"),
        ("messages = { a = 5 }", "EX301 needs messages, a table of texts"),
        ("example = 5", "EX301 needs example, a [[CODE.example]]"),
        ("example = [1]", "EX301 needs example, a [[CODE.example]]"),
        ("example = [{}]", "EX301 needs example, a [[CODE.example]]"),
        ("example = [{ kind = 'fail', says = 'a', files = { x = 1 } }]", "files a table of texts"),
        ("year = " + "9" * 5000, "rules.toml is not TOML"),
        ("a = " + "[" * 5000, "rules.toml is nested too deeply"),
    ],
)
def test_a_rule_of_a_wrong_type_is_one_line(
    line: str, says: str, tmp_path: Path, reviewdata: Command
) -> None:
    write_mini(tmp_path, files={RULES: RULE + line + "\n"})
    ended = reviewdata("rules", "--project", tmp_path)
    assert (ended.code, ended.out) == (2, "")
    assert says in ended.err
    assert ended.err.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("waiver = 5", "each waiver is one [[waiver]]"),
        ("waiver = {}", "each waiver is one [[waiver]]"),
        ("waiver = [5]", "waiver 1 is not a [[waiver]]"),
        (WAIVER + "key = 'R1'", "waiver 1 needs key, a table of texts"),
        (WAIVER + "table = 5", "waiver 1 needs table, a text"),
        (WAIVER + "value = 9.2", "waiver 1 needs value, a text"),
        (WAIVER.replace("reason", "reson"), "has an unknown entry reson; did you mean reason?"),
        ('[[waiver]]\ncode = "RD130"\nwho = "me"', "waiver 1 needs reason, a text"),
        (b"\xff", "is not TOML"),
    ],
)
def test_a_waiver_of_a_wrong_type_is_one_line(
    text: str | bytes, says: str, tmp_path: Path, reviewdata: Command
) -> None:
    write_mini(tmp_path, files={WAIVERS: text})
    ended = reviewdata("validate", tmp_path, "--stage", "package")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("reviewdata: validations/waivers.toml")
    assert says in ended.err
    assert ended.err.count("\n") == 1


@pytest.mark.parametrize("name", [RULES, WAIVERS])
def test_what_stands_in_place_of_the_file_is_told(
    name: str, tmp_path: Path, reviewdata: Command
) -> None:
    path = write_mini(tmp_path) / name
    path.unlink(missing_ok=True)
    path.mkdir()
    ended = reviewdata("validate", tmp_path, "--stage", "package")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.endswith(f"{path.name} is no file\n")
    path.rmdir()
    path.symlink_to("nowhere")
    assert reviewdata("validate", tmp_path, "--stage", "package").code == 2


def test_a_finding_about_a_file_is_waived_without_a_key(
    tmp_path: Path, reviewdata: Command
) -> None:
    data = "\ufeffstudy_id,year,design\nS1,2019,trial\nS2,2020,cohort\n"
    files: dict[str, str | bytes] = {"data/studies.csv": data}
    write_mini(tmp_path, files=files)
    [finding] = rd.open(tmp_path).validate(stages=["structure"]).findings
    assert (finding.code, finding.key, finding.value) == ("RD130", {}, None)
    files[WAIVERS] = WAIVER + 'table = "studies"\n'
    write_mini(tmp_path, files=files)
    [finding] = rd.open(tmp_path).validate(stages=["structure"]).findings
    assert finding.waived
    ended = reviewdata("validate", tmp_path, "--stage", "structure", "--all")
    assert "  waived: from a spreadsheet (the authors)\n" in ended.out


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("EX999", "can waive nothing: there is no rule EX999"),
        ("RD2O1", "can waive nothing: there is no rule RD2O1; did you mean RD"),
        ("RD901", "can waive nothing: what is said of the run itself cannot be waived"),
    ],
)
def test_a_waiver_that_can_never_waive_is_told(code: str, says: str, tmp_path: Path) -> None:
    write_mini(tmp_path, files={WAIVERS: WAIVER.replace("RD130", code)})
    [finding] = rd.open(tmp_path).validate(stages=["package"]).findings
    assert finding.code == "RD902"
    assert says in finding.message


def test_a_code_is_found_in_any_case(tmp_path: Path, reviewdata: Command) -> None:
    write_mini(tmp_path)
    assert rd.open(tmp_path).rule("rd201").code == "RD201"
    with pytest.raises(ReviewdataError, match="there is no rule XX1"):
        rd.open(tmp_path).rule("XX1")
    ended = reviewdata("validate", tmp_path, "--stage=rows", "--select=rd201", "--ignore=rd2")
    assert ended.code == 0
    ended = reviewdata("rule", "BCG202", "--project", tmp_path)
    assert ended.code == 2
    assert ended.err.endswith("lists them, those of a review with --project FOLDER\n")
