"""What a release says of itself, in no format: creators, licences, title, sources, identifiers.

Read from datapackage.json, v1 and v2 alike; what it does not say stays empty. `readiness` tells
what is wrong with it, so that the reading here is forgiving.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from reviewdata.package import Package
from reviewdata.release.identifiers import find_doi, find_orcid, spell_licence

CREATORS = ("author", "creator", "compiler")
"""Roles of those who made the dataset; without any, all who have no role of BESIDE alone."""

_KEPT = "\n\t\u200c\u200d"
"""Beside what can be printed: lines, and what joins or parts letters of some scripts."""

BESIDE = ("publisher", "funder", "sponsor", "distributor", "host")


@dataclass(frozen=True)
class Contributor:
    """Somebody who is named: `name` as printed; the other parts are blank or None if not given.

    `given` and `family` are parts of a person's name, `orcid` is the iD alone
    (`0000-0002-1825-0097`), `url` an address that is no ORCID, `roles` are lower-case words.
    """

    name: str
    given: str = ""
    family: str = ""
    orcid: str | None = None
    organization: str = ""
    url: str | None = None
    roles: tuple[str, ...] = ()

    @property
    def is_person(self) -> bool:
        """Whether it is known to be a person; without that, nothing is said of it."""
        return bool(self.family or self.given or self.orcid)


@dataclass(frozen=True)
class Licence:
    """A licence by its SPDX id."""

    id: str
    title: str
    url: str


@dataclass(frozen=True)
class Source:
    """What the dataset was made from; `url` is None for a file of the package."""

    title: str
    url: str | None = None
    doi: str | None = None


@dataclass(frozen=True)
class Metadata:
    """Everything that the metadata of a release are made from.

    `doi` is that of this version, `concept_doi` that of all versions; both are bare
    (`10.5281/zenodo.1`) or None. `date` is the day of the release (UTC). `statements` are
    sentences on what a reader should know: claims that are incomplete, findings that are waived.
    `created` is the day on which the dataset was begun.
    `changes` is the entry of the changelog, in Markdown. `publisher` is blank if not known.
    """

    name: str
    title: str
    description: str
    version: str
    date: dt.date
    creators: tuple[Contributor, ...]
    contributors: tuple[Contributor, ...]
    licences: tuple[Licence, ...]
    sources: tuple[Source, ...] = ()
    keywords: tuple[str, ...] = ()
    homepage: str | None = None
    created: str | None = None
    publisher: str = ""
    doi: str | None = None
    concept_doi: str | None = None
    statements: tuple[str, ...] = ()
    changes: str = ""

    @property
    def abstract(self) -> str:
        """The description, and the statements as a paragraph of their own."""
        return "\n\n".join(filter(None, (self.description, " ".join(self.statements))))


def read_metadata(
    package: Package,
    date: dt.date,
    *,
    doi: str | None = None,
    concept_doi: str | None = None,
    publisher: str = "",
    statements: Sequence[str] = (),
    changes: str = "",
) -> Metadata:
    """Return what a package says of itself; `contributors` are those who are no creators.

    Without a `doi`, the identifiers are those of the descriptor: see `read_dois`.
    """
    content = package.descriptor
    named = list(_contributors(content))
    creators = [c for c in named if set(c.roles) & set(CREATORS)]
    creators = creators or [c for c in named if not c.roles or set(c.roles) - set(BESIDE)]
    printed = [c.name for c in named if "publisher" in c.roles]
    own, concept = read_dois(content)
    if doi is not None:
        # The DOI in git is that of all versions.
        own, concept = doi, concept or own
    concept = concept_doi or concept
    name = _text(content, "name")
    return Metadata(
        name=name,
        title=_text(content, "title") or name,
        description=_text(content, "description"),
        version=_text(content, "version"),
        date=date,
        creators=tuple(creators),
        contributors=tuple(c for c in named if c not in creators),
        licences=tuple(_licences(content)),
        sources=tuple(_sources(content)),
        keywords=tuple(dict.fromkeys(filter(None, map(_clean, _list(content, "keywords"))))),
        homepage=_url(content.get("homepage")),
        created=_day(_text(content, "created")),
        publisher=publisher or (printed[0] if printed else ""),
        doi=own,
        concept_doi=concept if concept != own else None,
        statements=tuple(statements),
        changes=changes,
    )


def read_dois(descriptor: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return the DOI of a descriptor's own version and that of all versions.

    git has the one of all versions as `id`. A release has its own as `id`, and that of all
    versions among `relatedIdentifiers`, as `isVersionOf`.
    """
    given = find_doi(descriptor.get("id"))
    concepts = [find_doi(e.get("relatedIdentifier")) for e in related(descriptor) if is_concept(e)]
    return (given, concepts[0]) if concepts else (None, given)


