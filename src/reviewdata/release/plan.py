"""What a publication would do, found out with GET alone: nothing of it stays on the server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from reviewdata.model import ReviewdataError
from reviewdata.release.concept import is_rehearsal
from reviewdata.release.deposit import Builder, Deposit, File, check_deposit
from reviewdata.release.repository import Draft, Published, RemoteFile, Repository
from reviewdata.release.semver import is_version, rank_version
from reviewdata.release.state import State

Action = Literal["nothing", "first version", "new version"]


@dataclass(frozen=True)
class Publication:
    """One package and the server it goes to. `concept` is what git has of its published versions.

    `name` is that of the package. `build` makes the deposit anew with the DOIs that it is given;
    `state` is a file of this machine. With `adopts`, a version that the account has published under
    the same name is taken for the one before, though git does not say so: on a sandbox, whose DOIs
    git need not have.
    `descriptor` is the datapackage.json that keeps the DOI of all versions, where one is to.
    """

    name: str
    repository: Repository
    build: Builder
    concept: str | None
    state: State
    adopts: bool = False
    descriptor: Path | None = None


@dataclass(frozen=True, slots=True)
class Files:
    """How the files of a deposit compare with those of a server, by name."""

    same: tuple[str, ...]
    send: tuple[str, ...]
    drop: tuple[str, ...]

    @property
    def differ(self) -> bool:
        """Whether anything must be sent or dropped."""
        return bool(self.send or self.drop)


@dataclass(frozen=True)
class Plan:
    """What would be done. `files` compares with the draft, or with the version before without one.

    `deposit` is built with the DOI of the draft where there is one, so that its files are final
    (`exact`); without it, those that hold the DOI will still change.
    """

    action: Action
    deposit: Deposit
    latest: Published | None
    draft: Draft | None
    files: Files
    problems: tuple[str, ...]
    exact: bool


def plan(publication: Publication) -> Plan:
    """Return what `draft` and `publish` would do; the server is only read.

    Raises ReviewdataError for a deposit that cannot be sent, and for a version number that is
    published with other content.
    """
    repository = publication.repository
    deposit = build_checked(publication, None, None)
    latest = repository.find_latest(deposit.name, publication.concept)
    known = publication.state.find_draft(repository.server.host, deposit.name)
    draft = repository.find_draft(deposit.name, latest, known)
    if is_published(latest, deposit):
        files = Files(tuple(deposit.files), (), ())
        return Plan("nothing", deposit, latest, draft, files, (), exact=True)
    check_version(publication, latest, deposit)
    exact = bool(draft and draft.doi) or not repository.gives_doi
    if draft is not None and exact:
        deposit = build_checked(publication, draft.doi, draft.concept)
        there: Mapping[str, RemoteFile] = repository.list_files(draft)
    else:
        there = latest.files if latest and repository.keeps_files else {}
    return Plan(
        "new version" if latest else "first version",
        deposit,
        latest,
        draft,
        compare_files(deposit.files, there),
        tuple(repository.list_problems(deposit)),
        exact,
    )


def build_checked(publication: Publication, doi: str | None, concept: str | None) -> Deposit:
    """Return the deposit, built with these DOIs, once it is known that it can be sent."""
    deposit = publication.build(doi, concept)
    check_deposit(deposit)
    most = publication.repository.most_files
    if most is not None and len(deposit.files) > most:
        raise ReviewdataError(
            f"the deposit has {len(deposit.files)} files, and {publication.repository.server.host}"
            f" takes {most} of a record: send them as one zip"
        )
    return deposit


def is_published(latest: Published | None, deposit: Deposit) -> bool:
    """Whether the latest version says the same as the deposit."""
    return latest is not None and latest.content_hash == deposit.content_hash


def check_version(publication: Publication, latest: Published | None, deposit: Deposit) -> None:
    """Raise ReviewdataError where the deposit is no new version of what is published.

    Without a concept in git, another review of the same name would be taken for the one before.
    The version must be above that, and must have been held against a release that git or `since`
    names; on a sandbox, whose versions are rehearsals, the last is not asked.
    """
    version = deposit.metadata.version
    unsaid = publication.concept is None and not publication.adopts
    if latest is not None and unsaid and publication.repository.gives_doi:
        raise ReviewdataError(
            f"this account has published {deposit.name} already, as {latest.concept}:"
            f' let datapackage.json have "id": "https://doi.org/{latest.concept}", as verify'
            " writes it, or give the review another name"
        )
    if latest is None:
        return
    where = latest.doi or latest.address
    if latest.version == version:
        raise ReviewdataError(
            f"version {version} is published already, with other content, as {where}:"
            " give the changed data the version that `reviewdata diff` proposes"
        )
    if is_version(version) and is_version(latest.version) and not _is_above(version, latest):
        raise ReviewdataError(
            f"version {version} is not above {latest.version}, which is published as {where}"
        )
    if not deposit.follows and not is_rehearsal(publication.repository.server):
        raise ReviewdataError(
            f"version {latest.version} is published as {where}, and git has no tag of it to hold"
            f" {version} against: `git tag data-{latest.version} COMMIT`, of the commit that it is"
            " made from, or name that commit, a folder or a zip with --since"
        )


def _is_above(version: str, latest: Published) -> bool:
    return rank_version(version) > rank_version(latest.version)


def compare_files(wanted: Mapping[str, File], there: Mapping[str, RemoteFile]) -> Files:
    """Return which files are the same on the server, by md5, which to send and which to drop."""
    same = [name for name, file in wanted.items() if name in there and is_same(file, there[name])]
    return Files(
        tuple(same),
        tuple(name for name in wanted if name not in same),
        tuple(name for name in there if name not in same),
    )


def is_same(file: File, remote: RemoteFile) -> bool:
    """Whether the server has all bytes of a file, by its own checksum of them."""
    return remote.complete and remote.md5 == file.md5 and remote.size == file.size
