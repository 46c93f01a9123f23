"""The metadata of a release for a DOI, by the DataCite schema 4.5 (doi:10.14454/g8e5-6293)."""

from __future__ import annotations

from typing import Any

from reviewdata.release.metadata import Contributor, Metadata

NAME = "datacite.json"

UNKNOWN_PUBLISHER = ":tba"
"""DataCite's word for what is assigned later: before it is deposited, nobody has published it."""

_KINDS = {
    "maintainer": "DataManager",
    "wrangler": "DataCurator",
    "curator": "DataCurator",
    "editor": "Editor",
    "distributor": "Distributor",
    "sponsor": "Sponsor",
    "contact": "ContactPerson",
    "contactperson": "ContactPerson",
    "rightsholder": "RightsHolder",
    "researcher": "Researcher",
    "supervisor": "Supervisor",
    "producer": "Producer",
}


def datacite_json(metadata: Metadata) -> dict[str, Any]:
    """Return the attributes of a DOI as DataCite's REST API takes them.

    Without a DOI there is none in it; a publisher that is not known is `:tba`.
    """
    descriptions = [("Abstract", metadata.description)]
    descriptions += [("TechnicalInfo", text) for text in metadata.statements]
    content: dict[str, Any] = {
        "schemaVersion": "http://datacite.org/schema/kernel-4",
        "types": {"resourceType": "Data package", "resourceTypeGeneral": "Dataset"},
        "doi": metadata.doi,
        "creators": [_name(creator) for creator in metadata.creators],
        "titles": [{"title": metadata.title}],
        "publisher": {"name": metadata.publisher or UNKNOWN_PUBLISHER},
        "publicationYear": str(metadata.date.year),
        "subjects": [{"subject": word} for word in metadata.keywords],
        "contributors": _contributors(metadata),
        "dates": [
            {"date": metadata.date.isoformat(), "dateType": "Issued"},
            *([{"date": metadata.created, "dateType": "Created"}] if metadata.created else []),
        ],
        "relatedIdentifiers": _related(metadata),
        "formats": ["text/csv", "application/vnd.apache.parquet", "application/json"],
        "version": metadata.version,
        "rightsList": [
            {
                "rights": licence.title,
                "rightsUri": licence.url,
                "rightsIdentifier": licence.id,
                "rightsIdentifierScheme": "SPDX",
                "schemeUri": "https://spdx.org/licenses/",
            }
            for licence in metadata.licences
        ],
        "descriptions": [
            {"description": text, "descriptionType": kind} for kind, text in descriptions if text
        ],
    }
    return {key: value for key, value in content.items() if value not in (None, [])}


def _name(contributor: Contributor) -> dict[str, Any]:
    both = contributor.family and contributor.given
    content: dict[str, Any] = {
        "name": f"{contributor.family}, {contributor.given}" if both else contributor.name,
        "nameType": "Personal" if contributor.is_person else None,
        "givenName": contributor.given,
        "familyName": contributor.family,
    }
    if contributor.orcid:
        content["nameIdentifiers"] = [
            {
                "nameIdentifier": f"https://orcid.org/{contributor.orcid}",
                "nameIdentifierScheme": "ORCID",
                "schemeUri": "https://orcid.org",
            }
        ]
    if contributor.organization:
        content["affiliation"] = [{"name": contributor.organization}]
    return {key: value for key, value in content.items() if value}


def _contributors(metadata: Metadata) -> list[dict[str, Any]]:
    """Return who is no creator; the publisher has a place of its own."""
    return [
        {"contributorType": type_contributor(contributor), **_name(contributor)}
        for contributor in metadata.contributors
        if set(contributor.roles) != {"publisher"}
    ]


def type_contributor(contributor: Contributor) -> str:
    """Return DataCite's contributor type for the first role that has one, else Other."""
    kinds = (_KINDS.get(role.replace(" ", "").replace("-", "")) for role in contributor.roles)
    return next(filter(None, kinds), "Other")


def _related(metadata: Metadata) -> list[dict[str, str]]:
    related = []
    if metadata.concept_doi:
        related.append((metadata.concept_doi, "DOI", "IsVersionOf"))
    for source in metadata.sources:
        if source.doi:
            related.append((source.doi, "DOI", "IsDerivedFrom"))
        elif source.url:
            related.append((source.url, "URL", "IsDerivedFrom"))
    return [
        {"relatedIdentifier": value, "relatedIdentifierType": kind, "relationType": relation}
        for value, kind, relation in dict.fromkeys(related)
    ]
