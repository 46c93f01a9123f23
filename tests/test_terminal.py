"""Where a command writes, how it is stopped, and what cannot reach a terminal."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from conftest import ROOT, Command
from mini import remove_suites, write_mini
from test_cli import on_a_terminal

RUN = [sys.executable, "-m", "reviewdata"]
EVIL = "\x1b]0;owned\x07\x9b31m\x7f\u202e"
ENDLESS = "SELECT count(*) FROM range(10_000_000) a, range(10_000_000) b WHERE a.range > b.range"


def write(folder: Path, output: Path, reviewdata: Command) -> None:
    """Write the (empty) list of findings of the package stage."""
    ended = reviewdata("validate", folder, "--stage=package", "--format=json", "--output", output)
    assert (ended.code, ended.err) == (0, "")


def test_an_output_that_is_a_link_stays_one(tmp_path: Path, reviewdata: Command) -> None:
    write_mini(tmp_path)
    (tmp_path / "target.json").write_text("old")
    for name, target in (("link.json", "target.json"), ("dangling.json", "new.json")):
        link = tmp_path / name
        link.symlink_to(target)
        write(tmp_path, link, reviewdata)
        assert link.is_symlink()
        assert json.loads((tmp_path / target).read_text())["verdict"] == "pass"


def test_an_output_that_is_a_pipe_or_a_device_is_written_to(
    tmp_path: Path, reviewdata: Command
) -> None:
    pipe = write_mini(tmp_path) / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    write(tmp_path, pipe, reviewdata)
    reader.join(10)
    assert json.loads(read[0])["verdict"] == "pass"
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    write(tmp_path, Path(os.devnull), reviewdata)
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)


def test_an_output_keeps_its_mode_and_may_have_a_long_name(
    tmp_path: Path, reviewdata: Command
) -> None:
    output = write_mini(tmp_path) / ("x" * 250)
    write(tmp_path, output, reviewdata)
    output.chmod(0o600)
    write(tmp_path, output, reviewdata)
    assert stat.S_IMODE(output.stat().st_mode) == 0o600


@pytest.mark.parametrize("closed", ["<&-", "2>&-", "<&- 2>&-"])
def test_a_closed_stream_is_no_crash(closed: str, tmp_path: Path) -> None:
    command = f"{' '.join(RUN)} query pooled --format csv --project {write_mini(tmp_path)} {closed}"
    ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("mean,k\n")


def test_a_result_that_goes_nowhere_is_told(tmp_path: Path) -> None:
    command = f"{' '.join(RUN)} query pooled --project {write_mini(tmp_path)} >&-"
    ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr == "reviewdata: the result cannot be written: standard output is closed\n"


@pytest.mark.parametrize("wait", [0.02, 0.05, 0.1, 0.2, 0.4])
def test_ctrl_c_at_the_start_is_no_traceback(wait: float, tmp_path: Path) -> None:
    command = [*RUN, "query", "--sql", ENDLESS, "--project", str(write_mini(tmp_path))]
    code = "import sys; print(flush=True); import reviewdata.__main__ as m; sys.exit(m.main())"
    command = [sys.executable, "-c", code, *command[3:]]
    # On a busy machine the signal may come before our first line, or while DuckDB's extension
    # starts, which then ends the process by itself; so it may be tried again.
    for _ in range(4):
        ended, error = press_ctrl_c(command, wait)
        if ended >= 0:
            break
    assert ended == 130
    # DuckDB may print where its own start was broken off.
    assert error.endswith("reviewdata: stopped\n")


def press_ctrl_c(command: list[str], wait: float) -> tuple[int, str]:
    """Interrupt a process so long after its start; return its code and what it says."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdout is not None
    process.stdout.readline()  # Python itself has started
    time.sleep(wait)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=30)
    return process.returncode, error


