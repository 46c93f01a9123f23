"""A saved run: what is written is read again, and shown the same; what nobody wrote is refused."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from contextlib import chdir
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import pytest
from conftest import Command
from hostile import CELLS, hostile_run
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mini import write_mini
from synthetic import DIFF, finding, saved_run
from test_output import CHANGED, COMMANDS, STAGES, WRONG, wrong

from reviewdata.changes import FigureChange
from reviewdata.cli import main
from reviewdata.model import ReviewdataError, Run
from reviewdata.render.formats import Format, render_run
from reviewdata.render.json import validation_jsonl
from reviewdata.saved import MAX_BYTES, MAX_LINES, SavedRun, find_folder, read_saved

__all__ = ["wrong"]

FORMATS: tuple[Format, ...] = get_args(Format)


def shown(run: SavedRun, format_: Format, *, show_all: bool = False) -> str:
    """Return a run in a format, but for the token of the moment."""
    text = render_run(run, format_, show_all=show_all)
    if format_ == "github":
        text = text.replace(token_of(text), "TOKEN")
    return text


def token_of(text: str) -> str:
    """Return what resumes the commands in a text for GitHub's log."""
    [token] = re.findall(r"^::stop-commands::([0-9a-f]{64})$", text, re.MULTILINE)
    return str(token)


