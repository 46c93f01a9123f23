"""What is printed in a workflow of GitHub: annotations at the findings, and no other command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Command
from hostile import CELLS, hostile_run
from hypothesis import given, settings
from hypothesis import strategies as st
from mini import write_mini
from runner import Obeyed, obey
from synthetic import DIFF, finding, saved_run

from reviewdata.render.diff import diff_text
from reviewdata.render.formats import Format, render_run
from reviewdata.render.github import ANNOTATIONS, validation_github
from reviewdata.render.values import defused, plain

HEAD = "result_id,study_id,mean,sd,n,printed\n"
STOP = Obeyed("stop-commands", {}, "token")


def test_the_runner_of_these_tests_obeys_what_githubs_does() -> None:
    assert obey("\ufeff  ::error file=a%2Cb,line=1::100%25%0A") == [
        Obeyed("error", {"file": "a,b", "line": "1"}, "100%\n")
    ]
    assert obey("x ##[add-mask]y") == [Obeyed("add-mask", {}, "y")]
    assert obey("::stop-commands::t\n::error::a\r##[error]b\n::t::\n::notice::c") == [
        Obeyed("stop-commands", {}, "t"),
        Obeyed("notice", {}, "c"),
    ]
    assert obey("x ::error::a\n::unknown::b\n##[unknown]c\n: :error::d") == []


def test_a_finding_is_an_annotation_at_its_line() -> None:
    text = validation_github(saved_run(finding(), folder="examples/one, two"), "token")
    assert obey(text) == [
        Obeyed(
            "error",
            {
                "file": "examples/one, two/data/measures.csv",
                "line": "12",
                "title": "RD201 mean-outside-scale",
            },
            "mean 9.2 lies outside the scale 1 to 7 (zz2020-wais)",
        ),
        STOP,
    ]


def test_a_level_has_a_command_and_a_column_is_told() -> None:
    found = (finding(level="note", column=7), finding("RD203", path=None))
    first, second, _ = obey(validation_github(saved_run(*found), "token"))
    assert (first.name, second.name) == ("warning", "notice")
    assert "file" not in first.properties
    assert second.properties["col"] == "7"


def test_the_ten_worst_are_annotated_those_of_the_change_first() -> None:
    found = [finding("RD203", message=f"warning {n}") for n in range(8)]
    elsewhere: dict[str, Any] = {"key": {"measure_id": "other"}, "line": 99}
    found += [finding(message=f"elsewhere {n}", **elsewhere) for n in range(3)]
    found += [finding(message="by key", line=99), finding(message="by line", key={})]
    found += [finding(waived=True), finding(old=True)]
    run = saved_run(*found, since="main", diff=DIFF)
    text = validation_github(run, "token")
    said = [command.data.split(" (")[0] for command in obey(text)[:-1]]
    assert len(said) == ANNOTATIONS
    assert said[:5] == ["by key", "by line", "elsewhere 0", "elsewhere 1", "elsewhere 2"]
    assert said[5:] == [f"warning {n}" for n in range(5)]
    assert "\n3 findings more without an annotation: below, all of them with --all\n" in text
    hidden = validation_github(run, "token", ignore=["RD203"])
    assert [command.name for command in obey(hidden)] == ["error"] * 5 + ["stop-commands"]


def test_a_record_that_was_removed_is_no_line_of_the_change() -> None:
    removed = finding(key={"measure_id": "yy1999-wai"}, line=3, message="removed")
    text = validation_github(saved_run(removed, finding(), since="main", diff=DIFF), "token")
    assert [command.data.split(" ")[0] for command in obey(text)[:2]] == ["mean", "removed"]


def test_the_effect_of_the_change_stands_after_the_text() -> None:
    text = validation_github(saved_run(finding(), since="main", diff=DIFF), "token")
    assert text.index("FAIL: 1 error") < text.index("weighted_mean 5.11 -> 5.32")
    assert text.endswith("::token::\n")


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: repr(cell[:20]))
def test_a_hostile_cell_is_no_command(cell: str) -> None:
    run = hostile_run(cell)
    printed = validation_github(run, "token", show_all=True, verbose=True)
    *annotated, stopped = obey(printed)
    assert stopped == STOP
    assert [command.name for command in annotated] == ["error", "error", "error", "warning"]
    for command in annotated:
        assert set(command.properties) <= {"file", "line", "title"}
        assert command.data.startswith(defused(plain(cell))[:100])
    # Nor would the lines between the two tokens be obeyed, were the tokens not there.
    assert obey(printed.split("::stop-commands::token\n")[1].replace("::token::", "")) == []


PRINTED: tuple[Format, ...] = ("text", "concise", "json", "jsonl", "markdown", "sarif", "junit")


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: repr(cell[:20]))
def test_no_other_format_speaks_to_the_runner(cell: str) -> None:
    run = hostile_run(cell)
    for format_ in PRINTED:
        text = render_run(run, format_, show_all=True, verbose=True)
        assert obey(defused(text)) == [], format_
        if format_ in ("json", "jsonl", "sarif", "junit"):
            assert defused(text) == text  # what programs read has the same meaning
    assert run.validation.diff is not None
    assert obey(defused(diff_text(run.validation.diff))) == []


PIECES = ("::error::", "##[error]", "::error", "::", "##[", "\ufeff", "\r", "\n", " ", "\x85", "x")
ANY = st.one_of(st.sampled_from(PIECES), st.text(max_size=3))


@settings(deadline=None, max_examples=500)
@given(st.lists(ANY).map("".join))
def test_no_text_is_a_command_once_defused(text: str) -> None:
    assert obey(defused(text)) == []
    assert defused(defused(text)) == defused(text)
    read = defused(text).replace(r"\u{3a}", ":").replace(r"\u{23}", "#")
    assert read == text.replace(r"\u{3a}", ":").replace(r"\u{23}", "#")


def test_text_without_a_command_is_not_touched() -> None:
    for text in ("a::b", "## [x]", "# heading\n## two\n", "x ::error::", ": :", "#[x]"):
        assert defused(text) == text


@pytest.fixture
def evil(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a review with commands in its cells, as the current folder, in a workflow."""
    rows = "R1,S1,9.20,1.10,40,x\n::error::boo,S2,4.80,1.30,35,##[error]boo\n"
    write_mini(tmp_path, files={"data/results.csv": HEAD + rows})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    return tmp_path


