"""The comment on a pull request, against a loopback server that answers as GitHub does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fakehub import BOT, REPOSITORY, RUN, SHA, TOKEN, Hub, pull, zipped
from mini import write_mini
from zips import HOSTILE

from reviewdata.artefacts import MOST_ZIPPED
from reviewdata.cli import main
from reviewdata.model import ReviewdataError
from reviewdata.pullrequest import MOST_CHARACTERS, comment
from reviewdata.render.comment import MARKER

HEAD = "result_id,study_id,mean,sd,n,printed\n"
BAD_MEAN = {"data/results.csv": HEAD + "R1,S1,9.20,1.10,40,\nR2,S2,4.80,1.30,35,\n"}

Say = Callable[..., int]


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return what `validate` says of a synthetic review with a mean outside its scale."""
    folder = tmp_path_factory.mktemp("findings")
    project, file = write_mini(folder / "mini", files=BAD_MEAN), folder / "findings.jsonl"
    options = ["--stage", "rows", "--no-cache", "--format", "jsonl", "--output", str(file)]
    assert main(["validate", str(project), *options]) == 1
    return file.read_bytes()


def environment(hub: Hub, folder: Path, **changed: Any) -> dict[str, str]:
    """Return the environment of the job, with the event of the run that has ended."""
    run = {
        "id": RUN,
        "event": "pull_request",
        "conclusion": "failure",
        "head_sha": SHA,
        "head_branch": "study",
        "head_repository": {"owner": {"login": "contributor"}},
        **changed,
    }
    event = folder / "event.json"
    event.write_text(json.dumps({"action": "completed", "workflow_run": run}), "utf-8")
    return {
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_REPOSITORY": REPOSITORY,
        "GITHUB_API_URL": hub.api,
        "GITHUB_SERVER_URL": "https://example.org",
        "GITHUB_TOKEN": TOKEN,
    }


@pytest.fixture
def say(hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Say]:
    """Return a function that comments on what the hub holds; no output ever has the token."""

    def run(**changed: Any) -> int:
        return comment(environment(hub, tmp_path, **changed), wait=lambda seconds: None)

    yield run
    printed = capsys.readouterr()
    assert TOKEN not in printed.out + printed.err
    assert all(TOKEN not in r.path + json.dumps(r.content) for r in hub.requests + hub.fetched)


# The comment


def test_the_findings_become_one_comment(hub: Hub, findings: bytes, say: Say) -> None:
    hub.keep(zipped(findings))
    assert say() == 0
    [written] = hub.comments
    assert written["body"].startswith(f"{MARKER}\n")
    assert "RD201" in written["body"]
    assert f"[this run](https://example.org/{REPOSITORY}/actions/runs/{RUN})" in written["body"]
    assert SHA[:12] in written["body"]
    assert len(written["body"]) <= MOST_CHARACTERS


def test_the_comment_is_edited_and_not_written_twice(hub: Hub, findings: bytes, say: Say) -> None:
    hub.say("Thank you!", login="maintainer", type="User")
    ours = hub.say(f"{MARKER}\nolder")
    hub.keep(zipped(findings))
    say()
    [request] = hub.sent()
    assert (request.method, len(hub.comments)) == ("PATCH", 2)
    assert request.path.endswith(f"/issues/comments/{ours}")


def test_nothing_is_sent_where_the_comment_says_so_already(
    hub: Hub, findings: bytes, say: Say
) -> None:
    hub.keep(zipped(findings))
    say()
    hub.comments[0]["body"] = hub.comments[0]["body"].replace("\n", "\r\n") + "\r\n"
    say()
    assert [request.method for request in hub.sent()] == ["POST"]


def test_our_comment_is_found_on_a_later_page(hub: Hub, findings: bytes, say: Say) -> None:
    hub.page_size = 2
    for number in range(5):
        hub.say(f"remark {number}", login="maintainer", type="User")
    hub.say(f"{MARKER}\nolder")
    hub.keep(zipped(findings))
    say()
    assert [request.method for request in hub.sent()] == ["PATCH"]


