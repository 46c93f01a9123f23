"""As much of Solr as CKAN asks for, in memory: `python solr.py PORT`.

It keeps documents and finds them by `field:value`, with AND and OR; there are no scores and no
analysers, so that a field is compared as text.
"""

from __future__ import annotations

import json
import re
import sys
import threading
import xml.etree.ElementTree as ET
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Json = dict[str, Any]

CLAUSE = re.compile(r'\+?(\w+):(\([^)]*\)|"[^"]*"|\[[^\]]*\]|[^\s()]+)')
SCHEMA = b'<?xml version="1.0"?><schema name="ckan-2.12" version="1.6"/>'
DONE: Json = {"responseHeader": {"status": 0, "QTime": 1}}


def values(document: Json, field: str) -> list[str]:
    """Return the values of a field as text."""
    found = document.get(field)
    if found is None:
        return []
    return [str(entry) for entry in (found if isinstance(found, list) else [found])]


def matches(document: Json, query: str) -> bool:
    """Whether a document is one that a query of CKAN finds."""
    if query in ("*:*", "", '""'):
        return True
    whole = json.dumps(document).lower()
    clauses = CLAUSE.findall(query)
    if not clauses:
        return all(word.lower() in whole for word in query.split())
    held = []
    for field, wanted in clauses:
        given = wanted[1:-1].split(" OR ") if wanted.startswith("(") else [wanted]
        given = [value.strip().strip('"') for value in given]
        if field == "text":
            held.append(any(value.lower() in whole for value in given))
        else:
            there = values(document, field)
            held.append(any(value in ("*", "[* TO *]") or value in there for value in given))
    outside = re.sub(r"\([^)]*\)", "", query)
    return any(held) if " OR " in outside and " AND " not in outside else all(held)


class Handler(BaseHTTPRequestHandler):
    """Answers the requests of pysolr and of CKAN's own."""

    protocol_version = "HTTP/1.1"
    documents: dict[str, Json] = {}  # noqa: RUF012
    lock = threading.RLock()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def answer(self, content: bytes, kind: str = "application/json") -> None:
        """Answer with bytes."""
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_any(self) -> None:
        """Read the request and route it."""
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asked = parse_qs(parts.query, keep_blank_values=True)
        if "form" in (self.headers.get("Content-Type") or ""):
            asked |= parse_qs(body.decode(), keep_blank_values=True)
        with self.lock:
            if "/schema" in parts.path or "/admin/file" in parts.path:
                self.answer(SCHEMA, "text/xml")
            elif "/update" in parts.path:
                self.update(body.strip())
                self.answer(json.dumps(DONE).encode())
            else:
                self.answer(json.dumps(self.select(asked)).encode())

    def update(self, body: bytes) -> None:
        """Keep and forget documents, told as JSON or as XML."""
        if body[:1] in (b"[", b"{"):
            told = json.loads(body)
            if isinstance(told, list):
                for document in told:
                    self.keep(document)
            elif "delete" in told:
                self.forget(told["delete"].get("query"), told["delete"].get("id"))
        elif body:
            root = ET.fromstring(body)
            for entry in root.iter("doc"):
                fields: dict[str, list[str]] = {}
                for field in entry:
                    fields.setdefault(str(field.get("name")), []).append(field.text or "")
                self.keep({k: v[0] if len(v) == 1 else v for k, v in fields.items()})
            for query in root.iter("query"):
                self.forget(query.text, None)

    def keep(self, document: Json) -> None:
        """Keep a document in the place of the one before."""
        self.documents[str(document.get("index_id") or document["id"])] = document

    def forget(self, query: str | None, key: str | None) -> None:
        """Forget what a query finds, or what has an id."""
        gone = [
            index
            for index, document in self.documents.items()
            if (key is not None and document.get("id") == key)
            or (query is not None and matches(document, forgotten(query)))
        ]
        for index in gone:
            del self.documents[index]

    def select(self, asked: dict[str, list[str]]) -> Json:
        """Return one page of what the queries find together, and counts of the facets."""
        queries = [*asked.get("q", ["*:*"])[:1], *asked.get("fq", [])]
        found = [d for d in self.documents.values() if all(matches(d, q) for q in queries)]
        start, rows = int(asked.get("start", ["0"])[0]), int(asked.get("rows", ["10"])[0])
        facets: dict[str, list[str | int]] = {}
        for field in asked.get("facet.field", []):
            listed = [value for document in found for value in values(document, field)]
            counts = [(value, listed.count(value)) for value in dict.fromkeys(listed)]
            facets[field] = [part for pair in counts for part in pair]
        return DONE | {
            "response": {
                "numFound": len(found),
                "start": start,
                "docs": found[start : start + rows],
            },
            "facet_counts": {"facet_fields": facets},
        }

    do_GET = do_POST = do_any  # noqa: N815


def forgotten(query: str) -> str:
    """Return the part of a query that says which dataset is deleted: its id or its name."""
    found = re.findall(r'\b(?:id|name):"[^"]+"', query)
    return " OR ".join(found) if found else query


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
