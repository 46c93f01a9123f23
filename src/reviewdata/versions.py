"""The version number that a change asks for, and what the changelog should say of it.

Major: the structure or the meaning is another, or a study is gone, renamed or classified
otherwise. Minor: there are new data. Patch: corrections. As the Data Package recipe has it
(datapackage.org/recipes/data-package-version), with studies as what a review is made of.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from reviewdata.changes import (
    BUMPS,
    LISTED,
    Bump,
    FileChange,
    RowChange,
    TableChange,
    VersionChange,
)
from reviewdata.declarations import Declared
from reviewdata.package import DESCRIPTOR, Package, Resource
from reviewdata.queries import list_queries

Reason = tuple[Bump, str]

NAMED = 5
"""Records that the changelog names one by one; more are counted."""

LONGEST = 500
"""Characters of one line of the changelog; a cell may be a book."""

_VERSION = re.compile(r"(\d{1,9})\.(\d{1,9})\.(\d{1,9})")


def ask_version(base: Package, head: Package, reasons: Iterable[Reason]) -> VersionChange:
    """Return which part of the version is to be raised, and why: the gravest of the reasons."""
    listed = sorted(reasons, key=lambda reason: BUMPS.index(reason[0]))
    bump: Bump = listed[0][0] if listed else "none"
    because = tuple(dict.fromkeys(text for part, text in listed if part == bump))
    old, given = (_version(package) for package in (base, head))
    return VersionChange(bump, because, old, _raise(old, bump), given)


def find_reasons(
    base: Package,
    head: Package,
    tables: Sequence[TableChange],
    declared: Mapping[str, Sequence[Declared]],
    files: Sequence[FileChange],
) -> Iterator[Reason]:
    """Yield what a change asks for, and why.

    `declared` has what each table's schema says otherwise; that of the package under "".
    """
    for table in tables:
        resource = head.resources.get(table.table) or base.resources[table.table]
        yield from _table_reasons(base, head, table, resource)
    for name, listed in declared.items():
        for difference in listed:
            yield difference.bump, f"{name or 'the package'} declares {difference.text}"
    headlines = {
        f"queries/{name}.sql"
        for package in (base, head)
        for name, query in list_queries(package).items()
        if query.headline
    }
    for file in files:
        if file.path == DESCRIPTOR:  # `declared` says what of it
            continue
        bump: Bump = "patch"
        if file.path.startswith("queries/") and file.kind == "removed":
            bump = "major"  # whoever asks it gets no answer
        elif file.path.startswith("queries/") and file.kind == "added":
            bump = "minor"
        elif file.path in headlines and _sql(base, file.path) != _sql(head, file.path):
            bump = "major"  # a figure of this name means something else
        yield bump, f"{file.path} {file.kind}"


def _sql(package: Package, path: str) -> str:
    """Return a query without its comments and line breaks."""
    query = list_queries(package)[path.removeprefix("queries/").removesuffix(".sql")]
    return " ".join(re.sub(r"--[^\n]*", "", query.sql).split())


def _table_reasons(
    base: Package, head: Package, table: TableChange, resource: Resource
) -> Iterator[Reason]:
    name = table.table
    if table.kind != "changed":
        yield ("minor" if table.kind == "added" else "major"), f"table {name} {table.kind}"
        return
    for text in table.columns:
        yield "major", f"{name}: {text}"
    studies = name in {(p.config.studies or {}).get("resource") for p in (base, head)}
    if table.removed:
        yield ("major" if studies else "patch"), _say(table.removed, name, studies, "removed")
    if table.renamed:
        yield ("major" if studies else "patch"), _say(table.renamed, name, studies, "renamed")
    if table.added:
        yield "minor", _say(table.added, name, studies, "added")
    if not table.cells:
        return
    changed = [cell for row in table.rows if row.kind == "changed" for cell in row.cells]
    if studies:
        moved = [c for c in changed if c.old and c.new and _is_listed(resource, c.field)]
        for cell in moved[:1]:
            yield "major", f"{name}: {cell.field} {cell.old} -> {cell.new} (reclassified)"
    filled = sum(not cell.old for cell in changed)
    if filled:
        number = _plural(filled, "blank cell") if len(table.rows) < LISTED else "blank cells"
        yield "minor", f"{name}: {number} filled"
    yield "patch", f"{name}: {_plural(table.cells, 'cell')} changed"


def _is_listed(resource: Resource, name: str) -> bool:
    """Whether a field has a codelist: another word in it is another class."""
    field: Mapping[str, Any] = resource.fields.get(name, {})
    return "enum" in field.get("constraints", {}) or bool(field.get("categories"))


def _say(number: int, table: str, studies: bool, what: str) -> str:
    if studies:
        return f"{number} {'study' if number == 1 else 'studies'} {what}"
    return f"{_plural(number, 'record')} {what} in {table}"


def _plural(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _version(package: Package) -> str | None:
    given = package.descriptor.get("version")
    return given if isinstance(given, str) else None


def _raise(version: str | None, bump: Bump) -> str | None:
    match = _VERSION.fullmatch(version or "")
    if match is None or bump == "none":
        return version if bump == "none" else None
    major, minor, patch = map(int, match.groups())
    return {
        "major": f"{major + 1}.0.0",
        "minor": f"{major}.{minor + 1}.0",
        "patch": f"{major}.{minor}.{patch + 1}",
    }[bump]


def write_changelog(
    version: VersionChange,
    tables: Sequence[TableChange],
    declared: Mapping[str, Sequence[Declared]],
    files: Sequence[FileChange],
    effects: Sequence[str],
) -> str:
    """Return a Markdown entry for the changelog: what changed for who uses the data.

    Cell text is in it as it is, but for line breaks, and that of much length is cut; whoever
    shows it escapes it. Blank where nothing changed.
    """
    texts = [*_changelog_lines(tables, declared, files), *(f"- {text}" for text in effects)]
    if not texts:
        return ""
    lines = [_one_line(text) for text in texts]
    return "\n".join([f"## Data {version.asked or 'next version'}", "", *lines]) + "\n"


def _changelog_lines(
    tables: Sequence[TableChange],
    declared: Mapping[str, Sequence[Declared]],
    files: Sequence[FileChange],
) -> Iterator[str]:
    for table in tables:
        if table.kind != "changed":
            yield f"- The table {table.table} is {'new' if table.kind == 'added' else 'gone'}."
            continue
        for kind, verb in (("added", "Added"), ("removed", "Removed")):
            number = getattr(table, kind)
            if number:
                named = [_name(row) for row in table.rows if row.kind == kind]
                names = _names(named, number)
                yield f"- {verb} {_plural(number, 'record')} in {table.table}{names}."
        for row in table.rows[:NAMED]:
            if row.kind == "renamed":
                old = ", ".join((row.old_key or {}).values())
                yield f"- Renamed {old} to {_name(row)} in {table.table}."
        changed = [row for row in table.rows if row.kind == "changed"]
        for row in changed[:NAMED]:
            cells = "; ".join(
                f"{cell.field} {cell.old or '(blank)'} -> {cell.new or '(blank)'}"
                for cell in row.cells
            )
            yield f"- Changed {_name(row)} in {table.table}: {cells}."
        if table.changed > NAMED:
            yield f"- Changed {_plural(table.changed - NAMED, 'record')} more in {table.table}."
        yield from (f"- {table.table}: {text}." for text in table.columns)
    for name, listed in declared.items():
        yield from (f"- {name or 'The package'} declares {d.text}." for d in listed)
    yield from (f"- {file.path} {file.kind}." for file in files if file.path != DESCRIPTOR)


def _one_line(text: str) -> str:
    """Return a text in which no cell can start a line of its own."""
    line = r"\n".join(text.splitlines())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 3]}..."


def _name(row: RowChange) -> str:
    return ", ".join(row.key.values()) or f"line {row.line}"


def _names(named: Sequence[str], number: int) -> str:
    if not named:
        return ""
    more = f" and {number - NAMED:,} more" if number > NAMED else ""
    return f" ({', '.join(named[:NAMED])}{more})"
