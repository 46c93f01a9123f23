"""Draft, publish, verify: each may be run again at any point, and goes on where the last ended."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from reviewdata.model import ReviewdataError
from reviewdata.release.concept import is_rehearsal, keep_concept
from reviewdata.release.deposit import Deposit, File, UnreadyError, measure_file
from reviewdata.release.exchange import BusyError, RefusedError
from reviewdata.release.plan import (
    Publication,
    build_checked,
    check_version,
    compare_files,
    is_published,
    is_same,
)
from reviewdata.release.repository import Draft, Published, Told, silent
from reviewdata.release.sums import Checked, check_archive

ROUNDS = 3
"""How often the files are compared and what differs is sent, before it is given up."""

PAUSE = 2.0
"""Seconds before another round after a failure: for a server that still does what it was asked."""

_CONFLICTS = (400, 404, 409, 412)
"""Refusals that come of another run, or of a request of ours that was carried out unanswered."""


@dataclass(frozen=True)
class Drafted:
    """What `draft` has come to: the draft, ready to be published, or the version that is there.

    `sent` are the files whose bytes were sent in this run.
    """

    deposit: Deposit
    latest: Published | None
    draft: Draft | None
    sent: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verified:
    """A published version that was read back, every byte.

    It `matches` where it has the content that is here now, and is `identical` where what is built
    here now has the same bytes: not after another commit, whose date and identifiers are others.
    Where the review here is not ready to be built, nothing is compared with it: `unready` says why.
    `compared` counts the files whose md5 the server has told, `listed` those that the SHA256SUMS
    in its zips have. `kept`: datapackage.json had no id, and has the DOI of all versions now.
    """

    published: Published
    matches: bool
    identical: bool
    size: int
    compared: int
    listed: int
    kept: bool
    unready: str = ""


def draft(
    publication: Publication,
    told: Told = silent,
    *,
    wait: Callable[[float], object] = time.sleep,
) -> Drafted:
    """Make the draft what is to be published: find or make it, reserve the DOI, send what differs.

    Every md5 that the server has computed is compared before it returns. Raises ReviewdataError.
    """
    repository = publication.repository
    host = repository.server.host
    deposit = build_checked(publication, None, None)
    latest = repository.find_latest(deposit.name, publication.concept)
    if latest is not None and is_published(latest, deposit):
        repository.drop_doubles(deposit.name, latest)
        return Drafted(deposit, latest, None)
    check_version(publication, latest, deposit)
    problems = repository.list_problems(deposit)
    if problems:
        raise ReviewdataError("; ".join(problems))
    known = publication.state.find_draft(host, deposit.name)
    opened = repository.find_draft(deposit.name, latest, known)
    if opened is None:
        opened = repository.make_draft(deposit, latest)
    publication.state.keep_draft(host, deposit.name, opened.id)
    opened = repository.reserve_doi(opened)
    content = deposit.content_hash
    deposit = build_checked(publication, opened.doi, opened.concept)
    if deposit.content_hash != content:
        raise ReviewdataError("the content hash of the deposit differs from build to build")
    if latest is not None and not opened.files and _shares(deposit.files, latest):
        repository.keep_files(opened, latest)
    sent = _send(publication, opened, deposit, told, wait)
    repository.set_metadata(opened, deposit)  # after the files: without one it is refused
    return Drafted(deposit, latest, replace(opened, files=repository.list_files(opened)), sent)


def _shares(files: Mapping[str, File], latest: Published) -> bool:
    return any(n in latest.files and is_same(f, latest.files[n]) for n, f in files.items())


def _send(
    publication: Publication,
    opened: Draft,
    deposit: Deposit,
    told: Told,
    wait: Callable[[float], object],
) -> tuple[str, ...]:
    """Send and drop until the server's files are the deposit's; return the names that were sent."""
    repository = publication.repository
    sent: dict[str, None] = {}
    trouble: ReviewdataError | None = None
    for number in range(ROUNDS + 1):
        there = repository.list_files(opened)
        found = compare_files(deposit.files, there)
        if not found.differ:
            return tuple(sent)
        if number == ROUNDS:
            break
        if trouble is not None:
            wait(PAUSE)
        trouble = None
        try:
            for name in found.drop:
                repository.drop_file(opened, there[name])
            sent |= dict.fromkeys(found.send)
            repository.send_files(opened, {n: deposit.files[n] for n in found.send}, told)
        except BusyError as error:
            trouble = error
        except RefusedError as error:
            if error.status not in _CONFLICTS:
                raise
            trouble = error
    if trouble is not None:
        raise trouble
    names = ", ".join((*found.send, *found.drop)[:5])
    host = repository.server.host
    if any(name in there and not there[name].md5 for name in found.send):
        raise ReviewdataError(f"{host} tells no md5 of what was sent, to be compared: {names}")
    raise ReviewdataError(f"{host} has other bytes than were sent, {ROUNDS} times over: {names}")


def publish(publication: Publication) -> Published:
    """Publish the draft and return the version; where that was done already, just return it.

    Raises ReviewdataError without a draft, for files that are not in git as they are, and where
    the files of the draft are not those that are built here, by name, size and md5.
    """
    repository = publication.repository
    host = repository.server.host
    deposit = build_checked(publication, None, None)
    latest = repository.find_latest(deposit.name, publication.concept)
    if latest is not None and is_published(latest, deposit):
        publication.state.keep_draft(host, deposit.name, None)
        repository.drop_doubles(deposit.name, latest)
        return latest
    check_version(publication, latest, deposit)
    if deposit.unsaved:
        names = ", ".join(deposit.unsaved[:5])
        raise ReviewdataError(
            f"what is published must be in git as it is, and {names} is not: commit it, then draft"
        )
    known = publication.state.find_draft(host, deposit.name)
    opened = repository.find_draft(deposit.name, latest, known)
    if opened is None:
        raise ReviewdataError(f"there is no draft of {deposit.name} on {host}: make it with draft")
    deposit = build_checked(publication, opened.doi, opened.concept)
    found = compare_files(deposit.files, repository.list_files(opened))
    if found.differ:
        names = ", ".join((*found.send, *found.drop)[:5])
        raise ReviewdataError(
            f"the draft on {host} is not what is built here; it differs in {names}:"
            " run draft again, and look at it"
        )
    done = repository.publish(opened)
    publication.state.keep_draft(host, deposit.name, None)
    _check_published(done, deposit)
    return done


def _check_published(done: Published, deposit: Deposit) -> None:
    """Raise ReviewdataError where what is public now is not what was compared before."""
    wrong = {n for n, remote in done.files.items() if remote.md5 and n in deposit.files}
    wrong = {n for n in wrong if not is_same(deposit.files[n], done.files[n])}
    wrong |= set(done.files) ^ set(deposit.files)
    if wrong:
        names = ", ".join(sorted(wrong)[:5])
        raise ReviewdataError(f"{done.address} is published, and {names} is not what was sent")


def verify(publication: Publication, told: Told = silent) -> Verified:
    """Read the latest version back: every file against the server's md5 and its own SHA256SUMS.

    The DOI of all versions becomes the id of the publication's datapackage.json, where that has
    none and the server is no sandbox. Raises ReviewdataError where nothing is published, or where
    a byte differs from a checksum.
    """
    repository = publication.repository
    latest = repository.find_latest(publication.name, publication.concept)
    if latest is None:
        raise ReviewdataError(f"{repository.server.host} has no version of {publication.name}")
    built, unready = _rebuild(publication, latest)
    identical = built is not None and set(built) == set(latest.files)
    size = compared = listed = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, remote in latest.files.items():
            out = Path(folder) / "file"
            repository.download(remote, out, max(remote.size, 1), told)
            read = measure_file(out)
            size += read.size
            compared += bool(remote.md5)
            if remote.md5 and read.md5 != remote.md5:
                raise ReviewdataError(f"{name} of {latest.address} has other bytes than its md5")
            if name.lower().endswith(".zip"):
                inside = check_archive(out)
                listed += inside.listed if inside else 0
                _check_content(latest, name, inside)
            identical = identical and built is not None and read.sha256 == built[name].sha256
    kept = _keep_concept(publication, latest)
    matches = built is not None
    return Verified(latest, matches, identical, size, compared, listed, kept, unready)


def _check_content(latest: Published, name: str, inside: Checked | None) -> None:
    """Raise ReviewdataError for a package that is not what its record says it is."""
    found = inside.content.removeprefix("sha256:") if inside else ""
    if found and latest.content_hash and found != latest.content_hash:
        raise ReviewdataError(
            f"{latest.address} says that its content is {latest.content_hash[:12]}..., and {name}"
            f" there holds {found[:12]}...: it is not what was published from here"
        )


def _rebuild(publication: Publication, latest: Published) -> tuple[Mapping[str, File] | None, str]:
    """Return the files that are built here for a version whose content is here now.

    None where the content is another, or where nothing can be built, with the reason.
    """
    try:
        deposit = build_checked(publication, None, None)
        if not is_published(latest, deposit):
            return None, ""
        # What was built for the first version knew of no DOI of all versions.
        concept = None if latest.first else latest.concept
        return build_checked(publication, latest.doi, concept).files, ""
    except UnreadyError as error:
        return None, str(error)


def _keep_concept(publication: Publication, latest: Published) -> bool:
    file, server = publication.descriptor, publication.repository.server
    if file is None or not latest.doi or not latest.concept or is_rehearsal(server):
        return False
    return keep_concept(file, latest.concept)
