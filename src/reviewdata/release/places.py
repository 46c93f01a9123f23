"""Where a published package is: a DOI, an address or a path, with a version or without."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from reviewdata.model import ReviewdataError
from reviewdata.release.servers import KNOWN

_DOI = re.compile(
    r"(?:doi:|https?://(?:dx\.)?doi\.org/)?(10\.[0-9]{4,9}/[\x21-\x3f\x41-\x7e]+)", re.IGNORECASE
)
_VERSION = re.compile(r"v?[0-9]+(\.[0-9A-Za-z]+)*([-+][0-9A-Za-z.-]+)?")
_RECORD = re.compile(r"(?P<home>.*?)/(?:api/)?(?:records|uploads)/(?P<id>[A-Za-z0-9-]+)(?:/.*)?")
_LANDING = re.compile(r"(?P<home>.*?)/doi/(?P<id>10\..+)")
_DATASET = re.compile(r"(?P<home>.*?)/dataset/(?P<id>[a-z0-9_-]+)(?:/.*)?")

_ZENODO = {"10.5281/zenodo.": KNOWN["zenodo"], "10.5072/zenodo.": KNOWN["sandbox"]}


@dataclass(frozen=True)
class Place:
    """What was asked for: exactly one of a path, a DOI, an address; and a version, or None."""

    path: Path | None = None
    doi: str | None = None
    address: str | None = None
    version: str | None = None


@dataclass(frozen=True)
class Page:
    """A record on a server: the server's address, its kind, and what names the record there."""

    server: str
    kind: str
    id: str


def read_place(text: str) -> Place:
    """Return what a text means; what is there as a path is a path.

    Raises ReviewdataError for what is none of the three.
    """
    if os.path.exists(text):
        return Place(path=Path(text))
    start, at, end = text.rpartition("@")
    version = end.removeprefix("v") if at and start and _VERSION.fullmatch(end) else None
    name = start if version is not None else text
    if os.path.exists(name):
        return Place(path=Path(name), version=version)
    found = _DOI.fullmatch(name)
    if found:
        return Place(doi=unquote(found[1]), version=version)
    if "://" in name:
        return Place(address=name, version=version)
    raise ReviewdataError(f"{text!r} is no DOI, no address, and no file or folder that is there")


def read_page(address: str) -> Page | None:
    """Return the record that an address shows; None where it is of no form that is known."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    for pattern, kind in ((_LANDING, "invenio"), (_RECORD, "invenio"), (_DATASET, "ckan")):
        found = pattern.fullmatch(unquote(parts.path))
        if found and parts.netloc:
            return Page(f"{parts.scheme}://{parts.netloc}{found['home']}", kind, found["id"])
    return None


def find_zenodo(doi: str) -> str | None:
    """Return the address of the server of Zenodo that a DOI is of; None for any other."""
    found = [server for start, server in _ZENODO.items() if doi.lower().startswith(start)]
    return found[0] if found else None
