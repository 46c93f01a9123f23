"""The action and the workflows, run on real contributions as GitHub would run them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from actions import Annotation, Ended, Given, Runner
from conftest import ROOT, Command, copy_review
from fakehub import REPOSITORY, RUN, TOKEN, Hub, pull, zipped
from mini import remove_suites
from repositories import ENVIRONMENT, commit, git

from reviewdata.artefacts import read_findings
from reviewdata.pullrequest import comment

TEMPLATES = ROOT / "src" / "reviewdata" / "templates" / "github"
WORKFLOWS = ROOT / ".github" / "workflows"

SYNTHETIC = {
    "sources": "zz2020,article,Synthetic example,,a synthetic PDF,2026-11-24",
    "studies": "zz2020,zz2020,2020,unconfirmed,synthetic example,,students,open trial,"
    "e-mail counselling,asynchronous,e-mail",
    "samples": "zz2020,zz2020,all,treatment,yes,40,zz2020,",
    "measures": "zz2020-wais,zz2020,WAI-S,client,total,session 3,5.20,0.90,1,7,"
    "the article: 1 to 7,item-mean,printed,zz2020,Table 2,",
    "outcomes": "zz2020-phq9,zz2020,association,PHQ-9,WAI-S,r,0.35,,,,,,=,0.03,yes,printed,"
    "zz2020,Table 3,",
}
"""The synthetic study of CONTRIBUTING.md, with nothing wrong in it."""


@dataclass
class Pull:
    """A pull request to the shipped review, checked out as GitHub does, on a runner."""

    runner: Runner
    contribution: Path
    base: str = ""
    head: str = ""
    artefacts: list[bytes] = field(default_factory=list)

    def write(self, name: str, text: str) -> None:
        """Write a file of the contribution."""
        path = self.contribution / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    def change(self, name: str, old: str, new: str) -> None:
        """Replace a text that a file of the contribution has once."""
        text = (self.contribution / name).read_text("utf-8")
        assert text.count(old) == 1
        self.write(name, text.replace(old, new))

    def merge(self) -> None:
        """Commit the contribution, and check out its merge with the base."""
        folder = self.contribution
        self.head = commit(folder, "a contribution")
        git(folder, "checkout", "--quiet", "--detach", "main")
        git(folder, "merge", "--quiet", "--no-ff", "--message", "merge", "study")
        self.runner.github = {
            "event_name": "pull_request",
            "event": {"pull_request": {"head": {"sha": self.head}, "number": 7}},
        }

    def run(self, workflow: Path = WORKFLOWS / "reviewdata.yml") -> Ended:
        """Run the job that validates, with the interpreter of the tests in place of a new one."""
        return self.runner.run_job(workflow, "validate")

    def errors(self) -> list[Annotation]:
        """Return the annotations of level error."""
        return [a for a in self.runner.annotations if a.level == "error"]


def lighten(review: Path) -> None:
    """Take from a review its suites, its queries and what they are held against."""
    remove_suites(review)
    shutil.rmtree(review / "queries")
    descriptor = json.loads((review / "datapackage.json").read_text("utf-8"))
    for name in ("claims", "coverage"):
        del descriptor["reviewdata"][name]
    (review / "datapackage.json").write_text(json.dumps(descriptor), "utf-8")


@pytest.fixture
def contribution(whole: Pull) -> Pull:
    """Return a contribution to the shipped review without what takes seconds; see `lighten`."""
    git(whole.contribution, "checkout", "--quiet", "main")
    lighten(whole.contribution)
    whole.base = commit(whole.contribution, "no suites")
    git(whole.contribution, "checkout", "--quiet", "-B", "study")
    return whole


@pytest.fixture
def whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pull:
    """Return a contribution to the shipped review, on a branch that is to be changed."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    for name in ("work", "temp"):
        (tmp_path / name).mkdir()
    folder = copy_review(ROOT, tmp_path / "work" / "contribution")
    made = Pull(Runner(tmp_path / "work", tmp_path / "temp"), folder)
    made.base = commit(folder, "the base")
    git(folder, "checkout", "--quiet", "-b", "study")

    def act(given: Given) -> Ended:
        return made.runner.run_action(ROOT, {**given, "python": sys.executable})

    def keep(given: Given) -> None:
        assert given["name"] == "reviewdata"
        if Path(given["path"]).is_file():
            made.artefacts.append(zipped(Path(given["path"]).read_bytes()))

    made.runner.stands_in = {
        "actions/checkout": lambda given: None,  # the checkout is there already
        "actions/upload-artifact": keep,
        "OWNER/reviewdata": act,
        "./base": act,
    }
    return made


