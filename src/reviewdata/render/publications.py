"""What the publisher has found and done, as text and as JSON."""

from __future__ import annotations

import json
from typing import Any

from reviewdata.release.fetching import Fetched
from reviewdata.release.plan import Plan
from reviewdata.release.publishing import Drafted, Verified
from reviewdata.release.repository import Draft, Published
from reviewdata.render.values import plain, size_text

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
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


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
        lines += [f"  send  {n}  {deposit.files[n].size:,} bytes" for n in found.files.send]
        lines += [f"  keep  {n}" for n in found.files.same]
        lines += [f"  drop  {n}" for n in found.files.drop]
        if not found.exact:
            lines.append("files that hold the DOI change once it is reserved")
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
        f" every md5 compared; {seconds:.1f} s\n"
        f"look at it, then: reviewdata release publish --yes{again}"
    )
    return "".join(f"{plain(line)}\n" for line in lines.split("\n"))


def verified_text(done: Verified, seconds: float) -> str:
    """Return what was read back."""
    found = done.published
    lines = [f"published {found.version} as {_as(found)}", found.address]
    if found.doi:
        lines.append(f"all versions: {found.concept}")
    what = "the review has changed since"
    if done.matches:
        same = "byte for byte" if done.identical else "in content; its date or identifiers differ"
        what = f"the same as what is built here, {same}"
    lines.append(
        f"{len(found.files)} files, {size_text(done.size)} read back, {what}; {seconds:.1f} s"
    )
    lines.append(f"checked: the server's md5, and {done.listed} files by their SHA256SUMS")
    if done.kept:
        lines.append("the DOI of all versions is now the id in datapackage.json: commit it")
    return "".join(f"{plain(line)}\n" for line in lines)


def fetched_text(done: Fetched, seconds: float) -> str:
    """Return what was fetched, and what it was checked by."""
    of = f" ({_as(done.published)})" if done.published else ""
    listed = "it carries no SHA256SUMS"
    if done.listed is not None:
        listed = f"{done.listed} files are as SHA256SUMS says"
    compared = f"; {done.compared} compared with the server's md5" if done.published else ""
    lines = (
        f"{done.name} {done.version}{of} in {done.folder}",
        f"{size_text(done.size)}, {listed}{compared}; {seconds:.1f} s",
        f"ask it: reviewdata query --project {done.folder}",
    )
    return "".join(f"{plain(line)}\n" for line in lines)
