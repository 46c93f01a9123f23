"""Records, drafts and files as InvenioRDM's API shows them, read from JSON that may be any."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reviewdata.release.answers import FormError, dig, list_of, text_of, whole_of
from reviewdata.release.repository import RemoteFile
from reviewdata.release.web import quoted


@dataclass(frozen=True)
class Record:
    """A record or a draft. What it does not say is blank, or empty; `index` counts from 1.

    `pids` and `access` are as the server has them, to be sent back.
    """

    id: str
    doi: str
    concept: str
    title: str
    version: str
    created: str
    page: str
    is_published: bool
    index: int
    identifiers: tuple[str, ...]
    pids: Mapping[str, Any]
    access: Mapping[str, Any]


def read_record(content: object, host: str) -> Record:
    """Return a record. Raises FormError for what is none."""
    name = text_of(dig(content, "id"))
    if not name:
        raise FormError(f"{host} answers in another form: a record without an id")
    listed = list_of(dig(content, "metadata", "identifiers"))
    pids, access = dig(content, "pids"), dig(content, "access")
    return Record(
        id=name,
        doi=text_of(dig(content, "pids", "doi", "identifier")),
        concept=text_of(dig(content, "parent", "pids", "doi", "identifier")),
        title=text_of(dig(content, "metadata", "title")),
        version=text_of(dig(content, "metadata", "version")),
        created=text_of(dig(content, "created")),
        page=text_of(dig(content, "links", "self_html")),
        is_published=dig(content, "is_published") is True,
        index=whole_of(dig(content, "versions", "index")) or 0,
        identifiers=tuple(text_of(dig(entry, "identifier")) for entry in listed),
        pids=pids if isinstance(pids, dict) else {},
        access=access if isinstance(access, dict) else {},
    )


def read_hits(content: object, host: str) -> list[Record]:
    """Return the records that a search has found. Raises FormError for what is no search."""
    hits = dig(content, "hits", "hits")
    if not isinstance(hits, list):
        raise FormError(f"{host} answers in another form: a search without hits")
    return [read_record(hit, host) for hit in hits]


def read_files(content: object, home: str, host: str) -> dict[str, RemoteFile]:
    """Return the files that are listed at a path, by name. Raises FormError for no list of files.

    A checksum of another kind than md5 is none.
    """
    entries = dig(content, "entries")
    if not isinstance(entries, list):
        raise FormError(f"{host} answers in another form: no list of files")
    found = {}
    for entry in entries:
        key, size = text_of(dig(entry, "key")), whole_of(dig(entry, "size") or 0)
        if not key or size is None:
            raise FormError(f"{host} answers in another form: a file without a name or a size")
        kind, _, checksum = text_of(dig(entry, "checksum")).partition(":")
        found[key] = RemoteFile(
            name=key,
            size=size,
            md5=checksum.lower() if kind.lower() == "md5" else "",
            complete=dig(entry, "status") == "completed",
            id=key,
            link=f"{home}/{quoted(key)}/content",
        )
    return found