def related(descriptor: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the related identifiers of a descriptor (as Camtrap DP has them, after DataCite)."""
    return [e for e in _list(descriptor, "relatedIdentifiers") if isinstance(e, dict)]


def is_concept(entry: object) -> bool:
    """Whether a related identifier is that of all versions."""
    return isinstance(entry, Mapping) and str(entry.get("relationType")).lower() == "isversionof"


def name_of(entry: Mapping[str, Any]) -> str:
    """Return the name of a contributor: the title, else the parts of a person's; blank if none."""
    parts = (_text(entry, "givenName"), _text(entry, "familyName"))
    return _text(entry, "title") or " ".join(filter(None, parts))


def orcids_of(entry: Mapping[str, Any]) -> Iterator[str]:
    """Yield the texts of a contributor in which an ORCID iD may stand."""
    for key in ("orcid", "path"):
        if isinstance(entry.get(key), str):
            yield entry[key]


def _contributors(content: Mapping[str, Any]) -> Iterator[Contributor]:
    for entry in _list(content, "contributors"):
        if not isinstance(entry, dict) or not name_of(entry):
            continue
        roles = [*_list(entry, "roles"), entry.get("role")]
        found = [find_orcid(text) for text in orcids_of(entry)]
        path = entry.get("path")
        yield Contributor(
            name=name_of(entry),
            given=_text(entry, "givenName"),
            family=_text(entry, "familyName"),
            orcid=next(filter(None, found), None),
            organization=_text(entry, "organization"),
            url=None if find_orcid(path) else _url(path),
            roles=tuple(_clean(role).lower() for role in roles if _clean(role)),
        )


def _licences(content: Mapping[str, Any]) -> Iterator[Licence]:
    for entry in _list(content, "licenses"):
        name = _text(entry, "name") if isinstance(entry, dict) else ""
        spelled = spell_licence(name)
        if spelled is not None:
            url = _url(entry.get("path")) or f"https://spdx.org/licenses/{spelled}.html"
            yield Licence(spelled, _text(entry, "title") or spelled, url)


def _sources(content: Mapping[str, Any]) -> Iterator[Source]:
    for entry in _list(content, "sources"):
        if isinstance(entry, dict):
            path = entry.get("path")
            title = _text(entry, "title") or _clean(path)
            if title:
                yield Source(title, _url(path), find_doi(path))


def _text(content: Mapping[str, Any], name: str) -> str:
    return _clean(content.get(name))


def _clean(value: object) -> str:
    """Return a text without space around it, and without characters that no format can hold."""
    if not isinstance(value, str):
        return ""
    kept = (c if c.isprintable() or c in _KEPT else " " * c.isspace() for c in value)
    return "".join(kept).strip()


def _list(content: Mapping[str, Any], name: str) -> list[Any]:
    value = content.get(name)
    return value if isinstance(value, list) else []


def _url(value: object) -> str | None:
    """Return an address of the web; None for a path in the package, and for what is no address."""
    if not isinstance(value, str) or not value.lower().startswith(("http://", "https://")):
        return None
    if not value.isprintable() or set(value) & set(' <>"{}|\\^`'):
        return None
    return quote(value, safe="%/:?#[]@!$&'()*+,;=~")


def _day(text: str) -> str | None:
    """Return the day of a date or moment in ISO form; None for another text."""
    try:
        return dt.datetime.fromisoformat(text).date().isoformat()
    except ValueError:
        return None
