"""The two kinds of server: which one answers at an address."""

from __future__ import annotations

from reviewdata.model import ReviewdataError
from reviewdata.release.ckan import CKAN
from reviewdata.release.invenio import InvenioRDM
from reviewdata.release.repository import Library, Repository
from reviewdata.release.servers import KNOWN, Server, Token
from reviewdata.release.web import Notice, RefusedError, Web, untold

KINDS = ("invenio", "ckan")


def open_repository(
    server: Server,
    token: Token,
    kind: str | None = None,
    *,
    organisation: str | None = None,
    notice: Notice = untold,
) -> Repository:
    """Return a server to publish on; without a kind, it is asked, without the token, what it is."""
    if (kind or find_kind(server, notice=notice)) == "ckan":
        return CKAN(Web(server, token, notice=notice, scheme=""), organisation)
    return InvenioRDM(Web(server, token, notice=notice))


def open_library(server: Server, kind: str | None = None, *, notice: Notice = untold) -> Library:
    """Return a server to fetch from: what it has published, without a token."""
    if (kind or find_kind(server, notice=notice)) == "ckan":
        return CKAN(Web(server, notice=notice), None)
    return InvenioRDM(Web(server, notice=notice))


def find_kind(server: Server, *, notice: Notice = untold) -> str:
    """Return the kind of a server, asked with GET. Raises ReviewdataError where it is of none."""
    if server.address in KNOWN.values():
        return "invenio"
    web = Web(server, notice=notice)
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
