"""The merge driver with real git: what conflicts by line and does not by record. All synthetic."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest
from conftest import Command
from mini import write_mini

from reviewdata import mergedriver
from reviewdata.gitconfig import attribute_line
from reviewdata.model import ReviewdataError

Git = Callable[..., subprocess.CompletedProcess[str]]

RESULTS = "data/results.csv"
HEAD = "result_id,study_id,mean,sd,n,printed\n"
R1 = "R1,S1,5.20,1.10,40,\n"
R2 = "R2,S2,4.80,1.30,35,\n"


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the configuration of this machine out of the tests."""
    for name in [n for n in os.environ if n.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "Nobody")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "nobody@example.org")


def make_git(folder: Path) -> Git:
    def git(*arguments: str, code: int | None = 0) -> subprocess.CompletedProcess[str]:
        ended = subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, text=True, check=False
        )
        assert code is None or ended.returncode == code, ended.stdout + ended.stderr
        return ended

    return git


class Repository:
    """A review in git, at `inside` of its repository, with the base committed."""

    def __init__(self, top: Path, inside: str = "") -> None:
        self.top, self.review = top, top / inside
        self.review.mkdir(parents=True, exist_ok=True)
        self.git = make_git(top)
        self.git("init", "--quiet", "--initial-branch=base")
        write_mini(self.review, files={RESULTS: HEAD + R1 + R2})
        self.git("config", "core.autocrlf", "false")

    def commit(self, branch: str | None = None, path: str = RESULTS, text: str = "") -> None:
        """Commit everything; on a branch that starts from the base, with one file as `text`."""
        if branch is not None:
            self.git("checkout", "--quiet", "-B", branch, "base")
            (self.review / path).write_bytes(text.encode())
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message=x")

    def merge(self, ours: str, theirs: str, path: str = RESULTS) -> tuple[int, str, str]:
        """Merge two texts of a file; return git's code, what it said and the merged text."""
        self.commit("ours", path, ours)
        self.commit("theirs", path, theirs)
        self.git("checkout", "--quiet", "ours")
        ended = self.git("merge", "--quiet", "--no-edit", "theirs", code=None)
        text = (self.review / path).read_bytes().decode()
        return ended.returncode, ended.stdout + ended.stderr, text


@pytest.fixture
def repository(tmp_path: Path, reviewdata: Command) -> Repository:
    """Return a repository whose tables git merges with the driver."""
    made = Repository(tmp_path / "a repository")
    assert reviewdata("merge", "install", made.review).code == 0
    made.commit()
    return made


def test_two_studies_added_at_one_place_conflict_in_git_alone_and_not_here(
    repository: Repository, tmp_path: Path
) -> None:
    three, four = "R3,S1,3.00,1.00,10,\n", "R4,S2,4.00,1.00,10,\n"
    alone = Repository(tmp_path / "alone")
    alone.commit()
    code, _, text = alone.merge(HEAD + R1 + R2 + three, HEAD + R1 + R2 + four)
    assert code == 1
    assert "<<<<<<< " in text
    code, said, text = repository.merge(HEAD + R1 + R2 + three, HEAD + R1 + R2 + four)
    assert (code, text) == (0, HEAD + R1 + R2 + three + four)
    assert "reviewdata" not in said


def test_two_cells_of_one_record_are_merged(repository: Repository, reviewdata: Command) -> None:
    code, _, text = repository.merge(
        HEAD + "R1,S1,5.21,1.10,40,\n" + R2, HEAD + "R1,S1,5.20,1.10,41,\n" + R2
    )
    assert (code, text) == (0, HEAD + "R1,S1,5.21,1.10,41,\n" + R2)
    assert reviewdata("fmt", repository.review, "--check").code == 0


