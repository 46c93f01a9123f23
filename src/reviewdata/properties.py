"""Properties of a descriptor that nothing reads, where one that is read is near.

The standard allows properties of one's own; a slip of the pen is none, and what it should have
asked for is never checked.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from reviewdata.package import Package, Resource

_WORDS = ("$schema", "name", "title", "description", "homepage", "image", "version", "created")
_SOURCES = ("licenses", "sources", "contributors", "keywords")
PACKAGE = (*_WORDS, *_SOURCES, "id", "profile", "resources", "reviewdata")
RESOURCE = (
    *(*_WORDS, *_SOURCES, "path", "data", "type", "format", "mediatype", "encoding", "bytes"),
    *("hash", "schema", "dialect", "profile", "compression", "scheme", "fields", "rows"),
)
SCHEMA = (
    *(*_WORDS, *_SOURCES, "fields", "missingValues", "primaryKey", "foreignKeys", "uniqueKeys"),
    *("fieldsMatch", "statistics"),
)
CONSTRAINTS = (
    *("required", "unique", "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum"),
    *("exclusiveMaximum", "pattern", "enum", "jsonSchema"),
)
FIELD = (
    *("name", "title", "description", "example", "type", "format", "rdfType", "constraints"),
    *("categories", "categoriesOrdered", "categoriesLabel", "missingValues", "trueValues"),
    *("falseValues", "decimalChar", "groupChar", "bareNumber", "floatNumber", "delimiter"),
    *("itemType", "arrayItem"),
)
FOREIGN_KEY = ("fields", "reference")
REFERENCE = ("fields", "resource")

CATEGORICAL = ("string", "integer", "any")
"""The types whose categories are judged: those of the standard, and any, which reads text."""


def find_misspelt(package: Package) -> Iterator[tuple[str | None, str]]:
    """Yield the table, None for the package, and what is said of a property that is not read."""
    for note in _compare("the package", package.descriptor, PACKAGE):
        yield None, note
    for resource in package.resources.values():
        for note in _of_resource(resource):
            yield resource.name, note


def _of_resource(resource: Resource) -> Iterator[str]:
    name = resource.name
    yield from _compare(f"the resource {name}", resource.descriptor, RESOURCE)
    yield from _compare(f"the schema of {name}", resource.schema, SCHEMA)
    for field in resource.fields.values():
        where = f"the field {field['name']} of {name}"
        yield from _compare(where, {k: v for k, v in field.items() if k not in CONSTRAINTS}, FIELD)
        for key in field:
            if key in CONSTRAINTS:
                yield f"{where} has {key}, which is not read there; it belongs in its constraints"
        yield from _compare(f"the constraints of {where}", field.get("constraints"), CONSTRAINTS)
        kind = field.get("type", "string")
        if field.get("categories") and kind not in CATEGORICAL:
            yield f"{where} has categories, which are not read of the type {kind}"
    for entry in resource.schema.get("foreignKeys", ()):
        yield from _compare(f"a foreign key of {name}", entry, FOREIGN_KEY)
        within = entry.get("reference") if isinstance(entry, dict) else None
        yield from _compare(f"the reference of a foreign key of {name}", within, REFERENCE)


def _compare(where: str, given: Any, known: Collection[str]) -> Iterator[str]:
    """Yield the entries of an object that are nearly a known one."""
    for name in given if isinstance(given, Mapping) else ():
        if name not in known and (meant := _find_near(name, known)) and meant not in given:
            yield f"{where} has {name}, which is not read; did you mean {meant}?"


def _find_near(name: str, known: Collection[str]) -> str | None:
    """Return the known name that another is nearly; `title@en` and `x-title` are no slips."""
    if not re.fullmatch("[A-Za-z]+([-_ ][A-Za-z]+)*", name):
        return None
    words = {word.lower(): word for word in known}
    close = get_close_matches(re.sub("[-_ ]", "", name).lower(), list(words), n=1, cutoff=0.85)
    return words[close[0]] if close else None
