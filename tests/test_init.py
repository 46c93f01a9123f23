"""`reviewdata init`: what it writes is a review at once, and it takes nothing away."""

from __future__ import annotations

import csv
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, Command
from repositories import git

import reviewdata as rd
from reviewdata.model import ReviewdataError
from reviewdata.starter import KEPT, MOST_TITLE, OUTCOMES, WORKFLOWS, init

HOSTILE = (
    "Quotes \"and\" 'those'",
    "a line\nand another\r\nand\ta tab",
    "Ünïcode 数据 ع",
    "# heading | cell `code` <script>alert(1)</script> [x](javascript:x)",
    "@WORDS@ @TITLE@ {title} ${title} %s \\u0041",
    "'; DROP TABLE studies; --",
    "---\nyaml: [",
    "=1+1",
)


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("kind", OUTCOMES)
def test_what_is_written_passes_run_and_fmt_at_once(
    kind: str, tmp_path: Path, reviewdata: Command
) -> None:
    folder = tmp_path / "deep" / "new-review"
    made = reviewdata("init", folder, "--title", "A review", "--kind", kind)
    assert (made.code, made.err) == (0, "")
    formed = reviewdata("fmt", "--check", folder)
    assert (formed.code, formed.out) == (0, "0 files to format, 3 as they should be\n")
    ran = reviewdata("run", folder)
    assert (ran.code, ran.err) == (0, "")
    # the two notes are the review's own: each study of the example is one
    assert "\npass: 2 notes\n" in ran.out
    assert ran.out.endswith("\n1 reproduced\n")
    assert "dataset ok 0, 1 skipped" in ran.out


@pytest.mark.parametrize("kind", OUTCOMES)
def test_the_example_is_of_the_kind_and_every_row_says_that_it_is_synthetic(
    kind: str, tmp_path: Path
) -> None:
    init(tmp_path / "review", title="A review", kind=kind)
    schema = json.loads((tmp_path / "review/schemas/results.json").read_text("utf-8"))
    assert [statistic["kind"] for statistic in schema["statistics"]] == [kind]
    rows = 0
    for table in (tmp_path / "review" / "data").glob("*.csv"):
        with table.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                rows += 1
                assert "SYNTHETIC" in " ".join(row.values())
    assert rows == 5


def test_the_example_left_in_place_is_found_by_a_rule(tmp_path: Path) -> None:
    init(tmp_path / "review", title="A review", kind="estimate")
    found = rd.open(tmp_path / "review").validate(stages=["relations"]).findings
    assert [(f.code, f.level, f.key["study_id"]) for f in found] == [
        ("MY302", "note", "example-1"),
        ("MY302", "note", "example-2"),
    ]


@pytest.mark.parametrize("title", HOSTILE)
def test_a_title_stays_the_text_that_it_is(title: str, tmp_path: Path) -> None:
    init(tmp_path / "review", title=title, kind="correlation")
    package = rd.open(tmp_path / "review").package
    assert package.descriptor["title"] == " ".join(title.split())
    assert package.findings == ()
    head, blank, *_ = (tmp_path / "review/README.md").read_text("utf-8").splitlines()
    assert (head[:2], blank) == ("# ", "")
    assert "<script" not in head
    assert rd.open(tmp_path / "review").validate(stages=["package"]).verdict == "pass"


@pytest.mark.parametrize(
    ("title", "why"),
    [
        (" \n ", "the title is empty"),
        ("a\x1b[31mb", r"U\+001B"),
        ("a\u202eb", r"U\+202E"),
        ("a\x00b", r"U\+0000"),
        ("a\ud800b", r"U\+D800"),
        ("x" * (MOST_TITLE + 1), "301 characters"),
    ],
)
def test_a_title_that_is_none_is_told_and_nothing_is_written(
    title: str, why: str, tmp_path: Path
) -> None:
    with pytest.raises(ReviewdataError, match=why):
        init(tmp_path / "review", title=title, kind="estimate")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("folder", "name"),
    [("My Review (2026)", "my-review-2026"), ("Émotion", "emotion"), ("数据", "review")],
)
def test_the_package_has_a_name_made_of_its_folder(folder: str, name: str, tmp_path: Path) -> None:
    init(tmp_path / folder, title="A review", kind="estimate")
    assert rd.open(tmp_path / folder).package.descriptor["name"] == name


def test_a_folder_that_is_not_empty_is_refused(tmp_path: Path, reviewdata: Command) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    ended = reviewdata("init", tmp_path, "--title", "A review", "--kind", "estimate")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.endswith("is not empty: it has mine.txt; --force writes into it\n")
    assert tree(tmp_path) == {"mine.txt": b"mine"}


def test_a_folder_that_git_has_just_made_is_empty(tmp_path: Path, reviewdata: Command) -> None:
    git(tmp_path, "init", "--quiet")
    made = reviewdata("init", tmp_path, "--title", "A review", "--kind", "estimate")
    assert made.code == 0
    installed = reviewdata("merge", "install", tmp_path)
    assert "0 added, 3 there already" in installed.out
    asked = git(tmp_path, "check-attr", "merge", "--", "data/results.csv")
    assert asked == "data/results.csv: merge: reviewdata\n"


