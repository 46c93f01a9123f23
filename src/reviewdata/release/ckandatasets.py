"""Datasets and resources as CKAN's API shows them, read from JSON that may be any."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from reviewdata.release.answers import FormError, dig, list_of, text_of, whole_of
from reviewdata.release.ckanmetadata import DATE, NAME
from reviewdata.release.repository import RemoteFile
from reviewdata.release.web import quoted


@dataclass(frozen=True)
class Dataset:
    """A dataset. What it does not say is blank, or empty; `owner` is the id of its organisation."""

    id: str
    name: str
    title: str
    version: str
    created: str
    owner: str
    is_private: bool
    is_active: bool
    extras: Mapping[str, str]
    files: Mapping[str, RemoteFile]

    @property
    def package(self) -> str:
        """The name of the data package that it is a version of; blank for none."""
        return self.extras.get(NAME, "")

    @property
    def age(self) -> tuple[str, str]:
        """What orders the versions of a package."""
        return self.extras.get(DATE, ""), self.created


def read_dataset(content: object, host: str) -> Dataset:
    """Return a dataset. Raises FormError for what is none."""
    identifier, name = text_of(dig(content, "id")), text_of(dig(content, "name"))
    if not identifier or not name:
        raise FormError(f"{host} answers in another form: a dataset without an id or a name")
    return Dataset(
        id=identifier,
        name=name,
        title=text_of(dig(content, "title")),
        version=text_of(dig(content, "version")),
        created=text_of(dig(content, "metadata_created")),
        owner=text_of(dig(content, "owner_org")),
        is_private=dig(content, "private") is True,
        is_active=dig(content, "state") == "active",
        extras={
            text_of(dig(entry, "key")): text_of(dig(entry, "value"))
            for entry in list_of(dig(content, "extras"))
        },
        files=_read_files(content, identifier, host),
    )


def _read_files(content: object, dataset: str, host: str) -> dict[str, RemoteFile]:
    """Return the resources by name; of two with one name, the second by its id too."""
    found: dict[str, RemoteFile] = {}
    for entry in list_of(dig(content, "resources")):
        identifier = text_of(dig(entry, "id"))
        if not identifier:
            raise FormError(f"{host} answers in another form: a resource without an id")
        name = text_of(dig(entry, "name")) or identifier
        if name in found:  # sent twice, as the first answer was lost
            name = f"{name} {identifier}"
        last = quoted(_last_part(text_of(dig(entry, "url"))))
        found[name] = RemoteFile(
            name=name,
            size=whole_of(dig(entry, "size")) or 0,
            md5="",
            complete=True,
            id=identifier,
            link=f"/dataset/{quoted(dataset)}/resource/{quoted(identifier)}/download/{last}",
        )
    return found


def _last_part(url: str) -> str:
    try:
        return PurePosixPath(urlsplit(url).path).name
    except ValueError:
        return ""