@pytest.mark.parametrize(
    ("body", "user"),
    [
        (f"{MARKER}\nall is well", {"login": "contributor", "type": "User"}),
        (f"{MARKER}\nall is well", {"login": "other-app[bot]", "type": "Bot"}),
        (f"quoted: {MARKER}", BOT),
    ],
    ids=["a user's", "another bot's", "not at the start"],
)
def test_a_marker_that_is_not_ours_is_left_alone(
    body: str, user: dict[str, str], hub: Hub, findings: bytes, say: Say
) -> None:
    hub.say(body, **user)
    hub.keep(zipped(findings))
    say()
    assert [request.method for request in hub.sent()] == ["POST"]
    assert hub.comments[0]["body"] == body


def test_a_change_of_the_workflows_is_said_first(hub: Hub, findings: bytes, say: Say) -> None:
    hub.page_size = 2
    hub.files = ["data/a.csv", "data/b.csv", ".github/workflows/reviewdata.yml"]
    hub.keep(zipped(findings))
    say()
    [written] = hub.comments
    assert "is its own word" in written["body"].splitlines()[1]


def test_a_long_result_is_left_to_the_run(
    hub: Hub, findings: bytes, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reviewdata.pullrequest.MOST_CHARACTERS", 200)
    hub.keep(zipped(findings))
    say()
    [written] = hub.comments
    assert "too many findings" in written["body"]
    assert "RD201" not in written["body"]


# Which pull request


@pytest.mark.parametrize(
    "pulls",
    [
        [],
        [pull(), pull(8)],
        [pull(sha="beef" + 36 * "0")],
        [pull(base={"repo": {"full_name": "other/data"}})],
        [pull(state="closed")],
        [pull(head={"sha": SHA, "label": "other:study"})],
    ],
    ids=["none", "two", "a newer head", "another repository's", "closed", "another's branch"],
)
def test_without_exactly_one_pull_request_there_is_no_comment(
    pulls: list[dict[str, Any]], hub: Hub, findings: bytes, say: Say
) -> None:
    hub.pulls = pulls
    hub.keep(zipped(findings))
    assert say() == 0
    assert not hub.sent()
    assert not hub.fetched


def test_of_two_pull_requests_of_a_branch_that_of_the_commit_is_meant(
    hub: Hub, findings: bytes, say: Say
) -> None:
    hub.pulls = [pull(6, "beef" + 36 * "0"), pull(7)]
    hub.keep(zipped(findings))
    say()
    assert hub.sent()[0].path.endswith("/issues/7/comments")


def test_the_name_of_a_branch_is_data(hub: Hub, findings: bytes, say: Say) -> None:
    branch = "a&state=all#/../?x=%41 é"
    hub.pulls = [pull(head={"sha": SHA, "label": f"contributor:{branch}"})]
    hub.keep(zipped(findings))
    say(head_branch=branch)
    assert len(hub.comments) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"event": "push"},
        {"event": "pull_request_target"},
        {"conclusion": "cancelled"},
        {"head_repository": None},
    ],
    ids=str,
)
def test_another_run_is_nothing_to_comment_on(changed: dict[str, Any], hub: Hub, say: Say) -> None:
    assert say(**changed) == 0
    assert not hub.requests


@pytest.mark.parametrize(
    "changed",
    [{"head_sha": "main"}, {"id": "x"}, {"head_repository": {}}, {"head_sha": None}],
    ids=str,
)
def test_an_event_of_another_shape_is_misuse(changed: dict[str, Any], hub: Hub, say: Say) -> None:
    with pytest.raises(ReviewdataError, match="workflow_run event"):
        say(**changed)
    assert not hub.requests


# What the run left


def test_a_run_without_findings_is_said_so(hub: Hub, findings: bytes, say: Say) -> None:
    hub.keep(zipped(findings), expired=True)
    assert say() == 0
    assert "could not be checked" in hub.comments[0]["body"]


def test_of_several_attempts_the_last_counts(hub: Hub, findings: bytes, say: Say) -> None:
    hub.keep(b"no zip", number=4)
    hub.keep(zipped(findings), number=9)
    hub.keep(b"no zip", number=8)
    assert say() == 0


