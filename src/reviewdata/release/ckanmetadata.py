"""The metadata of a deposit in the words of CKAN."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from reviewdata.release.deposit import Creator, Deposit

NAME, CONTENT, DATE = "reviewdata_name", "reviewdata_content", "publication_date"
"""The extra fields by which a version is found, recognised and put into order."""

_LICENCES = {
    "CC-BY-4.0": "cc-by",
    "CC-BY-SA-4.0": "cc-by-sa",
    "CC0-1.0": "cc-zero",
    "ODbL-1.0": "odc-odbl",
    "ODC-By-1.0": "odc-by",
    "PDDL-1.0": "odc-pddl",
}
"""What CKAN calls a licence, unless the site has it by its SPDX id."""

_LONGEST_NAME = 100


def dataset_name(name: str, version: str) -> str:
    """Return the name of a version's dataset, which is part of its address: `name-1-0-0`."""
    slug = re.sub(r"[^a-z0-9_-]+", "-", f"{name}-{version}".lower())
    return slug[:_LONGEST_NAME].strip("-")


def find_licence(licence: str, known: Collection[str]) -> str | None:
    """Return the id of a licence among those that a site knows; None where it is none of them."""
    by_case = {entry.lower(): entry for entry in known}
    mapped = _LICENCES.get(licence, "")
    return by_case.get(licence.lower()) or (mapped if mapped in known else None)


def dataset_metadata(deposit: Deposit, licence: str | None) -> dict[str, Any]:
    """Return the fields of a dataset, all but the organisation and whether it is private."""
    given = deposit.metadata
    extras = {
        NAME: deposit.name,
        CONTENT: deposit.content_hash,
        DATE: given.publication_date.isoformat(),
        "licences": ", ".join(given.licences),
        "language": given.language,
        "creators": "; ".join(_described(creator) for creator in given.creators),
    }
    extras |= {
        f"related_{number}": f"{related.relation} {related.scheme}:{related.identifier}"
        for number, related in enumerate(given.related, start=1)
    }
    return {
        "name": dataset_name(deposit.name, given.version),
        "title": given.title,
        "notes": given.description,
        "version": given.version,
        "author": "; ".join(creator.name for creator in given.creators),
        "license_id": licence or "",
        "tags": [{"name": tag} for tag in dict.fromkeys(map(_tag, given.keywords)) if tag],
        "extras": [{"key": key, "value": value} for key, value in extras.items() if value],
    }


def _described(creator: Creator) -> str:
    more = [part for part in (creator.orcid, creator.affiliation) if part]
    return f"{creator.name} ({', '.join(more)})" if more else creator.name


def _tag(keyword: str) -> str:
    """Return a keyword as CKAN takes it: letters, digits, spaces, - . _, from 2 to 100 of them."""
    tag = " ".join(re.sub(r"[^\w .-]+", " ", keyword).split())[:100]
    return tag if len(tag) > 1 else ""