def again(run: SavedRun, folder: Path) -> SavedRun:
    """Return a run as it is read after it was written."""
    path = folder / "run.jsonl"
    path.write_text(validation_jsonl(run), "utf-8")
    return read_saved(path)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return what is saved of the review of `wrong`, which lies elsewhere by then."""
    folder = write_mini(tmp_path_factory.mktemp("saved"), files=WRONG)
    with chdir(folder):
        command = ["validate", *STAGES, "--no-cache", "--format", "jsonl", "--output", "run.jsonl"]
        assert main(command) == 1
    return folder / "run.jsonl"


@pytest.mark.usefixtures("wrong")
@pytest.mark.parametrize("format_", FORMATS)
def test_render_shows_what_validate_showed(
    format_: Format, saved: Path, reviewdata: Command
) -> None:
    for options in ((), ("--all",), ("--ignore", "rd2")):
        first = reviewdata("validate", *STAGES, "--format", format_, *options)
        second = reviewdata("render", saved, "--format", format_, *options)
        assert (second.code, second.err) == (0, "")
        if format_ == "github":
            assert second.out.replace(token_of(second.out), token_of(first.out)) == first.out
        else:
            assert second.out == first.out


def test_render_writes_text_unless_it_is_told_otherwise(wrong: Path, reviewdata: Command) -> None:
    saved = wrong / "run.jsonl"
    reviewdata("validate", *STAGES, "--format", "jsonl", "--output", saved)
    text = reviewdata(*COMMANDS["validate.txt"]).out
    assert reviewdata("render", saved).out == text
    assert reviewdata("render", saved, "--output", wrong / "out.txt").out == ""
    assert (wrong / "out.txt").read_text("utf-8") == text


@pytest.mark.parametrize("format_", FORMATS)
def test_a_change_is_read_again_whole(format_: Format, tmp_path: Path) -> None:
    for run in (CHANGED, saved_run(), saved_run(finding(), since="main", folder="a/b")):
        for show_all in (False, True):
            read = again(run, tmp_path)
            assert shown(read, format_, show_all=show_all) == shown(run, format_, show_all=show_all)


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: repr(cell[:20]))
def test_a_hostile_text_is_read_again_whole(cell: str, tmp_path: Path) -> None:
    run = hostile_run(cell)
    read = again(run, tmp_path)
    for format_ in FORMATS:
        assert shown(read, format_, show_all=True) == shown(run, format_, show_all=True)
    assert validation_jsonl(read) == validation_jsonl(run)


NUMBERS = (0, 4, 4.0, 5.1113, -0.37, 1e-300, 1e22, 10**30, 0.1 + 0.2, True, None, "text", 1e15)
DECIMALS = (Decimal("5.10"), Decimal("0.10000000000000000000001"), Decimal("1E-7"), Decimal(12))


def test_the_figures_of_a_change_keep_every_digit(tmp_path: Path) -> None:
    numbers = enumerate((*NUMBERS, *DECIMALS))
    values: dict[str, tuple[Any, Any]] = {f"v{n}": (number, 5.32) for n, number in numbers}
    values["list"] = ([1, {"a": [Decimal("2.50")]}], None)
    figure = FigureChange("q", "Q", {"n": Decimal("1.0")}, values)
    run = saved_run(since="main", diff=replace(DIFF, figures=(figure,)))
    read = again(run, tmp_path)
    for format_ in FORMATS:
        assert shown(read, format_) == shown(run, format_)


LINES = [json.loads(line) for line in validation_jsonl(CHANGED).splitlines()]
SUMMARY, CHANGE, RUN, FINDING = 0, 1, 2, 4

Edit = Callable[[list[Any]], object]


def at(number: int, *path: str | int, to: Any) -> Edit:
    """Return an edit that sets what lies at a path of one record."""

    def edit(lines: list[Any]) -> None:
        target = lines[number]
        for step in path[:-1]:
            target = target[step]
        target[path[-1]] = to

    return edit


def without(number: int, *path: str) -> Edit:
    """Return an edit that takes a field away."""

    def edit(lines: list[Any]) -> None:
        target = lines[number]
        for step in path[:-1]:
            target = target[step]
        del target[path[-1]]

    return edit


def write(folder: Path, edit: Edit | None = None) -> Path:
    """Write the synthetic run after an edit."""
    lines = json.loads(json.dumps(LINES))
    if edit is not None:
        edit(lines)
    path = folder / "run.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return path


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (at(SUMMARY, "version", to="2"), 'line 1: its version is not "1"'),
        (at(SUMMARY, "version", to=1), 'line 1: its version is not "1"'),
        (without(SUMMARY, "version"), 'line 1: its version is not "1"'),
        (at(SUMMARY, "record", to="header"), "line 1: it is no summary, diff, run or finding"),
        (at(SUMMARY, "record", to=["run"]), "line 1: it is no summary, diff, run or finding"),
        (lambda lines: lines.insert(2, []), "line 3: it is no summary, diff, run or finding"),
        (lambda lines: lines.insert(2, lines[0]), "line 3: the summary stands first, and once"),
        (lambda lines: lines.pop(0), "line 1: the summary stands first, and once"),
        (lambda lines: lines.insert(2, lines[1]), "line 3: there is a diff already"),
        (at(SUMMARY, "review", to=None), "line 1: its review is None, not an object"),
        (without(SUMMARY, "review", "title"), "line 1: its review has no title"),
        (at(SUMMARY, "rules", to={}), "line 1: its rules is an object, not a list"),
        (at(SUMMARY, "rules", 0, "code", to="RD1"), "line 1: its code is not a code such as"),
        (at(SUMMARY, "rules", 0, "level", to="fatal"), "not one of error, warning, note"),
        (at(SUMMARY, "rules", 0, "stage", to="end"), "line 1: its stage is 'end', not one of"),
        (at(SUMMARY, "rules", to=[]), "the summary does not say what RD201 is"),
        (at(SUMMARY, "waivers", 0, "until", to="soon"), "its until is 'soon', not a date"),
        (at(SUMMARY, "waivers", 0, "key", to={"a": 1}), "its key is 1, not a text"),
        (at(SUMMARY, "waivers", 0, "code", to="x"), "line 1: its code is not a code such as"),
        (at(SUMMARY, "since", to=5), "line 1: its since is 5, not a text"),
        (at(SUMMARY, "since", to=None), "line 7: the finding is older than a change, and there"),
        (at(RUN, "status", to="ok"), "line 3: its status is 'ok', not one of pass, fail"),
        (at(RUN, "code", to="rd201"), "line 3: its code is not a code such as TA301"),
        (at(RUN, "rows", to=-1), "line 3: its rows is -1, not a whole number from 0 to"),
        (at(RUN, "rows", to=2**60), "not a whole number from 0 to 9007199254740992"),
        (at(RUN, "rows", to=1.5), "line 3: its rows is 1.5, not a whole number"),
        (at(RUN, "rows", to=True), "line 3: its rows is True, not a whole number"),
        (without(RUN, "stage"), "line 3: it has no stage"),
        (at(FINDING, "message", to=None), "line 5: its message is None, not a text"),
        (at(FINDING, "line", to="12"), "line 5: its line is '12', not a whole number"),
        (at(FINDING, "key", to=[]), "line 5: its key is a list, not an object"),
        (at(FINDING, "waived", to="yes"), "line 5: its waived is 'yes', not true or false"),
        (at(FINDING, "origin", to={"engine": "x"}), "line 5: its origin has no version"),
        (at(FINDING, "message", to={"a": "b" * 999}), "its message is an object, not a text"),
        (at(CHANGE, "tables", 0, "kind", to="moved"), "line 2: its kind is 'moved', not one of"),
        (at(CHANGE, "tables", 0, "rows", 0, "kind", to="x"), "line 2: its kind is 'x', not one of"),
        (at(CHANGE, "version", "bump", to="huge"), "line 2: its bump is 'huge', not one of"),
        (
            at(CHANGE, "figures", 0, "values", to={"a": [1]}),
            "its values is a list, not a list of 2",
        ),
        (at(CHANGE, "figures", 0, "values", to=3), "line 2: its values is 3, not an object"),
    ],
)
def test_what_is_of_another_form_is_refused(
    edit: Edit, says: str, tmp_path: Path, reviewdata: Command
) -> None:
    ended = reviewdata("render", write(tmp_path, edit))
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.count("\n") == 1
    assert len(ended.err) < 300
    assert says in ended.err


def deep(depth: int) -> str:
    return "[" * depth + "]" * depth


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "it is not JSON: Expecting property name"),
        ("", "it is not JSON: Expecting value at character 1"),
        ('{"record": "run"} x', "it is not JSON: Extra data at character 19"),
        ('{"record": "finding", "line": NaN}', "NaN is no number of JSON"),
        ('{"record": "finding", "line": -Infinity}', "-Infinity is no number of JSON"),
        ('{"record": "finding", "line": 1e999}', "a number has more than 100 digits, or is too"),
        (f'{{"record": "finding", "line": {"9" * 9999}}}', "a number has more than 100 digits"),
        (f'{{"record": "finding", "line": 0.{"9" * 999}}}', "a number has more than 100 digits"),
        (f'{{"record": "finding", "key": {deep(100_000)}}}', "it is nested too deeply"),
        ('{"record": "finding", "message": "a\tb"}', "it is not JSON: Invalid control character"),
    ],
)
def test_what_is_no_json_is_refused(
    line: str, says: str, tmp_path: Path, reviewdata: Command
) -> None:
    path = write(tmp_path)
    path.write_text(f"{path.read_text('utf-8')}{line}\n", "utf-8")
    ended = reviewdata("render", path)
    assert (ended.code, ended.out) == (2, "")
    assert f"line 9: {says}" in ended.err


def test_a_figure_that_is_nested_too_deeply_is_refused(tmp_path: Path) -> None:
    nested = json.loads(deep(21))
    path = write(tmp_path, at(CHANGE, "figures", 0, "values", to={"a": [nested, None]}))
    with pytest.raises(ReviewdataError, match="line 2: its values is nested too deeply"):
        read_saved(path)


def test_what_is_no_saved_run_is_refused_in_one_line(tmp_path: Path, reviewdata: Command) -> None:
    contents = {
        "empty": b"",
        "binary": b"\x00\xff\xfe",
        "utf16": '{"record": "summary"}'.encode("utf-16"),
        "long": b" " * (MAX_BYTES + 1),
        "lines": b"\n" * (MAX_LINES + 1),
        "cut": "é".encode() * (MAX_BYTES // 2) + b"\xc3",
    }
    says = {
        "empty": "is empty",
        "binary": "is not UTF-8",
        "utf16": "is not UTF-8",
        "long": f"is longer than {MAX_BYTES:,} bytes",
        "lines": f"has more than {MAX_LINES:,} lines",
        "cut": f"is longer than {MAX_BYTES:,} bytes",
        "missing": "cannot be read: No such file",
        "folder": "cannot be read: Is a directory",
    }
    (tmp_path / "folder").mkdir()
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    for name, said in says.items():
        ended = reviewdata("render", tmp_path / name)
        assert (ended.code, ended.out) == (2, "")
        assert said in ended.err
        assert ended.err.count("\n") == 1


def test_a_device_that_never_ends_is_refused(reviewdata: Command) -> None:
    ended = reviewdata("render", os.devnull.replace("null", "zero"))
    assert (ended.code, ended.out) == (2, "")
    assert "is longer than" in ended.err


def test_a_byte_order_mark_and_entries_that_are_not_known_are_left_aside(tmp_path: Path) -> None:
    def edit(lines: list[Any]) -> None:
        for line in lines:
            line["later"] = {"of": ["another", {"version": None}]}
        lines[SUMMARY]["rules"][0]["later"] = 1

    path = write(tmp_path, edit)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert shown(read_saved(path), "jsonl") == shown(CHANGED, "jsonl")


def test_the_verdict_is_not_taken_from_the_file(tmp_path: Path, reviewdata: Command) -> None:
    def edit(lines: list[Any]) -> None:
        lines[SUMMARY]["verdict"] = "pass"

    path = write(tmp_path, edit)
    assert read_saved(path).validation.verdict == "fail"
    told = json.loads(reviewdata("render", path, "--format", "json").out)
    assert told["verdict"] == "fail"
    assert told["counts"] == {"error": 1, "warning": 1, "note": 0, "waived": 1, "old": 1}


def test_a_file_that_counts_other_findings_than_it_has_is_refused(tmp_path: Path) -> None:
    def edit(lines: list[Any]) -> None:
        lines[SUMMARY]["counts"] = {"error": 0}

    with pytest.raises(ReviewdataError, match="is it whole"):
        read_saved(write(tmp_path, edit))


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.floats()),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.text(), inner)),
    max_leaves=4,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths to everything within a value."""
    if not isinstance(value, dict | list):
        return [path]
    steps = value.items() if isinstance(value, dict) else enumerate(value)
    return [path, *(p for step, inner in steps for p in places(inner, (*path, step)))]


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), value=VALUES)
def test_any_value_anywhere_is_refused_or_shown(
    data: st.DataObject, value: Any, tmp_path: Path
) -> None:
    number = data.draw(st.sampled_from(range(len(LINES))))
    path = data.draw(st.sampled_from(places(LINES[number])[1:]))
    run = read_or_refuse(write(tmp_path, at(number, *path, to=value)))
    for format_ in FORMATS if run else ():
        assert render_run(run, format_, show_all=True).encode("utf-8")


