"""schema.org.jsonld of a release: a schema.org Dataset, whose tables Croissant 1.0 describes.

Search engines read the one (schema.org/Dataset), loaders of data the other
(docs.mlcommons.org/croissant/docs/croissant-spec.html).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from reviewdata.package import Package, Resource
from reviewdata.release.archive import ReleaseFile
from reviewdata.release.citation import citation_text
from reviewdata.release.exports import PARQUET
from reviewdata.release.linked import address_of, agent, doi_url, source_work
from reviewdata.release.metadata import Contributor, Metadata

NAME = "schema.org.jsonld"

_TERMS = (
    *(
        "citeAs",
        "column",
        "equivalentProperty",
        "extract",
        "field",
        "fileProperty",
        "fileObject",
        "fileSet",
    ),
    *(
        "format",
        "includes",
        "isLiveDataset",
        "jsonPath",
        "key",
        "md5",
        "parentField",
        "path",
        "recordSet",
    ),
    *(
        "references",
        "regex",
        "repeated",
        "replace",
        "samplingRate",
        "separator",
        "source",
        "subField",
        "transform",
    ),
)
_CONTEXT: Mapping[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{term: f"cr:{term}" for term in _TERMS},
}
_FORMATS = {"application/vnd.apache.parquet": "application/x-parquet"}
"""Media types that loaders of Croissant know under an older name."""

_TYPES = {
    "integer": "sc:Integer",
    "year": "sc:Integer",
    "number": "sc:Float",
    "boolean": "sc:Boolean",
    "date": "sc:Date",
    "time": "sc:Time",
    "datetime": "sc:DateTime",
}


def dataset_json(
    package: Package,
    metadata: Metadata,
    files: Sequence[ReleaseFile],
    words: Mapping[str, Mapping[str, str]],
) -> dict[str, Any]:
    """Return the dataset; `words` has `name` and `description` of files, by path."""
    by_path = {file.path: file for file in files}
    tables = {r.name: f"{PARQUET}/{r.name}.parquet" for r in package.resources.values()}
    listed = [p for r in package.resources.values() for p in (r.path, tables[r.name])]
    address = address_of(metadata)
    content: dict[str, Any] = {
        "@context": dict(_CONTEXT),
        "@type": "sc:Dataset",
        "@id": address,
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": metadata.title,
        "alternateName": metadata.name,
        "description": metadata.abstract or metadata.title,
        "version": metadata.version,
        "datePublished": metadata.date.isoformat(),
        "dateCreated": metadata.created,
        "license": _one([licence.url for licence in metadata.licences]),
        "keywords": list(metadata.keywords),
        "identifier": address,
        "url": metadata.homepage or address,
        "exampleOfWork": _concept(metadata),
        "creator": [_agent(creator) for creator in metadata.creators],
        "contributor": [_agent(other) for other in metadata.contributors],
        "publisher": _publisher(metadata),
        "citeAs": citation_text(metadata),
        "isBasedOn": [source_work(source) for source in metadata.sources],
        "distribution": [
            _download(by_path[path], words.get(path, {})) for path in listed if path in by_path
        ],
        "recordSet": [
            _record_set(package, resource, tables)
            for resource in package.resources.values()
            if tables[resource.name] in by_path
        ],
    }
    return _filled(content)


def _agent(contributor: Contributor) -> dict[str, Any]:
    content = agent(contributor)
    if contributor.organization:
        content["affiliation"] = {"@type": "Organization", "name": contributor.organization}
    return content


def _publisher(metadata: Metadata) -> dict[str, str] | None:
    named = metadata.publisher
    return {"@type": "Organization", "name": named} if named else None


def _concept(metadata: Metadata) -> dict[str, str] | None:
    """Return the dataset that this is a version of, where that has a DOI beside this one's.

    schema.org has no word for a version; `sameAs` would make all versions one.
    """
    concept = metadata.concept_doi if metadata.doi else None
    return {"@id": doi_url(concept)} if concept else None


def _download(file: ReleaseFile, words: Mapping[str, str]) -> dict[str, Any]:
    return _filled(
        {
            "@type": "cr:FileObject",
            "@id": file.path,
            "name": file.path,
            "description": words.get("description") or words.get("name"),
            "contentUrl": quote(file.path),
            "contentSize": f"{file.size} B",
            "encodingFormat": _FORMATS.get(file.mediatype, file.mediatype),
            "sha256": file.sha256,
        }
    )


def _record_set(package: Package, resource: Resource, tables: Mapping[str, str]) -> dict[str, Any]:
    entry = resource.descriptor
    return _filled(
        {
            "@type": "cr:RecordSet",
            "@id": resource.name,
            "name": resource.name,
            "description": entry.get("description") or entry.get("title"),
            "key": _one([{"@id": f"{resource.name}/{name}"} for name in resource.primary_key]),
            "field": list(_fields(package, resource, tables[resource.name])),
        }
    )


def _fields(package: Package, resource: Resource, path: str) -> Iterator[dict[str, Any]]:
    targets = {
        key.fields[0]: f"{key.resource}/{key.reference[0]}"
        for key in resource.foreign_keys
        if len(key.fields) == 1 and key.resource in package.resources
    }
    for name, field in resource.fields.items():
        target = targets.get(name)
        yield _filled(
            {
                "@type": "cr:Field",
                "@id": f"{resource.name}/{name}",
                "name": name,
                "description": field.get("description") or field.get("title"),
                "dataType": _TYPES.get(str(field.get("type")), "sc:Text"),
                "source": {"fileObject": {"@id": path}, "extract": {"column": name}},
                "references": {"field": {"@id": target}} if target else None,
            }
        )


def _one(values: Sequence[Any]) -> Any:
    """Return the one value itself, several as a list, none as None."""
    return list(values) if len(values) > 1 else next(iter(values), None)


def _filled(content: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in content.items() if value not in (None, "", [])}