def test_force_names_what_it_replaces_and_keeps_the_old_content(
    tmp_path: Path, reviewdata: Command
) -> None:
    folder = tmp_path / "review"
    init(folder, title="A review", kind="estimate")
    before = tree(folder)
    for number in (1, 2):
        (folder / "data/results.csv").write_text(f"my own rows {number}\n")
        ended = reviewdata("init", folder, "--title", "A review", "--kind", "estimate", "--force")
        kept = f"data/results.csv{KEPT}{'' if number == 1 else 2}"
        assert ended.code == 0
        assert ended.err == (
            f"data/results.csv was there with other content: replaced, and kept as {kept}\n"
        )
        assert f"1 file written, {len(before) - 1} there already" in ended.out
        assert (folder / kept).read_text() == f"my own rows {number}\n"
    assert {p: c for p, c in tree(folder).items() if KEPT not in p} == before


@pytest.mark.parametrize("kind", ["link", "linked folder", "folder", "file for a folder"])
def test_force_writes_through_no_link_and_over_no_folder(kind: str, tmp_path: Path) -> None:
    folder, outside = tmp_path / "review", tmp_path / "outside"
    folder.mkdir()
    outside.mkdir()
    (outside / "README.md").write_text("outside")
    match kind:
        case "link":
            (folder / "README.md").symlink_to(outside / "README.md")
        case "linked folder":
            (folder / "data").symlink_to(outside)
        case "folder":
            (folder / "README.md").mkdir()
        case _:
            (folder / "data").write_text("a file")
    before = tree(folder)
    with pytest.raises(ReviewdataError, match="move it away"):
        init(folder, title="A review", kind="estimate", force=True)
    assert tree(folder) == before
    assert tree(outside) == {"README.md": b"outside"}


def test_a_place_that_cannot_be_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "review", tmp_path / ("n" * 300)):
        with pytest.raises(ReviewdataError, match=r"no folder|cannot be written"):
            init(place, title="A review", kind="estimate")
    with pytest.raises(ReviewdataError, match="no path"):
        init("a\0b", title="A review", kind="estimate")


def test_the_workflows_are_those_that_are_shipped_with_the_address_that_is_given(
    tmp_path: Path,
) -> None:
    address = f"owner/reviewdata@{'0123456789' * 4}"
    made = init(tmp_path / "r", title="A review", kind="estimate", ci="both", action=address)
    assert not made.placeholder
    for name in WORKFLOWS:
        text = (tmp_path / "r/.github/workflows" / name).read_text("utf-8")
        assert f"uses: {address}\n" in text
        assert "uses: OWNER" not in text
    shipped = ROOT / "src/reviewdata/templates/gitlab/reviewdata.yml"
    assert (tmp_path / "r/.gitlab-ci.yml").read_bytes() == shipped.read_bytes()
    none = init(tmp_path / "none", title="A review", kind="estimate", ci="none")
    assert not [path for path in none.written if path.endswith(".yml")]


@pytest.mark.parametrize("address", ["owner/name@main", "name@" + "0" * 40, "a/b@" + "0" * 39])
def test_an_address_that_fixes_no_commit_is_refused(address: str, tmp_path: Path) -> None:
    with pytest.raises(ReviewdataError, match="40 digits"):
        init(tmp_path / "r", title="A review", kind="estimate", action=address)


def test_the_same_is_written_each_time(tmp_path: Path) -> None:
    for name in ("a", "b"):
        init(tmp_path / name / "review", title="A review", kind="two-by-two", author="A. Author")
    assert tree(tmp_path / "a") == tree(tmp_path / "b")


def test_without_a_terminal_nothing_is_asked(tmp_path: Path, reviewdata: Command) -> None:
    ended = reviewdata("init", tmp_path / "review", "--title", "A review")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == ("reviewdata: --kind is not given, and there is no terminal to ask at\n")


def answer(command: list[str], answers: bytes) -> tuple[int, str]:
    """Return the exit code of a command on a terminal of its own, and what it showed.

    The answers end with Ctrl-D, so that it never waits for more.
    """
    parent, child = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "reviewdata", *command], stdin=child, stdout=child, stderr=child
    )
    os.close(child)
    os.write(parent, answers + b"\x04")
    shown = b""
    while True:
        try:
            part = os.read(parent, 65536)
        except OSError:  # what Linux says where the other end is closed
            break
        shown += part
    os.close(parent)
    return process.wait(), shown.decode("utf-8")


def test_on_a_terminal_what_is_missing_is_asked_for(tmp_path: Path) -> None:
    code, shown = answer(["init", str(tmp_path / "review")], b"\nMy review\nnonsense\n4\n")
    assert code == 0
    assert "the title is empty" in shown
    assert "there is no kind of outcome nonsense" in shown
    descriptor = json.loads((tmp_path / "review/datapackage.json").read_text("utf-8"))
    assert descriptor["title"] == "My review"
    schema = (tmp_path / "review/schemas/results.json").read_text("utf-8")
    assert '"kind": "correlation"' in schema


def test_answers_that_end_write_nothing(tmp_path: Path) -> None:
    code, shown = answer(["init", str(tmp_path / "review")], b"My review\n")
    assert code == 2
    assert "the answers end here; nothing was written" in shown
    assert list(tmp_path.iterdir()) == []
