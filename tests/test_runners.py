"""The processes that run suites: asked again, replaced where they ended, never left behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from mini import write_mini

from reviewdata.package import open_package
from reviewdata.stages import runners
from reviewdata.stages.dataset import start_suites
from reviewdata.stages.runners import Runner, take_runner
from reviewdata.validation import validate


@pytest.fixture
def none_idle(monkeypatch: pytest.MonkeyPatch) -> list[Runner]:
    """Return the processes that wait, of which there are none at first."""
    idle: list[Runner] = []
    monkeypatch.setattr(runners, "_idle", idle)
    return idle


def test_a_process_that_has_answered_is_asked_again(tmp_path: Path) -> None:
    first = write_mini(tmp_path / "first")
    second = write_mini(tmp_path / "second")
    with (second / "data/results.csv").open("a", encoding="utf-8") as table:
        table.write("R3,S2,5.00,1.00,30,\n")  # EX401: two results are expected
    asked = []
    for folder, codes in ((first, []), (second, ["EX401"]), (first, [])):
        assert [f.code for f in validate(folder, stages=["dataset"]).findings] == codes
        [waiting] = runners._idle
        asked.append(waiting.process.pid)
    assert len(set(asked)) == 1


def test_a_folder_may_have_any_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_mini(tmp_path / "a\nb ü")
    monkeypatch.chdir(tmp_path)  # which is not the folder of the process
    assert validate("a\nb ü", stages=["dataset"]).verdict == "pass"


def test_a_process_that_ends_without_an_answer_is_told(
    tmp_path: Path, none_idle: list[Runner]
) -> None:
    package = open_package(write_mini(tmp_path))
    suites = start_suites(package, tmp_path)
    assert suites.runner is not None
    suites.runner.process.kill()
    result = suites.collect()
    assert [run.status for run in result.runs] == ["broken"]
    assert "its process ended with -9" in result.findings[0].message
    assert none_idle == []
    suites.stop()


def test_the_last_words_of_a_process_are_told(none_idle: list[Runner]) -> None:
    runner = take_runner()
    assert runner.process.stdin is not None
    runner.process.stdin.write(b"no question\n")
    runner.process.stdin.flush()
    with pytest.raises(runners.RunnerError, match=r"^1: json.decoder.JSONDecodeError: "):
        runner.answer()
    assert none_idle == []


def test_a_process_that_ended_while_it_waited_is_replaced(none_idle: list[Runner]) -> None:
    ended = Runner()
    ended.process.kill()
    ended.process.wait()
    none_idle.append(ended)
    other = take_runner()
    assert other is not ended
    assert other.process.poll() is None
    other.stop()


def test_a_process_that_is_not_waited_for_is_ended(tmp_path: Path, none_idle: list[Runner]) -> None:
    suites = start_suites(open_package(write_mini(tmp_path)), tmp_path)
    assert suites.runner is not None
    process = suites.runner.process
    suites.stop()
    assert process.returncode == -9
    assert none_idle == []


def test_a_process_ends_where_nobody_can_ask_it_any_more() -> None:
    command = [sys.executable, "-P", "-m", "reviewdata.stages.expectations"]
    ended = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=60
    )
    assert (ended.stdout, ended.stderr) == (b"", b"")
