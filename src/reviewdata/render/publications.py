"""What the publisher has found and done, as text and as JSON."""

from __future__ import annotations

import shlex
from typing import Any

from reviewdata.release.fetching import Fetched
from reviewdata.release.plan import Plan
from reviewdata.release.publishing import Drafted, Verified
from reviewdata.release.repository import Draft, Published
from reviewdata.render.json import json_text
from reviewdata.render.values import plain, plural, size_text

FORMAT_VERSION = "1"


def plan_json(found: Plan, host: str) -> str:
    """Return the contract of `release plan --format json`."""
    files = found.deposit.files
    content: dict[str, Any] = {
        "version": FORMAT_VERSION,
        "server": host,
        "action": found.action,
        "name": found.deposit.name,
        "release": found.deposit.metadata.version,
        "content_hash": found.deposit.content_hash,
        "latest": _published(found.latest),
        "draft": _draft(found.draft),
        "exact": found.exact,
        "send": [{"name": name, "bytes": files[name].size} for name in found.files.send],
        "keep": list(found.files.same),
        "drop": list(found.files.drop),
        "problems": list(found.problems),
        "warnings": list(found.deposit.warnings),
    }
    return json_text(content) + "\n"


def _published(latest: Published | None) -> dict[str, str | None] | None:
    if latest is None:
        return None
    said = {"version": latest.version, "doi": latest.doi, "concept": latest.concept}
    return said | {"address": latest.address}


def _draft(draft: Draft | None) -> dict[str, str | None] | None:
    return None if draft is None else {"doi": draft.doi, "address": draft.address}


def plan_text(found: Plan, host: str) -> str:
    """Return a plan as lines: what would happen, and which files would be sent."""
    deposit, latest, draft = found.deposit, found.latest, found.draft
    name = f"{deposit.name} {deposit.metadata.version}"
    lines = []
    if found.action == "nothing":
        lines.append(f"nothing to do: {host} has this content of {name} as {_as(latest)}")
        if draft is not None:
            lines.append(f"a draft is open there and is not needed: {draft.address}")
    else:
        after = f", after {latest.version} as {_as(latest)}" if latest else ""
        lines.append(f"{found.action} on {host}: {name}{after}")
        at = f"the draft {draft.address}" if draft else "a new draft"
        doi = f", DOI {draft.doi}" if draft and draft.doi else ""
        lines.append(f"goes on with {at}{doi}" if draft else f"begins {at}")
        dropped = set(found.files.drop)
        lines += [
            f"  {'replace' if name in dropped else 'send'}  {name}"
            f"  {size_text(deposit.files[name].size)}"
            for name in found.files.send
        ]
        lines += [f"  keep  {name}" for name in found.files.same]
        lines += [f"  drop  {n}" for n in found.files.drop if n not in found.files.send]
        if not found.exact:
            lines.append("files that hold the DOI change once it is reserved")
    lines += [f"note: {warning}" for warning in deposit.warnings]
    lines += [f"problem: {problem}" for problem in found.problems]
    return "".join(f"{plain(line)}\n" for line in lines)


def _as(latest: Published | None) -> str:
    return (latest.doi or latest.address) if latest else "nothing"


def draft_text(done: Drafted, host: str, seconds: float, again: str) -> str:
    """Return what a draft has come to, and the command that publishes it."""
    if done.draft is None:
        return f"{plain(f'nothing to send: {host} has this content as {_as(done.latest)}')}\n"
    doi = f"\nDOI {done.draft.doi}, reserved and written into the archive" if done.draft.doi else ""
    total, sent = len(done.deposit.files), len(done.sent)
    lines = (
        f"draft {done.draft.address}{doi}\n"
        f"{total} files, {size_text(done.deposit.size)}: {sent} sent, {total - sent} there already;"
        f" every one compared by its md5; {seconds:.1f} s\n"
        f"look at it, then: reviewdata release publish --yes{again}"
    )
    return "".join(f"{plain(line)}\n" for line in lines.split("\n"))


def verified_text(done: Verified, seconds: float, *, tag: bool = False) -> str:
    """Return what was read back; with `tag`, what is left to do in git."""
    found = done.published
    lines = [f"{found.version} is published as {_as(found)}"]
    if found.doi:
        lines += [found.address, f"all versions: {found.concept}"]
    what = "the review has changed since"
    if done.unready:
        what = "not compared with the review here"
    elif done.matches:
        same = "byte for byte" if done.identical else "in content; its date or identifiers differ"
        what = f"the same as what is built here, {same}"
    lines.append(
        f"{len(found.files)} files, {size_text(done.size)} read back, {what}; {seconds:.1f} s"
    )
    lines.append(f"checked: {checks_text(done.compared, done.listed)}")
    if done.unready:
        lines.append(done.unready)
    if done.kept:
        lines.append("the DOI of all versions is now the id in datapackage.json: commit it")
    if tag:
        lines.append(f"tag the commit, if it has no tag: git tag data-{found.version}")
    return "".join(f"{plain(line)}\n" for line in lines)


def fetched_text(done: Fetched, seconds: float) -> str:
    """Return what was fetched, and what it was checked by."""
    of = f" ({_as(done.published)})" if done.published else ""
    lines = (
        f"{done.name} {done.version}{of} in {done.folder}",
        f"{size_text(done.size)}; checked: {checks_text(done.compared, done.listed)};"
        f" {seconds:.1f} s",
        f"ask it: reviewdata query --project {shlex.quote(str(done.folder))}",
    )
    return "".join(f"{plain(line)}\n" for line in lines)


def checks_text(compared: int, listed: int | None) -> str:
    """Return how many files were compared with what, and what there was nothing to compare with."""
    md5 = f"{plural(compared, 'file')} by the server's md5" if compared else ""
    sums = f"{plural(listed, 'file')} by SHA256SUMS" if listed else "it carries no SHA256SUMS"
    return ", ".join(filter(None, (md5, sums)))
