"""A publisher at work in a test: it does not sleep, and what it does is looked at on the server."""

from __future__ import annotations

import io
import itertools
import uuid
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from deposits import Maker

from reviewdata.release.ckan import CKAN
from reviewdata.release.ckanmetadata import NAME
from reviewdata.release.invenio import InvenioRDM
from reviewdata.release.plan import Publication
from reviewdata.release.publishing import Drafted, draft, publish, verify
from reviewdata.release.rdmmetadata import identity
from reviewdata.release.repository import Published, Repository
from reviewdata.release.servers import Token, find_server
from reviewdata.release.state import State
from reviewdata.release.web import TIMEOUT, Web

_numbers = itertools.count()
_opened: list[Web] = []


def close_all() -> None:
    """Close the connections of every publisher."""
    while _opened:
        _opened.pop().close()


def awake(seconds: float) -> None:
    """Wait for nothing: the servers of the tests show at once what they have."""


def open_invenio(address: str, token: str, timeout: float = TIMEOUT) -> InvenioRDM:
    """Return a repository that is spoken to with a token."""
    web = Web(find_server(address), Token(token), wait=awake, timeout=timeout)
    _opened.append(web)
    return InvenioRDM(web, wait=awake)


def open_ckan(address: str, token: str, timeout: float = TIMEOUT) -> CKAN:
    """Return a site of CKAN that is spoken to with a token, whose one organisation owns all."""
    web = Web(find_server(address), Token(token), wait=awake, timeout=timeout, scheme="")
    _opened.append(web)
    return CKAN(web, wait=awake)


@dataclass
class Publisher:
    """One review of a name of its own, and the server it is published on."""

    address: str
    token: str
    folder: Path
    open: Callable[[str, str, float], Repository] = open_invenio
    concept: str | None = None
    timeout: float = TIMEOUT
    made: Maker = field(init=False)

    def __post_init__(self) -> None:
        """Make the first version of a review that no server knows."""
        name = f"synthetic-{next(_numbers)}-{uuid.uuid4().hex[:8]}"
        self.made = Maker(self.folder / name, name)

    @property
    def publication(self) -> Publication:
        """What is published, as a new run of the command has it."""
        repository = self.open(self.address, self.token, self.timeout)
        state = State(self.folder / f"{self.made.name}.json")
        return Publication(self.made.name, repository, self.made, self.concept, state)

    def forget(self) -> None:
        """Lose the state, as a run on another machine has none."""
        (self.folder / f"{self.made.name}.json").unlink(missing_ok=True)

    def draft(self) -> Drafted:
        """Run `draft`."""
        return draft(self.publication, wait=awake)

    def send(self) -> Published:
        """Run `draft` and `publish`."""
        self.draft()
        return publish(self.publication)

    def publish(self) -> Published:
        """Run `draft`, `publish` and `verify`, which tells the concept that git then has."""
        self.send()
        read = verify(self.publication)
        assert read.identical
        self.concept = read.published.concept if read.published.doi else None
        return read.published


@dataclass(frozen=True)
class Look:
    """What a server of InvenioRDM shows: asked with a plain client, not with ours."""

    address: str
    token: str

    def get(self, path: str, **query: Any) -> Any:
        """Return the JSON at a path."""
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = httpx.get(self.address + path, params=query, headers=headers, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def own(self, name: str) -> list[dict[str, Any]]:
        """Return the records and drafts of a package."""
        query = f'metadata.identifiers.identifier:"{identity(name)}"'
        found = self.get("/api/user/records", q=query, size=100, allversions="true")
        hits: list[dict[str, Any]] = found["hits"]["hits"]
        return hits

    def published(self, name: str) -> list[dict[str, Any]]:
        """Return the published versions of a package, the first one first."""
        found = [hit for hit in self.own(name) if hit["is_published"]]
        return sorted(found, key=lambda hit: int(hit["versions"]["index"]))

    def drafts(self, name: str) -> list[dict[str, Any]]:
        """Return the drafts of a package that are not published."""
        return [hit for hit in self.own(name) if not hit["is_published"]]

    def files(self, record: dict[str, Any]) -> dict[str, bytes]:
        """Return the bytes of the files of a published record."""
        home = f"/api/records/{record['id']}/files"
        headers = {"Authorization": f"Bearer {self.token}"}
        keys = [entry["key"] for entry in self.get(home)["entries"]]
        return {
            key: httpx.get(f"{self.address}{home}/{key}/content", headers=headers).content
            for key in keys
        }


@dataclass(frozen=True)
class LookCKAN:
    """What a site of CKAN shows: asked with a plain client, not with ours."""

    address: str
    token: str

    def own(self, name: str) -> list[dict[str, Any]]:
        """Return the datasets of a package, private ones too."""
        query: dict[str, str | int] = {
            "fq": f'extras_{NAME}:"{name}"',
            "include_private": "true",
            "rows": 100,
        }
        answer = httpx.get(
            f"{self.address}/api/3/action/package_search",
            params=query,
            headers={"Authorization": self.token},
            timeout=60,
        )
        results: list[dict[str, Any]] = answer.json()["result"]["results"]
        return sorted(results, key=lambda entry: str(entry["metadata_created"]))

    def published(self, name: str) -> list[dict[str, Any]]:
        """Return the public versions of a package, the first one first."""
        return [entry for entry in self.own(name) if not entry["private"]]

    def drafts(self, name: str) -> list[dict[str, Any]]:
        """Return the private datasets of a package."""
        return [entry for entry in self.own(name) if entry["private"]]

    def files(self, dataset: dict[str, Any]) -> dict[str, bytes]:
        """Return the bytes of the resources of a public dataset, as anyone gets them."""
        listed = dataset["resources"]
        found = {entry["name"]: httpx.get(self.at(entry["url"])).content for entry in listed}
        assert len(found) == len(listed)
        return found

    def at(self, url: str) -> str:
        """Return the address of a resource on this site, whatever a proxy has made of it."""
        return self.address + urlsplit(url).path


def read_member(archive: bytes, name: str) -> bytes:
    """Return the bytes of a member of a zip."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return opened.read(name)
