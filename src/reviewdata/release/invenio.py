"""InvenioRDM, the software of Zenodo: drafts, reserved DOIs and versions by its records API."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from reviewdata.model import ReviewdataError
from reviewdata.release.answers import FormError, describe_errors, dig
from reviewdata.release.deposit import Deposit, File
from reviewdata.release.exchange import BusyError, RefusedError
from reviewdata.release.rdmmetadata import find_content, identity, record_metadata, vocabulary
from reviewdata.release.rdmrecords import Record, read_files, read_hits, read_record
from reviewdata.release.repository import Draft, Published, RemoteFile, Told
from reviewdata.release.servers import name_publisher
from reviewdata.release.web import Web, quoted

MOST_FILES = 100
"""Files of one record, and of one request: the default of InvenioRDM, and Zenodo's limit."""

LOOKS = (1.0, 2.0, 4.0, 8.0)
"""Seconds between looks for what a search does not show at once: OpenSearch lags behind."""


class InvenioRDM:
    """The records API of one server. Meets `Repository`."""

    kind = "invenio"
    gives_doi = True
    keeps_files = True
    most_files: int | None = MOST_FILES

    def __init__(self, web: Web, *, wait: Callable[[float], object] = time.sleep) -> None:
        self.web = web
        self.server = web.server
        self._wait = wait

    def close(self) -> None:
        """Close the connections."""
        self.web.close()

    def find_latest(self, name: str, concept: str | None) -> Published | None:
        """Return the latest version. Raises ReviewdataError for a concept that is not there."""
        if concept is None:
            own = [hit for hit in self._search_own(name) if hit.is_published]
            found = self._latest_of(own[0]) if own else None
        else:
            found = self._of_concept(concept)
            if found is None:
                raise ReviewdataError(f"{self.server.host} has no record of {concept}")
        return self._published(found) if found else None

    def _of_concept(self, concept: str) -> Record | None:
        """Return the latest record of a DOI of all versions.

        The record of such a DOI is usually named by its end, which needs no search.
        """
        guess = concept.rpartition("/")[2].removeprefix("zenodo.")
        record = self._read_record(guess)
        if record is not None and record.concept.lower() == concept.lower():
            return record
        query = f'parent.pids.doi.identifier:"{_term(concept)}"'
        for hit in self._hits("/api/records", q=query, allversions="true"):
            if hit.concept.lower() == concept.lower():
                return self._latest_of(hit)
        return None

    def _latest_of(self, record: Record) -> Record:
        latest = self.web.get(f"/api/records/{quoted(record.id)}/versions/latest")
        return read_record(latest, self.server.host)

    def find_draft(self, name: str, latest: Published | None, known: str | None) -> Draft | None:
        """Return the open draft: the known one, else the oldest that the account has of it."""
        if known is not None:
            draft = self._read_draft(known)
            if draft is not None and self._belongs(draft, name, latest):
                return self._with_files(draft)
        hits = self._search_own(name) if latest is None else self._search_versions(latest)
        for hit in sorted(hits, key=_age):
            draft = None if hit.is_published else self._read_draft(hit.id)
            if draft is not None:
                return self._with_files(draft)
        return None

    def _belongs(self, draft: Record, name: str, latest: Published | None) -> bool:
        if latest is None:
            return identity(name) in draft.identifiers and not draft.concept
        return bool(draft.concept) and draft.concept == latest.concept

    def list_problems(self, deposit: Deposit) -> list[str]:
        """Return the terms that no vocabulary of the server has, and persons without their name."""
        named = (*deposit.metadata.creators, *deposit.metadata.contributors)
        problems = [
            f"{who.name} is a person by the ORCID iD or given name, and {self.server.host} asks for"
            " the family's: give givenName and familyName in datapackage.json"
            for who in named
            if who.lacks_family
        ]
        for kind, term, said in vocabulary(deposit.metadata):
            try:
                self.web.get(f"/api/vocabularies/{kind}/{quoted(term)}")
            except RefusedError as error:
                if error.status != 404:
                    raise
                problems.append(f"{self.server.host} does not know the {said}")
        return problems

    def make_draft(self, deposit: Deposit, latest: Published | None) -> Draft:
        """Return a new draft: under the latest version, or the first of its concept.

        A second request for a version gives the same draft. A second one for a record gives
        another: so where the answer was lost it is looked for, and of two that two runs have
        made, both go on with the older one.
        """
        host = self.server.host
        if latest is not None:
            made = self.web.send(f"/api/records/{quoted(latest.id)}/versions", safe=True)
            return self._with_files(read_record(made, host))
        content = {"metadata": self._metadata(deposit), "files": {"enabled": True}}
        mine: str | None = None
        try:
            mine = read_record(self.web.send("/api/records", content), host).id
        except BusyError:
            if not self._await_drafts(deposit.name, None):
                raise
        found = self._await_drafts(deposit.name, mine)
        chosen = min(found, key=_age) if found else self._read_draft(mine or "")
        if chosen is None:
            raise BusyError(f"{host} does not show the draft that it has made")
        if mine is not None and chosen.id != mine:
            self.web.delete(_draft_of(mine))
        return self._with_files(chosen)

    def _await_drafts(self, name: str, mine: str | None) -> list[Record]:
        """Return the drafts that a search shows, once it shows any, or the one we know of."""
        for pause in (0.0, *LOOKS):
            if pause:
                self._wait(pause)
            found = [hit for hit in self._search_own(name) if not hit.is_published]
            if found and (mine is None or any(hit.id == mine for hit in found)):
                return found
        return []

    def reserve_doi(self, draft: Draft) -> Draft:
        """Return the draft with its DOI. Raises ReviewdataError where the server gives none."""
        if draft.doi:
            return draft
        refused: RefusedError | None = None
        try:
            self.web.send(f"{_draft_of(draft.id)}/pids/doi", safe=True)
        except RefusedError as error:  # the second time it is refused: it has one
            refused = error
        again = self._read_draft(draft.id)
        if again is None or not again.doi:
            raise refused or ReviewdataError(f"{self.server.host} reserves no DOI")
        return replace(draft, doi=again.doi)

    def set_metadata(self, draft: Draft, deposit: Deposit) -> None:
        """Send the metadata. Raises ReviewdataError that names the fields that are not taken."""
        now = read_record(self.web.get(_draft_of(draft.id)), self.server.host)
        content = {
            "metadata": self._metadata(deposit),
            "files": {"enabled": True},
            "pids": now.pids,  # without it the reserved DOI is given up
            "access": {
                part: now.access[part] for part in ("record", "files") if part in now.access
            },
        }
        answer = self.web.replace(_draft_of(draft.id), content)
        wrong = describe_errors(dig(answer, "errors"))
        if wrong:
            raise ReviewdataError(f"{self.server.host} does not take: {'; '.join(wrong)}")

    def _metadata(self, deposit: Deposit) -> dict[str, Any]:
        return record_metadata(deposit, name_publisher(self.server))

    def list_files(self, draft: Draft) -> Mapping[str, RemoteFile]:
        """Return the files of the draft, with the md5 that the server has computed of each."""
        home = f"{_draft_of(draft.id)}/files"
        return read_files(self.web.get(home), home, self.server.host)

    def keep_files(self, draft: Draft, latest: Published) -> None:
        """Import the files of the version before; where it was done before it is refused."""
        try:
            self.web.send(f"{_draft_of(draft.id)}/actions/files-import", safe=True)
        except RefusedError as error:
            if error.status != 400:
                raise

    def drop_file(self, draft: Draft, file: RemoteFile) -> None:
        """Delete the entry of a file."""
        self.web.delete(f"{_draft_of(draft.id)}/files/{quoted(file.name)}")

    def send_files(self, draft: Draft, files: Mapping[str, File], told: Told) -> None:
        """Register the files, in one request for each hundred, and send their bytes.

        Of a checksum that we would send along the server takes no notice, so the one that it
        answers is compared, by the caller for all files and here at once.
        """
        home = f"{_draft_of(draft.id)}/files"
        names = list(files)
        for start in range(0, len(names), MOST_FILES):
            self.web.send(home, [{"key": name} for name in names[start : start + MOST_FILES]])
        for name, file in files.items():
            place = f"{home}/{quoted(name)}"

            def tell(more: int, name: str = name, size: int = file.size) -> None:
                told(name, more, size)

            self.web.put_file(f"{place}/content", file.path, file.size, tell)
            self.web.send(f"{place}/commit", safe=True)

    def publish(self, draft: Draft) -> Published:
        """Publish the draft, once; where the answer is lost, the record says what came of it."""
        try:
            self.web.send(f"{_draft_of(draft.id)}/actions/publish")
        except (BusyError, RefusedError) as error:
            # A draft that is published already is not found.
            if isinstance(error, RefusedError) and error.status not in (404, 409, 410):
                raise
            for pause in (0.0, *LOOKS[:3]):
                if pause:
                    self._wait(pause)
                record = self._read_record(draft.id)
                if record is not None:
                    break
            else:
                raise
        else:
            record = self._read_record(draft.id)
        if record is None:
            raise FormError(f"{self.server.host} has published {draft.id}, and does not show it")
        return self._published(record)

    def drop_doubles(self, name: str, latest: Published) -> None:
        """Delete drafts that say they hold what the latest version holds, and follow no version.

        One that follows a version was begun after it, by hand perhaps, with its words.
        """
        for hit in self._search_own(name):
            same = find_content(hit.identifiers) == latest.content_hash
            if same and not hit.is_published and not hit.concept:
                self.web.delete(_draft_of(hit.id))

    def download(self, file: RemoteFile, out: Path, most: int, told: Told) -> None:
        """Write the bytes of a published file."""
        self.web.download(file.link, out, most, lambda more: told(file.name, more, file.size))

    def find_version(self, name: str, version: str | None) -> Published:
        """Return a published version by its record or its DOI, or by those of all versions."""
        record = self._of_doi(name) if name.startswith("10.") else self._read_record(name)
        if record is None:
            raise ReviewdataError(f"{self.server.host} has no published record {name}")
        found = self._published(record)
        if version is None or found.version.removeprefix("v") == version:
            return found
        there = [found.version]
        versions = f"/api/records/{quoted(record.id)}/versions"
        for hit in self._hits(versions, sort="version", size=25):
            if hit.version.removeprefix("v") == version:
                return self._published(hit)
            there.append(hit.version)
        known = ", ".join(sorted({said for said in there if said})[:10])
        raise ReviewdataError(f"{name} has no version {version}; it has {known or 'none'}")

    def _of_doi(self, doi: str) -> Record | None:
        guess = doi.rpartition("/")[2].removeprefix("zenodo.")
        record = self._read_record(guess)
        if record is not None and _is_of(record, doi):
            return record
        for field in ("pids", "parent.pids"):
            query = f'{field}.doi.identifier:"{_term(doi)}"'
            for hit in self._hits("/api/records", q=query, allversions="true"):
                if _is_of(hit, doi):
                    return self._latest_of(hit) if field == "parent.pids" else hit
        return None

    def _read_record(self, record: str) -> Record | None:
        return self._read(f"/api/records/{quoted(record)}")

    def _read_draft(self, record: str) -> Record | None:
        found = self._read(_draft_of(record))
        return None if found is None or found.is_published else found

    def _read(self, path: str) -> Record | None:
        try:
            return read_record(self.web.get(path), self.server.host)
        except RefusedError as error:
            if error.status in (403, 404, 410):  # 403: of another, and not published
                return None
            raise

    def _search_own(self, name: str) -> list[Record]:
        """Return the records and drafts of the account that say they are of this package."""
        mark = identity(name)
        query = f'metadata.identifiers.identifier:"{mark}"'
        hits = self._hits("/api/user/records", q=query, size=50, allversions="true")
        return [hit for hit in hits if mark in hit.identifiers]

    def _search_versions(self, latest: Published) -> list[Record]:
        query = f'parent.pids.doi.identifier:"{_term(latest.concept)}"'
        hits = self._hits("/api/user/records", q=query, size=50, allversions="true")
        return [hit for hit in hits if hit.concept == latest.concept]

    def _hits(self, path: str, **query: str | int) -> list[Record]:
        return read_hits(self.web.get(path, **query), self.server.host)

    def _with_files(self, draft: Record) -> Draft:
        made = Draft(
            id=draft.id,
            doi=draft.doi or None,
            concept=draft.concept or None,
            title=draft.title,
            created=draft.created,
            address=self._page(draft),
        )
        return replace(made, files=self.list_files(made))

    def _published(self, record: Record) -> Published:
        home = f"/api/records/{quoted(record.id)}/files"
        return Published(
            id=record.id,
            doi=record.doi or None,
            concept=record.concept,
            name="",
            title=record.title,
            version=record.version,
            content_hash=find_content(record.identifiers),
            address=self._page(record),
            files=read_files(self.web.get(home), home, self.server.host),
            first=record.index <= 1,
        )

    def _page(self, record: Record) -> str:
        return record.page or f"{self.server.address}/uploads/{record.id}"


def _draft_of(record: str) -> str:
    return f"/api/records/{quoted(record)}/draft"


def _is_of(record: Record, doi: str) -> bool:
    return doi.lower() in (record.doi.lower(), record.concept.lower())


def _age(record: Record) -> tuple[str, str]:
    return record.created, record.id


def _term(text: str) -> str:
    """Return a text as it stands between the quotes of a search."""
    return text.replace("\\", "\\\\").replace('"', '\\"')
