"""A second validation over the same files finds nothing anew, and sees every change."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Command, copy_review
from mini import merge, write_mini

import reviewdata as rd
from reviewdata import cache, validation
from reviewdata.model import Stage, StageResult, Validation

QUICK = ("package", "structure", "rows", "relations", "claims")
"""All stages but the suites, which take seconds; they have a test of their own."""

Asked = list[str]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    kept = tmp_path / "kept"
    monkeypatch.setenv(cache.VARIABLE, str(kept))
    monkeypatch.delenv("CI", raising=False)
    return kept


@pytest.fixture
def review(tmp_path: Path) -> Path:
    return write_mini(tmp_path / "review")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Return the list in which each stage is written that is run and not remembered."""
    ran: Asked = []
    run_stage = validation._run_stage

    def run(stage: Stage, *rest: object) -> StageResult:
        ran.append(stage)
        return run_stage(stage, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(validation, "_run_stage", run)
    return ran


def validate(review: Path) -> Validation:
    return rd.open(review).validate(stages=QUICK)


def replace(path: str, old: str, new: str) -> Callable[[Path], None]:
    def change(review: Path) -> None:
        text = (review / path).read_text("utf-8")
        assert old in text
        (review / path).write_text(text.replace(old, new, 1), "utf-8")

    return change


def add(path: str, content: str) -> Callable[[Path], None]:
    def change(review: Path) -> None:
        (review / path).parent.mkdir(parents=True, exist_ok=True)
        (review / path).write_text(content, "utf-8")

    return change


def remove(path: str) -> Callable[[Path], None]:
    return lambda review: (review / path).unlink()


def patch(content: dict[str, Any]) -> Callable[[Path], None]:
    def change(review: Path) -> None:
        path = review / "datapackage.json"
        path.write_text(json.dumps(merge(json.loads(path.read_text("utf-8")), content)), "utf-8")

    return change


@pytest.mark.usefixtures("folder")
def test_a_second_validation_runs_no_stage_and_gives_the_same(review: Path, asked: Asked) -> None:
    replace("data/results.csv", "S1", "S9")(review)
    first = validate(review)
    assert first.findings
    assert asked == list(QUICK)
    second = validate(review)
    assert asked == list(QUICK)
    assert second == first
    assert [f.reads for f in second.findings] == [f.reads for f in first.findings]


CHANGES: dict[str, tuple[Callable[[Path], None], set[str]]] = {
    "a cell": (replace("data/results.csv", "S1", "S9"), set(QUICK)),
    "a row less": (replace("data/results.csv", "\nR2,S2,4.80,1.30,35,", ""), set(QUICK)),
    "a table gone": (remove("data/results.csv"), set(QUICK)),
    "a schema": (replace("schemas/results.json", '"name"', '"title": "x", "name"'), set(QUICK)),
    "the descriptor": (patch({"version": "9.9.9"}), set(QUICK)),
    "a level": (patch({"reviewdata": {"levels": {"RD202": "note"}}}), set(QUICK)),
    "the words of a rule": (replace("validations/rules.toml", "", "# more\n"), set(QUICK)),
    "a rule in Python": (replace("validations/results.py", "", "# more\n"), {"rows"}),
    "what a rule in Python may read": (add("validations/limits.json", "{}"), {"rows"}),
    "a rule in SQL": (
        replace("validations/relations/study_without_result.sql", "SELECT", "SELECT DISTINCT"),
        {"rows", "relations"},
    ),
    "a query": (add("queries/new.sql", "SELECT 1 AS one"), {"claims"}),
    "a claim": (replace("data/claims.csv", "\n", "\n\n"), set(QUICK)),
}


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("change", CHANGES)
def test_what_is_changed_is_found_anew(change: str, review: Path, asked: Asked) -> None:
    validate(review)
    asked.clear()
    apply, stages = CHANGES[change]
    apply(review)
    changed = validate(review)
    assert set(asked) == stages
    asked.clear()
    assert validate(review) == changed
    assert asked == []


@pytest.mark.usefixtures("folder")
def test_a_change_that_keeps_size_and_time_is_found(review: Path, asked: Asked) -> None:
    validate(review)
    asked.clear()
    table = review / "data/results.csv"
    before = table.stat()
    replace("data/results.csv", "S1", "S9")(review)
    os.utime(table, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert table.stat().st_size == before.st_size
    assert validate(review).verdict == "fail"
    assert set(asked) == set(QUICK)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("what", ["_version", "_hash_code"])
def test_another_library_or_framework_finds_anew(
    what: str, review: Path, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    validate(review)
    asked.clear()
    other = {"_version": lambda name: "99", "_hash_code": lambda: b"other"}[what]
    monkeypatch.setattr(cache, what, other)
    validate(review)
    assert set(asked) == set(QUICK)


@pytest.mark.usefixtures("folder")
def test_a_new_waiver_counts_without_a_stage_being_run(review: Path, asked: Asked) -> None:
    replace("data/results.csv", "S1", "S9")(review)
    found = next(f for f in validate(review).findings if f.code == "RD124")
    asked.clear()
    key = ", ".join(f'{name} = "{value}"' for name, value in found.key.items())
    add(
        "validations/waivers.toml",
        f'[[waiver]]\ncode = "RD124"\ntable = "{found.table}"\nkey = {{ {key} }}\n'
        f'field = "{found.field}"\nvalue = "{found.value}"\nreason = "synthetic"\nwho = "us"\n',
    )(review)
    again = next(f for f in validate(review).findings if f.code == "RD124")
    assert (found.waived, again.waived) == (False, True)
    assert asked == []


@pytest.mark.usefixtures("folder")
def test_the_suites_are_remembered_too(
    review: Path, monkeypatch: pytest.MonkeyPatch, reviewdata: Command
) -> None:
    first = reviewdata("validate", review, "--format", "json")

    def start(*_: object) -> None:
        raise AssertionError("the suites were started")

    monkeypatch.setattr(validation, "start_suites", start)
    assert reviewdata("validate", review, "--format", "json") == first
    assert "dataset" in {run["stage"] for run in json.loads(first.out)["runs"]}


@pytest.mark.usefixtures("folder")
def test_run_remembers_the_stages_and_asks_the_queries(review: Path, asked: Asked) -> None:
    first = rd.open(review).run()
    asked.clear()
    second = rd.open(review).run()
    assert asked == []
    assert second.validation == first.validation
    assert second.results == first.results


@pytest.mark.usefixtures("folder")
def test_a_table_that_cannot_be_read_stays_unchecked(review: Path, asked: Asked) -> None:
    table = review / "data/results.csv"
    table.unlink()
    table.mkdir()
    first = rd.open(review).validate(stages=["rows"])
    asked.clear()
    assert rd.open(review).validate(stages=["rows"]) == first
    assert first.verdict == "unchecked"
    assert asked == []


def test_where_the_review_lies_does_not_matter(
    folder: Path, review: Path, tmp_path: Path, asked: Asked
) -> None:
    validate(review)
    asked.clear()
    validate(copy_review(review, tmp_path / "elsewhere"))
    assert asked == []
    assert folder.is_dir()


@pytest.mark.usefixtures("folder")
def test_no_cache_finds_anew(review: Path, asked: Asked, reviewdata: Command) -> None:
    command = ["validate", str(review), "--stage", "structure"]
    reviewdata(*command)
    reviewdata(*command)
    assert asked == ["structure"]
    reviewdata(*command, "--no-cache")
    assert asked == ["structure", "structure"]


@pytest.mark.parametrize(("name", "value"), [("CI", "true"), (cache.VARIABLE, "off")])
def test_in_ci_and_where_it_is_off_nothing_is_kept(
    name: str, value: str, folder: Path, review: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    validate(review)
    assert not folder.exists()


@pytest.mark.usefixtures("folder")
def test_what_broke_is_tried_again(review: Path, asked: Asked) -> None:
    add("validations/results.py", "raise OSError('not now')\n")(review)
    assert validate(review).verdict == "unchecked"
    asked.clear()
    assert validate(review).verdict == "unchecked"
    assert asked == ["rows"]


def test_what_changes_meanwhile_is_not_kept(
    folder: Path, review: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_stage = validation._run_stage

    def run(stage: Stage, *rest: object) -> StageResult:
        if stage == "structure":
            (review / "data/results.csv").touch()
        return run_stage(stage, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(validation, "_run_stage", run)
    validate(review)
    assert not folder.exists()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"runs": 1}', b'{"runs": [{}]}', b"\xff"])
def test_a_kept_file_that_is_not_whole_is_made_again(
    content: bytes, folder: Path, review: Path, asked: Asked
) -> None:
    first = validate(review)
    asked.clear()
    for path in folder.iterdir():
        path.write_bytes(content)
    assert validate(review) == first
    assert set(asked) == set(QUICK)


def test_a_folder_that_cannot_be_written_is_done_without(
    folder: Path, review: Path, asked: Asked
) -> None:
    folder.write_text("a file in its place")
    validate(review)
    validate(review)
    assert asked == [*QUICK, *QUICK]


def test_the_oldest_results_go_where_there_are_too_many(
    folder: Path, review: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    validate(review)
    first = {path.name for path in folder.iterdir()}
    for path in folder.iterdir():
        os.utime(path, (1, 1))
    size = sum(path.stat().st_size for path in folder.iterdir())
    monkeypatch.setattr(cache, "MOST_BYTES", 2 * size - 10)
    replace("data/results.csv", "S1", "S9")(review)
    validate(review)
    left = {path.name for path in folder.iterdir()}
    assert not first <= left
    assert len(left - first) == len(QUICK) + 1


def test_no_other_user_may_read_what_is_kept(folder: Path, review: Path) -> None:
    validate(review)
    assert folder.stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.iterdir())


def test_what_was_found_before_is_told_where_a_table_would_be(
    folder: Path, review: Path, reviewdata: Command
) -> None:
    asked = ("validate", review, "--stage", "structure", "--verbose")
    assert "results is judged by DuckDB" in reviewdata(*asked).err
    again = reviewdata(*asked).err
    assert "the stage structure is as it was found before; --no-cache finds it anew" in again
    assert "judged by" not in again
    assert "results is judged by DuckDB" in reviewdata(*asked, "--no-cache").err
