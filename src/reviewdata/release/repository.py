"""What the publisher asks of a repository, the same of InvenioRDM and of CKAN."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from reviewdata.release.deposit import Deposit, File
from reviewdata.release.servers import Server

Told = Callable[[str, int, int], object]
"""Told of a file, by its name, how many more bytes went over the wire, and how many it has."""


def silent(name: str, more: int, size: int) -> None:
    """Tell nobody how far a file has come."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file on a server; `md5` in hexadecimal, blank where the server computes none.

    It is `complete` where the server has taken all of its bytes, as far as it says so; `id` is
    what the server calls it, and `link` where its bytes are.
    """

    name: str
    size: int
    md5: str
    complete: bool
    id: str
    link: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A version that only its owner sees. `concept` is the DOI of all versions, where there is one.

    `created` is the server's own time, as text that sorts.
    """

    id: str
    doi: str | None
    concept: str | None
    title: str
    created: str
    address: str
    files: Mapping[str, RemoteFile] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Published:
    """A version that everyone sees. `concept` is what git keeps: what all versions are found by.

    `content_hash` is blank where the version does not say it; `first` says that none was before.
    """

    id: str
    doi: str | None
    concept: str
    name: str
    title: str
    version: str
    content_hash: str
    address: str
    files: Mapping[str, RemoteFile] = field(default_factory=dict)
    first: bool = False


class Library(Protocol):
    """A server that has published versions; what is asked of it needs no token."""

    server: Server

    def find_version(self, name: str, version: str | None) -> Published:
        """Return a version by what names a record there, or its DOI; the latest of a concept.

        With a `version`, that one among all versions. Raises ReviewdataError where it is not there.
        """

    def download(self, file: RemoteFile, out: Path, most: int, told: Told) -> None:
        """Write the bytes of a file of a published version; raise for more than `most`."""

    def close(self) -> None:
        """Close the connections."""


class Repository(Library, Protocol):
    """A server that keeps versions of a dataset; every method may raise ReviewdataError.

    It takes `most_files` of a version, where that is limited; it may give a DOI, and may let a new
    version begin with the files of the one before.
    """

    kind: str
    most_files: int | None
    gives_doi: bool
    keeps_files: bool

    def find_latest(self, name: str, concept: str | None) -> Published | None:
        """Return the latest version, by the concept or, without one, among one's own. GET only."""

    def find_draft(self, name: str, latest: Published | None, known: str | None) -> Draft | None:
        """Return the one open draft, with its files; `known` is one that we had. GET only."""

    def list_problems(self, deposit: Deposit) -> list[str]:
        """Return what of the metadata the server does not know. GET only."""

    def make_draft(self, deposit: Deposit, latest: Published | None) -> Draft:
        """Return a draft that was made, or that was there already when it came to it."""

    def reserve_doi(self, draft: Draft) -> Draft:
        """Return the draft with its DOI; as it is where the server gives none."""

    def set_metadata(self, draft: Draft, deposit: Deposit) -> None:
        """Let the draft have the metadata of the deposit, and no others."""

    def list_files(self, draft: Draft) -> Mapping[str, RemoteFile]:
        """Return the files of the draft by name, each with its md5, read back if need be."""

    def keep_files(self, draft: Draft, latest: Published) -> None:
        """Let the draft begin with the files of the version before, without sending them."""

    def drop_file(self, draft: Draft, file: RemoteFile) -> None:
        """Take a file out of the draft."""

    def send_files(self, draft: Draft, files: Mapping[str, File], told: Told) -> None:
        """Send files under names that the draft does not have."""

    def publish(self, draft: Draft) -> Published:
        """Return the version that was the draft, published now or already."""

    def drop_doubles(self, name: str, latest: Published) -> None:
        """Delete drafts of ours that say what the latest version says: two runs have made them."""