def test_in_a_workflow_validate_annotates_unless_it_is_told_otherwise(
    evil: Path, reviewdata: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    stages = ("--stage", "structure", "--stage", "rows")
    ended = reviewdata("validate", *stages)
    assert ended.code == 1
    assert [command.name for command in obey(ended.out)] == ["error", "stop-commands"]
    token = ended.out.split("::stop-commands::")[1].split("\n")[0]
    assert len(token) == 64
    assert token not in reviewdata("validate", *stages).out
    assert reviewdata("validate", *stages, "--output", "x").out == ""
    assert obey(Path("x").read_text("utf-8")) == []
    assert reviewdata("validate", *stages, "--format", "text").out == Path("x").read_text("utf-8")
    for format_ in PRINTED:
        ended = reviewdata("validate", *stages, "--format", format_)
        assert (ended.code, obey(ended.out)) == (1, [])
    monkeypatch.delenv("GITHUB_ACTIONS")
    assert reviewdata("validate", *stages).out == Path("x").read_text("utf-8")


def test_in_a_workflow_no_result_and_no_talk_is_a_command(evil: Path, reviewdata: Command) -> None:
    sql = "SELECT * FROM raw.results"
    for arguments in (
        ("query", "--sql", sql),
        ("query", "--sql", sql, "--format", "json"),
        ("query", "--sql", sql, "--format", "markdown"),
        ("query", "--sql", f"{sql} WHERE ##[error]x"),
        ("query", "::error::x"),
        ("query", "--sql", "\n::error::x"),
        ("run",),
        ("rule", "##[error]x"),
        ("validate", "##[error]x"),
        ("render", "::error::x"),
    ):
        ended = reviewdata(*arguments)
        assert obey(ended.out) == [], arguments
        assert obey(ended.err) == [], arguments


def test_what_programs_read_keeps_its_meaning_in_a_workflow(
    evil: Path, reviewdata: Command
) -> None:
    sql = "SELECT result_id, printed FROM raw.results"
    rows = json.loads(reviewdata("query", "--sql", sql, "--format", "json").out)["rows"]
    assert rows[1] == {"result_id": "::error::boo", "printed": "##[error]boo"}
    # CSV is byte for byte what the data is; see docs/formats.md.
    csv = reviewdata("query", "--sql", sql, "--format", "csv").out
    assert csv == "result_id,printed\nR1,x\n::error::boo,##[error]boo\n"
