"""As much of OpenSearch as InvenioRDM asks for, in memory: `python opensearch.py PORT`.

Documents are kept and found by the queries that InvenioRDM sends. Scores, facets and analysers
are not there: words are looked for in the document as a whole, fields are compared as text.
"""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

Json = dict[str, Any]

SHARDS = {"total": 1, "successful": 1, "skipped": 0, "failed": 0}
CLAUSE = re.compile(r'([\w.]+):(?:"((?:[^"\\]|\\.)*)"|([^\s()]+))')


class Store:
    """Indices by name, each with its documents and their versions; aliases lead to indices."""

    def __init__(self) -> None:
        self.indices: dict[str, dict[str, tuple[Json, int]]] = {}
        self.aliases: dict[str, set[str]] = {}

    def expand(self, names: str) -> list[str]:
        """Return the indices that names, patterns and aliases with commas between mean."""
        found: list[str] = []
        for name in names.split(","):
            if name in ("_all", "*"):
                found += self.indices
                continue
            pattern = re.compile(re.escape(name).replace(r"\*", ".*"))
            found += [index for index in self.indices if pattern.fullmatch(index)]
            for alias, members in self.aliases.items():
                if pattern.fullmatch(alias):
                    found += [index for index in members if index in self.indices]
        return list(dict.fromkeys(found))

    def put(self, name: str, key: str, source: Json) -> Json:
        """Keep a document."""
        index = (self.expand(name) or [name])[0]
        documents = self.indices.setdefault(index, {})
        version = documents[key][1] + 1 if key in documents else 1
        documents[key] = (source, version)
        done = "updated" if version > 1 else "created"
        return {"_index": index, "_id": key, "_version": version, "result": done} | {
            "_shards": SHARDS,
            "_seq_no": version,
            "_primary_term": 1,
        }

    def drop(self, name: str, key: str) -> Json:
        """Forget a document."""
        for index in self.expand(name):
            self.indices[index].pop(key, None)
        return {"_index": name, "_id": key, "result": "deleted", "_version": 2, "status": 200}

    def find(self, names: str, query: Json | None) -> list[tuple[str, str, Json, int]]:
        """Return index, key, document and version of what a query finds."""
        return [
            (index, key, source, version)
            for index in self.expand(names)
            for key, (source, version) in self.indices[index].items()
            if matches(source, key, query)
        ]


def values(document: Any, field: str) -> list[Any]:
    """Return the values at a dotted path; lists on the way are gone through."""
    found = [document]
    for part in field.split("."):
        if part != "keyword":
            steps = [e for e in flat(found) if isinstance(e, dict) and part in e]
            found = [e[part] for e in steps]
    return list(flat(found))


def flat(found: list[Any]) -> Iterator[Any]:
    """Yield what is in a list, and in the lists in it."""
    for entry in found:
        if isinstance(entry, list):
            yield from flat(entry)
        else:
            yield entry


def same(one: Any, other: Any) -> bool:
    """Whether two values are one as text."""
    return str(one).lower() == str(other).lower()


def matches(document: Json, key: str, query: Json | None) -> bool:
    """Whether a document is one that a query of OpenSearch finds."""
    if not query:
        return True
    [(kind, body)] = list(query.items())[:1]
    match kind:
        case "match_none":
            return False
        case "ids":
            return key in body.get("values", [])
        case "term" | "match" | "match_phrase":
            field, wanted = next(iter(body.items()))
            if isinstance(wanted, dict):
                wanted = wanted.get("value", wanted.get("query"))
            return any(
                same(v, wanted) for v in ([key] if field == "_id" else values(document, field))
            )
        case "terms":
            field, wanted = next((f, w) for f, w in body.items() if f != "boost")
            return any(same(v, w) for v in values(document, field) for w in wanted)
        case "exists":
            return bool(values(document, body["field"]))
        case "bool":
            return matches_bool(document, key, body)
        case "query_string" | "multi_match" | "simple_query_string":
            return matches_text(document, body.get("query", ""))
        case "constant_score" | "nested" | "function_score":
            return matches(document, key, body.get("filter") or body.get("query"))
    return True


def matches_bool(document: Json, key: str, body: Json) -> bool:
    """Whether a document meets the parts of a boolean query."""

    def parts(name: str) -> list[Json]:
        given = body.get(name, [])
        return given if isinstance(given, list) else [given]

    must = [*parts("must"), *parts("filter")]
    should = parts("should")
    least = str(body.get("minimum_should_match", 0 if must else 1))
    return (
        all(matches(document, key, part) for part in must)
        and not any(matches(document, key, part) for part in parts("must_not"))
        and (not should or least == "0" or any(matches(document, key, part) for part in should))
    )


def matches_text(document: Json, text: str) -> bool:
    """Whether a document has each `field:"value"` of a search, and each word beside them."""
    for field, quoted, bare in CLAUSE.findall(text):
        wanted = re.sub(r"\\(.)", r"\1", quoted) if quoted else bare
        if not any(wanted == "*" or same(v, wanted) for v in values(document, field)):
            return False
    words = re.findall(r"[\w./-]+", CLAUSE.sub(" ", text))
    whole = json.dumps(document).lower()
    return all(word.lower() in whole for word in words if word not in ("AND", "OR"))


