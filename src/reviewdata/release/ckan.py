"""CKAN: a version is a dataset of its own, private while it is a draft; it has no DOI.

CKAN computes no checksums, so that the files of a draft are read back to be compared.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from reviewdata.model import ReviewdataError
from reviewdata.release.ckanmetadata import (
    CONTENT,
    DATE,
    NAME,
    dataset_metadata,
    find_licence,
)
from reviewdata.release.deposit import Deposit, File, measure_file
from reviewdata.release.repository import Draft, Published, RemoteFile, Told
from reviewdata.release.web import BusyError, RefusedError, Web, quoted

_API = "/api/3/action"
_TAKEN = 409
"""The code of a dataset whose name is taken, and of any other field that is not taken."""


class CKAN:
    """The action API of one site. Meets `Repository`.

    `organisation` is the one that owns the datasets; without it, the only one of the account.
    """

    kind = "ckan"
    gives_doi = False
    keeps_files = False
    most_files: int | None = None

    def __init__(
        self,
        web: Web,
        organisation: str | None = None,
        *,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        self.web = web
        self.server = web.server
        self._organisation = organisation
        self._wait = wait
        self._read_back: dict[tuple[str, str, int], str] = {}

    def close(self) -> None:
        """Close the connections."""
        self.web.close()

    def find_latest(self, name: str, concept: str | None) -> Published | None:
        """Return the latest version among the public datasets of a package."""
        found = [entry for entry in self._search(name) if not entry.get("private")]
        return self._published(max(found, key=_age)) if found else None

    def find_version(self, name: str, version: str | None) -> Published:
        """Return a public dataset by its name, or by that of its package and a version."""
        shown = self._show(name)
        package = _extras(shown).get(NAME) if shown else name
        found = [entry for entry in self._search(package or name) if not entry.get("private")]
        if shown is not None and not shown.get("private") and version is None:
            return self._published(shown)
        if version is None and found:
            return self._published(max(found, key=_age))
        for entry in found:
            if str(entry.get("version") or "").removeprefix("v") == version:
                return self._published(entry)
        known = ", ".join(str(entry.get("version")) for entry in found)
        if found:
            raise ReviewdataError(f"{name} has no version {version}; it has {known}")
        raise ReviewdataError(f"{self.server.host} has no public dataset {name}")

    def find_draft(self, name: str, latest: Published | None, known: str | None) -> Draft | None:
        """Return the private dataset of a package: the known one, else the oldest."""
        shown = self._show(known) if known is not None else None
        if shown is not None and shown.get("private") and _extras(shown).get(NAME) == name:
            return self._with_files(shown)
        found = [entry for entry in self._search(name) if entry.get("private")]
        # The search may lag behind what is shown of a dataset by its name.
        drafts = [shown for entry in sorted(found, key=_age) if (shown := self._show(entry["id"]))]
        private = [shown for shown in drafts if shown.get("private")]
        return self._with_files(private[0]) if private else None

    def list_problems(self, deposit: Deposit) -> list[str]:
        """Return the licences that the site does not know, and whether nobody may own it."""
        known = [str(entry["id"]) for entry in self._get("license_list")]
        problems = [
            f"{self.server.host} does not know the licence {licence}"
            for licence in deposit.metadata.licences
            if find_licence(licence, known) is None
        ]
        try:
            self._find_organisation()
        except ReviewdataError as error:
            problems.append(str(error))
        return problems

    def make_draft(self, deposit: Deposit, latest: Published | None) -> Draft:
        """Return a new private dataset, or the one of its name: a name is there only once."""
        content = self._metadata(deposit) | {"private": True}
        content["owner_org"] = self._find_organisation()
        refused: ReviewdataError | None = None
        try:
            self._post("package_create", content)
        except (BusyError, RefusedError) as error:
            if isinstance(error, RefusedError) and error.status != _TAKEN:
                raise
            refused = error
        shown = self._show(content["name"])
        if shown is None or not shown.get("private") or _extras(shown).get(NAME) != deposit.name:
            raise refused or BusyError(f"{self.server.host} does not show {content['name']}")
        return self._with_files(shown)

    def reserve_doi(self, draft: Draft) -> Draft:
        """Return the draft as it is: CKAN gives no DOI."""
        return draft

    def set_metadata(self, draft: Draft, deposit: Deposit) -> None:
        """Send the metadata; the resources stay as they are."""
        self._post("package_patch", {"id": draft.id} | self._metadata(deposit), safe=True)

    def _metadata(self, deposit: Deposit) -> dict[str, Any]:
        known = [str(entry["id"]) for entry in self._get("license_list")]
        return dataset_metadata(deposit, find_licence(deposit.metadata.licences[0], known))

    def _find_organisation(self) -> str:
        """Return the organisation that will own a dataset; without one it cannot be private."""
        listed = self._get("organization_list_for_user", permission="create_dataset")
        names = [str(entry["name"]) for entry in listed]
        if self._organisation is not None:
            if self._organisation in names:
                return self._organisation
            raise ReviewdataError(
                f"this account may not make datasets in {self._organisation}"
                f" on {self.server.host}; it may in: {', '.join(names) or 'none'}"
            )
        if len(names) == 1:
            return names[0]
        raise ReviewdataError(
            f"on {self.server.host} this account may make datasets in"
            f" {', '.join(names) or 'no organisation'}; name one organisation to own this one"
        )

    def list_files(self, draft: Draft) -> Mapping[str, RemoteFile]:
        """Return the resources of the draft, with the md5 of the bytes that come back of each."""
        shown = self._show(draft.id)
        if shown is None:
            raise ReviewdataError(f"{self.server.host} has no dataset {draft.id} any more")
        return {name: self._compared(file) for name, file in _files(shown).items()}

    def _compared(self, file: RemoteFile) -> RemoteFile:
        """Return a file with the md5 of its bytes, read back once in a run."""
        key = (file.id, file.link, file.size)
        if key not in self._read_back:
            with tempfile.TemporaryDirectory() as folder:
                out = Path(folder) / "file"
                try:
                    self.web.download(file.link, out, max(file.size, 1), _silent)
                except RefusedError as error:
                    if error.status != 404:  # a resource whose upload broke off has no file
                        raise
                    return replace(file, complete=False)
                self._read_back[key] = measure_file(out).md5
        return replace(file, md5=self._read_back[key])

    def keep_files(self, draft: Draft, latest: Published) -> None:
        """Do nothing: a dataset cannot take files from another."""

    def drop_file(self, draft: Draft, file: RemoteFile) -> None:
        """Delete a resource."""
        try:
            self._post("resource_delete", {"id": file.id}, safe=True)
        except RefusedError as error:
            if error.status != 404:
                raise

    def send_files(self, draft: Draft, files: Mapping[str, File], told: Told) -> None:
        """Make a resource of each file."""
        for name, file in files.items():
            path = PurePosixPath(name)
            fields = {"package_id": draft.id, "name": name, "format": path.suffix[1:].upper()}

            def tell(more: int, name: str = name, size: int = file.size) -> None:
                told(name, more, size)

            self.web.send_form(f"{_API}/resource_create", fields, file.path, path.name, tell)

    def publish(self, draft: Draft) -> Published:
        """Make the dataset public; the second time changes nothing."""
        self._post("package_patch", {"id": draft.id, "private": False}, safe=True)
        shown = self._show(draft.id)
        if shown is None or shown.get("private"):
            raise BusyError(f"{self.server.host} does not show {draft.id} as public")
        return self._published(shown)

    def download(self, file: RemoteFile, out: Path, most: int, told: Told) -> None:
        """Write the bytes of a resource."""
        self.web.download(file.link, out, most, lambda more: told(file.name, more, file.size))

    def _search(self, name: str) -> list[dict[str, Any]]:
        """Return the datasets of a package, private ones too where the account sees them."""
        query: dict[str, str | int] = {"q": "*:*", "fq": f'extras_{NAME}:"{name}"', "rows": 1000}
        found = self._get("package_search", **query, include_private="true")
        return [entry for entry in found["results"] if _extras(entry).get(NAME) == name]

    def _show(self, name: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self._get("package_show", id=name)
        except RefusedError as error:
            if error.status in (403, 404):
                return None
            raise
        return found if found.get("state") == "active" else None

    def _get(self, action: str, **query: str | int) -> Any:
        return self.web.get(f"{_API}/{action}", **query)["result"]

    def _post(self, action: str, content: Mapping[str, Any], *, safe: bool = False) -> Any:
        return self.web.send(f"{_API}/{action}", content, safe=safe)["result"]

    def _with_files(self, shown: Mapping[str, Any]) -> Draft:
        return Draft(
            id=shown["id"],
            doi=None,
            concept=None,
            title=str(shown.get("title") or ""),
            created=str(shown["metadata_created"]),
            address=f"{self.server.address}/dataset/{shown['name']}",
            files=_files(shown),
        )

    def _published(self, shown: Mapping[str, Any]) -> Published:
        extras = _extras(shown)
        return Published(
            id=shown["id"],
            doi=None,
            concept=extras.get(NAME, ""),
            name=extras.get(NAME, ""),
            title=str(shown.get("title") or ""),
            version=str(shown.get("version") or ""),
            content_hash=extras.get(CONTENT, ""),
            address=f"{self.server.address}/dataset/{shown['name']}",
            files=_files(shown),
            first=True,
        )


def _files(shown: Mapping[str, Any]) -> dict[str, RemoteFile]:
    """Return the resources of a dataset by name; of two with one name, the second by its id too."""
    found: dict[str, RemoteFile] = {}
    for entry in shown.get("resources", []):
        name = str(entry.get("name") or entry["id"])
        if name in found:  # sent twice, as the first answer was lost
            name = f"{name} {entry['id']}"
        last = quoted(PurePosixPath(urlsplit(str(entry.get("url") or "")).path).name)
        found[name] = RemoteFile(
            name=name,
            size=int(entry.get("size") or 0),
            md5="",
            complete=True,
            id=str(entry["id"]),
            link=f"/dataset/{shown['id']}/resource/{entry['id']}/download/{last}",
        )
    return found


def _extras(shown: Mapping[str, Any]) -> dict[str, str]:
    return {str(e["key"]): str(e["value"]) for e in shown.get("extras", [])}


def _age(shown: Mapping[str, Any]) -> tuple[str, str]:
    return _extras(shown).get(DATE, ""), str(shown["metadata_created"])


def _silent(more: int) -> None:
    pass
