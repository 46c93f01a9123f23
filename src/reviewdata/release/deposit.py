"""What is sent to a repository: files with their checksums, and the metadata beside them."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from reviewdata.model import ReviewdataError
from reviewdata.pathnames import fold_path, has_hidden, is_git

BLOCK = 1024 * 1024
LONGEST_NAME = 255
"""Bytes of a file's name, as file systems and InvenioRDM have it."""

_CONTENT = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")
_ORCID = re.compile(r"\d{4}-\d{4}-\d{4}-\d{3}[\dX]")


@dataclass(frozen=True, slots=True)
class File:
    """A file on this machine, its size in bytes, and its checksums in hexadecimal."""

    path: Path
    size: int
    md5: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Creator:
    """Who made the dataset: a person with a family name, or an organisation with a name alone.

    `role` is DataCite's contributor type of somebody who is named beside the creators.
    """

    name: str
    given: str = ""
    family: str = ""
    orcid: str = ""
    affiliation: str = ""
    role: str = ""

    @property
    def lacks_family(self) -> bool:
        """Whether it is a person whose family name nobody has told apart."""
        return bool(self.orcid or self.given) and not self.family


@dataclass(frozen=True, slots=True)
class Related:
    """Another work: its DOI or address, and DataCite's word for how this one relates to it."""

    identifier: str
    scheme: str
    relation: str


@dataclass(frozen=True, slots=True)
class DepositMetadata:
    """What a repository says of a deposit.

    `description` is plain text; `licences` are SPDX identifiers; `language` is of ISO 639-3.
    """

    title: str
    description: str
    creators: tuple[Creator, ...]
    licences: tuple[str, ...]
    version: str
    publication_date: dt.date
    keywords: tuple[str, ...] = ()
    related: tuple[Related, ...] = ()
    language: str = ""
    contributors: tuple[Creator, ...] = ()


@dataclass(frozen=True, slots=True)
class Deposit:
    """One version of a dataset, ready to be sent.

    `name` is that of the data package, the same for every version. `content_hash` is a SHA-256
    of the content without identifiers, dates and version: two deposits of one hash say the same.
    `warnings` are sentences on what somebody should know before it is public, `unsaved` the files
    that are not in git as they are sent. It `follows` a release that its version was held against.
    """

    name: str
    files: Mapping[str, File]
    metadata: DepositMetadata
    content_hash: str
    warnings: tuple[str, ...] = ()
    unsaved: tuple[str, ...] = ()
    follows: bool = True

    @property
    def size(self) -> int:
        """The bytes of all files together."""
        return sum(file.size for file in self.files.values())


class UnreadyError(ReviewdataError):
    """A review that cannot be built as it is."""


Builder = Callable[[str | None, str | None], Deposit]
"""Builds the deposit, given the DOI of its version and that of all versions, where known."""


def measure_file(path: Path) -> File:
    """Return a file with its size and checksums. Raises ReviewdataError where it is not read."""
    md5 = hashlib.md5(usedforsecurity=False)
    sha256 = hashlib.sha256()
    size = 0
    try:
        with path.open("rb") as opened:
            while block := opened.read(BLOCK):
                size += len(block)
                md5.update(block)
                sha256.update(block)
    except OSError as error:
        raise ReviewdataError(f"{path} cannot be read: {error.strerror or error}") from error
    return File(path, size, md5.hexdigest(), sha256.hexdigest())


def check_deposit(deposit: Deposit) -> None:
    """Raise ReviewdataError for a deposit that no server should get, with what is wrong with it."""
    if not _NAME.fullmatch(deposit.name):
        raise ReviewdataError(
            f"the name {deposit.name[:100]!r} is none that a server takes:"
            " small letters, digits, - . and _, at most 80"
        )
    if not _CONTENT.fullmatch(deposit.content_hash):
        raise ReviewdataError("the content hash of the deposit is no SHA-256")
    if not deposit.files:
        raise ReviewdataError("the deposit has no file")
    seen: dict[str, str] = {}
    for name in deposit.files:
        check_name(name)
        folded = fold_path(name)
        if folded in seen:
            raise ReviewdataError(f"the files {seen[folded]!r} and {name!r} have one name")
        seen[folded] = name
    metadata = deposit.metadata
    for what, given in (("title", metadata.title), ("version", metadata.version)):
        if not given.strip():
            raise ReviewdataError(f"the deposit has no {what}")
    if not metadata.licences:
        raise ReviewdataError("the deposit has no licence: datapackage.json must name one")
    if not metadata.creators:
        raise ReviewdataError("the deposit has no creator: datapackage.json must name contributors")
    for creator in (*metadata.creators, *metadata.contributors):
        if not (creator.name.strip() or creator.family.strip()):
            raise ReviewdataError("a creator of the deposit has no name")
        if creator.orcid and not _ORCID.fullmatch(creator.orcid):
            raise ReviewdataError(
                f"the ORCID {creator.orcid!r} of {creator.name} is not of its form"
            )


def check_name(name: str) -> None:
    """Raise ReviewdataError for a name of a file that leads out of a folder or cannot be one.

    InvenioRDM takes `../x`, and then neither deletes the file nor publishes the draft.
    """
    parts = name.split("/")
    bad = (
        not name
        or any(part in ("", ".", "..") or part != part.strip() or is_git(part) for part in parts)
        or "\\" in name
        or ":" in parts[0]
        or has_hidden(name)
        or len(name.encode("utf-8", "surrogatepass")) > LONGEST_NAME
    )
    if bad:
        raise ReviewdataError(f"{name[:100]!r} is no name that a file is sent under")
