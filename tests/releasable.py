"""The synthetic review as one that can be released, with everything that metadata can name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mini import merge, remove_suites, write_mini

ORCID = "0000-0002-1825-0097"
"""The iD of nobody: ORCID's own example, Josiah Carberry."""

DESCRIPTOR: Mapping[str, Any] = {
    "description": "Synthetic: no study of these exists.\n\nTwo paragraphs, <b>&</b> a | bar.",
    "homepage": "https://example.org/mini",
    "keywords": ["synthetic", "example"],
    "contributors": [
        {
            "title": "Josiah Carberry",
            "givenName": "Josiah",
            "familyName": "Carberry",
            "path": f"https://orcid.org/{ORCID}",
            "organization": "Brown University",
            "roles": ["author"],
        },
        {"title": "A synthetic group", "role": "author"},
        {"title": "A synthetic editor", "roles": ["editor"], "path": "https://example.org/e"},
        {"title": "A synthetic fund", "roles": ["funder"]},
    ],
    "sources": [
        {"title": "A synthetic review", "path": "https://doi.org/10.1000/182"},
        {"title": "A synthetic page", "path": "https://example.org/page"},
        {"title": "The table of studies", "path": "data/studies.csv"},
    ],
}


def write_releasable(
    folder: Path,
    *,
    files: Mapping[str, str | bytes] | None = None,
    patch: Mapping[str, Any] | None = None,
) -> Path:
    """Write the review without its suites, changed as `write_mini` changes it."""
    change = merge({"datapackage.json": DESCRIPTOR}, patch or {})
    write_mini(folder, files=files, patch=change)
    remove_suites(folder)
    return folder
