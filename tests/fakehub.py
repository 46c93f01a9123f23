"""A server on the loopback address that answers as GitHub's REST API does, for the comment."""

from __future__ import annotations

import io
import json
import re
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "ghs_synthetic0123456789"
REPOSITORY = "review/data"
SHA = "c0ffee" + 34 * "0"
RUN = 77
BOT = {"login": "github-actions[bot]", "type": "Bot"}


def pull(number: int = 7, sha: str = SHA, **changed: Any) -> dict[str, Any]:
    """Return a pull request as the API lists it, from the branch `study` of `contributor`."""
    return {
        "number": number,
        "state": "open",
        "head": {"sha": sha, "label": "contributor:study", "repo": None},
        "base": {"repo": {"full_name": REPOSITORY}},
        **changed,
    }


def zipped(content: bytes, name: str = "findings.jsonl") -> bytes:
    """Return a zip as upload-artifact makes it: one packed member."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return out.getvalue()


@dataclass
class Request:
    """A request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    content: Any


@dataclass
class Hub:
    """What the API holds, what was asked of it, and what goes wrong."""

    pulls: list[dict[str, Any]] = field(default_factory=lambda: [pull()])
    files: list[str] = field(default_factory=lambda: ["data/results.csv"])
    comments: list[dict[str, Any]] = field(default_factory=list)
    artefacts: list[dict[str, Any]] = field(default_factory=list)
    archives: dict[int, bytes] = field(default_factory=dict)
    page_size: int = 100
    requests: list[Request] = field(default_factory=list)
    fetched: list[Request] = field(default_factory=list)
    troubles: list[tuple[str, int, dict[str, str]]] = field(default_factory=list)
    """Answers given once, to requests whose `METHOD path` has this text in it."""
    api: str = ""
    storage: str = ""
    location: str | None = None
    """Where the download redirects to, if not to the storage."""
    accepts_and_fails: int = 0
    """How many comments are written and answered with 502 all the same."""

    def keep(self, archive: bytes, number: int = 5, **changed: Any) -> None:
        """Let the run have left an artefact."""
        size = len(archive)
        entry = {"id": number, "name": "reviewdata", "size_in_bytes": size, "expired": False}
        self.artefacts.append({**entry, **changed})
        self.archives[number] = archive

    def say(self, body: str, **user: Any) -> int:
        """Write a comment, as the bot unless a user is given; return its number."""
        number = 100 + len(self.comments)
        self.comments.append({"id": number, "body": body, "user": user or dict(BOT)})
        return number

    def sent(self) -> list[Request]:
        """Return the requests that change something."""
        return [request for request in self.requests if request.method != "GET"]


@contextmanager
def run_hub() -> Iterator[Hub]:
    """Run the API and, at another port, the storage of its artefacts, until the block ends."""
    hub = Hub()
    with _serve(lambda r: _api(hub, r)) as api, _serve(lambda r: _storage(hub, r)) as storage:
        hub.api, hub.storage = api, storage
        yield hub


Answer = tuple[int, dict[str, str], bytes]


def _api(hub: Hub, request: Request) -> Answer:
    hub.requests.append(request)
    if request.headers.get("authorization") != f"Bearer {TOKEN}":
        return 401, {}, b"{}"
    for trouble in hub.troubles:
        if trouble[0] in f"{request.method} {request.path}":
            hub.troubles.remove(trouble)
            return trouble[1], trouble[2], b"{}"
    parts = urlsplit(request.path)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    home = f"/repos/{REPOSITORY}"
    match request.method, parts.path.removeprefix(home).strip("/").split("/"):
        case "GET", ["pulls"]:
            found = [
                p
                for p in hub.pulls
                if p["state"] == query["state"] and p["head"]["label"] == query["head"]
            ]
            return _page(hub, request, found, query)
        case "GET", ["pulls", _, "files"]:
            return _page(hub, request, [{"filename": name} for name in hub.files], query)
        case "GET", ["actions", "runs", run, "artifacts"] if run == str(RUN):
            found = [a for a in hub.artefacts if a["name"] == query["name"]]
            return _json(200, {"total_count": len(found), "artifacts": found})
        case "GET", ["actions", "artifacts", number, "zip"] if int(number) in hub.archives:
            to = hub.location or f"{hub.storage}/signed/{number}?sig=SIGNED"
            return 302, {"Location": to}, b""
        case "GET", ["issues", _, "comments"]:
            return _page(hub, request, hub.comments, query)
        case "POST", ["issues", _, "comments"]:
            hub.say(request.content["body"])
            if hub.accepts_and_fails:
                hub.accepts_and_fails -= 1
                return 502, {}, b""
            return _json(201, hub.comments[-1])
        case "PATCH", ["issues", "comments", number]:
            [ours] = [c for c in hub.comments if c["id"] == int(number)]
            ours["body"] = request.content["body"]
            return _json(200, ours)
    return 404, {}, b"{}"


def _storage(hub: Hub, request: Request) -> Answer:
    hub.fetched.append(request)
    found = re.fullmatch(r"/signed/(\d+)\?sig=SIGNED", request.path)
    if found is None:
        return 403, {}, b"<Error/>"
    return 200, {"Content-Type": "application/zip"}, hub.archives[int(found[1])]


def _page(hub: Hub, request: Request, found: list[Any], query: dict[str, str]) -> Answer:
    size = min(hub.page_size, int(query.get("per_page", 30)))
    number = int(query.get("page", 1))
    headers = {}
    if number * size < len(found):
        path = re.sub(r"&page=\d+", "", request.path)
        following = f"{hub.api}{path}&page={number + 1}"
        headers["Link"] = f'<{hub.api}{path}&page=1>; rel="first", <{following}>; rel="next"'
    status, _, content = _json(200, found[(number - 1) * size : number * size])
    return status, headers, content


def _json(status: int, content: Any) -> Answer:
    return status, {}, json.dumps(content).encode()


@contextmanager
def _serve(answer: Callable[[Request], Answer]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def respond(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            content = json.loads(self.rfile.read(length)) if length else None
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, sent, body = answer(Request(self.command, self.path, headers, content))
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **sent}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PATCH = respond  # noqa: N815 (names of the library)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