def test_a_good_contribution_passes(whole: Pull) -> None:
    """By the workflow that reviews copy; the other tests run that of this repository."""
    contribution = whole
    for table, row in SYNTHETIC.items():
        name = f"data/{table}.csv"
        text = (contribution.contribution / name).read_text("utf-8")
        contribution.write(name, f"{text}{row}\n")
    contribution.merge()
    ended = contribution.run(TEMPLATES / "reviewdata.yml")
    assert ended.code == 0, "\n".join(contribution.runner.log)
    assert not contribution.errors()
    assert contribution.runner.summary
    assert len(contribution.artefacts) == 1


def test_a_wrong_cell_is_annotated_and_becomes_a_comment(
    contribution: Pull, hub: Hub, tmp_path: Path
) -> None:
    contribution.change("data/measures.csv", "week 3,5.41,", "week 3,54.1,")
    contribution.merge()
    assert contribution.run().code == 1
    [error] = contribution.errors()
    assert (error.properties["file"], error.properties["line"]) == ("data/measures.csv", "4")
    assert "mean 54.1 lies outside the scale 1 to 7" in error.message
    assert "54.1" in contribution.runner.summary
    assert not contribution.runner.others

    [archive] = contribution.artefacts
    hub.keep(archive)
    hub.pulls = [pull(sha=contribution.head)]
    event = {
        "id": RUN,
        "event": "pull_request",
        "conclusion": "failure",
        "head_sha": contribution.head,
        "head_branch": "study",
        "head_repository": {"owner": {"login": "contributor"}},
    }
    (tmp_path / "event.json").write_text(json.dumps({"workflow_run": event}), "utf-8")
    given = {
        "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
        "GITHUB_REPOSITORY": REPOSITORY,
        "GITHUB_API_URL": hub.api,
        "GITHUB_TOKEN": TOKEN,
    }
    assert comment(given) == 0
    assert "54.1" in hub.comments[0]["body"]


def test_a_hostile_contribution_runs_nothing_and_forges_nothing(
    whole: Pull, tmp_path: Path, reviewdata: Command
) -> None:
    contribution = whole
    seen = tmp_path / "the contribution ran"
    code = f"open({str(seen)!r}, 'w').close()\n"
    rules = (contribution.contribution / "validations").glob("*.py")
    for path in [*rules]:
        contribution.write(f"validations/{path.name}", code)
    for name in ("json.py", "reviewdata.py", "sitecustomize.py", "pip.conf"):
        contribution.write(name, code)
    for name in (contribution.base, "HEAD^1", "main"):  # folders named as the base may be
        copy_review(contribution.contribution, contribution.contribution / name)
    contribution.write("validations/waivers.toml", "")
    contribution.write("validations/a\n::error::pwned.toml", "x")
    assert reviewdata("validate", contribution.contribution, "--stage", "rows").code == 2
    assert seen.exists()  # on its own terms it runs
    seen.unlink()
    contribution.change(
        "data/measures.csv",
        "week 3,5.41,",
        'week 3,"5,41\n::error file=data/x.csv::pwned\n##[error]pwned\n::add-mask::a",',
    )
    contribution.merge()
    assert contribution.run().code == 1
    assert not seen.exists()
    forged = [a for a in contribution.runner.annotations if a.message.startswith("pwned")]
    assert not forged
    assert not contribution.runner.others
    assert any(a.properties.get("file") == "data/measures.csv" for a in contribution.errors())
    [archive] = contribution.artefacts
    lines = read_findings(archive).decode().splitlines()
    left = {f["path"] for f in map(json.loads, lines) if f.get("code") == "RD904" and "path" in f}
    assert {"validations/waivers.toml", "validations/measures.py"} <= left


