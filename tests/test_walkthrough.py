"""A pull request on the shipped review, from its first push to its last: docs/pull-request.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from conftest import ROOT, UPDATE, Command
from repositories import commit, git

from reviewdata.model import Validation
from reviewdata.saved import read_saved

PAGE = ROOT / "docs" / "pull-request.md"

ROWS = {
    "sources": "zz2020,article,Synthetic example,,a synthetic PDF,2026-11-24",
    "studies": "zz2020,zz2020,2020,confirmed,synthetic example,,students,open trial,"
    "e-mail counselling,asynchronous,e-mail",
    "samples": "zz2020,zz2020,all,treatment,yes,40,zz2002,",
    "measures": "zz2020-wais,zz2020,WAI-S,client,total,session 3,52.0,0.90,1,7,"
    "the article: 1 to 7,item-mean,printed,zz2020,Table 2,",
    "outcomes": "zz2020-phq9,zz2020,association,PHQ-9,WAI-S,r,0.35,,,,,,=,0.30,yes,printed,"
    "zz2020,Table 3,",
}
"""The rows of a study that does not exist, with three mistakes: a source that is misspelt, a
mean without its point (which is in the pooled figure), and a p of another digit."""

MENDED = {
    "samples": ("zz2002", "zz2020"),
    "measures": ("52.0", "5.20"),
    "outcomes": ("0.30", "0.03"),
}

TEXT = """\
<!-- Written by tests/test_walkthrough.py, which runs what it shows; do not edit. -->

# A pull request, as its author sees it

The study `zz2020` is synthetic: it does not exist, and is shown here only. Its author adds one row
to each of five tables, with three slips: a source that is misspelt, a mean without its point, and
a p with a wrong digit.

```diff
{diff}```

## On the lines

GitHub shows these beside the lines of the change, and the check fails:

```text
{annotations}```

## In the pull request

One comment, which each push edits:

{first}

## After the mistakes are mended

The same comment after the next push, and the check is green:

{second}
"""


@pytest.fixture
def pull_request(alliance: Path) -> Path:
    """Return the review in a repository, on a branch where a study is contributed."""
    commit(alliance)
    git(alliance, "checkout", "--quiet", "-b", "zz2020")
    for name, row in ROWS.items():
        with (alliance / f"data/{name}.csv").open("a", encoding="utf-8") as table:
            table.write(row + "\n")
    commit(alliance, "Add the study zz2020")
    return alliance


def check(review: Path, reviewdata: Command) -> tuple[int, Path]:
    """Validate the branch as the job of the pull request does; return its code and findings."""
    findings = review.parent / "findings.jsonl"
    base = ("--since", "main", "--rules-from", "main")
    ended = reviewdata("validate", review, *base, "--format", "jsonl", "--output", findings)
    return ended.code, findings


def show(findings: Path, format_: str, reviewdata: Command) -> str:
    ended = reviewdata("render", findings, "--format", format_)
    assert ended.code == 0
    return ended.out


def counted(validation: Validation) -> set[tuple[str, str, str | None]]:
    return {
        (f.code, f.level, f.field) for f in validation.findings if f.counts and f.level != "note"
    }


def test_the_author_sees_what_the_page_shows(pull_request: Path, reviewdata: Command) -> None:
    diff = git(pull_request, "diff", "--unified=0", "main")
    code, findings = check(pull_request, reviewdata)
    assert code == 1
    assert counted(read_saved(findings).validation) == {
        ("RD124", "error", "n_source_id"),
        ("RD201", "error", "mean"),
        ("RD231", "warning", "p_value"),
        ("RD234", "warning", "significant"),
        ("TA406", "warning", "weighted_mean"),
    }
    annotations = show(findings, "github", reviewdata)
    first = show(findings, "markdown", reviewdata)

    for name, (old, new) in MENDED.items():
        table = pull_request / f"data/{name}.csv"
        table.write_text(table.read_text("utf-8").replace(f",{old},", f",{new},"), "utf-8")
    commit(pull_request, "Mend what the check found")
    code, findings = check(pull_request, reviewdata)
    assert code == 0
    assert counted(read_saved(findings).validation) == set()
    second = show(findings, "markdown", reviewdata)

    lines = [line for line in annotations.splitlines() if re.match("::(error|warning)", line)]
    kept = re.sub(r"^(index|---|\+\+\+|diff) .*\n|^@@ .*\n", "", diff, flags=re.MULTILINE)
    page = TEXT.format(
        diff=kept,
        annotations="".join(f"{line}\n" for line in lines),
        first=quote(first),
        second=quote(second),
    )
    if UPDATE:
        PAGE.write_text(page, "utf-8")
    assert page == PAGE.read_text("utf-8")


def quote(comment: str) -> str:
    """Return Markdown as a quotation, which shows where it starts and ends."""
    return "\n".join(f"> {line}".rstrip() for line in comment.strip().splitlines())