def test_one_cell_changed_twice_is_a_conflict_in_the_cell(
    repository: Repository, reviewdata: Command
) -> None:
    code, said, text = repository.merge(
        HEAD + 'R1,S1,5.30,1.10,40,"a, b"\n' + R2, HEAD + "R1,S1,5.40,1.10,40,\n" + R2
    )
    assert code == 1
    told = "data/results.csv: R1 mean: 5.30 (ours) or 5.40 (theirs), was 5.20"
    assert told in said.splitlines()
    row = 'R1,S1,<<<<<<< 5.30 ======= 5.40 >>>>>>>,1.10,40,"a, b"\n'
    assert text == HEAD + row + R2
    assert repository.git("diff", "--name-only", "--diff-filter=U").stdout == f"{RESULTS}\n"
    ended = reviewdata("validate", repository.review, "--stage=structure", "--format=concise")
    assert ended.code == 1
    assert "data/results.csv:2  error RD132" in ended.out
    assert reviewdata("fmt", repository.review).code == 2


def test_a_record_removed_here_and_changed_there_is_told(repository: Repository) -> None:
    code, said, text = repository.merge(HEAD + R2, HEAD + "R1,S1,5.30,1.10,40,\n" + R2)
    assert code == 1
    assert "R1 mean: (row removed) (ours) or 5.30 (theirs), was 5.20" in said
    assert text == HEAD + "R1,S1,<<<<<<< (row removed) ======= 5.30 >>>>>>>,1.10,40,\n" + R2


def test_a_record_that_gets_two_keys_is_told(repository: Repository) -> None:
    code, said, text = repository.merge(
        HEAD + "R1a,S1,5.20,1.10,40,\n" + R2, HEAD + "R1b,S1,5.20,1.10,40,\n" + R2
    )
    assert code == 1
    assert "R1 result_id: R1a (ours) or R1b (theirs), was R1" in said
    assert "<<<<<<< R1a ======= R1b >>>>>>>,S1,5.20,1.10,40,\n" in text
    assert len(text.splitlines()) == 3


def test_a_file_that_is_renamed_here_and_changed_there(
    repository: Repository, reviewdata: Command
) -> None:
    repository.commit("theirs", RESULTS, HEAD + "R1,S1,5.30,1.10,40,\n" + R2 + "R3,S1,1,1,9,\n")
    repository.commit("ours", RESULTS, HEAD + "R1,S1,5.20,1.10,41,\n" + R2 + "R4,S1,1,1,9,\n")
    repository.git("mv", RESULTS, "data/renamed.csv")
    descriptor = repository.review / "datapackage.json"
    descriptor.write_text(descriptor.read_text("utf-8").replace(RESULTS, "data/renamed.csv"))
    assert reviewdata("merge", "install", repository.review).code == 0
    repository.commit()
    repository.git("merge", "--quiet", "--no-edit", "theirs")
    text = (repository.review / "data" / "renamed.csv").read_text("utf-8")
    assert text == HEAD + "R1,S1,5.30,1.10,41,\n" + R2 + "R3,S1,1,1,9,\nR4,S1,1,1,9,\n"


def test_a_file_that_is_deleted_here_and_changed_there_stays_gits_to_tell(
    repository: Repository,
) -> None:
    changed = HEAD + "R1,S1,5.30,1.10,40,\n" + R2
    repository.commit("theirs", RESULTS, changed)
    repository.git("checkout", "--quiet", "-B", "ours", "base")
    (repository.review / RESULTS).unlink()
    repository.commit()
    ended = repository.git("merge", "--no-edit", "theirs", code=1)
    assert "deleted in HEAD" in ended.stdout
    assert (repository.review / RESULTS).read_text("utf-8") == changed


def test_a_review_in_a_folder_of_the_repository(tmp_path: Path, reviewdata: Command) -> None:
    made = Repository(tmp_path / "top", "reviews/it's one")
    assert reviewdata("merge", "install", made.review).code == 0
    assert not (made.top / ".gitattributes").exists()
    made.commit()
    code, _, text = made.merge(
        HEAD + "R1,S1,5.21,1.10,40,\n" + R2, HEAD + "R1,S1,5.20,1.10,41,\n" + R2
    )
    assert (code, text) == (0, HEAD + "R1,S1,5.21,1.10,41,\n" + R2)


