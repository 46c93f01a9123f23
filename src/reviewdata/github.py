"""GitHub's REST API, as a job of a workflow needs it: ask for JSON, send it, fetch a file.

The token goes to the host of the API and to no other, and into no text: neither an address nor
an error holds it, and an address that GitHub signs is not told either.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import Any
from urllib.parse import SplitResult, urlencode, urljoin, urlsplit

from reviewdata.model import ReviewdataError

TRIES = 4
"""How often a request is made that fails for a reason that passes."""

LONGEST_WAIT = 60.0
"""Seconds; a server that asks for more is not waited for."""

TIMEOUT = 30.0
"""Seconds without an answer, or without a further byte of one."""

MOST_JSON = 50_000_000
"""Bytes of one answer: a page of 100 comments of 65,536 characters stays below."""

MOST_PAGES = 100
"""Pages of one list, of 100 entries each."""

MOST_REDIRECTS = 3

_PASSING = {429, 500, 502, 503, 504}
_REDIRECTS = {301, 302, 303, 307, 308}
_NEXT = re.compile(r'<([^<>]+)>\s*;\s*rel="next"')


class BusyError(ReviewdataError):
    """The server could not answer now; whether it did what it was asked to is not known."""


class TooLargeError(ReviewdataError):
    """The answer has more bytes than are wanted of it."""


@dataclass(frozen=True)
class GitHub:
    """The API at an address, spoken to with a token; `wait` sleeps between tries."""

    api: str
    token: str = field(repr=False)
    wait: Callable[[float], object] = time.sleep

    def __post_init__(self) -> None:
        """Refuse an address or a token that no request may be made with, before one is."""
        _check(self.api, self.api)
        if not re.fullmatch(r"[\x21-\x7e]+", self.token):
            raise ReviewdataError("the token is missing, or holds what no token does")

    def get(self, path: str, **query: str | int) -> Any:
        """Return the JSON at a path of the API. Raises ReviewdataError where there is none."""
        return _json(self._ask("GET", self._address(path, query), None, MOST_JSON), path)

    def pages(self, path: str, **query: str | int) -> Iterator[Any]:
        """Yield the JSON of each page of a list, by the links from one to the next."""
        address: str | None = self._address(path, {**query, "per_page": 100})
        for _ in range(MOST_PAGES):
            if address is None:
                return
            answer = self._ask("GET", address, None, MOST_JSON)
            yield _json(answer, path)
            found = _NEXT.search(answer.headers.get("Link") or "")
            address = _join(self.api, address, found[1]) if found else None
            if address and _origin(address) != _origin(self.api):
                raise ReviewdataError(f"{path}: the next page is on another host")

    def send(self, method: str, path: str, content: Mapping[str, Any]) -> Any:
        """Send JSON and return what is answered.

        Raises BusyError where the server may or may not have done it, which is for the caller to
        find out, and ReviewdataError where it has refused.
        """
        body = json.dumps(content).encode("ascii")
        return _json(self._ask(method, self._address(path, {}), body, MOST_JSON), path)

    def fetch(self, path: str, most: int) -> bytes:
        """Return the bytes of a file, which may lie on another host.

        Raises TooLargeError where they are more than `most`, ReviewdataError where it refuses.
        """
        return self._ask("GET", self._address(path, {}), None, most).content

    def _address(self, path: str, query: Mapping[str, str | int]) -> str:
        return self.api.rstrip("/") + path + ("?" + urlencode(query) if query else "")

    def _ask(self, method: str, address: str, body: bytes | None, most: int) -> _Answer:
        """Return the good answer, after what redirects and tries it takes."""
        what = f"{method} {urlsplit(address).path}"
        for attempt in range(TRIES):
            last = attempt == TRIES - 1
            try:
                answer = self._follow(method, address, body, most)
            except (OSError, http.client.HTTPException) as error:
                # Its text may hold the address, so only its kind is told.
                if last or method == "POST":
                    raise BusyError(f"{what}: no answer, {type(error).__name__}") from None
                self.wait(2.0**attempt)
                continue
            if answer.status < 300:
                return answer
            told = f"{what}: {answer.status} {http.client.responses.get(answer.status, '')}"
            pause = answer.pause(2.0**attempt)
            if pause is None:
                raise ReviewdataError(told.strip())
            if pause > LONGEST_WAIT:
                raise BusyError(f"{told}, not before {pause:.0f} seconds")
            if last or (method == "POST" and answer.status >= 500):
                raise BusyError(told)
            self.wait(pause)
        raise AssertionError("the last try returns or raises")

    def _follow(self, method: str, address: str, body: bytes | None, most: int) -> _Answer:
        trusted = True
        for _ in range(MOST_REDIRECTS + 1):
            trusted = trusted and _origin(address) == _origin(self.api)
            answer = self._request(method, address, body, most, trusted=trusted)
            if answer.status not in _REDIRECTS or method != "GET":
                return answer
            address = _join(self.api, address, answer.headers.get("Location") or "")
        raise ReviewdataError("the API redirects without end")

    def _request(
        self, method: str, address: str, body: bytes | None, most: int, *, trusted: bool
    ) -> _Answer:
        headers = {"Accept": "application/vnd.github+json", "User-Agent": "reviewdata"}
        if trusted:
            headers["Authorization"] = f"Bearer {self.token}"
            headers["X-GitHub-Api-Version"] = "2022-11-28"
        if body is not None:
            headers["Content-Type"] = "application/json"
        request = urllib.request.Request(address, data=body, headers=headers, method=method)
        try:
            with _OPENER.open(request, timeout=TIMEOUT) as response:
                return _Answer(response.status, response.headers, _read(response, most))
        except urllib.error.HTTPError as error:
            with error:
                return _Answer(error.code, error.headers, b"")


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: Message
    content: bytes

    def pause(self, usual: float) -> float | None:
        """Return the seconds after which another try may help, or None where none would."""
        asked = self.headers.get("Retry-After") or ""
        limited = self.status == 403 and (
            bool(asked) or self.headers.get("X-RateLimit-Remaining") == "0"
        )
        if self.status not in _PASSING and not limited:
            return None
        return float(asked) if re.fullmatch(r"[0-9]{1,9}", asked) else usual


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Gives a redirect as it is; the library would take the token along to any host."""

    def http_error_302(self, req: Any, fp: Any, code: Any, msg: Any, headers: Any) -> Any:
        """Return the response."""
        return fp

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