def read_or_refuse(path: Path) -> Any:
    try:
        return read_saved(path)
    except ReviewdataError:
        return None


def test_many_findings_and_waivers_are_read_and_shown(tmp_path: Path) -> None:
    found = [
        finding(key={"measure_id": str(n)}, waived=True, message=f"m {n}") for n in range(5_000)
    ]
    read = again(saved_run(*found), tmp_path)
    assert read.validation.counts["waived"] == 5_000
    text = render_run(read, "text", show_all=True)
    assert text.count("waived: as printed (the editors)") == 5_000
    for format_ in ("sarif", "junit", "markdown", "github"):
        assert render_run(read, format_)


def test_the_place_of_a_review_in_its_repository_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    review = tmp_path / "repository" / "examples" / "one"
    review.mkdir(parents=True)
    (review / "datapackage.json").write_text("{}")
    monkeypatch.chdir(tmp_path / "repository")
    assert find_folder(review) == "examples/one"
    assert find_folder(Path("examples/one/datapackage.json")) == "examples/one"
    assert find_folder(Path()) == ""
    monkeypatch.chdir(review)
    assert find_folder(Path()) == ""
    assert find_folder(tmp_path / "elsewhere") == ""
    (tmp_path / "repository" / ".git").write_text("gitdir: elsewhere")
    assert find_folder(Path()) == "examples/one"
    (review / ".git").mkdir()
    assert find_folder(Path()) == ""


def test_a_rule_that_found_nothing_is_saved_by_its_name_alone() -> None:
    run = saved_run(finding(), runs=(Run("rows", "RD201", "fail"), Run("rows", "RD202", "pass")))
    rules = {
        rule["code"]: rule for rule in json.loads(validation_jsonl(run).split("\n")[0])["rules"]
    }
    assert rules["RD201"]["why"] == "Because."
    assert "why" not in rules["RD202"]