def test_a_folder_that_looks_like_a_repository_says_nothing_about_the_base(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In it, the commit of the base is replaced by another one, whose rules are code."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    runner = Runner(tmp_path / "work", tmp_path / "temp")
    runner.temp.mkdir()
    repository = runner.workspace / "contribution"
    review = copy_review(ROOT, repository / "review")
    base = commit(repository, "the base")
    seen = tmp_path / "the contribution ran"
    other = tmp_path / "other"
    git(tmp_path, "clone", "--quiet", str(repository), str(other))
    for path in (other / "review").iterdir():
        path.rename(other / path.name)
    (other / "validations/measures.py").write_text(f"open({str(seen)!r}, 'w').close()\n", "utf-8")
    git(other, "replace", base, commit(other, "other rules"))
    for path in (other / ".git").iterdir():
        path.rename(review / path.name)
    git(review, "--git-dir=.", "config", "core.worktree", ".")
    assert git(review, "rev-parse", "--show-toplevel", f"{base}^{{tree}}").split() == [
        str(review),
        git(other, "--git-dir", str(review), "rev-parse", "main^{tree}").strip(),
    ]

    given = {"project": "contribution/review", "base": base, "python": sys.executable}
    assert runner.run_action(ROOT, given).code == 2
    assert not seen.exists()


def test_a_push_is_judged_whole_by_its_own_rules(contribution: Pull) -> None:
    contribution.change("data/measures.csv", "week 3,5.41,", "week 3,54.1,")
    commit(contribution.contribution)
    contribution.runner.github = {"event_name": "push"}
    assert contribution.run().code == 1
    assert len(contribution.errors()) == 1
    assert not contribution.artefacts


def test_a_folder_can_be_the_base(contribution: Pull) -> None:
    lighten(copy_review(ROOT, contribution.runner.workspace / "trusted"))
    contribution.change("data/measures.csv", "week 3,5.41,", "week 3,54.1,")
    git(contribution.contribution, "add", "--all")  # what git has is judged
    given = {"project": "contribution", "base": "./trusted", "python": sys.executable}
    ended = contribution.runner.run_action(ROOT, given)
    assert ended.code == 1
    assert ended.outputs["verdict"] == "fail"
    assert Path(ended.outputs["findings"]).is_file()
    assert len(contribution.errors()) == 1


@pytest.mark.parametrize(
    "given",
    [
        {"base": "0" * 40},
        {"base": "--help"},
        {"base": "trusted"},
        {"project": "elsewhere", "base": "main"},
        {"findings": "findings.jsonl"},
    ],
    ids=str,
)
def test_a_base_or_place_that_is_none_is_2(given: dict[str, str], contribution: Pull) -> None:
    copy_review(ROOT, contribution.runner.workspace / "trusted")
    whole = {"project": "contribution", "python": sys.executable, **given}
    ended = contribution.runner.run_action(ROOT, whole)
    assert (ended.code, ended.outputs["verdict"]) == (2, "")
    assert [a.level for a in contribution.runner.annotations] == ["error"]


def test_what_could_not_be_checked_is_2_and_leaves_no_findings(contribution: Pull) -> None:
    left = contribution.runner.temp / "reviewdata" / "findings.jsonl"
    left.parent.mkdir()
    left.write_text("of an earlier run", "utf-8")
    (contribution.contribution / "datapackage.json").unlink()
    git(contribution.contribution, "add", "--all")
    given = {"project": "contribution", "python": sys.executable}
    ended = contribution.runner.run_action(ROOT, given)
    assert (ended.code, ended.outputs["verdict"]) == (2, "unchecked")
    assert not left.exists()
    assert "could not check" in contribution.runner.summary
    assert [a.level for a in contribution.runner.annotations] == ["error"]


def test_install_only_checks_nothing(contribution: Pull) -> None:
    given = {"install-only": "true", "python": sys.executable}
    ended = contribution.runner.run_action(ROOT, given)
    assert ended == Ended(0, {"verdict": "", "findings": "", "python": sys.executable})
    assert not contribution.runner.summary


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"version": "0.1.0; rm -rf /"}, "no version number"),
        ({"version": "--index-url=https://example.org"}, "no version number"),
        ({"version": "0.1.0", "wheel": "x.whl"}, "exclude each other"),
        ({"wheel": "https://example.org/x.whl"}, "names nothing in the workspace"),
        ({"python": "/usr/bin/false"}, "cannot be run"),
    ],
    ids=str,
)
def test_what_cannot_be_installed_is_refused(
    given: dict[str, str], says: str, contribution: Pull
) -> None:
    ended = contribution.runner.run_action(ROOT, given)
    assert ended.code == 2
    [error] = contribution.errors()
    assert says in error.message