def test_the_descriptor_may_be_in_conflict_itself(repository: Repository) -> None:
    descriptor = repository.review / "datapackage.json"
    plain = descriptor.read_text("utf-8")
    for branch, mean in (("ours", "5.21"), ("theirs", "5.22")):
        repository.commit(branch, RESULTS, HEAD + f"R1,S1,{mean},1.10,40,\n" + R2)
        descriptor.write_text(plain.replace('"1.0.0"', f'"1.0.{mean}"'), "utf-8")
        repository.commit()
    repository.git("checkout", "--quiet", "ours")
    ended = repository.git("merge", "--no-edit", "theirs", code=1)
    assert "R1 mean: 5.21 (ours) or 5.22 (theirs), was 5.20" in ended.stdout + ended.stderr
    assert "<<<<<<<" in descriptor.read_text("utf-8")


def test_a_rebase_and_a_cherry_pick_go_by_record_too(repository: Repository) -> None:
    three, four = "R3,S1,3.00,1.00,10,\n", "R4,S2,4.00,1.00,10,\n"
    repository.commit("one", RESULTS, HEAD + R1 + R2 + three)
    repository.commit("two", RESULTS, HEAD + R1 + R2 + four)
    repository.git("rebase", "--quiet", "one")
    whole = HEAD + R1 + R2 + three + four
    assert (repository.review / RESULTS).read_text("utf-8") == whole
    repository.commit("three", RESULTS, HEAD + R1 + R2 + "R5,S1,1,1,9,\n")
    repository.git("cherry-pick", "one")
    text = (repository.review / RESULTS).read_text("utf-8")
    assert text == HEAD + R1 + R2 + three + "R5,S1,1,1,9,\n"


def test_crlf_throughout_is_kept(repository: Repository) -> None:
    repository.commit("crlf", RESULTS, (HEAD + R1 + R2).replace("\n", "\r\n"))
    repository.git("branch", "--force", "base", "crlf")
    ours, theirs = HEAD + "R1,S1,5.21,1.10,40,\n" + R2, HEAD + "R1,S1,5.20,1.10,41,\n" + R2
    code, _, text = repository.merge(*(side.replace("\n", "\r\n") for side in (ours, theirs)))
    assert code == 0
    assert text == (HEAD + "R1,S1,5.21,1.10,41,\n" + R2).replace("\n", "\r\n")


FALLBACKS = {
    "a record that is cut off": (
        HEAD + "R1,S1\n" + R2,
        "line 2 of ours: record 2 has 2 cells, not 6",
    ),
    "one key twice": (HEAD + R1 + R1 + R2, "two records have the key R1"),
    "two columns of one name": (HEAD.replace("sd", "mean") + R1 + R2, "two columns have one name"),
    "no key column": (HEAD.replace("result_id", "id") + R1 + R2, "primary key is missing"),
    "an open quote": (HEAD + R1 + R2.replace("35,", '35,"'), "is never closed"),
    "nothing": ("", "the file is empty"),
    "a NUL": (HEAD + R1 + R2 + "\0", "NUL"),
}


@pytest.mark.parametrize("name", FALLBACKS)
def test_what_is_no_table_is_merged_by_line(name: str, repository: Repository) -> None:
    broken, why = FALLBACKS[name]
    theirs = HEAD + R1 + R2 + "R3,S1,1,1,9,\n"
    code, said, text = repository.merge(broken, theirs)
    [told] = [line for line in said.splitlines() if "merged by line" in line]
    assert told.startswith("data/results.csv: merged by line, not by record and cell: ")
    assert why in told
    if "\0" not in broken:
        assert "R3,S1,1,1,9" in text
        if code:
            assert "<<<<<<< ours\n" in text
            assert ">>>>>>> theirs\n" in text
    else:  # git merges no binary files
        assert (code, text) == (1, broken)
    assert bool(repository.git("ls-files", "--unmerged").stdout) == bool(code)


