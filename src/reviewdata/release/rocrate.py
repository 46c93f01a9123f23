"""ro-crate-metadata.json of a release, by RO-Crate 1.1 (w3id.org/ro/crate/1.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from reviewdata.release.archive import SUMS, ReleaseFile
from reviewdata.release.linked import address_of, agent, source_work
from reviewdata.release.metadata import Contributor, Metadata

NAME = "ro-crate-metadata.json"
CONTEXT = "https://w3id.org/ro/crate/1.1/context"
_SPECIFICATION = "https://w3id.org/ro/crate/1.1"


class _Graph:
    """The entities of a crate by their @id; each is in it once."""

    def __init__(self) -> None:
        self.entities: dict[str, dict[str, Any]] = {}

    def add(self, content: Mapping[str, Any]) -> dict[str, str]:
        """Add an entity, and return the reference to it; what is empty is left out."""
        kept = {key: value for key, value in content.items() if value not in (None, "", [])}
        self.entities.setdefault(str(kept["@id"]), kept)
        return {"@id": str(kept["@id"])}


def crate_json(
    metadata: Metadata, files: Sequence[ReleaseFile], words: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    """Return the crate of a release.

    `files` are those that are there already; SHA256SUMS is named without its size, as it is
    made last. `words` has `name` and `description` of files that have them, by path.
    """
    graph = _Graph()
    graph.add(
        {
            "@id": NAME,
            "@type": "CreativeWork",
            "conformsTo": {"@id": _SPECIFICATION},
            "about": {"@id": "./"},
        }
    )
    address = address_of(metadata)
    parts = [graph.add(_file(file, words.get(file.path, {}))) for file in files]
    sums = {"@id": SUMS, "@type": "File", "name": "Checksums", "encodingFormat": "text/plain"}
    parts.append(graph.add(sums))
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": metadata.title,
        "description": metadata.abstract or metadata.title,
        "datePublished": metadata.date.isoformat(),
        "version": metadata.version,
        "identifier": address,
        "url": metadata.homepage,
        "keywords": ", ".join(metadata.keywords),
        "license": _one([graph.add(_licence(licence)) for licence in metadata.licences]),
        "author": _one([graph.add(_agent(one, graph)) for one in metadata.creators]),
        "contributor": _one([graph.add(_agent(one, graph)) for one in metadata.contributors]),
        "publisher": graph.add(_publisher(metadata)) if metadata.publisher else None,
        "isBasedOn": _one(
            [
                graph.add({"@id": work["url"], **work})
                for work in map(source_work, metadata.sources)
                if "url" in work
            ]
        ),
        "hasPart": parts,
    }
    graph.add(root)
    first = {name: graph.entities.pop(name) for name in (NAME, "./")}
    return {"@context": CONTEXT, "@graph": [*first.values(), *graph.entities.values()]}


def _file(file: ReleaseFile, words: Mapping[str, str]) -> dict[str, Any]:
    return {
        "@id": quote(file.path),
        "@type": "File",
        "name": words.get("name") or file.path,
        "description": words.get("description"),
        "encodingFormat": file.mediatype,
        "contentSize": str(file.size),
        "sha256": file.sha256,
    }


def _licence(licence: Any) -> dict[str, str]:
    return {
        "@id": licence.url,
        "@type": "CreativeWork",
        "name": licence.title,
        "description": f"SPDX {licence.id}",
    }


def _agent(contributor: Contributor, graph: _Graph) -> dict[str, Any]:
    content = agent(contributor)
    content.setdefault("@id", contributor.url or f"#{quote(contributor.name)}")
    if contributor.organization:
        name = contributor.organization
        content["affiliation"] = graph.add(
            {"@id": f"#{quote(name)}", "@type": "Organization", "name": name}
        )
    return content


def _publisher(metadata: Metadata) -> dict[str, str]:
    name = metadata.publisher
    return {"@id": f"#{quote(name)}", "@type": "Organization", "name": name}


def _one(references: Sequence[dict[str, str]]) -> Any:
    """Return the one reference itself, several as a list, none as None."""
    return list(references) if len(references) > 1 else next(iter(references), None)
