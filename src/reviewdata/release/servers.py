"""Which server is meant, and the token for it: from the environment, or from the keyring."""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from reviewdata.model import ReviewdataError

KNOWN = {"sandbox": "https://sandbox.zenodo.org", "zenodo": "https://zenodo.org"}
"""The servers that have a name; any other is told by its address."""

KEYRING = "reviewdata"
"""The service under which a keyring has the tokens; the user is the host."""


@dataclass(frozen=True)
class Server:
    """A repository on the web: its address without a slash at the end, and its variable."""

    address: str
    variable: str

    @property
    def host(self) -> str:
        """The host, with the port where it is not the usual one: what a keyring asks for."""
        return urlsplit(self.address).netloc


@dataclass(frozen=True)
class Token:
    """A secret. It is in no text that is made of this object."""

    secret: str = field(repr=False)

    def hidden(self, text: str) -> str:
        """Return a text in which the secret does not stand."""
        return text.replace(self.secret, "[token]")


def find_server(given: str) -> Server:
    """Return the server named `sandbox` or `zenodo`, or at an address.

    Raises ReviewdataError for an address that is neither https nor on this machine, or that
    holds more than a host and a path.
    """
    address = KNOWN.get(given, given).rstrip("/")
    name = given if given in KNOWN else None
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    if not host or not re.fullmatch(r"[\x21-\x7e]+", address):
        known = ", ".join(KNOWN)
        raise ReviewdataError(f"no server {given[:100]!r}: give {known}, or an address of https")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ReviewdataError("the address of a server holds a host and a path, and no more")
    check_scheme(address)
    if name is None:
        for known_name, known_address in KNOWN.items():
            name = known_name if address.lower() == known_address else name
    place = f"{host}_{port}" if port else host
    variable = "REVIEWDATA_TOKEN_" + re.sub(r"[^A-Z0-9]+", "_", (name or place).upper())
    return Server(address, variable)


def name_publisher(server: Server) -> str:
    """Return the name of a repository, as a citation has it."""
    own = server.host == "zenodo.org" or server.host.endswith(".zenodo.org")
    return "Zenodo" if own else server.host


def check_scheme(address: str) -> None:
    """Raise ReviewdataError for an address that is not https, but for one on this machine."""
    parts = urlsplit(address)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(address)):
        raise ReviewdataError(
            f"{parts.scheme or 'no scheme'} at {parts.hostname}: only https is spoken,"
            " and http on this machine alone"
        )


def is_loopback(address: str) -> bool:
    """Whether an address is of this machine."""
    host = urlsplit(address).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def find_token(server: Server) -> Token:
    """Return the token for a server. Raises ReviewdataError that says where one is looked for."""
    secret = os.environ.get(server.variable, "").strip() or _from_keyring(server)
    if not secret:
        raise ReviewdataError(
            f"no token for {server.host}: set the variable {server.variable},"
            f" or keep it with: keyring set {KEYRING} {server.host}"
        )
    if not re.fullmatch(r"[\x21-\x7e]{8,}", secret):
        raise ReviewdataError(f"{server.variable} holds what no token does")
    return Token(secret)


def _from_keyring(server: Server) -> str:
    """Return what the keyring has for a server; blank where none is installed or it has none."""
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        return ""
    try:
        return (keyring.get_password(KEYRING, server.host) or "").strip()
    except KeyringError:
        return ""
