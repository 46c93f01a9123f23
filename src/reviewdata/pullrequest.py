"""The comment on a pull request: `python -P -m reviewdata.pullrequest` in a workflow_run job.

The job has a token that may write, and the run that it comments on ran what anyone contributed.
So the findings of that run are data that may be hostile, and which pull request they belong to
is asked of GitHub, never of them.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reviewdata.artefacts import MEMBER, MOST_ZIPPED, UnreadableError, read_findings
from reviewdata.github import BusyError, GitHub, TooLargeError
from reviewdata.model import ReviewdataError
from reviewdata.render.comment import MARKER
from reviewdata.terminal import run_command, talk

AUTHOR = "github-actions[bot]"
"""By whom the comment is, beside its MARKER, which anyone could write."""

ARTEFACT = "reviewdata"

MOST_CHARACTERS = 65_000
"""Of a comment; GitHub takes 65,536."""

MOST_FILES = 3_000
"""Changed files that GitHub lists for a pull request."""

RENDER_SECONDS = 120

UNREADABLE = (
    "### reviewdata: the result could not be read\n\n"
    "What the run left is not what reviewdata writes, so nothing of it is shown."
)
TOO_LONG = (
    "### reviewdata: too many findings for a comment\n\n"
    "The summary of the run and its log have them."
)
NONE_LEFT = (
    "### reviewdata: the data could not be checked\n\nThe run left no findings. Its log says why."
)
OWN_WORD = (
    "> This pull request changes how it is checked (files under `.github/`): what stands here"
    " is its own word. Read those changes first."
)


@dataclass(frozen=True)
class Run:
    """The run that is commented on, as the event of this one names it."""

    number: int
    head_sha: str
    owner: str
    branch: str
    conclusion: str


def main() -> int:
    """Comment as the environment of the job says; return the exit code.

    0: the comment stands, or there is no one pull request to comment on. 1: the comment stands,
    and says that the findings could not be read. 2: there is no comment.
    """
    return run_command(lambda: sys.exit(comment(os.environ)))


def comment(environment: Mapping[str, str], wait: Callable[[float], object] = time.sleep) -> int:
    """Write or edit the comment; return 0, or 1 where the findings could not be read.

    Raises ReviewdataError where the event is no workflow_run, or the API refuses or is busy.
    """
    run = read_run(Path(_need(environment, "GITHUB_EVENT_PATH")))
    repository = _need(environment, "GITHUB_REPOSITORY")
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repository, re.ASCII):
        raise ReviewdataError("GITHUB_REPOSITORY is not of the form owner/name")
    github = GitHub(
        environment.get("GITHUB_API_URL") or "https://api.github.com",
        _need(environment, "GITHUB_TOKEN"),
        wait,
    )
    if run is None:
        talk("the run was not one of a pull request, or was stopped: nothing to comment on")
        return 0
    numbers = find_pulls(github, repository, run)
    if len(numbers) != 1:
        talk(
            f"{len(numbers)} open pull requests have {run.head_sha} as their head:"
            " no comment, which is for exactly one"
        )
        return 0
    own_word = _changes_its_check(github, repository, numbers[0])
    code, text = _result(github, repository, run)
    server = environment.get("GITHUB_SERVER_URL") or "https://github.com"
    link = f"{server}/{repository}/actions/runs/{run.number}"
    # Rendering takes its time, and the head may have moved on meanwhile.
    own_word = own_word or _changes_its_check(github, repository, numbers[0])
    if find_pulls(github, repository, run) != numbers:
        talk("the head of the pull request is another by now: no comment")
        return 0
    body = _body(text, run, link, own_word=own_word)
    done = write_comment(github, repository, numbers[0], body)
    talk(f"pull request {numbers[0]}: the comment is {done}")
    return code


def read_run(event: Path) -> Run | None:
    """Return the run of a workflow_run event; None for one to say nothing about.

    Raises ReviewdataError for a file that is no such event.
    """
    try:
        found = json.loads(event.read_text("utf-8")).get("workflow_run")
        kind, conclusion = found["event"], str(found["conclusion"])
        home = found["head_repository"]
        if kind != "pull_request" or conclusion in ("cancelled", "skipped") or home is None:
            return None
        run = Run(
            int(found["id"]),
            str(found["head_sha"]),
            str(home["owner"]["login"]),
            str(found["head_branch"]),
            re.sub(r"[^a-z_]", "", conclusion),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ReviewdataError(
            f"GITHUB_EVENT_PATH names no workflow_run event: {type(error).__name__}"
        ) from None
    if not re.fullmatch(r"[0-9a-f]{40,64}", run.head_sha):
        raise ReviewdataError("the workflow_run event has no commit as its head_sha")
    return run


def find_pulls(github: GitHub, repository: str, run: Run) -> list[int]:
    """Return the numbers of the open pull requests whose head is the commit that was checked."""
    found = github.pages(
        f"/repos/{repository}/pulls", state="open", head=f"{run.owner}:{run.branch}"
    )
    return [
        int(pull["number"])
        for page in found
        for pull in page
        if pull["head"]["sha"] == run.head_sha
        and pull["base"]["repo"]["full_name"].lower() == repository.lower()
    ]


def write_comment(github: GitHub, repository: str, number: int, body: str) -> str:
    """Edit the one comment of ours, or write it; return what was done to it."""
    path = f"/repos/{repository}/issues/{number}/comments"
    for attempt in range(3):
        ours = _find_comment(github, path)
        if ours is not None and _same(ours["body"], body):
            return "unchanged"
        if ours is not None:
            github.send(
                "PATCH", f"/repos/{repository}/issues/comments/{int(ours['id'])}", {"body": body}
            )
            return "edited"
        try:
            github.send("POST", path, {"body": body})
        except BusyError:
            # It may stand all the same: look before it is written a second time.
            if attempt == 2:
                raise
            github.wait(2.0**attempt)
        else:
            return "new"
    raise AssertionError("the last attempt returns or raises")


def _find_comment(github: GitHub, path: str) -> Mapping[str, Any] | None:
    for page in github.pages(path):
        for found in page:
            author = (found.get("user") or {}).get("login")
            if author == AUTHOR and (found.get("body") or "").startswith(MARKER):
                return dict(found)
    return None


def _same(one: str, other: str) -> bool:
    return one.replace("\r\n", "\n").strip() == other.replace("\r\n", "\n").strip()


def _result(github: GitHub, repository: str, run: Run) -> tuple[int, str]:
    """Return the exit code and the Markdown of the findings, or of why there are none."""
    page = github.get(
        f"/repos/{repository}/actions/runs/{run.number}/artifacts", name=ARTEFACT, per_page=100
    )
    kept = [a for a in page["artifacts"] if a["name"] == ARTEFACT and not a["expired"]]
    if not kept:
        return 0, NONE_LEFT
    newest = max(kept, key=lambda artefact: int(artefact["id"]))  # of the last attempt
    try:
        if int(newest["size_in_bytes"]) > MOST_ZIPPED:
            raise UnreadableError(f"the zip has more than {MOST_ZIPPED} bytes")
        path = f"/repos/{repository}/actions/artifacts/{int(newest['id'])}/zip"
        return 0, _render(read_findings(github.fetch(path, MOST_ZIPPED)))
    except (UnreadableError, TooLargeError) as error:
        talk(f"the findings cannot be read: {error}")
        return 1, UNREADABLE


def _render(findings: bytes) -> str:
    """Return findings as Markdown, made by a process that has neither the token nor the checkout.

    Raises UnreadableError where they are not what `validate` writes.
    """
    with tempfile.TemporaryDirectory(prefix="reviewdata-") as folder:
        path = Path(folder) / MEMBER
        path.write_bytes(findings)
        command = [sys.executable, "-P", "-m", "reviewdata", "render", str(path)]
        try:
            ended = subprocess.run(
                [*command, "--format", "markdown"],
                cwd=folder,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=RENDER_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise UnreadableError(f"they take more than {RENDER_SECONDS} seconds") from None
    if ended.returncode != 0:
        # What it says of hostile bytes is not repeated.
        raise UnreadableError(f"reviewdata render ends with {ended.returncode}")
    return ended.stdout.decode("utf-8")


def _environment() -> dict[str, str]:
    """Return the environment without tokens, and without what makes it one of a job."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GITHUB_") and "TOKEN" not in name.upper()
    }


def _body(text: str, run: Run, link: str, *, own_word: bool) -> str:
    how = f"in [this run]({link}), which ended with {run.conclusion}"
    foot = f"\n\n---\nChecked at `{run.head_sha[:12]}` {how}.\n"
    head = f"{MARKER}\n" + (f"{OWN_WORD}\n\n" if own_word else "")
    body = head + text.removeprefix(MARKER).strip() + foot
    if len(body.encode("utf-16-le")) // 2 > MOST_CHARACTERS:
        body = head + TOO_LONG + foot
    return body


def _changes_its_check(github: GitHub, repository: str, number: int) -> bool:
    """Return whether a pull request changes the workflows that check it, or may do so."""
    count = 0
    for page in github.pages(f"/repos/{repository}/pulls/{number}/files"):
        for file in page:
            count += 1
            names = (file["filename"], file.get("previous_filename") or "")
            if any(name.startswith(".github/") for name in names):
                return True
    return count >= MOST_FILES


def _need(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name)
    if not value:
        raise ReviewdataError(f"{name} is not set; a job of a workflow has it")
    return value


if __name__ == "__main__":
    raise SystemExit(main())
