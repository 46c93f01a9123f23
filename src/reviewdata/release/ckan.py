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

from reviewdata.model import ReviewdataError
from reviewdata.release.answers import FormError, dig, list_of, text_of
from reviewdata.release.ckandatasets import Dataset, read_dataset
from reviewdata.release.ckanmetadata import CONTENT, NAME, dataset_metadata, find_licence
from reviewdata.release.deposit import Deposit, File, measure_file
from reviewdata.release.exchange import BusyError, RefusedError
from reviewdata.release.repository import Draft, Published, RemoteFile, Told
from reviewdata.release.web import Web, quoted

_API = "/api/3/action"
_TAKEN = 409
"""The code of a dataset whose name is taken, and of any other field that is not taken."""


class NobodyError(ReviewdataError):
    """No organisation that could own a dataset."""


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
        self._owner: str | None = None
        self._read_back: dict[tuple[str, str, int], str] = {}

    def close(self) -> None:
        """Close the connections."""
        self.web.close()

    def find_latest(self, name: str, concept: str | None) -> Published | None:
        """Return the latest version among the public datasets of a package in the organisation."""
        found = [entry for entry in self._search(name, self._own()) if not entry.is_private]
        return self._published(max(found, key=_age)) if found else None

    def find_version(self, name: str, version: str | None) -> Published:
        """Return a public dataset by its name, or the version of its package beside it.

        Only those of one organisation are versions of one package: anybody may give another's
        name to a dataset.
        """
        shown = self._show(name)
        if shown is None or shown.is_private:
            raise ReviewdataError(f"{self.server.host} has no public dataset {name}")
        if version is None or shown.version.removeprefix("v") == version:
            return self._published(shown)
        found = self._search(shown.package, shown.owner) if shown.package and shown.owner else []
        for entry in found:
            if entry.version.removeprefix("v") == version and not entry.is_private:
                return self._published(entry)
        known = ", ".join(entry.version for entry in found if not entry.is_private)
        raise ReviewdataError(f"{name} has no version {version}; it has {known or shown.version}")

    def find_draft(self, name: str, latest: Published | None, known: str | None) -> Draft | None:
        """Return the private dataset of a package: the known one, else the oldest."""
        owner = self._own()
        shown = self._show(known) if known is not None else None
        if shown is not None and shown.is_private and (shown.package, shown.owner) == (name, owner):
            return self._with_files(shown)
        found = [entry for entry in self._search(name, owner) if entry.is_private]
        # The search may lag behind what is shown of a dataset by its name.
        for entry in sorted(found, key=_age):
            shown = self._show(entry.id)
            if shown is not None and shown.is_private:
                return self._with_files(shown)
        return None

    def list_problems(self, deposit: Deposit) -> list[str]:
        """Return the licences that the site does not know, and whether nobody may own it."""
        known = self._list_licences()
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
        content["owner_org"] = owner = self._find_organisation()
        refused: ReviewdataError | None = None
        try:
            self._post("package_create", content)
        except (BusyError, RefusedError) as error:
            if isinstance(error, RefusedError) and error.status != _TAKEN:
                raise
            refused = error
        shown = self._show(content["name"])
        if shown is None or not shown.is_private:
            raise refused or BusyError(f"{self.server.host} does not show {content['name']}")
        if (shown.package, shown.owner) != (deposit.name, owner):
            raise refused or ReviewdataError(f"{content['name']} is another's dataset")
        return self._with_files(shown)

    def reserve_doi(self, draft: Draft) -> Draft:
        """Return the draft as it is: CKAN gives no DOI."""
        return draft

    def set_metadata(self, draft: Draft, deposit: Deposit) -> None:
        """Send the metadata; the resources stay as they are."""
        self._post("package_patch", {"id": draft.id} | self._metadata(deposit), safe=True)

    def _metadata(self, deposit: Deposit) -> dict[str, Any]:
        licence = find_licence(deposit.metadata.licences[0], self._list_licences())
        return dataset_metadata(deposit, licence)

    def _list_licences(self) -> list[str]:
        return [text_of(dig(entry, "id")) for entry in list_of(self._get("license_list"))]

    def _own(self) -> str:
        """Return the id of the organisation that publishes; blank where there is none yet."""
        try:
            return self._find_organisation()
        except NobodyError:
            return ""

    def _find_organisation(self) -> str:
        """Return the id of the organisation that will own a dataset.

        Raises NobodyError where none is named and there is not exactly one: without one, a dataset
        cannot be private.
        """
        if self._owner is None:
            self._owner = self._ask_organisation()
        return self._owner

    def _ask_organisation(self) -> str:
        listed = self._get("organization_list_for_user", permission="create_dataset")
        found = {text_of(dig(e, "name")): text_of(dig(e, "id")) for e in list_of(listed)}
        names = ", ".join(found)
        token, host = self.server.variable, self.server.host
        if self._organisation is not None:
            if self._organisation in found:
                return found[self._organisation]
            raise NobodyError(
                f"the token of {token} may not make datasets in {self._organisation} on {host};"
                f" it may in: {names or 'none'}"
            )
        if len(found) == 1:
            return next(iter(found.values()))
        if not found:
            raise NobodyError(
                f"the token of {token} is none of {host}, or its account may make datasets in no"
                " organisation"
            )
        raise NobodyError(
            f"the token of {token} may make datasets in {names} of {host}: name one with"
            " --organisation"
        )

    def list_files(self, draft: Draft) -> Mapping[str, RemoteFile]:
        """Return the resources of the draft, with the md5 of the bytes that come back of each."""
        shown = self._show(draft.id)
        if shown is None:
            raise ReviewdataError(f"{self.server.host} has no dataset {draft.id} any more")
        return {name: self._compared(file) for name, file in shown.files.items()}

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
        if shown is None or shown.is_private:
            raise BusyError(f"{self.server.host} does not show {draft.id} as public")
        return self._published(shown)

    def drop_doubles(self, name: str, latest: Published) -> None:
        """Do nothing: the name of a version's dataset is there only once."""

    def download(self, file: RemoteFile, out: Path, most: int, told: Told) -> None:
        """Write the bytes of a resource."""
        self.web.download(file.link, out, most, lambda more: told(file.name, more, file.size))

    def _search(self, name: str, owner: str) -> list[Dataset]:
        """Return the datasets of a package in an organisation, private ones where they are seen."""
        query: dict[str, str | int] = {"q": "*:*", "fq": f'extras_{NAME}:"{name}"', "rows": 1000}
        content = self._get("package_search", **query, include_private="true")
        results = dig(content, "results")
        if not isinstance(results, list):
            raise FormError(f"{self.server.host} answers in another form: a search without results")
        found = [read_dataset(entry, self.server.host) for entry in results]
        return [entry for entry in found if owner and (entry.package, entry.owner) == (name, owner)]

    def _show(self, name: str) -> Dataset | None:
        try:
            content = self._get("package_show", id=name)
        except RefusedError as error:
            if error.status in (403, 404):
                return None
            raise
        found = read_dataset(content, self.server.host)
        return found if found.is_active else None

    def _get(self, action: str, **query: str | int) -> Any:
        return dig(self.web.get(f"{_API}/{action}", **query), "result")

    def _post(self, action: str, content: Mapping[str, Any], *, safe: bool = False) -> Any:
        return dig(self.web.send(f"{_API}/{action}", content, safe=safe), "result")

    def _with_files(self, shown: Dataset) -> Draft:
        return Draft(
            id=shown.id,
            doi=None,
            concept=None,
            title=shown.title,
            created=shown.created,
            address=self._page(shown),
            files=shown.files,
        )

    def _published(self, shown: Dataset) -> Published:
        return Published(
            id=shown.id,
            doi=None,
            concept=shown.package,
            name=shown.package,
            title=shown.title,
            version=shown.version,
            content_hash=shown.extras.get(CONTENT, ""),
            address=self._page(shown),
            files=shown.files,
            first=True,
        )

    def _page(self, shown: Dataset) -> str:
        return f"{self.server.address}/dataset/{quoted(shown.name)}"


def _age(shown: Dataset) -> tuple[str, str]:
    return shown.age


def _silent(more: int) -> None:
    pass
