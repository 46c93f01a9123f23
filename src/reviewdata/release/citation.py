"""CITATION.cff of a release, by the Citation File Format 1.2.0 (doi:10.5281/zenodo.5171937)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from reviewdata.release.metadata import Contributor, Metadata

NAME = "CITATION.cff"


def citation_cff(metadata: Metadata) -> str:
    """Return the text of CITATION.cff.

    A person whose name is not given in parts stands as an entity: nobody guesses which part is
    the family's.
    """
    content: dict[str, Any] = {
        "cff-version": "1.2.0",
        "message": "If you use this dataset, please cite it as below.",
        "type": "dataset",
        "title": metadata.title,
        "abstract": metadata.abstract or None,
        "version": metadata.version,
        "date-released": metadata.date,
        "doi": metadata.doi or metadata.concept_doi,
        "identifiers": _identifiers(metadata),
        "license": _licences(metadata),
        "license-url": metadata.licences[0].url if len(metadata.licences) == 1 else None,
        "url": metadata.homepage,
        "keywords": list(metadata.keywords),
        "authors": [_author(creator) for creator in metadata.creators],
    }
    lines = [line for key, value in content.items() for line in _yaml(key, value)]
    return "\n".join(lines) + "\n"


def citation_text(metadata: Metadata) -> str:
    """Return how a release is cited, in one line (APA style, without shortening names)."""
    names = ", ".join(creator.name for creator in metadata.creators)
    said = f"{names} ({metadata.date.year}). {metadata.title} (Version {metadata.version})"
    parts = [f"{said} [Data set]", metadata.publisher]
    doi = metadata.doi or metadata.concept_doi
    parts.append(f"https://doi.org/{doi}" if doi else metadata.homepage or "")
    return ". ".join(filter(None, parts))


def _identifiers(metadata: Metadata) -> list[dict[str, str]]:
    described = (
        (metadata.doi, "The DOI of this version."),
        (metadata.concept_doi, "The DOI of all versions."),
    )
    return [{"type": "doi", "value": doi, "description": text} for doi, text in described if doi]


def _licences(metadata: Metadata) -> str | list[str] | None:
    """Return the licences that the format knows: its list of SPDX ids is one of 2021."""
    known = [licence.id for licence in metadata.licences if licence.id in known_licences()]
    if len(known) != len(metadata.licences):
        return None  # one of several would say less than the truth
    return known[0] if len(known) == 1 else known


@cache
def known_licences() -> frozenset[str]:
    """Return the SPDX ids that the Citation File Format 1.2.0 takes."""
    text = files("reviewdata.release").joinpath("cff-licences.txt").read_text("utf-8")
    return frozenset(text.split())


def _author(creator: Contributor) -> dict[str, str | None]:
    orcid = f"https://orcid.org/{creator.orcid}" if creator.orcid else None
    if not (creator.given or creator.family):
        return {"name": creator.name, "orcid": orcid, "website": creator.url}
    return {
        "family-names": creator.family or None,
        "given-names": creator.given or None,
        "affiliation": creator.organization or None,
        "orcid": orcid,
        "website": creator.url,
    }


def _yaml(key: str, value: Any) -> list[str]:
    """Return the lines of an entry of YAML; what is empty has none."""
    if value is None or value == []:
        return []
    if not isinstance(value, list):
        return [f"{key}: {_scalar(value)}"]
    lines = [f"{key}:"]
    for entry in value:
        lines += _item(entry) if isinstance(entry, Mapping) else [f"  - {_scalar(entry)}"]
    return lines


def _item(entry: Mapping[str, Any]) -> Sequence[str]:
    given = [(key, value) for key, value in entry.items() if value is not None]
    return [
        f"  {'  ' if number else '- '}{key}: {_scalar(value)}"
        for number, (key, value) in enumerate(given)
    ]


def _scalar(value: Any) -> str:
    if not isinstance(value, str):
        return str(value)  # a date
    quoted = json.dumps(value, ensure_ascii=False)
    return "".join(c if c.isprintable() else _escape(ord(c)) for c in quoted)


def _escape(code: int) -> str:
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
