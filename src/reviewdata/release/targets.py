"""The two kinds of server: which one answers at an address."""

from __future__ import annotations

import time
from collections.abc import Callable

from reviewdata.model import ReviewdataError
from reviewdata.release.ckan import CKAN
from reviewdata.release.invenio import InvenioRDM
from reviewdata.release.repository import Library, Repository
from reviewdata.release.servers import KNOWN, Server, Token
from reviewdata.release.web import RefusedError, Web

KINDS = ("invenio", "ckan")


def open_repository(
    server: Server,
    token: Token,
    kind: str | None = None,
    *,
    organisation: str | None = None,
    wait: Callable[[float], object] = time.sleep,
) -> Repository:
    """Return a server to publish on; without a kind, it is asked, without the token, what it is."""
    if (kind or find_kind(server, wait=wait)) == "ckan":
        return CKAN(Web(server, token, wait=wait, scheme=""), organisation, wait=wait)
    return InvenioRDM(Web(server, token, wait=wait), wait=wait)


def open_library(
    server: Server, kind: str | None = None, *, wait: Callable[[float], object] = time.sleep
) -> Library:
    """Return a server to fetch from: what it has published, without a token."""
    if (kind or find_kind(server, wait=wait)) == "ckan":
        return CKAN(Web(server, wait=wait), None, wait=wait)
    return InvenioRDM(Web(server, wait=wait), wait=wait)


def find_kind(server: Server, *, wait: Callable[[float], object] = time.sleep) -> str:
    """Return the kind of a server, asked with GET. Raises ReviewdataError where it is of none."""
    if server.address in KNOWN.values():
        return "invenio"
    web = Web(server, wait=wait)
    try:
        for kind, path in (("ckan", "/api/3/action/status_show"), ("invenio", "/api/records")):
            try:
                answer = web.get(path, **({"size": 1} if kind == "invenio" else {}))
            except RefusedError:
                continue
            if isinstance(answer, dict) and ("success" in answer or "hits" in answer):
                return kind
    finally:
        web.close()
    raise ReviewdataError(
        f"{server.host} answers as none of the servers that are known: {', '.join(KINDS)}"
    )
