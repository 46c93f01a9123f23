"""The difference of two revisions of a review: its tables, declarations, files and results."""

from __future__ import annotations

import filecmp
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reviewdata.changes import Diff, FigureChange, FileChange, TableChange, show_fraction
from reviewdata.comparison import Comparison
from reviewdata.declarations import Declared, compare_descriptors, compare_schemas
from reviewdata.effects import compare_claims, compare_figures
from reviewdata.files import describe_file
from reviewdata.model import ReviewdataError
from reviewdata.package import DESCRIPTOR, Package, Resource, open_package
from reviewdata.records import format_of, is_foreign
from reviewdata.revisions import WORKING_TREE, Revision, find_folder, open_revision
from reviewdata.tables import Tables, load_pair
from reviewdata.trust import is_same, list_files
from reviewdata.versions import Reason, ask_version, find_reasons, write_changelog

FOLDERS = ("validations", "queries")
"""Folders whose files are no tables and no schemas."""


@dataclass(frozen=True)
class Difference:
    """Two revisions, loaded and compared.

    `comparisons` has the tables that could be compared and whose files are not the same bytes
    under the same declaration; `same` names those that are, `diff` is the whole in words.
    """

    base: Tables
    head: Tables
    comparisons: Mapping[str, Comparison]
    same: frozenset[str]
    diff: Diff


@contextmanager
def compare(base: Revision, head: Revision) -> Iterator[Difference]:
    """Yield the difference of two revisions, while their tables are loaded.

    Raises ReviewdataError for a revision without a data package that can be read.
    """
    old, new = (_open(revision) for revision in (base, head))
    with load_pair(old, new) as (before, after):
        yield _compare(base.name, head.name, before, after)


def compare_revisions(project: Path | str, base: str, head: str | None = None) -> Diff:
    """Return what differs between two revisions of a review; without `head`, to its files.

    Raises ReviewdataError as `reviewdata.revisions.open_revision` does.
    """
    with ExitStack() as stack:
        old = stack.enter_context(open_revision(base, project))
        new = Revision(WORKING_TREE, find_folder(project))
        if head is not None:
            new = stack.enter_context(open_revision(head, project))
        return stack.enter_context(compare(old, new)).diff


def _open(revision: Revision) -> Package:
    try:
        return open_package(revision.root)
    except ReviewdataError as error:
        raise ReviewdataError(f"{revision.name}: {error}") from error


def _compare(base: str, head: str, before: Tables, after: Tables) -> Difference:
    old, new = before.package, after.package
    declared = {name: found for name, found in _declared(old, new) if found}
    comparisons: dict[str, Comparison] = {}
    same: set[str] = set()
    tables = []
    for name in dict.fromkeys([*old.resources, *new.resources]):
        if _is_untouched(old.resources.get(name), new.resources.get(name)):
            same.add(name)
        elif name in before.columns and name in after.columns:
            comparisons[name] = Comparison(before, after, name)
        words = tuple(difference.text for difference in declared.get(name, ()))
        change = _table(before, after, name, comparisons.get(name), words)
        if change is not None and (name not in same or words):
            tables.append(change)
    files = list(_files(old.root, new.root))
    if declared.get("") or old.descriptor.get("version") != new.descriptor.get("version"):
        files.insert(0, FileChange(DESCRIPTOR, "changed"))
    figures = compare_figures(before, after)
    claims = compare_claims(before, after)
    lost = [name for name in before.columns if name in new.resources and name not in after.columns]
    reasons: list[Reason] = [("major", f"{name} can no longer be read") for name in lost]
    reasons += find_reasons(old, new, tables, declared, files)
    version = ask_version(old, new, reasons)
    changelog = write_changelog(version, tables, declared, files, [*map(_effect, figures)])
    diff = Diff(
        base, head, tuple(tables), tuple(files), tuple(figures), tuple(claims), version, changelog
    )
    return Difference(before, after, comparisons, frozenset(same), diff)


def _declared(old: Package, new: Package) -> Iterator[tuple[str, list[Declared]]]:
    """Yield what the package (under "") and each table of both sides declare otherwise."""
    yield "", list(compare_descriptors(old.descriptor, new.descriptor))
    for name, resource in new.resources.items():
        if name in old.resources:
            before = old.resources[name]
            yield (
                name,
                [
                    *compare_descriptors(before.descriptor, resource.descriptor),
                    *compare_schemas(before.schema, resource.schema),
                ],
            )


