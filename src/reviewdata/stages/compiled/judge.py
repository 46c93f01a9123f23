"""The verdict on one table from SQL."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from functools import cache
from pathlib import Path

from reviewdata.model import Origin
from reviewdata.package import Resource, can_follow
from reviewdata.stages.compiled.cells import accepted, judge_cells
from reviewdata.stages.compiled.keys import judge_keys
from reviewdata.stages.compiled.listing import Listing
from reviewdata.stages.compiled.records import judge_records
from reviewdata.stages.compiled.sheet import Sheet, open_sheet
from reviewdata.stages.errors import Error, Verdict
from reviewdata.tables import Tables

BLOCK = 1024 * 1024


@cache
def _origin() -> Origin:
    import duckdb

    return Origin("duckdb", duckdb.__version__)


def judge(tables: Tables, resource: Resource, usable: Collection[str]) -> Verdict:
    """Return the verdict on a table; keys to tables that are not `usable` are left out.

    Raises Beyond for a table that SQL does not take.
    """
    loaded = tables.loaded[resource.name]
    if loaded.clear:
        wrong = [*_bytes(resource), *_counts(tables, resource, 0)]
        return Verdict(_origin(), wrong, len(loaded.plan.labels), [], accepted={})
    sheet = open_sheet(tables, resource)
    keys = [key for key in resource.foreign_keys if can_follow(tables.package, key, usable)]
    sheets = {resource.name: sheet}

    def other(name: str) -> Sheet:
        if name not in sheets:
            sheets[name] = open_sheet(tables, tables.package.resources[name])
        return sheets[name]

    listing = Listing()
    for error in sheet.header:
        listing.add(error.type, [error])
    blank = judge_records(sheet, listing)
    left_out = listing.found["blank-row"] - len(blank)
    judge_cells(sheet, blank, listing)
    judge_keys(sheet, keys, other, listing)
    if not sheet.labels and not tables.count(resource.name) and not listing.found["blank-row"]:
        listing.add("source-error", [Error("source-error", note="the source is empty")])
    for error in (*_bytes(resource), *_counts(tables, resource, left_out)):
        listing.add(error.type, [error])
    return Verdict(
        _origin(),
        list(listing),
        sheet.labels,
        sheet.unjudged,
        found=listing.more,
        accepted={name: set(texts.values) for name, texts in accepted(sheet).items()},
    )


def _bytes(resource: Resource) -> list[Error]:
    """Return what a file's size and checksum have against it, of the kinds frictionless knows."""
    declared, size = resource.descriptor.get("hash"), resource.descriptor.get("bytes")
    assert resource.file is not None
    found = []
    if isinstance(declared, str) and declared:
        kind, sign, digest = declared.partition(":")
        kind, digest = (kind, digest) if sign else ("md5", kind)
        if kind in ("md5", "sha256"):
            actual = _digest(resource.file, kind)
            if actual != digest:
                found.append(Error("hash-count", note=_differs(digest, actual)))
    if isinstance(size, int) and size and size != (actual_size := resource.file.stat().st_size):
        found.append(Error("byte-count", note=_differs(size, actual_size)))
    return found


def _counts(tables: Tables, resource: Resource, left_out: int) -> list[Error]:
    """Return what the declared numbers of fields and records have against the table.

    `left_out` is the number of records that hold nothing and so are not in it.
    """
    declared = resource.descriptor
    found, fields = [], len(resource.fields)
    if isinstance(number := declared.get("fields"), int) and number not in (0, fields):
        found.append(Error("field-count", note=_differs(number, fields)))
    if isinstance(number := declared.get("rows"), int) and number:
        rows = tables.count(resource.name) + left_out
        if number != rows:
            found.append(Error("row-count", note=_differs(number, rows)))
    return found


def _differs(expected: object, actual: object) -> str:
    return f'expected is "{expected}" and actual is "{actual}"'


def _digest(file: Path, kind: str) -> str:
    hasher = hashlib.new(kind, usedforsecurity=False)
    with file.open("rb") as binary:
        while block := binary.read(BLOCK):
            hasher.update(block)
    return hasher.hexdigest()
