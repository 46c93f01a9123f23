"""Rows on trial: laid into a copy of the review, judged there, and written if they may stand."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from reviewdata.adding.records import Records, Row, read_table_file, write_records
from reviewdata.checksums import Checksums
from reviewdata.contribution import validate_change
from reviewdata.descriptor import change_values
from reviewdata.model import ReviewdataError, Validation
from reviewdata.output import open_output
from reviewdata.package import DESCRIPTOR, Package, open_package
from reviewdata.rules import nearest
from reviewdata.trust import copy_package

STAGES = ("structure", "rows", "relations")
"""What judges a row at once."""

HERE = "the review"
"""What the findings that were there before are said to be of."""


@dataclass(frozen=True)
class Change:
    """What is done to a table: rows that are added, and cells that are changed, by place."""

    records: Records
    new: tuple[Sequence[str], ...] = ()
    changed: Mapping[int, Sequence[str]] | None = None


@dataclass(frozen=True)
class Placed:
    """A row that was, or would be, added: its table, file, line and key."""

    table: str
    path: str
    line: int
    key: tuple[str, ...]


@dataclass(frozen=True)
class Added:
    """What came of a trial: the rows, how many were changed, what was found, whether it stands."""

    placed: tuple[Placed, ...]
    changed: int
    validation: Validation
    written: bool


def find_table(package: Package, name: str) -> Records:
    """Return the records of a table by its name. Raises ReviewdataError where there is none."""
    if name not in package.resources:
        hint = nearest(name, dict(package.resources))
        raise ReviewdataError(f"the review has no table {name}; {hint}")
    return read_table_file(package.resources[name])


def add_row(
    project: Path | str, table: str, row: Row, *, check: bool = False, force: bool = False
) -> Added:
    """Add one row to a table, if nothing that it brings is an error, and return what came of it.

    See add_changes. Raises ReviewdataError for a table or a column that is not there.
    """
    records = find_table(open_package(project), table)
    if not any(row.values()):
        raise ReviewdataError(f"a row of {table} without any value is none")
    change = Change(records, (records.cells_of(row),))
    return add_changes(project, [change], check=check, force=force)


def add_changes(
    project: Path | str,
    changes: Sequence[Change],
    *,
    check: bool = False,
    force: bool = False,
) -> Added:
    """Lay changes into a copy of the review, judge what they bring, and write them.

    Nothing is written where `check`, where an error is found that the review did not have
    (unless `force`), or where a rule could not be run. Raises ReviewdataError where a file
    cannot be written, or was changed meanwhile.
    """
    package = open_package(project)
    made: dict[str, tuple[Change, bytes]] = {}
    placed: list[Placed] = []
    count = 0
    for change in changes:
        records = change.records
        content, lines = write_records(records, change.new, change.changed or {})
        made[records.resource.name] = change, content
        count += len(change.changed or {})
        placed += [
            Placed(records.resource.name, records.resource.path, line, records.key_of(cells))
            for line, cells in zip(lines, change.new, strict=True)
        ]
    descriptor = package.root / DESCRIPTOR if Path(project).is_dir() else Path(project)
    if descriptor.name != DESCRIPTOR:
        raise ReviewdataError(
            f"{descriptor} is not named {DESCRIPTOR}; rows are added to such alone"
        )
    described = _describe(package, descriptor, made)
    with tempfile.TemporaryDirectory(prefix="reviewdata-", ignore_cleanup_errors=True) as folder:
        trial = Path(folder).resolve()
        try:
            copy_package(package, trial)
            for change, content in made.values():
                _lay(trial, change.records.resource.path, content)
            _lay(trial, DESCRIPTOR, described)
        except OSError as error:
            why = error.strerror or str(error)
            raise ReviewdataError(f"the review cannot be copied to {trial}: {why}") from error
        found = validate_change(trial, since=str(package.root), stages=STAGES)
    found = replace(found, since=HERE)
    stands = found.verdict == "pass" or (force and found.verdict == "fail")
    if stands and not check:
        _write(made, descriptor, described)
    return Added(tuple(placed), count, found, stands and not check)


def _lay(trial: Path, path: str, content: bytes) -> None:
    """Write a file of the trial; nothing is written through a link, which may lead out of it."""
    file = trial / path
    if not Path(os.path.realpath(file.parent)).is_relative_to(trial):
        raise ReviewdataError(f"{path} lies behind a linked folder; rows are added to none there")
    file.unlink(missing_ok=True)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


def _describe(
    package: Package, descriptor: Path, made: Mapping[str, tuple[Change, bytes]]
) -> bytes:
    """Return the descriptor with the sizes and checksums that it declares of the new files."""
    before = descriptor.read_bytes()
    text = before.decode("utf-8")
    for name, (change, content) in made.items():
        sums = Checksums(package.resources[name].descriptor)
        if not sums.declared:
            continue
        if not sums.hold(change.records.file):
            raise ReviewdataError(
                f"{change.records.resource.path} has not the size or checksum that {DESCRIPTOR}"
                " declares; restore the file, or correct `bytes` and `hash`"
            )
        changed = change_values(text, name, sums.measure([content]))
        if changed is None:
            raise ReviewdataError(f"{DESCRIPTOR} says the size of {name} in a way that is not read")
        text = changed
    return text.encode("utf-8")


def _write(made: Mapping[str, tuple[Change, bytes]], descriptor: Path, described: bytes) -> None:
    """Write the files, each beside its place before the first is renamed."""
    with ExitStack() as stack:
        if described != descriptor.read_bytes():
            stack.enter_context(open_output(descriptor)).write(described)
        for change, content in made.values():
            stack.enter_context(open_output(change.records.file)).write(content)
        for change, _ in made.values():
            if change.records.file.read_bytes() != change.records.stamp:
                raise ReviewdataError(
                    f"{change.records.resource.path} was changed meanwhile; try again"
                )