def test_a_checkout_that_is_no_merge_of_base_and_head_stops(contribution: Pull) -> None:
    contribution.write("data/note.txt", "x")
    contribution.merge()
    folder = contribution.contribution
    merge = git(folder, "rev-parse", "HEAD").strip()
    other = git(folder, "commit-tree", "HEAD^{tree}", "-m", "other").strip()
    parents = [argument for name in ("main", "study", other) for argument in ("-p", name)]
    octopus = git(folder, "commit-tree", "HEAD^{tree}", "-m", "octopus", *parents).strip()
    for name in (contribution.head, octopus, other):
        git(folder, "checkout", "--quiet", name)
        assert contribution.run().code == 1
    git(folder, "checkout", "--quiet", merge)
    for head in (contribution.base, ""):
        contribution.runner.github["event"] = {"pull_request": {"head": {"sha": head}}}
        assert contribution.run().code == 1
    assert {a.message for a in contribution.errors()} == {
        "HEAD is not the merge of the base branch and this pull request's head"
    }
    assert not contribution.artefacts


def test_the_job_of_gitlab_does_the_same(contribution: Pull, tmp_path: Path) -> None:
    """The script of the template, with the interpreter of the tests for the one it installs."""
    folder = contribution.contribution
    contribution.change("data/measures.csv", "week 3,5.41,", "week 3,54.1,")
    victim = tmp_path / "victim"
    victim.write_text("kept", "utf-8")
    (folder / "reviewdata.md").symlink_to(victim)
    commit(folder)
    template = TEMPLATES.parent / "gitlab" / "reviewdata.yml"
    script = yaml.safe_load(template.read_text("utf-8"))["reviewdata"]["script"]
    installing = [line for line in script if "venv venv" in line or " pip " in line]
    assert len(installing) == 2
    own = 'mkdir -p venv/bin; cat > venv/bin/python <<"END"'
    own += f'\n#!/bin/sh\nexec {sys.executable} "$@"\nEND\nchmod +x venv/bin/python'
    lines = [own if line == installing[0] else line for line in script if line != installing[1]]
    ended = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", "\n".join(lines)],
        cwd=folder,
        env={
            **os.environ,
            "CI_PROJECT_DIR": str(folder),
            "CI_MERGE_REQUEST_DIFF_BASE_SHA": contribution.base,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1, ended.stderr
    assert "54.1" in (folder / "reviewdata.md").read_text("utf-8")
    assert ElementTree.parse(folder / "reviewdata.junit.xml").getroot().tag == "testsuites"
    assert victim.read_text("utf-8") == "kept"


@pytest.mark.contract
def test_the_action_installs_its_own_source(contribution: Pull) -> None:
    """From the package registry, into a new environment; then as in any workflow."""
    contribution.change("data/measures.csv", "week 3,5.41,", "week 3,54.1,")
    contribution.merge()
    contribution.write("pip.conf", "[global]\nindex-url = https://example.invalid\n")
    runner = contribution.runner
    given = {"project": "contribution", "base": "main"}
    ended = runner.run_action(ROOT, given)
    assert ended.code == 1, "\n".join(runner.log)
    assert ended.outputs["python"].startswith(f"{runner.temp}{os.sep}")
    assert len(contribution.errors()) == 1
