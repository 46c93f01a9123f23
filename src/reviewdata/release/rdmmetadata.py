"""The metadata of a deposit in the words of InvenioRDM, and what we mark our records by."""

from __future__ import annotations

import html
import re
import uuid
from collections.abc import Iterable, Iterator
from typing import Any

from reviewdata.release.deposit import Creator, Deposit, DepositMetadata

_CONTENT = "reviewdata:sha256:"
RESOURCE_TYPE = "dataset"


def identity(name: str) -> str:
    """Return the identifier that each record and draft of a package carries: our own run id.

    It follows from the name alone, so that a draft whose creation was not answered is found
    again from any machine, and one account has one concept for each name.
    """
    return uuid.uuid5(uuid.NAMESPACE_URL, f"reviewdata:{name}").urn


def find_content(identifiers: Iterable[str]) -> str:
    """Return the content hash that a record says of itself; blank for none."""
    found = [text.removeprefix(_CONTENT) for text in identifiers if text.startswith(_CONTENT)]
    return found[0] if found else ""


def record_metadata(deposit: Deposit, publisher: str) -> dict[str, Any]:
    """Return the `metadata` of a record. Terms of vocabularies are ids alone, as it takes them."""
    given = deposit.metadata
    content: dict[str, Any] = {
        "resource_type": {"id": RESOURCE_TYPE},
        "title": given.title,
        "publication_date": given.publication_date.isoformat(),
        "publisher": publisher,
        "creators": [_creator(creator) for creator in given.creators],
        "contributors": [
            _creator(other) | {"role": {"id": other.role.lower()}} for other in given.contributors
        ],
        "description": _paragraphs(given.description),
        "rights": [{"id": licence.lower()} for licence in given.licences],
        "languages": [{"id": given.language}] if given.language else [],
        "subjects": [{"subject": keyword} for keyword in given.keywords],
        "version": given.version,
        "identifiers": [
            {"scheme": "urn", "identifier": identity(deposit.name)},
            {"scheme": "other", "identifier": _CONTENT + deposit.content_hash},
        ],
        "related_identifiers": [
            {
                "identifier": related.identifier,
                "scheme": related.scheme,
                "relation_type": {"id": related.relation.lower()},
            }
            for related in given.related
        ],
    }
    return {field: value for field, value in content.items() if value not in ("", [])}


def vocabulary(given: DepositMetadata) -> Iterator[tuple[str, str, str]]:
    """Yield each term that the server must know: its vocabulary, its id, and words for it."""
    yield "resourcetypes", RESOURCE_TYPE, f"resource type {RESOURCE_TYPE}"
    for licence in given.licences:
        yield "licenses", licence.lower(), f"licence {licence}"
    if given.language:
        yield "languages", given.language, f"language {given.language}"
    for role in sorted({other.role for other in given.contributors}):
        yield "contributorsroles", role.lower(), f"role {role}"
    for relation in sorted({related.relation for related in given.related}):
        yield "relationtypes", relation.lower(), f"relation {relation}"


def _creator(creator: Creator) -> dict[str, Any]:
    who: dict[str, Any] = {"type": "organizational", "name": creator.name}
    if creator.family:
        who = {"type": "personal", "family_name": creator.family, "given_name": creator.given}
    if creator.orcid:
        who["identifiers"] = [{"scheme": "orcid", "identifier": creator.orcid}]
    entry: dict[str, Any] = {"person_or_org": who}
    if creator.affiliation:
        entry["affiliations"] = [{"name": creator.affiliation}]
    return entry


def _paragraphs(text: str) -> str:
    """Return plain text as the HTML that a description is."""
    parts = [part for part in re.split(r"\n\s*\n", text) if part.strip()]
    return "".join(f"<p>{html.escape(part.strip(), quote=False)}</p>" for part in parts)
