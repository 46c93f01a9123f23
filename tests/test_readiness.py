"""Whether a review is ready to be released: against git, the files that are there, and the rest."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from releasable import write_releasable
from repositories import commit, git

from reviewdata.git import find_repository
from reviewdata.model import Claim, Finding, ReviewdataError, Run, Validation, Waiver
from reviewdata.package import open_package
from reviewdata.release.changelog import find_entry
from reviewdata.release.contents import find_contents
from reviewdata.release.readiness import Readiness, check_readiness, judge_readiness
from reviewdata.release.semver import is_version, rank_version, version_of_tag
from reviewdata.release.statements import write_statements

STUDIES = "study_id,year,design\nS1,2019,trial\nS2,2021,cohort\n"
MORE = STUDIES + "S3,2022,cohort\n"
DESCRIPTOR = "datapackage.json"


def judge(folder: Path, since: str | None = None) -> Readiness:
    """Return what stands against a release but for the data themselves."""
    return judge_readiness(open_package(folder), Validation((), ()), since=since)


def found(ready: Readiness) -> list[tuple[str, str, str]]:
    return [(f.code, f.level, f.message) for f in ready.verdict.findings]


@pytest.fixture
def review(tmp_path: Path) -> Path:
    """Return the review in a repository in which 1.0.0 is released."""
    folder = write_releasable(tmp_path / "review")
    commit(folder)
    git(folder, "tag", "v1.0.0")
    return folder


def change(folder: Path, version: str = "1.0.0", studies: str = MORE) -> None:
    """Change the table of studies, the version and the changelog, and commit that."""
    (folder / "data/studies.csv").write_text(studies)
    content = json.loads((folder / DESCRIPTOR).read_text())
    (folder / DESCRIPTOR).write_text(json.dumps(content | {"version": version}))
    (folder / "CHANGELOG.md").write_text(f"# Changelog\n\n## Data {version}\n\n- A change.\n")
    commit(folder)


def test_a_first_release_has_none_before_it(tmp_path: Path) -> None:
    folder = write_releasable(tmp_path)
    ready = check_readiness(folder)
    assert (ready.is_ready, ready.last, found(ready)) == (True, None, [])
    assert ready.changes == "- First version of the synthetic review."
    commit(folder)
    assert (judge(folder).is_ready, judge(folder).last) == (True, None)


def test_the_tagged_commit_is_its_own_release(review: Path) -> None:
    assert (found(judge(review)), judge(review).last) == ([], None)
    (review / "data/studies.csv").write_text(MORE)
    said = "the version is 1.0.0, which v1.0.0 has already; since then 1 record added"
    assert found(judge(review))[0][2].startswith(said)


@pytest.mark.parametrize(("version", "ready"), [("1.0.1", False), ("1.1.0", True)])
def test_a_tag_at_the_commit_is_held_against_the_release_before_it(
    version: str, ready: bool, review: Path
) -> None:
    """As CI builds it: once the tag is pushed."""
    change(review, version)
    git(review, "tag", f"v{version}")
    assert (judge(review).is_ready, judge(review).last) == (ready, "v1.0.0")


@pytest.mark.parametrize(
    ("version", "says"),
    [
        ("1.0.0", "the version is 1.0.0, which v1.0.0 has already; since then 1 record added"),
        ("1.0.1", "the version is 1.0.1, and the changes since v1.0.0 ask for 1.1.0 (minor: 1 rec"),
        ("0.9.0", "the version is 0.9.0, and the changes since v1.0.0 ask for 1.1.0 (minor: 1 rec"),
        ("1.1.0", ""),
        ("1.1.0-rc.1", ""),
        ("2.0.0", ""),
    ],
)
def test_the_version_is_raised_as_the_change_asks(review: Path, version: str, says: str) -> None:
    change(review, version)
    messages = [message for _, _, message in found(judge(review))]
    assert [message[: len(says)] for message in messages] == ([says] if says else [])


def test_a_version_without_a_change_is_warned_of(review: Path) -> None:
    change(review, "1.0.1", STUDIES)
    said = "the version is 1.0.1, and nothing has changed since v1.0.0"
    assert found(judge(review)) == [("RD603", "warning", said)]


def test_a_dataset_without_a_title_and_a_heading_that_says_unreleased_are_warned_of(
    review: Path,
) -> None:
    content = json.loads((review / DESCRIPTOR).read_text())
    del content["title"]
    (review / DESCRIPTOR).write_text(json.dumps(content))
    (review / "CHANGELOG.md").write_text("## Data 1.0.0, unreleased\n\n- A change.\n")
    told = [entry for entry in found(judge(review)) if entry[0] in ("RD602", "RD604")]
    assert told == [
        ("RD602", "warning", "the dataset has no title, and will be cited as mini"),
        ("RD604", "warning", "the heading of 1.0.0 in CHANGELOG.md still says unreleased"),
    ]


def test_what_is_named_for_the_data_stands_for_its_kind(review: Path) -> None:
    for name in ("README.md", "README-data.md", "LICENSE", "NOTICE.txt", "CHANGELOG.txt"):
        (review / name).write_text("x")
    files = find_contents(open_package(review), None).files
    beside = {name for name in files if name.isupper() or name[:6].isupper()}
    assert beside == {"README-data.md", "LICENSE", "NOTICE.txt", "CHANGELOG.md"}


def test_the_last_release_is_the_latest_tag_that_has_its_version_in_it(review: Path) -> None:
    change(review, "1.1.0")
    git(review, "tag", "data-1.1.0")
    change(review, "1.1.1", MORE.replace("2022", "2023"))
    for other in ("v9.0.0", "framework-2.0.0", "v1", "latest"):  # of something else
        git(review, "tag", other)
    assert (found(judge(review)), judge(review).last) == ([], "data-1.1.0")
    git(review, "checkout", "--quiet", "-b", "side", "v1.0.0")
    change(review, "1.1.1")
    assert judge(review).last == "v1.0.0"


def test_another_release_may_be_named_as_the_last(review: Path, tmp_path: Path) -> None:
    change(review, "1.0.1")
    git(review, "tag", "--delete", "v1.0.0")
    assert judge(review).is_ready
    assert not judge(review, since="HEAD~1").is_ready
    with pytest.raises(ReviewdataError, match="git has no revision nothing"):
        judge(review, since="nothing")


def test_a_shallow_clone_is_warned_of_where_it_has_no_tag(review: Path, tmp_path: Path) -> None:
    change(review, "1.1.0")
    git(tmp_path, "clone", "--quiet", "--depth=1", "--no-tags", f"file://{review}", "clone")
    [(code, level, message)] = found(judge(tmp_path / "clone"))
    assert (code, level) == ("RD603", "warning")
    assert "the clone is shallow" in message


def test_what_git_does_not_have_is_told_and_notes_beside_the_data_are_left_out(
    review: Path,
) -> None:
    (review / "data/notes.txt").write_text("mine")
    (review / "data/studies.csv").write_text(MORE)
    (review / "NOTICE").write_text("new")
    (review / "untold.txt").write_text("no part of the review")
    repository = find_repository(review)
    contents = find_contents(open_package(review), repository)
    assert "data/notes.txt" not in contents.files
    assert "untold.txt" not in contents.files
    assert contents.files["NOTICE"] == review / "NOTICE"
    assert contents.uncommitted == (
        ("NOTICE", "is not in the commit"),
        ("data/studies.csv", "differs from the commit"),
        ("data/notes.txt", "is not in git, and is left out"),
    )
    assert ("RD608", "warning", "NOTICE is not in the commit") in found(judge(review))


def test_nothing_from_outside_the_package_and_nothing_of_git_is_packed(tmp_path: Path) -> None:
    folder = write_releasable(tmp_path / "review")
    commit(folder)
    (tmp_path / "secret").write_text("a key")
    (tmp_path / "secrets").mkdir()
    links: dict[str, str | Path] = {
        "data/away.csv": tmp_path / "secret",
        "data/folder": tmp_path / "secrets",
        "data/inside": "../schemas",
        "data/copy.csv": "studies.csv",
        "queries/loop.sql": "loop.sql",
        "queries/none.sql": "nothing.sql",
        "LICENSE": "../secret",
        "schemas/config": "../.git/config",
    }
    for path, target in links.items():
        (folder / path).symlink_to(target)
    os.mkfifo(folder / "data" / "pipe")
    contents = find_contents(open_package(folder), None)
    assert dict(contents.faults) == {
        "data/away.csv": "is a link that leads out of the package",
        "data/folder": "is a link that leads out of the package",
        "data/inside": "is a link to a folder",
        "queries/loop.sql": "is a link to itself",
        "queries/none.sql": "is not there",
        "LICENSE": "is a link that leads out of the package",
        "schemas/config": "is a link to what git keeps of itself",
        "data/pipe": "is no file",
    }
    assert "data/copy.csv" in contents.files
    assert not [path for path in contents.files if path.startswith(".git")]


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("queries/A.sql", "differs from queries/a.sql by its case or accents alone"),
        ("queries/a:b.sql", "has a character in its name that not every system can write"),
        ("queries/end. ", "has a character in its name that not every system can write"),
        ("queries/new\nline.sql", "has a character in its name that not every system can write"),
    ],
)
def test_a_name_that_some_system_cannot_write_is_told(tmp_path: Path, path: str, why: str) -> None:
    folder = write_releasable(tmp_path, files={"queries/a.sql": "SELECT 1 AS one", path: ""})
    [(told, reason)] = find_contents(open_package(folder), None).faults
    assert {told, reason} & {why, "differs from queries/A.sql by its case or accents alone"}


@pytest.mark.parametrize("name", ["../away", "a/b", "a:b", "end."])
def test_a_table_whose_name_can_be_no_file_is_told(tmp_path: Path, name: str) -> None:
    listed: list[Any] = [{"name": name, "path": "data/studies.csv", "schema": {}}]
    folder = write_releasable(tmp_path, patch={DESCRIPTOR: {"resources": listed}})
    [(code, _, message)] = found(judge(folder))
    assert (code, message.startswith(f"{name} is the name of a table")) == ("RD607", True)


@pytest.mark.parametrize("name", ["", "Mini", "a/b", "..", "a b", "a" * 101, None, 7])
def test_a_release_has_a_name_that_can_be_a_folder(tmp_path: Path, name: object) -> None:
    folder = write_releasable(tmp_path, patch={DESCRIPTOR: {"name": name}})
    [(code, _, message)] = found(judge(folder))
    assert (code, message.startswith("the name of the dataset is")) == ("RD602", True)


def test_a_table_must_not_have_the_name_of_what_is_made(tmp_path: Path) -> None:
    listed: list[Any] = [{"name": "codes", "path": "codebook.md", "schema": {}}]
    folder = write_releasable(tmp_path, patch={DESCRIPTOR: {"resources": listed}})
    (folder / "codebook.md").write_text("a\n1\n")
    faults = find_contents(open_package(folder), None).faults
    assert ("codebook.md", "has the name of a file that the release makes") in faults


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("## 1.2.0\n\n- A.\n\n### More\n\n- B.\n\n## 1.1.0\n- C.", "- A.\n\n### More\n\n- B."),
        ("# v1.2.0 (2026-01-31)\nA", "A"),
        ("## [1.2.0](https://example.org)\n\nA\n", "A"),
        ("1.2.0\n-----\nA\n", "A"),
        ("## 1.2.0\n\n## 1.1.0\n- C.", ""),
        ("## Data 1.1.0\n\n- Old.\n\n## Framework 1.2.0\n\n- Not the data.\n", None),
        ("## Framework 1.2.0\n\n- F.\n\n## Data 1.2.0, unreleased\n\n- D.\n", "- D."),
        ("## 1.2.0-rc.1\nA\n## 11.2.0\nB\n## 1.2.0.1\nC\n## 1.2.01\nD", None),
        ("```\n## 1.2.0\n```\nA", None),
        ("The text names 1.2.0 alone.", None),
    ],
)
def test_the_entry_of_a_version_stands_beneath_its_heading(text: str, entry: str | None) -> None:
    assert find_entry(text, "1.2.0") == entry


def test_a_changelog_must_be_there_and_hold_something(tmp_path: Path) -> None:
    folder = write_releasable(tmp_path, files={"CHANGELOG.md": "# Changelog\n\n## 1.0.0\n"})
    assert [m for _, _, m in found(judge(folder))] == [
        "the entry for 1.0.0 in CHANGELOG.md is empty"
    ]
    (folder / "CHANGELOG.md").unlink()
    assert [m for _, _, m in found(judge(folder))] == [
        "there is no CHANGELOG.md; it says what 1.0.0 changes"
    ]
    (folder / "CHANGELOG.md").write_bytes(b"\xff")
    with pytest.raises(ReviewdataError, match=r"CHANGELOG\.md is not UTF-8: byte 0"):
        judge(folder)


@pytest.mark.parametrize("version", ["1.0", "v1.0.0", "1.0.0.0", "01.0.0", "1.0.0-", "", None, 1])
def test_a_version_is_a_semantic_one(tmp_path: Path, version: object) -> None:
    assert not is_version(version)
    folder = write_releasable(tmp_path, patch={DESCRIPTOR: {"version": version or ""}})
    [(code, level, message)] = found(judge(folder))
    assert (code, level) == ("RD602", "error")
    assert message.endswith("no semantic version") if version else message.endswith("no version")


def test_versions_are_in_the_order_of_semver() -> None:
    ordered = ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2"]
    ordered += ["1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1", "1.10.0", "2.0.0"]
    backwards = ordered[::-1]
    assert sorted(backwards, key=rank_version) == ordered
    tags = {"v1.0.0": "1.0.0", "data-2.0.0-rc.1": "2.0.0-rc.1", "mini/v1.2.3": "1.2.3"}
    assert {tag: version_of_tag(tag) for tag in tags} == tags
    assert [version_of_tag(tag) for tag in ("v1.0", "release", "x1.0.0")] == [None] * 3


def test_what_a_reader_should_know_is_stated() -> None:
    def claim(name: str, verdict: Any) -> Claim:
        nothing: Any = None
        return Claim(name, "", "1", 0, 1, 0, verdict, *[nothing] * 7)

    waived = Finding("RD231", "p", "warning", "", "results", key={"id": "R1"}, field="p", value="1")
    validation = Validation(
        (Run("rows", "RD231", "fail"),),
        (
            Finding("RD301", "copied", "warning", "", "results"),
            Finding("RD302", "note", "note", "", "results"),
            Finding(**{**waived.to_dict(), "waived": True, "origin": None}),
        ),
        (claim("a", "reproduced"), claim("b", "incomplete"), claim("c", "differs")),
        waivers=(Waiver("RD231", "as printed", "us", "results", {"id": "R1"}, "p", "1"),),
    )
    assert write_statements(validation) == (
        "1 of 3 published claims is reproduced from the data.",
        "1 of 3 published claims is incomplete, since studies are missing from the data: b.",
        "1 of 3 published claims differs from what the data give: c.",
        "1 finding is waived: RD231 at results, R1, p (as printed).",
        "1 warning stands: RD301 at results.",
    )
    assert write_statements(Validation((), ())) == ()


def test_what_stands_against_a_release_cannot_be_waived(tmp_path: Path) -> None:
    waiver = '[[waiver]]\ncode = "RD605"\nreason = "none"\nwho = "us"\n'
    change = {DESCRIPTOR: {"licenses": [{"name": "own"}]}}
    files = {"validations/waivers.toml": waiver}
    ready = check_readiness(write_releasable(tmp_path, files=files, patch=change))
    assert [code for code, _, _ in found(ready)] == ["RD605"]
    [told] = [f.message for f in ready.validation.findings if f.code == "RD902"]
    assert told.endswith("what stands against a release cannot be waived")
