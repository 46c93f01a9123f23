"""Requests to one server: what is tried again, what never is, and where the token goes.

The token stands in the Authorization header of requests to the named server, and nowhere else:
in no address, no error, no log, and never with a redirect to another host.
"""

from __future__ import annotations

import json
import logging
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urljoin, urlsplit

from reviewdata.model import ReviewdataError
from reviewdata.release.answers import read_reason
from reviewdata.release.bodies import Counted, Reader, Told, blocks_of, opened_file
from reviewdata.release.servers import Server, Token, check_public, check_scheme, is_loopback

if TYPE_CHECKING:
    import httpx

TRIES = 5
"""How often a request is made that fails for a reason that passes."""

LONGEST_WAIT = 90.0
"""Seconds; a server that asks for more is not waited for. InvenioRDM counts by the minute."""

LONG_WAIT = 4.0
"""Seconds from which on a wait is told of."""

TIMEOUT = 60.0
"""Seconds without a further byte; connecting has less."""

PATIENCE = 60.0
LEAST_RATE = 1000
"""Bytes a second that an answer has, once it has taken longer than PATIENCE in seconds."""

MOST_JSON = 50_000_000
MOST_REDIRECTS = 3

_PASSING = {429, 502, 503, 504}
_REDIRECTS = {301, 302, 303, 307, 308}


Notice = Callable[[str], object]
"""What is given a line to tell somebody who waits."""


def untold(text: str) -> None:
    """Tell nobody that there is a wait."""


class BusyError(ReviewdataError):
    """The server gave no answer, and whether it did what it was asked to is not known."""