@pytest.mark.parametrize("name", ["no zip", "a bomb", "a link"])
def test_a_hostile_zip_is_told_in_the_comment_and_exits_1(name: str, hub: Hub, say: Say) -> None:
    hub.keep(HOSTILE[name])
    assert say() == 1
    [written] = hub.comments
    assert "could not be read" in written["body"]
    assert "passwd" not in written["body"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"<script>alert(1)</script>\n",
        b"[" * 100_000,
        b'{"record": "finding", "message": "@everyone"}\n',
        b'{"record": "summary", "verdict": "great\\n# x", "version": "1"}\n',
    ],
    ids=["nothing", "no UTF-8", "no JSON", "deep", "no summary", "another verdict"],
)
def test_findings_that_are_none_are_told_and_not_shown(content: bytes, hub: Hub, say: Say) -> None:
    hub.keep(zipped(content))
    assert say() == 1
    [written] = hub.comments
    assert "could not be read" in written["body"]
    assert "script" not in written["body"]
    assert "everyone" not in written["body"]


def test_cell_text_of_a_contribution_stays_text(hub: Hub, findings: bytes, say: Say) -> None:
    lines = findings.decode().splitlines()
    place = next(n for n, line in enumerate(lines) if '"record": "finding"' in line)
    finding = json.loads(lines[place])
    finding["message"] = "`@maintainer <!-- x --> | ![x](https://evil.example/p.png)\n# head"
    lines[place] = json.dumps(finding)
    hub.keep(zipped("\n".join(lines).encode() + b"\n"))
    assert say() == 0
    [written] = hub.comments
    assert "@maintainer" not in written["body"]
    assert "<!-- x" not in written["body"]
    assert "\n# head" not in written["body"]


def test_an_artefact_that_is_declared_too_large_is_not_fetched(hub: Hub, say: Say) -> None:
    hub.keep(b"", size_in_bytes=MOST_ZIPPED + 1)
    assert say() == 1
    assert not hub.fetched


def test_an_artefact_that_is_larger_than_declared_is_not_read_whole(hub: Hub, say: Say) -> None:
    hub.keep(b"x" * (MOST_ZIPPED + 1), size_in_bytes=10)
    assert say() == 1


# The API


def test_the_token_goes_to_the_api_and_not_to_the_storage(
    hub: Hub, findings: bytes, say: Say
) -> None:
    hub.keep(zipped(findings))
    say()
    [fetched] = hub.fetched
    assert "authorization" not in fetched.headers
    assert all(r.headers["authorization"] == f"Bearer {TOKEN}" for r in hub.requests)


@pytest.mark.parametrize(
    ("status", "headers"),
    [(502, {}), (503, {"Retry-After": "1"}), (429, {}), (403, {"Retry-After": "2"})],
    ids=str,
)
@pytest.mark.parametrize("what", ["GET", "/comments", "PATCH", "/zip"])
def test_a_trouble_that_passes_is_waited_for(
    what: str, status: int, headers: dict[str, str], hub: Hub, findings: bytes, say: Say
) -> None:
    hub.say(f"{MARKER}\nolder")
    hub.keep(zipped(findings))
    hub.troubles = [(what, status, headers)]
    assert say() == 0
    assert not hub.troubles
    assert "RD201" in hub.comments[0]["body"]


def test_a_comment_that_was_written_though_the_answer_failed_is_not_doubled(
    hub: Hub, findings: bytes, say: Say
) -> None:
    hub.accepts_and_fails = 1
    hub.keep(zipped(findings))
    assert say() == 0
    assert len(hub.comments) == 1


def test_a_refusal_of_the_api_is_one_line_and_no_comment(
    hub: Hub, findings: bytes, say: Say
) -> None:
    hub.keep(zipped(findings))
    hub.troubles = [("/zip", 403, {})]
    with pytest.raises(ReviewdataError, match="/zip: 403 Forbidden"):
        say()
    assert not hub.sent()


# As a process


@pytest.mark.parametrize(
    ("lacks", "code", "says"),
    [("", 0, "the comment is new"), ("GITHUB_TOKEN", 2, "GITHUB_TOKEN is not set")],
)
def test_the_module_is_a_command(
    lacks: str, code: int, says: str, hub: Hub, findings: bytes, tmp_path: Path
) -> None:
    """What lies in the current folder is not imported, and the token is in no output."""
    (tmp_path / "json.py").write_text("raise SystemExit('the module of the folder')", "utf-8")
    hub.keep(zipped(findings))
    given = environment(hub, tmp_path)
    given.pop(lacks, None)
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("GITHUB_")}
    ended = subprocess.run(
        [sys.executable, "-P", "-m", "reviewdata.pullrequest"],
        cwd=tmp_path,
        env={**inherited, **given},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == code
    assert says in ended.stderr
    assert TOKEN not in ended.stdout + ended.stderr
