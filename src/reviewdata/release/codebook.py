"""The codebook: every table and field in words, with what is counted in the data.

It is made of blocks, which `pages` writes as Markdown and as HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reviewdata.columns import NUMERIC, quote_name
from reviewdata.package import Resource
from reviewdata.release.citation import citation_text
from reviewdata.release.metadata import Metadata
from reviewdata.tables import Tables

_FIELDS = (
    *("field", "type", "unit", "what it holds", "must be"),
    *("values", "missing", "distinct", "lowest", "highest"),
)
_ORDERED = (*NUMERIC, "year", "date", "time", "datetime")


@dataclass(frozen=True)
class Heading:
    """A heading; level 1 is that of the page."""

    level: int
    text: str


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of plain text."""

    text: str


@dataclass(frozen=True)
class Listing:
    """A table of the codebook; the columns named in `numbers` stand to the right."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: frozenset[str] = frozenset()


Block = Heading | Paragraph | Listing


def write_codebook(tables: Tables, metadata: Metadata) -> Iterator[Block]:
    """Yield the blocks of a codebook; the tables are counted as they are loaded."""
    yield Heading(1, f"Codebook: {metadata.title}")
    about = [f"Version {metadata.version}, {metadata.date.isoformat()}"]
    about.append("by " + ", ".join(creator.name for creator in metadata.creators))
    about.append("licence " + ", ".join(licence.id for licence in metadata.licences))
    about += [f"doi:{metadata.doi}"] if metadata.doi else []
    yield Paragraph("; ".join(about) + ".")
    paragraphs = (" ".join(text.split()) for text in re.split(r"\n\s*\n", metadata.description))
    yield from (Paragraph(text) for text in paragraphs if text)
    yield Paragraph(f"To be cited as: {citation_text(metadata)}")
    if metadata.statements:
        yield Heading(2, "What to know")
        yield from (Paragraph(text) for text in metadata.statements)
    resources = tables.package.resources.values()
    counts = {r.name: tables.count(r.name) for r in resources if r.name in tables.columns}
    yield Heading(2, "Tables")
    yield Listing(
        ("table", "file", "records", "fields", "what it holds"),
        tuple(
            (r.name, r.path, f"{counts.get(r.name, 0):,}", str(len(r.fields)), _words(r.descriptor))
            for r in resources
        ),
        frozenset(("records", "fields")),
    )
    for resource in resources:
        if resource.name in counts:
            yield from _describe_table(tables, resource, counts[resource.name])


def _describe_table(tables: Tables, resource: Resource, rows: int) -> Iterator[Block]:
    yield Heading(2, resource.name)
    words = _words(resource.descriptor)
    yield Paragraph(
        f"{words} {rows:,} record{'' if rows == 1 else 's'} in {resource.path}.".strip()
    )
    keys = [f"Primary key: {', '.join(resource.primary_key)}."] if resource.primary_key else []
    for key in resource.foreign_keys:
        target = f"{key.resource}.{', '.join(key.reference)}"
        keys.append(f"{', '.join(key.fields)} refers to {target}.")
    if keys:
        yield Paragraph(" ".join(keys))
    counted = _count_fields(tables, resource)
    yield Listing(
        _FIELDS,
        tuple(
            _field_row(resource, name, field, rows, counted[name])
            for name, field in resource.fields.items()
        ),
        frozenset(_FIELDS[5:]),
    )
    for name, field in resource.fields.items():
        codes = list(_codes(field))
        if codes:
            found = _count_values(tables, resource, name)
            yield Heading(3, f"{resource.name}: {name}")
            yield Listing(
                ("value", "what it means", "records"),
                tuple((value, label, f"{found.get(value, 0):,}") for value, label in codes),
                frozenset(("records",)),
            )


def _field_row(
    resource: Resource, name: str, field: Mapping[str, Any], rows: int, counted: Sequence[Any]
) -> tuple[str, ...]:
    filled, distinct, lowest, highest = counted
    kind = str(field.get("type", "string"))
    form = field.get("format", "default")
    return (
        name,
        kind if form == "default" else f"{kind} ({form})",
        str(field.get("unit", "")),
        _words(field),
        "; ".join(_constraints(resource, name, field)),
        f"{filled:,}",
        f"{rows - filled:,}",
        f"{distinct:,}",
        _show(lowest),
        _show(highest),
    )


def _words(entry: Mapping[str, Any]) -> str:
    """Return the title and the description of an entry, each as a sentence."""
    texts = [entry.get(key) for key in ("title", "description")]
    said = [" ".join(text.split()) for text in texts if isinstance(text, str) and text.strip()]
    return " ".join(text if text.endswith((".", "!", "?")) else f"{text}." for text in said)


def _constraints(resource: Resource, name: str, field: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a value must be, in words; a codelist has a table of its own."""
    given = field.get("constraints")
    given = given if isinstance(given, dict) else {}
    if name in resource.primary_key and len(resource.primary_key) == 1:
        yield "the key"
    for key, value in given.items():
        if key in ("required", "unique"):
            yield from [key] if value is True else []
        elif key == "enum":
            yield "one of the codelist"
        else:
            yield f"{key} {value}"
    if list(_codes(field)) and "enum" not in given:
        yield "one of the codelist"
    missing = resource.missing_values(name)
    if any(missing):
        yield "missing: " + ", ".join(text or "(blank)" for text in missing)


def _codes(field: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each value of a field's codelist with what it means, blank where that is not said."""
    listed = field.get("categories")
    constraints = field.get("constraints")
    if not isinstance(listed, list) or not listed:
        listed = constraints.get("enum") if isinstance(constraints, dict) else None
    for entry in listed if isinstance(listed, list) else []:
        if isinstance(entry, dict):
            yield str(entry.get("value")), str(entry.get("label", ""))
        else:
            yield str(entry), ""


def _count_fields(tables: Tables, resource: Resource) -> dict[str, tuple[Any, ...]]:
    """Return of each field the values, the distinct values, the lowest and the highest."""
    asked = []
    for name, field in resource.fields.items():
        column = quote_name(name)
        asked += [f"count({column})", f"count(DISTINCT {column})"]
        ordered = field.get("type") in _ORDERED
        asked += [f"min({column})", f"max({column})"] if ordered else ["NULL", "NULL"]
    if not asked:
        return {}
    [row] = tables.fetch(f"SELECT {', '.join(asked)} FROM {quote_name(resource.name)}")
    return {name: row[4 * n : 4 * n + 4] for n, name in enumerate(resource.fields)}


def _count_values(tables: Tables, resource: Resource, name: str) -> dict[str, int]:
    column, table = quote_name(name), quote_name(resource.name)
    return dict(tables.fetch(f"SELECT {column}, count(*) FROM raw.{table} GROUP BY ALL"))


def _show(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.15g}"
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