def test_a_merge_by_line_without_a_conflict_ends_well(repository: Repository) -> None:
    ours = HEAD.replace("sd", "mean") + R1 + R2
    code, said, text = repository.merge(ours, HEAD + R1 + R2 + "R3,S1,1,1,9,\n")
    assert (code, text) == (0, ours + "R3,S1,1,1,9,\n")
    assert "merged by line" in said


def test_bytes_that_are_not_of_the_declared_encoding_are_merged_by_line(
    repository: Repository,
) -> None:
    descriptor = repository.review / "datapackage.json"
    entry = f'"path": "{RESULTS}",'
    text = descriptor.read_text("utf-8").replace(entry, f'{entry} "encoding": "latin-1",')
    descriptor.write_text(text, "utf-8")
    (repository.review / RESULTS).write_bytes((HEAD + R1 + R2).encode("latin-1"))
    repository.commit()
    code, said, _ = repository.merge(
        HEAD + R1.replace(",\n", ",é\n") + R2, HEAD + R1 + R2.replace("35,", "35,è")
    )
    assert "latin-1 is declared, and the bytes are UTF-8" in said
    assert code == 1


def test_the_declared_encoding_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    schema = {"fields": [{"name": "k"}, {"name": "a"}, {"name": "b"}], "primaryKey": "k"}
    entry = {"name": "t", "path": "t.csv", "encoding": "latin-1", "schema": schema}
    (tmp_path / "datapackage.json").write_text(json.dumps({"resources": [entry]}), "utf-8")
    for name, text in (("base", "1,x,y"), ("ours", "1,é,y"), ("theirs", "1,x,ü")):
        (tmp_path / name).write_bytes(f"k,a,b\n{text}\n".encode("latin-1"))
    monkeypatch.chdir(tmp_path)  # no repository: the working tree is asked
    outcome = mergedriver.run_driver(Path("base"), Path("ours"), Path("theirs"), "t.csv")
    assert outcome.code == 0
    assert (tmp_path / "ours").read_bytes() == "k,a,b\n1,é,ü\n".encode("latin-1")


def test_two_texts_that_are_too_long_for_one_cell_are_merged_by_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_mini(tmp_path)
    text = HEAD + R1 + R2
    for name, sign in (("base", ""), ("ours", "x"), ("theirs", "y")):
        (tmp_path / name).write_text(text.replace("40,", f"40,{sign * 5_000_000}"))
    monkeypatch.chdir(tmp_path)
    outcome = mergedriver.run_driver(Path("base"), Path("ours"), Path("theirs"), RESULTS)
    assert (outcome.code, outcome.conflicts) == (1, ())
    assert outcome.by_line == "a cell of the result, with both texts, is too long"
    assert (tmp_path / "ours").read_text().count("\n=======\n") == 1


def test_a_link_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "real").mkdir()
    write_mini(tmp_path / "real")
    (tmp_path / "linked").symlink_to("real")
    monkeypatch.chdir(tmp_path)
    find = mergedriver.find_resource
    assert find(PurePosixPath(f"real/{RESULTS}")) is not None
    assert find(PurePosixPath(f"linked/{RESULTS}")) is None
    (tmp_path / "ours").symlink_to(tmp_path / "real" / RESULTS)
    for name in ("base", "theirs"):
        (tmp_path / name).write_text("")
    with pytest.raises(ReviewdataError, match="ours is no file"):
        mergedriver.run_driver(Path("base"), Path("ours"), Path("theirs"), RESULTS)


