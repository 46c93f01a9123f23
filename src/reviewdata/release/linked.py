"""A contributor, a licence and a source as schema.org has them, for both JSON-LD files."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from reviewdata.release.metadata import Contributor, Metadata, Source


def agent(contributor: Contributor) -> dict[str, Any]:
    """Return somebody as a Person where that is known, else as an Organization.

    schema.org has no third; a group that is no legal person is an Organization too.
    """
    content: dict[str, Any] = {
        "@type": "Person" if contributor.is_person else "Organization",
        "name": contributor.name,
        "givenName": contributor.given,
        "familyName": contributor.family,
        "url": contributor.url,
    }
    if contributor.orcid:
        content = {"@id": f"https://orcid.org/{contributor.orcid}", **content}
        content["identifier"] = f"https://orcid.org/{contributor.orcid}"
    return {key: value for key, value in content.items() if value}


def source_work(source: Source) -> dict[str, Any]:
    """Return what the dataset was made from, as a CreativeWork."""
    address = doi_url(source.doi) if source.doi else source.url
    content = {"@type": "CreativeWork", "name": source.title, "url": address}
    return {key: value for key, value in content.items() if value}


def address_of(metadata: Metadata) -> str | None:
    """Return the address of a release: the DOI of its version, else of all versions."""
    doi = metadata.doi or metadata.concept_doi
    return doi_url(doi) if doi else None


def doi_url(doi: str) -> str:
    """Return the address of a DOI, which may hold characters that an address does not."""
    return f"https://doi.org/{quote(doi, safe='/:;()~')}"