class RefusedError(ReviewdataError):
    """The server has answered that it will not do it; `status` is its code."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status


class PassingError(Exception):
    """An answer, or the lack of one, after which another try may help; of this module."""

    def __init__(self, told: str, pause: float | None, *, acted: bool) -> None:
        super().__init__(told)
        self.pause = pause
        self.acted = acted


@dataclass(frozen=True)
class Answer:
    """A good answer to a small request: its code, and its body as JSON, None where it has none."""

    status: int
    content: Any


class Web:
    """One server, spoken to with a token, or without one; `wait` sleeps between tries."""

    def __init__(
        self,
        server: Server,
        token: Token | None = None,
        *,
        wait: Callable[[float], object] = time.sleep,
        notice: Notice = untold,
        timeout: float = TIMEOUT,
        scheme: str = "Bearer ",
    ) -> None:
        """Open no connection yet. `scheme` stands before the token in the header.

        `notice` is given a line where a wait is so long that somebody wonders.
        """
        httpx = _import_httpx()
        self.server = server
        self._token = token
        self._wait = wait
        self._notice = notice
        self._chance = random.Random()
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

    def get(self, path: str, **query: str | int) -> Any:
        """Return the JSON at a path. Raises RefusedError, or BusyError after the last try."""
        return self._try(lambda: self._small("GET", path, query=query), path, "GET").content

    def send(self, path: str, content: Any = None, *, safe: bool = False) -> Any:
        """POST JSON once, and return the JSON that is answered.

        Raises BusyError where the server may or may not have done it: the caller is to look
        before it asks again. Only where the server says that it has not (429) is it asked again,
        or where it is `safe` to: the second time does no more than the first.
        """
        body = None if content is None else json.dumps(content).encode("ascii")
        kind = "application/json"
        return self._try(
            lambda: self._small("POST", path, body=body, kind=kind), path, "POST", once=not safe
        ).content

    def replace(self, path: str, content: Any) -> Any:
        """PUT JSON, as often as it takes, since the last time counts; return what is answered."""
        body = json.dumps(content).encode("ascii")
        kind = "application/json"
        return self._try(
            lambda: self._small("PUT", path, body=body, kind=kind), path, "PUT"
        ).content

    def delete(self, path: str) -> None:
        """Delete what is at a path; what is not there is deleted already."""
        try:
            self._try(lambda: self._small("DELETE", path), path, "DELETE")
        except RefusedError as error:
            if error.status not in (404, 410):
                raise

    def put_file(self, path: str, file: Path, size: int, told: Told) -> Any:
        """PUT the bytes of a file, again from the start after each failure."""

        def put() -> Answer:
            with opened_file(file) as opened:
                headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
                blocks = Counted(blocks_of(opened), told)
                try:
                    return self._small("PUT", path, body=blocks, headers=headers)
                except PassingError:
                    told(-blocks.count)
                    raise

        return self._try(put, path, "PUT").content

    def send_form(
        self, path: str, fields: Mapping[str, str], file: Path, name: str, told: Told
    ) -> Any:
        """POST a form with a file once; see `send`."""

        def post() -> Answer:
            with opened_file(file) as opened:
                reader = Reader(opened, told)
                request = self._request(
                    "POST", path, data=dict(fields), files={"upload": (name, reader)}
                )
                return self._answered(request)

        return self._try(post, path, "POST", once=True).content

    def download(self, path: str, out: Path, most: int, told: Told) -> None:
        """Write the bytes at a path, or an address, to a file.

        A redirect to another host is followed, over https and without the token. Raises
        RefusedError, BusyError, or ReviewdataError for more than `most` bytes.
        """

        def fetch() -> Answer:
            count = 0
            try:
                with out.open("wb") as opened:
                    for block in self._stream(path):
                        count += len(block)
                        if count > most:
                            raise ReviewdataError(
                                f"{_shown(path)}: more than the {most:,} bytes that are expected"
                            )
                        opened.write(block)
                        told(len(block))
            except PassingError:
                told(-count)
                raise
            except OSError as error:
                raise ReviewdataError(
                    f"{out} cannot be written: {error.strerror or error}"
                ) from error
            return Answer(200, None)

        self._try(fetch, path, "GET")

    def locate(self, path: str) -> str | None:
        """Return where a path redirects to, without going there; None where it does not."""

        def ask() -> Answer:
            return self._answered(self._request("GET", path))

        answer = self._try(ask, path, "GET")
        return str(answer.content) if answer.status in _REDIRECTS else None

    def _try(
        self, ask: Callable[[], Answer], path: str, method: str, *, once: bool = False
    ) -> Answer:
        """Return the good answer, after what tries it takes; `once`: only where nothing was done.

        Waits between tries grow, differ by chance, and are those that the server asks for.
        """
        what = f"{method} {_shown(path)} at {self.server.host}"
        for attempt in range(TRIES):
            try:
                return ask()
            except PassingError as error:
                told, pause = f"{what}: {error}", error.pause
                if pause is None:
                    pause = min(LONGEST_WAIT, 2.0**attempt)
                if pause > LONGEST_WAIT:
                    raise BusyError(f"{told}; it asks to wait for {pause:.0f} seconds") from None
                if attempt == TRIES - 1 or (once and error.acted):
                    raise BusyError(told) from None
            if pause >= LONG_WAIT:
                self._notice(f"{told}; it is asked again in {pause:.0f} s")
            self._wait(pause + self._chance.uniform(0.0, 0.5 + pause / 4))
        raise AssertionError("the last try returns or raises")

    def _small(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        body: Any = None,
        kind: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        more = dict(headers or {})
        if kind is not None and body is not None:
            more["Content-Type"] = kind
        address = self._address(path)
        for _ in range(MOST_REDIRECTS + 1):
            request = self._request(method, address, params=query, content=body, headers=more)
            answer = self._answered(request)
            if answer.status not in _REDIRECTS:
                return answer
            address = self._same_host(address, answer.content)
            query = None
        raise ReviewdataError(f"{self.server.host} redirects without end")

    def _answered(self, request: httpx.Request) -> Answer:
        """Return the answer to a request: a good one, or a redirect of a GET, to its address."""
        method = request.method
        with self._exchange(request) as response:
            status = response.status_code
            if status in _REDIRECTS:
                if method != "GET":
                    raise ReviewdataError(
                        f"{self.server.host} redirects a {method}; it is not followed"
                    )
                return Answer(status, response.headers.get("Location") or "")
            content = bytearray()
            for block in self._blocks(response):
                content += block
                if len(content) > MOST_JSON:
                    raise ReviewdataError(f"{self.server.host}: an answer without end")
            if status < 300:
                return Answer(status, self._read(content) if content.strip() else None)
            self._refuse(response, bytes(content), request.url.path)
        raise AssertionError("a bad answer raises")

    def _stream(self, path: str) -> Iterator[bytes]:
        address = self._address(path)
        for _ in range(MOST_REDIRECTS + 1):
            with self._exchange(self._request("GET", address)) as response:
                if response.status_code in _REDIRECTS:
                    address = self._joined(address, response.headers.get("Location") or "")
                    check_scheme(address)
                    if not is_loopback(self.server.address):
                        check_public(address)
                    continue
                if response.status_code >= 300:
                    self._refuse(response, b"", response.url.path)
                yield from self._blocks(response)
                return
        raise ReviewdataError(f"{self.server.host} redirects without end")

    def _blocks(self, response: httpx.Response) -> Iterator[bytes]:
        """Yield the body of a response, unless it comes so slowly that it is without end."""
        begun, count = time.monotonic(), 0
        for block in response.iter_raw():
            count += len(block)
            took = time.monotonic() - begun
            if took > PATIENCE and count < took * LEAST_RATE:
                raise ReviewdataError(
                    f"{self.server.host} has sent {count:,} bytes in {took:.0f} seconds, which is"
                    " too slow to go on"
                )
            yield block

    @contextmanager
    def _exchange(self, request: httpx.Request) -> Iterator[httpx.Response]:
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

    def _request(self, method: str, address: str, **given: Any) -> httpx.Request:
        try:
            request: httpx.Request = self._client.build_request(
                method, self._address(address), **given
            )
        except (_import_httpx().InvalidURL, ValueError):
            raise ReviewdataError(f"{self._hidden(address[:200])!r} is no address") from None
        if self._token is not None and _origin(str(request.url)) == _origin(self.server.address):
            request.headers["Authorization"] = self._scheme + self._token.secret
        return request

    def _address(self, path: str) -> str:
        return path if "://" in path else self.server.address + path

    def _same_host(self, address: str, location: str) -> str:
        """Return where a redirect leads, on the same server; raise ReviewdataError for others."""
        joined = self._joined(address, location)
        if _origin(joined) != _origin(self.server.address):
            other = self._hidden(urlsplit(joined).hostname or "nowhere")[:100]
            raise ReviewdataError(
                f"{self.server.host} redirects to another host, {other}; it is not followed"
            )
        return joined

    def _joined(self, address: str, location: str) -> str:
        try:
            joined = urljoin(address, location)
            _origin(joined)
        except ValueError:
            raise ReviewdataError(f"{self.server.host} redirects to no address") from None
        return joined

    def _refuse(self, response: httpx.Response, content: bytes, path: str) -> None:
        """Raise the error of an answer that is not good."""
        status = response.status_code
        why = read_reason(self._read_reason(content))
        phrase = self._hidden(response.reason_phrase)[:100]
        told = f"{status} {phrase}".strip() + (f": {why}" if why else "")
        if status in _PASSING:
            asked = response.headers.get("Retry-After") or ""
            pause = float(asked) if re.fullmatch(r"[0-9]{1,9}", asked) else None
            raise PassingError(told, pause, acted=status != 429)
        what = f"{response.request.method} {_shown(path)} at {self.server.host}"
        if status in (401, 403) and self._token is not None:
            told += f" (is the token of {self.server.variable} of this server, and may it do that?)"
        if status >= 500:  # a crash of the server's: another try would be another one
            raise BusyError(f"{what}: {told}")
        raise RefusedError(f"{what}: {told}", status)

    def _hidden(self, text: str) -> str:
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


def _shown(path: str) -> str:
    """Return a path as it is told: without what is asked, which may be signed."""
    return urlsplit(path).path[:200]


def quoted(name: str) -> str:
    """Return the name of a file as it stands in a path; names hold `/` as it is."""
    return quote(name, safe="/")


def _origin(address: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(address)
    return parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme)