def test_a_schema_outside_the_folder_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "review").mkdir()
    (tmp_path / "schema.json").write_text('{"fields": [{"name": "k"}], "primaryKey": "k"}')
    entry = {"name": "t", "path": "t.csv", "schema": "../schema.json"}
    (tmp_path / "review" / "datapackage.json").write_text(json.dumps({"resources": [entry]}))
    monkeypatch.chdir(tmp_path)
    found = mergedriver.find_resource(PurePosixPath("review/t.csv"))
    assert found is not None
    assert found.primary_key == ()


def test_an_older_conflict_in_the_base_of_two_bases_is_merged_on(repository: Repository) -> None:
    # A criss-cross merge: git merges the two bases first, and leaves their conflict in the base.
    one, two = (HEAD + f"R1,S1,{mean},1.10,40,\n" + R2 for mean in ("5.30", "5.40"))
    repository.commit("one", RESULTS, one)
    repository.commit("two", RESULTS, two)
    repository.git("tag", "second", "two")
    repository.git("merge", "--no-edit", "one", code=1)
    (repository.review / RESULTS).write_bytes(two.encode())
    repository.commit()
    repository.git("checkout", "--quiet", "one")
    repository.git("merge", "--no-edit", "second", code=1)
    (repository.review / RESULTS).write_bytes((two + "R3,S1,1,1,9,\n").encode())
    repository.commit()
    said = repository.git("merge", "--no-edit", "two")
    assert "reviewdata" not in said.stderr
    assert "merged by line" not in said.stdout + said.stderr
    assert (repository.review / RESULTS).read_text("utf-8") == two + "R3,S1,1,1,9,\n"


def test_install_twice_is_install_once(repository: Repository, reviewdata: Command) -> None:
    attributes = repository.review / ".gitattributes"
    attributes.write_bytes(b"*.csv text eol=lf\n" + attributes.read_bytes().rstrip(b"\n"))
    before = attributes.read_bytes()
    ended = reviewdata("merge", "install", repository.review)
    assert (ended.code, ended.err) == (0, "")
    assert "a line for each table, 0 added, 3 there already" in ended.out
    assert attributes.read_bytes() == before
    listed = repository.git("config", "--get-all", "merge.reviewdata.driver").stdout
    assert listed == f"{sys.executable} -P -m reviewdata merge driver -- %O %A %B %P\n"


def test_a_line_is_added_below_those_that_are_there(tmp_path: Path, reviewdata: Command) -> None:
    made = Repository(tmp_path)
    attributes = tmp_path / ".gitattributes"
    attributes.write_bytes(b"*.csv merge=union\ndata/claims.csv -text merge=reviewdata")
    assert reviewdata("merge", "install", tmp_path).code == 0
    assert attributes.read_text("utf-8").splitlines() == [
        "*.csv merge=union",
        "data/claims.csv -text merge=reviewdata",
        "data/studies.csv merge=reviewdata",
        "data/results.csv merge=reviewdata",
    ]
    (made.top / ".git" / "info").mkdir(exist_ok=True)
    (made.top / ".git" / "info" / "attributes").write_text("data/claims.csv merge=union\n")
    ended = reviewdata("merge", "install", tmp_path)
    assert ended.code == 2
    assert "other attributes of git stand against .gitattributes" in ended.err


HOSTILE = ["a b.csv", "#a.csv", "!a.csv", "[attr]a.csv", "a*?[b].csv", 'a"b.csv', "a\\b.csv"]
HOSTILE += ["-a.csv", "ä漢.csv", "a\nb.csv", "a\tb.csv", " a.csv", "'a'.csv", "data/x y/é.csv"]


