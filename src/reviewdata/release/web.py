"""Requests to one server: what is tried again, what never is, and which redirects are followed."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from reviewdata.model import ReviewdataError
from reviewdata.release.bodies import Counted, Reader, Told, blocks_of, opened_file
from reviewdata.release.exchange import (
    REDIRECTS,
    Answer,
    BusyError,
    Exchange,
    PassingError,
    RefusedError,
    origin,
    shown,
)
from reviewdata.release.servers import Server, Token, check_public, check_scheme, is_loopback

TRIES = 5
"""How often a request is made that fails for a reason that passes."""

LONGEST_WAIT = 90.0
"""Seconds; a server that asks for more is not waited for. InvenioRDM counts by the minute."""

LONG_WAIT = 4.0
"""Seconds from which on a wait is told of."""

TIMEOUT = 60.0
"""Seconds without a further byte; connecting has less."""

MOST_REDIRECTS = 3


Notice = Callable[[str], object]
"""What is given a line to tell somebody who waits."""


def untold(text: str) -> None:
    """Tell nobody that there is a wait."""


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
        self.server = server
        self._wait = wait
        self._notice = notice
        self._chance = random.Random()
        self._exchange = Exchange(server, token, timeout, scheme)

    def close(self) -> None:
        """Close the connections."""
        self._exchange.close()

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
                request = self._exchange.request(
                    "POST", path, data=dict(fields), files={"upload": (name, reader)}
                )
                return self._exchange.answered(request)

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
                                f"{shown(path)}: more than the {most:,} bytes that are expected"
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
            return self._exchange.answered(self._exchange.request("GET", path))

        answer = self._try(ask, path, "GET")
        return str(answer.content) if answer.status in REDIRECTS else None

    def _try(
        self, ask: Callable[[], Answer], path: str, method: str, *, once: bool = False
    ) -> Answer:
        """Return the good answer, after what tries it takes; `once`: only where nothing was done.

        Waits between tries grow, differ by chance, and are those that the server asks for.
        """
        what = f"{method} {shown(path)} at {self.server.host}"
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
        address = self._exchange.address(path)
        for _ in range(MOST_REDIRECTS + 1):
            request = self._exchange.request(
                method, address, params=query, content=body, headers=more
            )
            answer = self._exchange.answered(request)
            if answer.status not in REDIRECTS:
                return answer
            address = self._same_host(address, answer.content)
            query = None
        raise ReviewdataError(f"{self.server.host} redirects without end")

    def _stream(self, path: str) -> Iterator[bytes]:
        address = self._exchange.address(path)
        for _ in range(MOST_REDIRECTS + 1):
            with self._exchange.opened(self._exchange.request("GET", address)) as response:
                if response.status_code in REDIRECTS:
                    address = self._exchange.joined(address, response.headers.get("Location") or "")
                    check_scheme(address)
                    if not is_loopback(self.server.address):
                        check_public(address)
                    continue
                if response.status_code >= 300:
                    self._exchange.refuse(response, b"", response.url.path)
                yield from self._exchange.blocks(response)
                return
        raise ReviewdataError(f"{self.server.host} redirects without end")

    def _same_host(self, address: str, location: str) -> str:
        """Return where a redirect leads, on the same server; raise ReviewdataError for others."""
        joined = self._exchange.joined(address, location)
        if origin(joined) != origin(self.server.address):
            other = self._exchange.hidden(urlsplit(joined).hostname or "nowhere")[:100]
            raise ReviewdataError(
                f"{self.server.host} redirects to another host, {other}; it is not followed"
            )
        return joined


def quoted(name: str) -> str:
    """Return the name of a file as it stands in a path; names hold `/` as it is."""
    return quote(name, safe="/")
