"""The command line: what it takes, what it refuses, where it prints, how it exits."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, Command
from mini import write_mini

import reviewdata as rd
from reviewdata.model import ReviewdataError

ROWS = "data/results.csv"
HEAD = "result_id,study_id,mean,sd,n,printed\n"
BAD_MEAN = {ROWS: HEAD + "R1,S1,9.20,1.10,40,\nR2,S2,4.80,1.30,35,\n"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("validate", "--stage", "row"), "there is no stage row; did you mean rows?"),
        (("validate", "--select", "RX"), "no rule has a code that starts with RX"),
        (("query", "poold"), "no query poold in queries/; did you mean pooled?"),
        (("query", "pooled", "--param", "leats=1"), "no parameter leats; did you mean least?"),
        (("query", "pooled", "--param", "least"), "not of the form name=value"),
        (("query", "pooled", "--param", "least=x"), "x is no INTEGER, as parameter least"),
        (("query", "pooled", "--all"), "exclude each other"),
        (("query", "--sql", "SELECT 1", "--param", "a=1"), "parameters belong to a query file"),
        (("query", "--all", "--format", "csv"), "csv holds one table"),
        (("query", "pooled", "--format", "parquet"), "name a file with --output"),
        (("rule", "RD999"), "there is no rule RD999"),
    ],
)
def test_misuse_is_one_line_and_2(
    arguments: tuple[str, ...], says: str, tmp_path: Path, reviewdata: Command
) -> None:
    write_mini(tmp_path)
    place = () if arguments[0] == "validate" else ("--project",)
    ended = reviewdata(*arguments, *place, tmp_path)
    assert (ended.code, ended.out) == (2, "")
    assert says in ended.err
    assert ended.err.startswith("reviewdata: ")
    assert ended.err.count("\n") == 1


def test_an_unknown_option_or_format_is_2(reviewdata: Command) -> None:
    assert reviewdata("validate", "--fromat", "json").code == 2
    ended = reviewdata("validate", "--format", "xml")
    assert ended.code == 2
    assert "'text', 'concise', 'json', 'jsonl'" in ended.err


def test_ignore_hides_a_finding_and_leaves_the_verdict(tmp_path: Path, reviewdata: Command) -> None:
    write_mini(tmp_path, files=BAD_MEAN)
    ended = reviewdata("validate", tmp_path, "--stage", "rows", "--ignore", "RD2")
    assert ended.code == 1
    assert "mean 9.20" not in ended.out
    assert "1 finding not shown (--ignore); the verdict counts them" in ended.out


def test_select_judges_only_some_codes(tmp_path: Path, reviewdata: Command) -> None:
    write_mini(tmp_path, files=BAD_MEAN)
    assert reviewdata("validate", tmp_path, "--stage", "rows", "--select", "RD202").code == 0
    ended = reviewdata("validate", tmp_path, "--stage=rows", "--select=RD201", "--format=json")
    assert ended.code == 1
    assert [run["code"] for run in json.loads(ended.out)["runs"]] == ["RD201"]


def test_a_level_of_the_review_decides(tmp_path: Path, reviewdata: Command) -> None:
    levels = {"datapackage.json": {"reviewdata": {"levels": {"RD201": "note"}}}}
    write_mini(tmp_path, files=BAD_MEAN, patch=levels)
    ended = reviewdata("validate", tmp_path, "--stage", "rows", "--format", "concise")
    assert ended.code == 0
    assert "note RD201" in ended.out


def test_more_than_five_findings_of_a_rule_are_counted(tmp_path: Path, reviewdata: Command) -> None:
    rows = "".join(f"R{n},S1,9.2{n},1.10,40,\n" for n in range(9))
    write_mini(tmp_path, files={ROWS: HEAD + rows})
    ended = reviewdata("validate", tmp_path, "--stage", "rows")
    assert ended.out.count("RD201  mean") == 5
    assert "  ... and 4 more (--all)" in ended.out
    assert reviewdata("validate", tmp_path, "--stage=rows", "--all").out.count("RD201  mean") == 9


def test_a_broken_rule_is_unchecked_not_bad_data(tmp_path: Path, reviewdata: Command) -> None:
    code = "import pandera.pandas as pa\nraise RuntimeError('a typo')\n"
    write_mini(tmp_path, files={"validations/results.py": code})
    ended = reviewdata("validate", tmp_path, "--stage", "rows", "--format", "json")
    assert ended.code == 2
    result = json.loads(ended.out)
    assert result["verdict"] == "unchecked"
    [finding] = result["findings"]
    assert finding["code"] == "RD901"
    assert "RuntimeError: a typo" in finding["message"]


def test_a_query_that_fails_makes_the_main_job_unchecked(
    tmp_path: Path, reviewdata: Command
) -> None:
    write_mini(tmp_path, files={"queries/other.sql": "SELECT nothing FROM studies"})
    ended = reviewdata("run", tmp_path)
    assert ended.code == 2
    assert "could not be run: Binder Error" in ended.out


def test_strict_fails_on_a_claim_that_differs(tmp_path: Path, reviewdata: Command) -> None:
    write_mini(tmp_path, files={ROWS: HEAD + "R1,S1,5.2,1.1,90,\nR2,S2,4.8,1.3,35,\n"})
    assert reviewdata("reproduce", tmp_path).code == 0
    assert reviewdata("reproduce", tmp_path, "--strict").code == 1


def test_a_parameter_changes_what_is_computed(tmp_path: Path, reviewdata: Command) -> None:
    write_mini(tmp_path)
    ended = reviewdata(
        "query", "pooled", "--project", tmp_path, "--param", "least=36", "--format", "csv"
    )
    assert ended.out == "mean,k\n5.2,1\n"


def test_the_sql_that_is_printed_gives_the_same_figure(tmp_path: Path, reviewdata: Command) -> None:
    import duckdb

    write_mini(tmp_path)
    sql = reviewdata("query", "pooled", "--project", tmp_path, "--print-sql").out
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE results AS FROM read_csv('{tmp_path / ROWS}')")
        [row] = connection.execute(sql).fetchall()
    assert row == tuple(rd.open(tmp_path).query("pooled").rows[0])


def test_colour_is_for_terminals_only(tmp_path: Path) -> None:
    write_mini(tmp_path, files={ROWS: HEAD + "R1,S1,high,1.10,40,\n"})
    command = [sys.executable, "-m", "reviewdata", "validate", str(tmp_path)]
    command += ["--stage", "structure"]
    plain = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    assert "\x1b" not in plain
    assert "\x1b[" in on_a_terminal(command, {})
    assert "\x1b[" not in on_a_terminal(command, {"NO_COLOR": "1"})


def on_a_terminal(command: list[str], environment: dict[str, str]) -> str:
    """Return what a command prints to a terminal of its own."""
    parent, child = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", **environment}
    process = subprocess.Popen(command, stdout=child, stderr=subprocess.DEVNULL, env=environment)
    os.close(child)
    printed = b""
    while True:
        try:
            part = os.read(parent, 65536)
        except OSError:  # what Linux says where the other end is closed
            break
        if not part:
            break
        printed += part
    process.wait()
    os.close(parent)
    return printed.decode("utf-8")


def test_a_reader_that_closes_the_pipe_is_no_error(tmp_path: Path) -> None:
    rows = "".join(f"R{n},S1,high {n},1.10,40,\n" for n in range(3000))
    write_mini(tmp_path, files={ROWS: HEAD + rows})
    validate = f"{sys.executable} -m reviewdata validate {tmp_path} --stage structure --all"
    command = f"{validate} | head -n 1"
    ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert ended.stdout.count("\n") == 1
    assert ended.stderr == ""


def test_every_verb_is_the_same_word_in_python(tmp_path: Path) -> None:
    review = rd.open(write_mini(tmp_path))
    assert review.validate(stages=["rows"]).verdict == "pass"
    assert review.query("pooled").records()[0]["k"] == 2
    assert review.reproduce()[0].verdict == "reproduced"
    assert "RD201" in review.rules
    with pytest.raises(ReviewdataError, match=r"no datapackage\.json"):
        rd.open(tmp_path / "none")


def test_the_version_is_that_of_the_package(reviewdata: Command) -> None:
    ended = reviewdata("--version")
    assert ended.out == f"reviewdata {rd.__version__}\n"
    assert f'version = "{rd.__version__}"' in (ROOT / "pyproject.toml").read_text("utf-8")