def test_a_path_of_any_characters_is_named(tmp_path: Path, reviewdata: Command) -> None:
    git = make_git(tmp_path)
    git("init", "--quiet", "--initial-branch=base")
    for path in HOSTILE:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("k,a,b\n1,x,y\n")
    schema = {"fields": [{"name": "k"}, {"name": "a"}, {"name": "b"}], "primaryKey": "k"}
    entries = [
        {"name": f"t{number}", "path": path, "format": "csv", "schema": schema}
        for number, path in enumerate(HOSTILE)
    ]
    (tmp_path / "datapackage.json").write_text(json.dumps({"resources": entries}), "utf-8")
    ended = reviewdata("merge", "install", tmp_path)
    assert (ended.code, ended.err) == (0, "")
    # The same name in another folder, or what a pattern would match, is another file.
    told = git("check-attr", "merge", "--", "b/a b.csv", "axxb.csv", "data/x yy/é.csv").stdout
    assert told.count(": merge: unspecified") == 3
    assert "14 there already" in reviewdata("merge", "install", tmp_path).out
    git("add", "--all")
    git("commit", "--quiet", "--message=x")
    for branch, row in (("ours", "1,X,y"), ("theirs", "1,x,Y")):
        git("checkout", "--quiet", "-b", branch, "base")
        for path in HOSTILE:
            (tmp_path / path).write_text(f"k,a,b\n{row}\n")
        git("commit", "--quiet", "--all", "--message=x")
    git("merge", "--quiet", "--no-edit", "ours")
    assert {(tmp_path / path).read_text() for path in HOSTILE} == {"k,a,b\n1,X,Y\n"}


def test_a_python_at_any_path_is_called(
    tmp_path: Path, reviewdata: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "100 %O it's $HOME"
    folder.mkdir()
    script = folder / "python"
    script.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    script.chmod(0o755)
    made = Repository(tmp_path / "top")
    monkeypatch.setattr(sys, "executable", str(script))
    assert reviewdata("merge", "install", made.review).code == 0
    # A module of the repository is not taken for ours.
    (made.top / "reviewdata").mkdir()
    (made.top / "reviewdata" / "__main__.py").write_text("raise SystemExit(3)\n")
    made.commit()
    code, _, text = made.merge(
        HEAD + "R1,S1,5.21,1.10,40,\n" + R2, HEAD + "R1,S1,5.20,1.10,41,\n" + R2
    )
    assert (code, text) == (0, HEAD + "R1,S1,5.21,1.10,41,\n" + R2)


def test_without_git_or_a_repository_install_is_one_line(
    tmp_path: Path, reviewdata: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_mini(tmp_path)
    ended = reviewdata("merge", "install", tmp_path)
    assert ended.code == 2
    assert "is in no working tree of git" in ended.err
    assert ended.err.count("\n") == 1
    monkeypatch.setenv("PATH", str(tmp_path))
    ended = reviewdata("merge", "install", tmp_path)
    assert (ended.code, ended.err) == (2, "reviewdata: git is not installed, or not in PATH\n")
    assert not (tmp_path / ".gitattributes").exists()


def test_attributes_that_are_a_link_are_not_written(tmp_path: Path, reviewdata: Command) -> None:
    made = Repository(tmp_path / "top")
    (tmp_path / "elsewhere").write_text("")
    (made.top / ".gitattributes").symlink_to(tmp_path / "elsewhere")
    ended = reviewdata("merge", "install", made.review)
    assert ended.code == 2
    assert "is no plain file" in ended.err
    assert (tmp_path / "elsewhere").read_text() == ""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("data/x.csv", "data/x.csv"),
        ("x.csv", "/x.csv"),
        ("data/a b.csv", '"data/a b.csv"'),
        ("!a/b.csv", "\\!a/b.csv"),
        ("#a/b.csv", '"#a/b.csv"'),
        ("a/[b].csv", "a/\\[b].csv"),
        ('a/"b.csv', '"a/\\"b.csv"'),
        ("a/b\n.csv", '"a/b\\012.csv"'),
    ],
)
def test_an_attribute_line_quotes_as_git_reads_it(path: str, line: str) -> None:
    assert attribute_line(path) == f"{line} merge=reviewdata"