def _is_untouched(old: Resource | None, new: Resource | None) -> bool:
    """Whether a table is the same bytes, read in the same way."""
    if old is None or new is None or old.file is None or new.file is None:
        return False
    read = ("format", "encoding", "dialect")
    return (
        all(old.descriptor.get(name) == new.descriptor.get(name) for name in read)
        and old.schema.get("fields") == new.schema.get("fields")
        and filecmp.cmp(old.file, new.file, shallow=False)
    )


def _table(
    before: Tables, after: Tables, name: str, comparison: Comparison | None, schema: tuple[str, ...]
) -> TableChange | None:
    old, new = (side.package.resources.get(name) for side in (before, after))
    if old is None or new is None:
        side, resource = (after, new) if old is None else (before, old)
        assert resource is not None
        rows = side.count(name) if name in side.columns else 0
        kind, counted = ("added", "added") if old is None else ("removed", "removed")
        return TableChange(name, resource.path, kind, **{counted: rows})  # type: ignore[arg-type]
    if comparison is None:
        unread = _unread(before, after, name)
        return TableChange(name, new.path, "changed", form=unread, schema=schema)
    form = tuple(_form(old, new, comparison))
    columns = tuple(_columns(comparison))
    if comparison.is_same and not (form or columns or schema):
        return None
    return TableChange(
        name,
        new.path,
        "changed",
        matched_by=tuple(new for _, new in comparison.match.key),
        rows=tuple(comparison.rows()) if not comparison.is_same else (),
        columns=columns,
        form=form,
        schema=schema,
        **comparison.counts,
    )


def _unread(before: Tables, after: Tables, name: str) -> tuple[str, ...]:
    """Return in words on which side a table could not be read; nothing where it is untouched."""
    return tuple(
        f"{side} the change it cannot be read; `reviewdata validate` says why"
        for side, tables in (("before", before), ("after", after))
        if name not in tables.columns
    )


def _columns(comparison: Comparison) -> Iterator[str]:
    renamed = dict(comparison.renamed_columns())
    shared = dict(comparison.match.shared)
    for old, new in {**{o: n for o, n in shared.items() if o != n}, **renamed}.items():
        yield f"column {old} is now {new}"
    named = {*renamed.values(), *shared.values()}
    for column in comparison.new_columns:
        if column not in named:
            yield f"column {column} added"
    for column in comparison.old_columns:
        if column not in renamed and column not in shared:
            yield f"column {column} removed"
    if list(shared) != [c for c in comparison.old_columns if c in shared]:
        yield "the columns stand in another order"


def _form(old: Resource, new: Resource, comparison: Comparison) -> Iterator[str]:
    """Yield in words how a file is written otherwise, beside what its cells say."""
    if comparison.is_reordered:
        yield "the records stand in another order"
    if old.file is None or new.file is None:
        return
    same = comparison.is_same and comparison.old_columns == comparison.new_columns
    if is_foreign(old.descriptor) or is_foreign(new.descriptor):
        formats = [format_of(resource.descriptor) for resource in (old, new)]
        if formats[0] != formats[1]:
            yield f"format {formats[0]} -> {formats[1]}"
        elif same and not comparison.is_reordered and _differ(old.file, new.file):
            yield "what is no cell of the table"
        return
    before = describe_file(old.file, old.descriptor)
    after = describe_file(new.file, new.descriptor)
    told = comparison.is_reordered
    for feature, value in after.items():
        # Other cells have other quotes; only where all are the same does their number say much.
        if before[feature] != value and (feature != "quotation marks" or comparison.is_same):
            told = True
            yield f"{feature} {before[feature]} -> {value}"
    if same and not told and _differ(old.file, new.file):
        yield "blank lines, or cells beyond the columns"


def _differ(old: Path, new: Path) -> bool:
    return not filecmp.cmp(old, new, shallow=False)


def _files(old: Path, new: Path) -> Iterator[FileChange]:
    """Yield the rules and queries that differ; a link is a file that holds where it leads."""
    before, after = ({p for p in list_files(r) if p.startswith(FOLDERS)} for r in (old, new))
    for path in sorted(before | after):
        if path not in before:
            yield FileChange(path, "added")
        elif path not in after:
            yield FileChange(path, "removed")
        elif not is_same(old / path, new / path):
            yield FileChange(path, "changed")


def _effect(change: FigureChange) -> str:
    """Return what moved, for the changelog, with all digits that tell the values apart."""
    if change.why:
        return f"{change.query} could not be compared: {change.why}."
    where = ", ".join(str(value) for value in change.where.values())
    moved = ", ".join(f"{n} {_text(a)} -> {_text(b)}" for n, (a, b) in change.values.items())
    return f"{change.query}{f' ({where})' if where else ''}: {moved}."


def _text(value: Any) -> str:
    if value is None:
        return "none"
    return show_fraction(value) if isinstance(value, float) else str(value)