class Handler(BaseHTTPRequestHandler):
    """Answers the requests of the client library, one at a time."""

    protocol_version = "HTTP/1.1"
    store = Store()
    lock = threading.RLock()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def answer(self, body: Any, status: int = 200) -> None:
        """Answer with JSON."""
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def do_any(self) -> None:
        """Read the request and route it."""
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = [unquote(part) for part in urlsplit(self.path).path.split("/") if part]
        with self.lock:
            self.route(self.command, parts, raw)

    def route(self, method: str, parts: list[str], raw: bytes) -> None:
        """Answer by the last word of the path that OpenSearch knows."""
        store = self.store
        words = [part for part in parts if part.startswith("_")]
        first = parts[0] if parts and not parts[0].startswith("_") else "_all"
        if "_bulk" in words:
            return self.answer({"took": 1, "errors": False, "items": bulk(store, first, raw)})
        body: Json = json.loads(raw) if raw else {}
        key = parts[2] if len(parts) > 2 else str(len(store.indices.get(first, {})) + 1)
        match words[:1]:
            case [] if not parts:
                return self.answer(WELCOME)
            case [] if len(parts) == 1:
                return self.index(method, first, body)
            case ["_search"]:
                return self.answer(searched(store.find(first, body.get("query")), body))
            case ["_count"]:
                count = len(store.find(first, body.get("query")))
                return self.answer({"count": count, "_shards": SHARDS})
            case ["_doc" | "_create"]:
                return self.document(method, first, key, body)
            case ["_update"]:
                return self.answer(
                    store.put(first, key, body.get("doc") or body.get("upsert") or {})
                )
            case ["_update_by_query" | "_delete_by_query"]:
                return self.answer({"took": 1, "updated": 0, "deleted": 0, "failures": []})
            case ["_alias" | "_aliases"]:
                return self.alias(method, parts, body)
            case ["_mapping" | "_settings"] if method == "GET":
                empty: Json = {"mappings": {"properties": {}}}
                return self.answer(dict.fromkeys(store.expand(first), empty))
            case [word] if "template" in word and method == "HEAD":
                return self.answer({}, 404)
            case ["_cluster"]:
                return self.answer({"status": "green", "cluster_name": "c", "timed_out": False})
        return self.answer({"acknowledged": True, "_shards": SHARDS})

    def document(self, method: str, index: str, key: str, body: Json) -> None:
        """Keep, forget or show one document."""
        if method in ("PUT", "POST"):
            return self.answer(self.store.put(index, key, body), 201)
        if method == "DELETE":
            return self.answer(self.store.drop(index, key))
        for name in self.store.expand(index):
            if key in self.store.indices[name]:
                source, version = self.store.indices[name][key]
                found = {"_index": name, "_id": key, "_version": version, "found": True}
                return self.answer(found | {"_source": source})
        return self.answer({"_index": index, "_id": key, "found": False}, 404)

    def alias(self, method: str, parts: list[str], body: Json) -> None:
        """Set or show aliases."""
        aliases = self.store.aliases
        if method in ("PUT", "POST") and len(parts) > 2:
            aliases.setdefault(parts[2], set()).update(self.store.expand(parts[0]))
        for action in body.get("actions", []):
            for name, given in action.items():
                if name == "add":
                    members = self.store.expand(given.get("index"))
                    aliases.setdefault(given["alias"], set()).update(members)
        if method == "HEAD":
            return self.answer({}, 200 if parts[-1] in aliases else 404)
        if method != "GET":
            return self.answer({"acknowledged": True})
        listed: Json = {
            index: {
                "aliases": {alias: {} for alias, members in aliases.items() if index in members}
            }
            for index in self.store.indices
        }
        return self.answer(listed)

    def index(self, method: str, name: str, body: Json) -> None:
        """Make, delete or show an index."""
        found = self.store.expand(name)
        if method == "PUT":
            self.store.indices.setdefault(name, {})
            for alias in body.get("aliases", {}):
                self.store.aliases.setdefault(alias, set()).add(name)
            return self.answer({"acknowledged": True, "shards_acknowledged": True, "index": name})
        if method == "HEAD":
            return self.answer({}, 200 if found else 404)
        if method == "DELETE":
            for index in found:
                del self.store.indices[index]
            return self.answer({"acknowledged": True})
        shown: Json = {"aliases": {}, "mappings": {}, "settings": {"index": {}}}
        return self.answer(dict.fromkeys(found, shown))

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_any  # noqa: N815


WELCOME = {
    "name": "stand-in",
    "cluster_name": "stand-in",
    "version": {
        "distribution": "opensearch",
        "number": "2.17.0",
        "minimum_wire_compatibility_version": "7.10.0",
        "minimum_index_compatibility_version": "7.0.0",
    },
}


def bulk(store: Store, index: str, raw: bytes) -> list[Json]:
    """Carry out the lines of a bulk request: an action, and on the next line its document."""
    lines = iter([json.loads(line) for line in raw.split(b"\n") if line.strip()])
    done = []
    for line in lines:
        [(action, given)] = line.items()
        name, key = given.get("_index", index), given.get("_id") or "none"
        if action == "delete":
            done.append({action: store.drop(name, key)})
            continue
        source = next(lines)
        if action == "update":
            source = source.get("doc", source.get("upsert", {}))
        done.append({action: store.put(name, key, source) | {"status": 201}})
    return done


def searched(found: list[tuple[str, str, Json, int]], body: Json) -> Json:
    """Return one page of what was found, as OpenSearch answers it."""
    start, size = body.get("from", 0), body.get("size", 10)
    hits = [
        {"_index": index, "_id": key, "_version": version, "_source": source, "sort": [1]}
        | {"_seq_no": version, "_primary_term": 1, "_score": 1.0}
        for index, key, source, version in found[start : start + size]
    ]
    facets = body.get("aggs") or body.get("aggregations") or {}
    empty: Json = {"doc_count_error_upper_bound": 0, "sum_other_doc_count": 0, "buckets": []}
    total = {"value": len(found), "relation": "eq"}
    return {
        "took": 1,
        "timed_out": False,
        "_shards": SHARDS,
        "hits": {"total": total, "max_score": 1.0, "hits": hits},
        "aggregations": dict.fromkeys(facets, empty),
    }


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
