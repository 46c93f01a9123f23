"""Which server is meant, and the token for it: from the environment, or from the keyring."""

from __future__ import annotations

import ipaddress
import os
import re
import socket
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from reviewdata.model import ReviewdataError

KNOWN = {"sandbox": "https://sandbox.zenodo.org", "zenodo": "https://zenodo.org"}
"""The servers that have a name; any other is told by its address."""

PREFIX = "REVIEWDATA_TOKEN_"
"""How each variable of a token begins."""

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
        """Return a text in which the secret does not stand, in whatever case."""
        return re.sub(re.escape(self.secret), "[token]", text, flags=re.IGNORECASE)

    def hidden_in(self, value: Any) -> Any:
        """Return what JSON holds without the secret in any of its texts."""
        if isinstance(value, str):
            return self.hidden(value)
        if isinstance(value, list):
            return [self.hidden_in(entry) for entry in value]
        if isinstance(value, dict):
            return {self.hidden(key): self.hidden_in(entry) for key, entry in value.items()}
        return value


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
        raise ReviewdataError(
            f"no server {given[:100]!r}: give {known}, or an address such as https://rdm.example.org"
        )
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ReviewdataError("the address of a server holds a host and a path, and no more")
    check_scheme(address)
    usual = {"https": 443, "http": 80}.get(parts.scheme)
    port = None if port == usual else port
    shown = f"[{host}]" if ":" in host else host
    address = f"{parts.scheme}://{shown}{f':{port}' if port else ''}{parts.path}"
    for known_name, known_address in KNOWN.items():
        name = known_name if address == known_address else name
    if name is None and "." not in host and host != "localhost" and ":" not in host:
        raise ReviewdataError(f"{host} is no whole name of a host, such as rdm.example.org")
    # No two hosts have one variable: a name that looks like another's must not get its token.
    place = "_".join(
        "".join(letter if letter.isalnum() else "__" for letter in part)
        for part in (f"{host}.{port}" if port else host).split(".")
    )
    return Server(address, f"{PREFIX}{(name or place).upper()}")


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


def check_public(address: str) -> None:
    """Raise ReviewdataError for an address of this machine or a private network.

    For what a server or a DOI leads to, and nobody has named. A name is looked up.
    """
    host = urlsplit(address).hostname or ""
    try:
        found = {entry[4][0] for entry in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError):  # it will not be reached either
        return
    for text in found:
        ip = ipaddress.ip_address(str(text).partition("%")[0])
        if not (getattr(ip, "ipv4_mapped", None) or ip).is_global:
            raise ReviewdataError(f"{host[:100]} is no address of the public network: not followed")


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
        raise ReviewdataError(
            f"what {server.variable} or the keyring holds is no token: one has at least 8 letters,"
            " digits and signs, and no space between them"
        )
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