_OPENER = urllib.request.build_opener(_NoRedirect)


def _read(response: http.client.HTTPResponse, most: int) -> bytes:
    length = response.headers.get("Content-Length") or ""
    if length.isdecimal() and int(length) > most:
        raise TooLargeError(f"the answer has {length} bytes; at most {most} are read")
    content = response.read(most + 1)
    if len(content) > most:
        raise TooLargeError(f"the answer has more than {most} bytes")
    if length.isdecimal() and len(content) < int(length):
        raise http.client.IncompleteRead(content, int(length) - len(content))
    return content


def _json(answer: _Answer, path: str) -> Any:
    try:
        return json.loads(answer.content)
    except ValueError:
        raise ReviewdataError(f"{path}: the answer is no JSON") from None


def _origin(address: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(address)
    usual = {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, parts.hostname, parts.port or usual


def _join(api: str, address: str, other: str) -> str:
    """Return the address that an answer leads to. Raises ReviewdataError for none to go to."""
    try:
        joined = urljoin(address, other)
    except ValueError:
        raise ReviewdataError("an address cannot be read") from None
    _check(api, joined)
    return joined


def _check(api: str, address: str) -> None:
    """Raise ReviewdataError for an address that is neither https nor this machine's own.

    Plain http is for an API on the loopback address alone, as tests have it. The address is not
    told: it may be one that GitHub signed.
    """
    try:
        parts = urlsplit(address)
        good = bool(re.fullmatch(r"[\x21-\x7e]+", address) and _origin(address)[1])
        own = _is_loopback(urlsplit(api)) and _is_loopback(parts)
    except ValueError:
        raise ReviewdataError("an address cannot be read") from None
    plain = parts.scheme == "http" and urlsplit(api).scheme == "http" and own
    if not good or parts.username is not None or not (parts.scheme == "https" or plain):
        raise ReviewdataError("an address is not one of https, and no other is used")


def _is_loopback(parts: SplitResult) -> bool:
    try:
        return ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return parts.hostname == "localhost"
