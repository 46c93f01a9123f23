"""A proxy of ours between the publisher and a server, which lets one request go wrong.

Requests are counted from 1; that with the number of the fault meets it, the others pass.
"""

from __future__ import annotations

import http.client
import io
import re
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import urlsplit

Fault = Literal[
    "429",  # refused, with Retry-After
    "502",  # refused, with a body that is cut
    "503",  # refused
    "504",  # done, and answered as if it were not
    "reset",  # refused by closing the connection
    "lost",  # done, and the connection closed before the answer
    "slow",  # done, and answered after the client has gone
    "checksum",  # done with another byte, or answered with other checksums
    "redirect",  # sent to another host
    "gone",  # done, and from then on nothing is answered: the publisher was killed
]

FAULTS: tuple[Fault, ...] = (
    *("429", "502", "503", "504", "reset", "lost", "slow", "checksum", "redirect", "gone"),
)

SLOW = 1.0
"""Seconds that a slow answer comes later than its client waits."""

HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host", "server", "date"}
_MD5 = re.compile(rb"(md5:|\"hash\": ?\")[0-9a-f]{32}")


@dataclass
class Proxy:
    """Where the proxy is, what went through it, and what goes wrong at which request."""

    upstream: str
    address: str = ""
    elsewhere: str = ""
    number: int = 0
    fault: Fault | None = None
    at: int = 0
    timeout: float = 60.0
    requests: list[tuple[str, str]] = field(default_factory=list)
    stolen: list[dict[str, str]] = field(default_factory=list)
    """The headers of what arrived at the other host."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def set(self, fault: Fault | None = None, at: int = 0) -> None:
        """Begin to count anew, and let this go wrong."""
        with self.lock:
            self.requests.clear()
            self.number, self.fault, self.at = 0, fault, at

    def count(self, method: str, path: str) -> Fault | None:
        """Count a request, and return what happens to it."""
        with self.lock:
            self.number += 1
            self.requests.append((method, urlsplit(path).path))
            if self.number == self.at:
                return self.fault
            return "reset" if self.fault == "gone" and self.number > self.at > 0 else None


@contextmanager
def run_proxy(upstream: str) -> Iterator[Proxy]:
    """Run a proxy before a server, and the other host that it redirects to."""
    proxy = Proxy(upstream)

    class Handler(_Handler):
        through = proxy

    class Elsewhere(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def do_any(self) -> None:
            proxy.stolen.append(dict(self.headers.items()))
            self.send_response(200)
            self.end_headers()

        do_GET = do_POST = do_PUT = do_DELETE = do_any  # noqa: N815

    with _serve(Handler) as proxy.address, _serve(Elsewhere) as proxy.elsewhere:
        yield proxy


@contextmanager
def _serve(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    server = _Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Say nothing of clients that go away: they are meant to."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    through: Proxy

    def log_message(self, *_: Any) -> None:
        pass

    def do_any(self) -> None:
        fault = self.through.count(self.command, self.path)
        body = self._read()
        refused = {"429": 429, "502": 502, "503": 503}
        if fault in refused:
            more = {"Retry-After": "1"} if fault == "429" else {}
            self._answer(refused[fault], more, b'{"message": "fault"}', cut=fault == "502")
        elif fault == "reset":
            self._reset()
        elif fault == "redirect":
            location = {"Location": self.through.elsewhere + self.path}
            self._answer(302 if self.command == "GET" else 307, location, b"")
        else:
            self._forward(fault, body)

    def _forward(self, fault: Fault | None, body: bytes) -> None:
        if fault == "checksum" and self._is_upload():
            fault, body = None, _spoilt(body)
        status, headers, content = self._ask(body)
        if fault == "slow":
            threading.Event().wait(self.through.timeout + SLOW)
        if fault in ("lost", "gone", "slow"):
            self._reset()
        elif fault == "504":
            self._answer(504, {}, b'{"message": "fault"}')
        else:
            if fault == "checksum":
                content = _MD5.sub(rb"\g<1>" + b"0" * 32, content)
            self._answer(status, headers, content)

    def _is_upload(self) -> bool:
        kind = self.headers.get("Content-Type") or ""
        return (self.command == "PUT" and self.path.endswith("/content")) or "form-data" in kind

    def _read(self) -> bytes:
        if "chunked" not in (self.headers.get("Transfer-Encoding") or ""):
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        content = b""
        while size := int(self.rfile.readline(), 16):
            content += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return content

    def _ask(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        headers = {k: v for k, v in self.headers.items() if k.lower() not in HOP}
        upstream = urlsplit(self.through.upstream).netloc
        connection = http.client.HTTPConnection(upstream, timeout=120)
        try:
            connection.request(self.command, self.path, body or None, headers)
            answer = connection.getresponse()
            content = answer.read()
            kept = {k: v for k, v in answer.getheaders() if k.lower() not in HOP}
        finally:
            connection.close()
        address = self.through.address
        kept = {k: v.replace(self.through.upstream, address) for k, v in kept.items()}
        return answer.status, kept, content

    def _answer(
        self, status: int, headers: dict[str, str], content: bytes, *, cut: bool = False
    ) -> None:
        try:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if status != 204:
                self.send_header("Content-Length", str(len(content) + 100 * cut))
            self.end_headers()
            self.wfile.write(content)
        except OSError:  # the client has gone
            cut = True
        self.close_connection = self.close_connection or cut

    def _reset(self) -> None:
        """Close the connection so that the other side is told of it at once."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()
        self.rfile, self.wfile = io.BytesIO(), io.BytesIO()

    do_GET = do_POST = do_PUT = do_DELETE = do_any  # noqa: N815


def _spoilt(body: bytes) -> bytes:
    """Return the bytes of a file, or of a form that ends with one, the last of them another."""
    end = body.rfind(b"\r\n--", 0, -4)
    last = (end if body.startswith(b"--") else len(body)) - 1
    return body[:last] + bytes([body[last] ^ 1]) + body[last + 1 :]
