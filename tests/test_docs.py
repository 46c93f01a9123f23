"""What the documents show is what happens, and what is generated is up to date."""

from __future__ import annotations

import io
import os
import re
import shlex
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from conftest import ROOT, UPDATE
from repositories import commit

from reviewdata.cli import main
from reviewdata.release import invenio, publishing, web

DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    "docs/review.md",
    "docs/new-review.md",
    "docs/export.md",
)
SESSION = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHELL = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


IMPORTING = ("run", "validate", "diff")
"""Commands that import for a second or more: they run in this process, the others in a shell."""


def run_line(line: str, folder: Path) -> str:
    """Run a line as a reader would, and return what it prints on either stream."""
    first, *arguments = shlex.split(line)
    if first != "reviewdata" or arguments[0] not in IMPORTING:
        return shell(line, folder)
    printed = io.StringIO()
    with chdir(folder), redirect_stdout(printed), redirect_stderr(printed):
        main(arguments)
    return printed.getvalue()


def shell(command: str, folder: Path) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    ended = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return ended.stdout


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_sessions_of_a_document_go_as_shown(name: str, alliance: Path) -> None:
    commit(alliance)  # a clone, as the reader has it
    text = (ROOT / name).read_text("utf-8")

    def replayed(match: re.Match[str]) -> str:
        lines = []
        for line in match[1].splitlines():
            if line.startswith("$ "):
                lines += [f"{line}\n", run_line(line[2:], alliance)]
        return f"```console\n{''.join(lines)}```"

    expected = SESSION.sub(replayed, text)
    if UPDATE:
        (ROOT / name).write_text(expected, "utf-8")
    assert text == expected


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_python_of_a_document_runs_and_prints_what_its_comment_says(
    name: str, alliance: Path
) -> None:
    for code in PYTHON.findall((ROOT / name).read_text("utf-8")):
        said = re.findall(r"^print\(.*\)  # (.*)$", code, re.MULTILINE)
        ended = subprocess.run(
            [sys.executable, "-W", "error", "-c", code],
            cwd=alliance,
            capture_output=True,
            text=True,
            check=True,
        )
        assert ended.stdout.splitlines() == said


def test_ci_runs_the_test_command_of_the_readme() -> None:
    main, tests = SHELL.findall((ROOT / "README.md").read_text("utf-8"))
    assert main.rstrip().endswith(".venv/bin/reviewdata run")
    assert tests.strip() in (ROOT / ".ci" / "run").read_text("utf-8")


def test_links_of_the_documents_lead_somewhere() -> None:
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("examples/*/*.md")):
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text("utf-8")):
            if "://" not in target:
                assert (path.parent / target).exists(), f"{path.name}: {target}"


def test_the_page_on_publishing_has_the_limits_of_the_code() -> None:
    text = " ".join((ROOT / "docs" / "publishing.md").read_text("utf-8").split())
    assert f"up to {web.TRIES} times" in text
    assert f"(up to {web.LONGEST_WAIT:.0f} s; a wait from {web.LONG_WAIT:.0f} s on is told)" in text
    assert f"sent again, {publishing.ROUNDS} times at most" in text
    assert f"InvenioRDM takes {invenio.MOST_FILES} files" in text


def test_the_generated_pages_are_up_to_date() -> None:
    command = [sys.executable, "docs/generate.py", *([] if UPDATE else ["--check"])]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