def test_sigterm_leaves_no_folder_behind(tmp_path: Path) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    review = write_mini(tmp_path / "review")
    process = subprocess.Popen(
        [*RUN, "query", "--sql", ENDLESS, "--project", str(review)],
        env={**os.environ, "TMPDIR": str(folder)},
    )
    for _ in range(300):
        if any(folder.iterdir()):
            break
        time.sleep(0.1)
    time.sleep(0.5)
    process.terminate()
    assert process.wait(30) == 143
    assert list(folder.iterdir()) == []


def test_no_text_of_a_review_steers_the_terminal(tmp_path: Path, reviewdata: Command) -> None:
    rule = {
        name: f"{name} {EVIL}" for name in ("name", "message", "why", "fix", "formula", "source")
    }
    rule |= {"stage": "relations", "level": "error", "table": "studies"}
    lines = [f"{name} = {json.dumps(text)}" for name, text in rule.items()]
    write_mini(
        tmp_path,
        files={
            "validations/rules.toml": "[EX301]\n" + "\n".join(lines) + "\n",
            "validations/relations/study_without_result.sql": "-- code: EX301\nFROM studies",
            "queries/pooled.sql": f"-- title: {EVIL}\n-- param a TEXT = '{EVIL}'\nSELECT 1 AS mean",
            "queries/other.sql": f'SELECT "{EVIL}" FROM studies',
        },
    )
    remove_suites(tmp_path)
    sql = f"SELECT '{EVIL}' AS \"{EVIL}\""
    project = ("--project", tmp_path)
    for command in (
        ("run", tmp_path),
        ("validate", tmp_path),
        ("validate", tmp_path, "--format", "concise"),
        ("validate", tmp_path, "--format", "json"),
        ("reproduce", tmp_path),
        ("reproduce", tmp_path, "--format", "markdown"),
        ("rules", *project),
        ("rule", "EX301", *project),
        ("rule", EVIL, *project),
        ("query", *project),
        ("query", "--all", *project),
        ("query", "--all", "--format", "markdown", *project),
        ("query", "other", *project),
        ("query", "--sql", sql, *project),
        ("query", "--sql", sql, "--format", "markdown", *project),
        ("query", "--sql", sql, "--format", "json", *project),
        ("query", "--sql", f"SELECT {EVIL}", *project),
    ):
        ended = reviewdata(*command)
        assert not set(EVIL) - set("]0;owned31m") & set(ended.out + ended.err), command
    row = json.loads(reviewdata("query", "--sql", sql, "--format=json", *project).out)["rows"]
    assert row == [{EVIL: EVIL}]


def test_csv_is_escaped_on_a_terminal_and_raw_in_a_pipe(tmp_path: Path) -> None:
    sql = f"SELECT '{EVIL}' AS a"
    command = [*RUN, "query", "--sql", sql, "--format", "csv", "--project"]
    command.append(str(write_mini(tmp_path)))
    piped = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert piped == f"a\n{EVIL}\n"
    shown = on_a_terminal(command, {})
    assert shown.splitlines() == ["a", r"\u{1b}]0;owned\u{7}\u{9b}31m\u{7f}\u{202e}"]


def test_what_is_told_to_run_names_the_review(
    tmp_path: Path, reviewdata: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = "result_id,study_id,mean,sd,n,printed\nR1,S1,9.20,1.10,40,\n"
    files: dict[str, str | bytes] = {
        "data/results.csv": rows,
        "queries/other.sql": "FROM range(7)",
    }
    folder = write_mini(tmp_path / "a review", files=files)
    remove_suites(folder)
    there = reviewdata("run", folder).out
    assert f"reviewdata query NAME --project '{folder}'\n" in there
    assert f"how to mend it: reviewdata validate '{folder}'\n" in there
    told = reviewdata("validate", folder, "--stage", "rows").out
    assert f"more: reviewdata rule RD201 --project '{folder}'\n" in told
    monkeypatch.chdir(folder)
    assert "--project" not in reviewdata("run").out + reviewdata("validate", "--stage=rows").out
