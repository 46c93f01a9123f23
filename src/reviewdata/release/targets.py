"""The two kinds of server: which one answers at an address."""

from __future__ import annotations

from reviewdata.model import ReviewdataError
from reviewdata.release.ckan import CKAN
from reviewdata.release.exchange import RefusedError
from reviewdata.release.invenio import InvenioRDM
from reviewdata.release.repository import Library, Repository
from reviewdata.release.servers import KNOWN, Server, Token
from reviewdata.release.web import Notice, Web, untold

KINDS = ("ckan", "invenio")


def open_repository(
    server: Server,
    token: Token,
    kind: str | None = None,
    *,
    organisation: str | None = None,
    notice: Notice = untold,
) -> Repository:
    """Return a server to publish on; it is asked, without the token, what it is."""
    if find_kind(server, kind, notice=notice) == "ckan":
        return CKAN(Web(server, token, notice=notice, scheme=""), organisation)
    return InvenioRDM(Web(server, token, notice=notice))


def open_library(server: Server, kind: str | None = None, *, notice: Notice = untold) -> Library:
    """Return a server to fetch from: what it has published, without a token."""
    if find_kind(server, kind, notice=notice) == "ckan":
        return CKAN(Web(server, notice=notice), None)
    return InvenioRDM(Web(server, notice=notice))


def find_kind(server: Server, kind: str | None = None, *, notice: Notice = untold) -> str:
    """Return the kind of a server, asked with GET.

    Raises ReviewdataError where it is of none, or not of the `kind` that it is said to be.
    """
    if server.address in KNOWN.values() and kind in (None, "invenio"):
        return "invenio"
    web = Web(server, notice=notice)
    try:
        for one in KINDS if kind is None else (kind,):
            if _answers_as(web, one):
                return one
    finally:
        web.close()
    known = kind or " or ".join(KINDS)
    raise ReviewdataError(f"{server.host} does not answer as {known} does: is the address right?")


def _answers_as(web: Web, kind: str) -> bool:
    try:
        if kind == "ckan":
            answer = web.get("/api/3/action/status_show")
            return isinstance(answer, dict) and "success" in answer
        answer = web.get("/api/records", size=1)
        return isinstance(answer, dict) and "hits" in answer
    except RefusedError:
        return False
