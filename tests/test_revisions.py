"""A revision of a review: of git, a folder or a zip, and what is said where there is none."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
import zipfile
from pathlib import Path

import pytest
from conftest import Command
from mini import write_mini
from repositories import commit, git

from reviewdata import archives
from reviewdata.git import STAGED, find_repository
from reviewdata.model import ReviewdataError
from reviewdata.revisions import open_revision

FILES = {
    path.relative_to(root).as_posix()
    for root in [Path(__file__).parent / "packages/mini"]
    for path in root.rglob("*")
    if path.is_file() and path.suffix != ".pyc"
} - {"CHANGELOG.md"}


@pytest.fixture
def review(tmp_path: Path) -> Path:
    """Return the synthetic review in a repository with one commit."""
    folder = write_mini(tmp_path / "review")
    commit(folder)
    return folder


def files(root: Path) -> set[str]:
    found = {p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file()}
    return found - {"CHANGELOG.md"}  # no part of a revision


def test_a_commit_gives_the_files_of_the_review_as_git_stores_them(review: Path) -> None:
    before = (review / "data/results.csv").read_bytes()
    (review / "data/results.csv").write_bytes(b"other\r\n")
    (review / ".gitattributes").write_text("*.csv text eol=crlf\n")
    with open_revision("main", review) as revision:
        assert files(revision.root) == FILES
        assert (revision.root / "data/results.csv").read_bytes() == before
    assert not revision.root.exists()


def test_what_is_no_part_of_the_review_is_left_in_the_repository(review: Path) -> None:
    (review / "src").mkdir()
    (review / "src" / "large.bin").write_bytes(b"0" * 1000)
    commit(review)
    with open_revision("HEAD", review) as revision:
        assert files(revision.root) == FILES


def test_a_review_may_lie_in_a_folder_of_the_repository(tmp_path: Path) -> None:
    inner = write_mini(tmp_path / "reviews" / "näme with space")
    commit(tmp_path)
    for project in (inner, inner / "datapackage.json"):
        with open_revision("HEAD", project) as revision:
            assert files(revision.root) == FILES


@pytest.mark.parametrize("schema", [{"fields": []}, None, 7, ["x"], "../x.json", "a\0b"])
def test_a_schema_may_stand_in_the_descriptor_or_be_nonsense(review: Path, schema: object) -> None:
    entry = {"name": "studies", "path": "data/studies.csv", "schema": schema}
    (review / "datapackage.json").write_text(json.dumps({"resources": [entry, 3, {"path": []}]}))
    commit(review)
    with open_revision("HEAD", review) as revision:
        assert (revision.root / "data/studies.csv").is_file()


def test_what_is_staged_is_a_revision_of_its_own(review: Path) -> None:
    (review / "data/studies.csv").write_text("study_id,year,design\nS1,2000,trial\n")
    git(review, "add", "data/studies.csv")
    (review / "data/studies.csv").write_text("study_id,year,design\n")
    with open_revision(STAGED, review) as revision:
        assert "S1,2000" in (revision.root / "data/studies.csv").read_text()


def test_a_linked_table_of_a_commit_stays_a_link(review: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("study_id,year,design\nS1,1,trial\n")
    (review / "data/studies.csv").unlink()
    (review / "data/studies.csv").symlink_to(tmp_path / "secret.csv")
    commit(review)
    with open_revision("HEAD", review) as revision:
        assert (revision.root / "data/studies.csv").is_symlink()


def test_a_folder_is_a_revision_by_its_path_only_where_there_is_a_repository(
    review: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(review, tmp_path / "elsewhere", ignore=shutil.ignore_patterns(".git"))
    with open_revision(str(tmp_path / "elsewhere"), review) as revision:
        assert files(revision.root) == FILES
    # A contribution may hold a folder of any name; it must not stand in for a branch.
    shutil.copytree(tmp_path / "elsewhere", review / "release")
    monkeypatch.chdir(review)
    with pytest.raises(ReviewdataError, match=r"write \./release"), open_revision("release", "."):
        pass
    with open_revision("./release", ".") as revision:
        assert files(revision.root) == FILES


def test_outside_a_repository_a_folder_needs_no_more_than_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_mini(tmp_path / "old")
    write_mini(tmp_path / "new")
    monkeypatch.chdir(tmp_path)
    with open_revision("old", "new") as revision:
        assert files(revision.root) == FILES


def zipped(folder: Path, target: Path, top: str = "") -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files(folder) & FILES):
            archive.write(folder / name, f"{top}{name}")
    return target


@pytest.mark.parametrize("top", ["", "mini-1.0.0/"])
def test_a_zip_of_a_package_is_a_revision(review: Path, tmp_path: Path, top: str) -> None:
    archive = zipped(review, tmp_path / "v1.zip", top)
    with open_revision(str(archive), review) as revision:
        assert files(revision.root) == FILES


def hostile_zip(path: Path, name: str, content: bytes, mode: int = 0o644) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        info = zipfile.ZipInfo(name)
        info.external_attr = mode << 16
        info.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(info, content)
    return path


@pytest.mark.parametrize(
    ("name", "mode", "says"),
    [
        ("../datapackage.json", 0o644, "leaves its folder"),
        ("/etc/passwd", 0o644, "leaves its folder"),
        ("a/../../b", 0o644, "leaves its folder"),
        ("C:\\x", 0o644, "leaves its folder"),
        (".git/config", 0o644, "leaves its folder"),
        ("data", stat.S_IFLNK | 0o777, "is a link"),
    ],
)
def test_a_zip_with_a_path_that_leaves_it_is_refused(
    tmp_path: Path, name: str, mode: int, says: str
) -> None:
    archive = hostile_zip(tmp_path / "x.zip", name, b"/etc", mode)
    with pytest.raises(ReviewdataError, match=says), open_revision(str(archive), tmp_path):
        pass
    assert sorted(p.name for p in tmp_path.iterdir()) == ["x.zip"]


def test_a_zip_that_unpacks_to_far_more_than_it_is_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "RATIO_FROM", 1_000_000)
    archive = hostile_zip(tmp_path / "bomb.zip", "datapackage.json", b"0" * 50_000_000)
    assert archive.stat().st_size < 100_000
    with pytest.raises(ReviewdataError, match="bomb"), open_revision(str(archive), tmp_path):
        pass


def test_a_zip_that_lies_about_its_sizes_is_refused(tmp_path: Path) -> None:
    archive = hostile_zip(tmp_path / "x.zip", "datapackage.json", b"0" * 5_000_000)
    raw = archive.read_bytes()
    small = (10).to_bytes(4, "little")
    archive.write_bytes(raw.replace((5_000_000).to_bytes(4, "little"), small))
    with pytest.raises(ReviewdataError), open_revision(str(archive), tmp_path):
        pass


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04" + b"\0" * 40])
def test_what_is_no_zip_is_refused(tmp_path: Path, content: bytes) -> None:
    archive = tmp_path / "x.zip"
    archive.write_bytes(content)
    with pytest.raises(ReviewdataError, match="no zip"), open_revision(str(archive), tmp_path):
        pass


def test_a_table_in_git_lfs_is_told_and_not_taken_for_data(review: Path) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"
    (review / "data/results.csv").write_text(pointer)
    commit(review)
    with pytest.raises(ReviewdataError, match="only a pointer"), open_revision("HEAD", review):
        pass


def test_a_project_that_is_not_there_is_one_line(tmp_path: Path, reviewdata: Command) -> None:
    ended = reviewdata("validate", tmp_path / "nowhere", "--rules-from", "main")
    assert (ended.code, ended.err) == (2, f"reviewdata: there is no folder {tmp_path}/nowhere\n")


def test_an_unknown_revision_is_told_with_the_nearest(review: Path, reviewdata: Command) -> None:
    ended = reviewdata("diff", "mian", "--project", review)
    assert ended.code == 2
    assert ended.err == "reviewdata: git has no revision mian; did you mean main?\n"


@pytest.mark.parametrize("name", ["-x", "--output=x", "HEAD^9", "main:data", ""])
def test_what_is_no_revision_is_one_line(review: Path, reviewdata: Command, name: str) -> None:
    ended = reviewdata("diff", "--project", review, "--", name)
    assert ended.code == 2
    assert ended.err.startswith(f"reviewdata: git has no revision {name}")


def test_a_shallow_clone_says_how_to_fetch(
    review: Path, tmp_path: Path, reviewdata: Command
) -> None:
    first = git(review, "rev-parse", "HEAD").strip()
    commit(review, "second")
    git(tmp_path, "clone", "--quiet", "--depth=1", review.as_uri(), "clone")
    ended = reviewdata("diff", first, "--project", tmp_path / "clone")
    assert ended.code == 2
    assert "which is shallow" in ended.err
    assert f"git fetch --depth=1 origin {first}" in ended.err


def test_without_git_a_folder_still_can_be_compared(
    review: Path, tmp_path: Path, reviewdata: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = write_mini(tmp_path / "other")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert reviewdata("diff", other, "--project", review).code == 0
    ended = reviewdata("diff", "main", "--project", review)
    assert ended.code == 2
    assert "or there is no git" in ended.err


def test_a_base_without_a_data_package_is_told(tmp_path: Path, reviewdata: Command) -> None:
    (tmp_path / "README.md").write_text("nothing yet\n")
    first = commit(tmp_path)
    write_mini(tmp_path)
    commit(tmp_path)
    ended = reviewdata("diff", first, "--project", tmp_path)
    assert ended.code == 2
    assert f"{first} has no datapackage.json: it is no data package there" in ended.err


def test_a_base_whose_descriptor_cannot_be_read_is_told(review: Path, reviewdata: Command) -> None:
    descriptor = (review / "datapackage.json").read_text()
    (review / "datapackage.json").write_text("{")
    broken = commit(review)
    (review / "datapackage.json").write_text(descriptor)
    ended = reviewdata("diff", broken, "--project", review)
    assert ended.code == 2
    assert ended.err.startswith(f"reviewdata: {broken}: datapackage.json is not JSON")


def test_no_hook_filter_or_attribute_of_a_repository_runs(review: Path, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    (review / ".gitattributes").write_text("*.csv filter=evil\n")
    commit(review)
    for setting in ("filter.evil.smudge", "filter.evil.process", "core.fsmonitor"):
        git(review, "config", setting, f"touch {mark}")
    hook = review / ".git/hooks/post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch {mark}\n")
    hook.chmod(0o755)
    with open_revision("HEAD", review) as revision:
        assert files(revision.root) == FILES | {".gitattributes"}
    with open_revision(STAGED, review):
        pass
    assert not mark.exists()


def test_a_folder_that_looks_like_a_repository_is_none(tmp_path: Path) -> None:
    inner = write_mini(tmp_path / "review")
    base = commit(tmp_path)
    git(tmp_path, "init", "--bare", "--quiet", "other")
    for name in ("HEAD", "config", "objects", "refs"):
        (tmp_path / "other" / name).rename(inner / name)
    git(inner, "--git-dir=.", "config", "core.bare", "false")
    git(inner, "--git-dir=.", "config", "core.worktree", ".")
    found = find_repository(inner)
    assert found is not None
    assert found.top == tmp_path
    with open_revision(base, inner) as revision:
        assert files(revision.root) == FILES


def test_no_object_stands_in_for_another(review: Path) -> None:
    base = git(review, "rev-parse", "HEAD").strip()
    (review / "data/studies.csv").write_text("study_id,year,design\n")
    git(review, "replace", base, commit(review))
    with open_revision(base, review) as revision:
        assert "S1" in (revision.root / "data/studies.csv").read_text()


def test_a_commit_whose_tree_leaves_the_folder_is_refused(review: Path) -> None:
    inner = b"100644 ..\0" + bytes.fromhex(_hash(review, b"x", "blob"))
    tree = bytes.fromhex(_hash(review, inner, "tree"))
    top = bytes.fromhex(git(review, "ls-tree", "HEAD", "datapackage.json").split()[2])
    outer = b"40000 data\0" + tree + b"100644 datapackage.json\0" + top
    name = git(review, "commit-tree", _hash(review, outer, "tree"), "-m", "hostile").strip()
    with pytest.raises(ReviewdataError, match="leaves its folder"), open_revision(name, review):
        pass


def _hash(folder: Path, content: bytes, kind: str) -> str:
    command = ["git", "hash-object", "-w", "--literally", "-t", kind, "--stdin"]
    ended = subprocess.run(command, cwd=folder, input=content, capture_output=True, check=True)
    return ended.stdout.decode().strip()


def test_the_length_of_a_history_does_not_matter(review: Path) -> None:
    for number in range(30):
        git(review, "commit", "--quiet", "--allow-empty", "--message", str(number))
    asked = []
    real = subprocess.run

    def counted(command: list[str], *arguments: object, **named: object) -> object:
        asked.append(command)
        return real(command, *arguments, **named)  # type: ignore[call-overload]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subprocess, "run", counted)
        with open_revision("HEAD", review):
            pass
    verbs = {
        next(word for word in command[1:] if word in ("rev-parse", "ls-tree", "cat-file"))
        for command in asked
    }
    assert verbs == {"rev-parse", "ls-tree", "cat-file"}  # nothing that walks commits
