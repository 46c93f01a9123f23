"""The files of other systems (workflows, templates, hooks), by the checkers of those systems."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ROOT, copy_review
from pre_commit.clientlib import load_manifest
from repositories import ENVIRONMENT, commit, git

TEMPLATES = ROOT / "src" / "reviewdata" / "templates"
OURS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
COPIED = sorted((TEMPLATES / "github").glob("*.yml"))
RELEASE = "reviewdata-release.yml"
"""Runs on a tag, which no contributor sets; it has secrets, and no contribution."""
PLACE = "OWNER/reviewdata@COMMIT"
BIN = Path(sys.executable).parent


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


def steps(path: Path) -> list[dict[str, Any]]:
    """Return the steps of an action, or of every job of a workflow."""
    content = load(path)
    if "runs" in content:
        return list(content["runs"]["steps"])
    return [step for job in content["jobs"].values() for step in job["steps"]]


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """Return a repository with the templates as a review has them, the address filled in."""
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    for path in COPIED:
        text = path.read_text("utf-8")
        assert text.count(PLACE) == len(load(path)["jobs"])
        (folder / path.name).write_text(text.replace(PLACE, f"review/data@{'c0ffee' + 34 * '0'}"))
    return tmp_path


def test_the_own_workflows_differ_from_the_templates_in_where_reviewdata_is_from() -> None:
    for path in COPIED:
        ours, theirs = load(ROOT / ".github" / "workflows" / path.name), load(path)
        for job in ours["jobs"].values():
            job["steps"] = [
                {**step, "uses": PLACE} if step.get("uses", "").startswith("./") else step
                for step in job["steps"]
                if step.get("name") not in ("Check out the base", "Check out the default branch")
            ]
        assert ours == theirs


def test_the_code_that_judges_is_never_the_contribution() -> None:
    """What is checked out for `./base` and `./` is the base, and the default branch."""
    checked = {
        step["with"].get("path", "."): step["with"].get("ref")
        for path in OURS
        if path.name not in ("ci.yml", RELEASE)
        for step in steps(path)
        if step.get("uses", "").startswith("actions/checkout@")
    }
    assert checked == {
        "contribution": None,
        "base": "${{ steps.base.outputs.base || github.sha }}",
        ".": "${{ github.event.repository.default_branch }}",
    }
    uses = {s["uses"] for p in OURS for s in steps(p) if s.get("uses", "").startswith(".")}
    assert uses == {"./base", "./"}


@pytest.mark.parametrize("path", [*OURS, *COPIED], ids=lambda p: f"{p.parent.name}/{p.name}")
def test_a_workflow_gives_the_token_no_more_than_it_needs(path: Path) -> None:
    content = load(path)
    assert content["permissions"] == {}
    comments = path.name == "reviewdata-comment.yml"
    wanted = {"contents": "read"}
    if comments:
        wanted |= {"actions": "read", "pull-requests": "write"}
    assert all(job["permissions"] == wanted for job in content["jobs"].values())
    text = path.read_text("utf-8")
    assert ("secrets" in re.sub("#.*", "", text)) == (path.name == RELEASE)
    assert text.count("github.token") == int(comments)
    for step in steps(path):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


def test_a_token_is_in_one_step_of_a_job_that_waits_for_its_environment() -> None:
    [template] = [path for path in COPIED if path.name == RELEASE]
    content = load(template)
    assert content[True] == {"push": {"tags": ["data-*"]}}
    for name, job in content["jobs"].items():
        told = [step["name"] for step in job["steps"] if "secrets." in json.dumps(step)]
        wanted = {"build": ([], None), "rehearse": (["Draft"], "sandbox")}
        assert (told, job.get("environment")) == wanted.get(name, (["Publish"], "zenodo"))
    assert [job.get("needs") for job in content["jobs"].values()] == [None, "build", "rehearse"]


def test_every_action_of_others_is_pinned_to_one_commit_and_its_version_said() -> None:
    pins: dict[str, set[str]] = {}
    for path in [*OURS, *COPIED]:
        for name, pin in re.findall(r"uses: (actions/[\w-]+)@(.*)", path.read_text("utf-8")):
            assert re.fullmatch(r"[0-9a-f]{40} # v\d+\.\d+\.\d+", pin)
            pins.setdefault(name, set()).add(pin)
    assert set(pins) == {"actions/checkout", "actions/setup-python", "actions/upload-artifact"}
    assert all(len(found) == 1 for found in pins.values())


@pytest.mark.parametrize(
    "path", [ROOT / "action.yml", *OURS, *COPIED], ids=lambda p: f"{p.parent.name}/{p.name}"
)
def test_no_script_has_an_expression_in_it(path: Path) -> None:
    """It would be filled in before the shell reads it, whatever it holds."""
    scripts = [step["run"] for step in steps(path) if "run" in step]
    assert scripts
    assert not [script for script in scripts if "${{" in script]


def test_zizmor_finds_nothing_of_medium_severity_or_more(filled: Path) -> None:
    shutil.copy(ROOT / "action.yml", filled)
    shutil.copy(ROOT / ".pre-commit-hooks.yaml", filled)
    command: list[str | Path] = [BIN / "zizmor", "--offline", "--no-config", "--no-exit-codes"]
    command += ["--persona=pedantic", "--collect=all", "--strict-collection"]
    command += ["--format=json", "--quiet"]
    for folder in (filled, ROOT / ".github" / "workflows"):
        ended = subprocess.run([*command, folder], capture_output=True, text=True, check=True)
        found = json.loads(ended.stdout)
        assert not [
            (f["ident"], f["determinations"]["severity"], f["locations"])
            for f in found
            if f["determinations"]["severity"] in ("Medium", "High") and not f["ignored"]
        ]


def test_actionlint_finds_nothing(filled: Path) -> None:
    theirs = sorted((filled / ".github" / "workflows").iterdir())
    ended = subprocess.run(
        [BIN / "actionlint", "-no-color", "-shellcheck=", *OURS, *theirs],
        cwd=filled,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (0, "")


@pytest.mark.parametrize(
    ("schema", "paths"),
    [
        ("github-workflows", [*OURS, *COPIED]),
        ("github-actions", [ROOT / "action.yml"]),
        ("gitlab-ci", [TEMPLATES / "gitlab" / "reviewdata.yml"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_file_is_of_its_published_schema(schema: str, paths: list[Path]) -> None:
    command = [str(BIN / "check-jsonschema"), "--builtin-schema", f"vendor.{schema}"]
    ended = subprocess.run([*command, *paths], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_the_hooks_are_as_pre_commit_takes_them_and_meant_for_the_files_of_a_review() -> None:
    hooks = {hook["id"]: hook for hook in load_manifest(str(ROOT / ".pre-commit-hooks.yaml"))}
    assert {name: hook["entry"] for name, hook in hooks.items()} == {
        "reviewdata-fmt": "reviewdata fmt",
        "reviewdata-validate": "reviewdata validate --staged",
    }
    for name, hook in hooks.items():
        assert not hook["pass_filenames"]
        for path in ("datapackage.json", "data/a.csv", "review/schemas/a.json"):
            assert re.search(hook["files"], path)
        assert not re.search(hook["files"], "src/reviewdata/cli.py")
        judged = bool(re.search(hook["files"], "queries/a.sql"))
        assert judged == (name == "reviewdata-validate")


def test_the_templates_are_part_of_the_package() -> None:
    from importlib.resources import files

    packed = files("reviewdata") / "templates"
    for name in (*(f"github/{path.name}" for path in COPIED), "gitlab/reviewdata.yml"):
        assert (packed / name).read_text("utf-8").startswith("# ")


@pytest.mark.contract
def test_the_hooks_stop_a_commit_that_has_something_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pre-commit installs what is committed here from the package registry, and runs it."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PIP_CONSTRAINT", str(ROOT / "constraints.txt"))
    review = copy_review(ROOT, tmp_path / "review")
    hooks = [{"id": "reviewdata-fmt"}, {"id": "reviewdata-validate"}]
    repo = {"repo": str(ROOT), "rev": git(ROOT, "rev-parse", "HEAD").strip(), "hooks": hooks}
    (review / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": [repo]}), "utf-8")
    commit(review)

    def run_hooks() -> tuple[int, str]:
        command = [sys.executable, "-m", "pre_commit", "run", "--color=never"]
        ended = subprocess.run(command, cwd=review, capture_output=True, text=True, check=False)
        return ended.returncode, ended.stdout + ended.stderr

    table = review / "data" / "measures.csv"
    good = table.read_text("utf-8")
    head, first, second, *rest = good.splitlines(keepends=True)
    table.write_text("".join([head, second, first, *rest]), "utf-8")
    git(review, "add", "data")
    code, says = run_hooks()
    assert (code, table.read_text("utf-8")) == (1, good), says
    assert "files were modified by this hook" in says

    table.write_text(good.replace("week 3,5.41,", "week 3,54.1,"), "utf-8")
    git(review, "add", "data")
    table.write_text(good, "utf-8")  # what is staged counts, not the file
    code, says = run_hooks()
    assert code == 1
    assert "data/measures.csv:4:mean  error RD201" in says

    table.write_text(good.replace("week 3,5.41,", "week 3,5.42,"), "utf-8")
    git(review, "add", "data")
    code, says = run_hooks()
    assert code == 0, says
    assert says.count("Passed") == 2
