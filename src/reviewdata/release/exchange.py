"""One request to a server and its answer: where the token goes, and what a bad answer is.

The token stands in the Authorization header of requests to the named server, and nowhere else:
in no address, no error, no log, and in nothing that the server repeats of it.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from reviewdata.model import ReviewdataError
from reviewdata.release.answers import read_reason
from reviewdata.release.servers import Server, Token, is_loopback

if TYPE_CHECKING:
    import httpx

PATIENCE = 60.0
LEAST_RATE = 1000
"""Bytes a second that an answer has, once it has taken longer than PATIENCE in seconds."""

MOST_JSON = 50_000_000

_PASSING = {429, 502, 503, 504}
REDIRECTS = {301, 302, 303, 307, 308}


class BusyError(ReviewdataError):
    """The server gave no answer, and whether it did what it was asked to is not known."""


class RefusedError(ReviewdataError):
    """The server has answered that it will not do it; `status` is its code."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status


class PassingError(Exception):
    """An answer, or the lack of one, after which another try may help; for those who try."""

    def __init__(self, told: str, pause: float | None, *, acted: bool) -> None:
        super().__init__(told)
        self.pause = pause
        self.acted = acted


@dataclass(frozen=True)
class Answer:
    """A good answer to a small request: its code, and its body as JSON, None where it has none."""

    status: int
    content: Any


class Exchange:
    """The connections to one server, with a token or without one; nothing is tried again."""

    def __init__(self, server: Server, token: Token | None, timeout: float, scheme: str) -> None:
        """Open no connection yet. `scheme` stands before the token in the header."""
        httpx = _import_httpx()
        self.server = server
        self._token = token
        self._scheme = scheme
        for name in ("httpx", "httpcore"):  # they log addresses, which may be signed, and headers
            logging.getLogger(name).setLevel(logging.WARNING)
        self._client = httpx.Client(
            timeout=httpx.Timeout(timeout, connect=min(timeout, 15.0)),
            follow_redirects=False,
            # A proxy of the environment would be told the token on its way to this machine.
            trust_env=not is_loopback(server.address),
            headers={"User-Agent": "reviewdata", "Accept-Encoding": "identity"},
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def request(self, method: str, address: str, **given: Any) -> httpx.Request:
        """Return a request to a path or an address, with the token where it is of the server."""
        try:
            request: httpx.Request = self._client.build_request(
                method, self.address(address), **given
            )
        except (_import_httpx().InvalidURL, ValueError):
            raise ReviewdataError(f"{self.hidden(address[:200])!r} is no address") from None
        if self._token is not None and origin(str(request.url)) == origin(self.server.address):
            request.headers["Authorization"] = self._scheme + self._token.secret
        return request

    def address(self, path: str) -> str:
        """Return the address of a path; an address as it is."""
        return path if "://" in path else self.server.address + path

    def answered(self, request: httpx.Request) -> Answer:
        """Return the answer to a request: a good one, or a redirect of a GET, to its address."""
        method = request.method
        with self.opened(request) as response:
            status = response.status_code
            if status in REDIRECTS:
                if method != "GET":
                    raise ReviewdataError(
                        f"{self.server.host} redirects a {method}; it is not followed"
                    )
                return Answer(status, response.headers.get("Location") or "")
            content = bytearray()
            for block in self.blocks(response):
                content += block
                if len(content) > MOST_JSON:
                    raise ReviewdataError(f"{self.server.host}: an answer without end")
            if status < 300:
                return Answer(status, self._read(content) if content.strip() else None)
            self.refuse(response, bytes(content), request.url.path)
        raise AssertionError("a bad answer raises")

    def blocks(self, response: httpx.Response) -> Iterator[bytes]:
        """Yield the body of a response, unless it comes so slowly that it is without end."""
        begun, count = time.monotonic(), 0
        for block in response.iter_bytes():
            count += len(block)
            took = time.monotonic() - begun
            if took > PATIENCE and count < took * LEAST_RATE:
                raise ReviewdataError(
                    f"{self.server.host} has sent {count:,} bytes in {took:.0f} seconds, which is"
                    " too slow to go on"
                )
            yield block

    @contextmanager
    def opened(self, request: httpx.Request) -> Iterator[httpx.Response]:
        """Yield the response; an exchange that breaks off at any moment is a PassingError."""
        httpx = _import_httpx()
        try:
            response = self._client.send(request, stream=True)
            try:
                yield response
            finally:
                response.close()
        except httpx.TransportError as error:
            # Its text may hold the address; only its kind is told. Where no connection came
            # about, nothing was done.
            kind = type(error).__name__
            acted = not isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout))
            told = f"no answer ({kind})" if acted else f"cannot be reached ({_why(error) or kind})"
            raise PassingError(told, None, acted=acted) from None
        except httpx.DecodingError:
            raise PassingError("the answer is not packed as it says", None, acted=True) from None
        except (httpx.InvalidURL, httpx.StreamError, UnicodeError) as error:
            raise ReviewdataError(f"{self.server.host}: {type(error).__name__}") from None

    def joined(self, address: str, location: str) -> str:
        """Return where a redirect leads. Raises ReviewdataError for no address."""
        try:
            joined = urljoin(address, location)
            origin(joined)
        except ValueError:
            raise ReviewdataError(f"{self.server.host} redirects to no address") from None
        return joined

    def refuse(self, response: httpx.Response, content: bytes, path: str) -> None:
        """Raise the error of an answer that is not good."""
        status = response.status_code
        why = read_reason(self._read_reason(content))
        phrase = self.hidden(response.reason_phrase)[:100]
        told = f"{status} {phrase}".strip() + (f": {why}" if why else "")
        if status in _PASSING:
            asked = response.headers.get("Retry-After") or ""
            pause = float(asked) if re.fullmatch(r"[0-9]{1,9}", asked) else None
            raise PassingError(told, pause, acted=status != 429)
        what = f"{response.request.method} {shown(path)} at {self.server.host}"
        if status in (401, 403) and self._token is not None:
            told += f" (is the token of {self.server.variable} of this server, and may it do that?)"
        if status >= 500:  # a crash of the server's: another try would be another one
            raise BusyError(f"{what}: {told}")
        raise RefusedError(f"{what}: {told}", status)

    def hidden(self, text: str) -> str:
        """Return a text in which no token stands."""
        return self._token.hidden(text) if self._token is not None else text

    def _read(self, content: bytes | bytearray) -> Any:
        """Return the JSON of an answer, in which no token stands, whoever has put it there."""
        try:
            found = json.loads(content)
            return self._token.hidden_in(found) if self._token is not None else found
        except (ValueError, RecursionError):
            raise PassingError("the answer is no JSON", None, acted=True) from None

    def _read_reason(self, content: bytes) -> Any:
        try:
            return self._read(content)
        except PassingError:
            return None


def _import_httpx() -> Any:
    try:
        import httpx
    except ImportError:
        raise ReviewdataError(
            "httpx is not installed, which sends a release: pip install 'reviewdata[publish]'"
        ) from None
    return httpx


def _why(error: Exception) -> str:
    """Return the system's words for a connection that did not come about; blank for others."""
    found = re.fullmatch(r"\[Errno -?\d+\] ([A-Za-z ,']{1,60})", str(error))
    return found[1] if found else ""


def shown(path: str) -> str:
    """Return a path as it is told: without what is asked, which may be signed."""
    return urlsplit(path).path[:200]


def origin(address: str) -> tuple[str, str | None, int | None]:
    """Return scheme, host and port: what a token belongs to."""
    parts = urlsplit(address)
    return parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme)
