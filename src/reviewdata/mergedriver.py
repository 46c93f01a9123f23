"""The merge driver: git's three files of one path become one, by record and cell where possible."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path, PurePosixPath
from typing import Any

from reviewdata.cells import LineWriter
from reviewdata.form import Unfit, check_encoding, dialect_of, labels_of, read_form
from reviewdata.git import ask_git, last_word
from reviewdata.merging import Conflict, Merged, Unmergeable, Version, merge_tables
from reviewdata.model import ReviewdataError
from reviewdata.output import open_output
from reviewdata.package import DESCRIPTOR, Resource, parse_json
from reviewdata.records import Dialect, Refusal, is_delimited, read_records
from reviewdata.tableschema import find_fault, is_name

_UTF_8 = Dialect().codec

Reader = Callable[[PurePosixPath], bytes | None]
"""Returns what a file of the repository holds; None where there is none."""


@dataclass(frozen=True)
class Outcome:
    """How a merge ended: the conflicts in cells, or why git merged by line and what it said.

    `code` is 1 where somebody has to decide, else 0.
    """

    code: int
    conflicts: tuple[Conflict, ...] = ()
    by_line: str | None = None


def run_driver(base: Path, ours: Path, theirs: Path, path: str) -> Outcome:
    """Merge three files that git has written for one path of the repository, into `ours`.

    The current folder is the top of the working tree. Where the table cannot be merged by
    record and cell, git merges it by line. Raises ReviewdataError for a file that is no file.
    """
    for file in (base, ours, theirs):
        if file.is_symlink() or not file.is_file():
            raise ReviewdataError(f"{file} is no file; git calls the driver with three")
    try:
        merged = _merge(base, ours, theirs, path)
    except Unmergeable as why:
        return _merge_lines(base, ours, theirs, str(why))
    return Outcome(int(bool(merged.conflicts)), merged.conflicts)


def _merge(base: Path, ours: Path, theirs: Path, path: str) -> Merged:
    resource = find_resource(PurePosixPath(path))
    if resource is None:
        raise Unmergeable(f"no {DESCRIPTOR} names it as a CSV or TSV")
    old = Version((), ())  # where both sides have added the file
    if base.stat().st_size:
        old, _ = _read_side("base", base, resource)
    our, end = _read_side("ours", ours, resource)
    their, _ = _read_side("theirs", theirs, resource)
    merged = merge_tables(resource, old, our, their)
    try:
        _write(ours, merged, dialect_of(resource), end)
    except Refusal as refusal:
        raise Unmergeable(f"the result: {refusal.values.get('note')}") from None
    return merged


def _read_side(side: str, file: Path, resource: Resource) -> tuple[Version, str]:
    try:
        return read_version(file, resource)
    except Unfit as unfit:
        at = f"line {unfit.line} of {side}" if unfit.line else side
        raise Unmergeable(f"{at}: {unfit.why}") from None


def read_version(file: Path, resource: Resource) -> tuple[Version, str]:
    """Return the table in a file, and the line end that it has throughout (LF if several).

    Raises Unfit for what cannot be read without a doubt.
    """
    dialect = dialect_of(resource)
    rows: list[list[str]] = []
    ends: set[str] = set()
    for source in read_form(file, resource, dialect, marks=False):
        if source.cells:
            rows.append(source.cells)
            ends |= {source.end} - {""}
    if dialect.codec != _UTF_8:
        check_encoding(file, resource)
    labels = labels_of(resource, dialect, rows[0] if rows else ())
    version = Version(labels, rows[1:] if dialect.header else rows)
    return version, "\r\n" if ends == {"\r\n"} else "\n"


def _write(file: Path, merged: Merged, dialect: Dialect, end: str) -> None:
    """Write the merged table as `fmt` would, but for its line ends and the declared encoding."""
    rows = [merged.labels, *merged.rows] if dialect.header else list(merged.rows)
    writer = LineWriter(dialect)
    lines = [
        writer.line(cells, first=number == 0 or not dialect.header) + end
        for number, cells in enumerate(rows)
    ]
    encoding = "utf-8" if dialect.codec == _UTF_8 else dialect.codec
    with open_output(file) as out:
        out.write("".join(lines).encode(encoding))
        out.flush()
        if not _holds(Path(out.name), dialect, rows):
            raise RuntimeError(f"other records would have been written to {file}")


def _holds(file: Path, dialect: Dialect, rows: Sequence[Sequence[str]]) -> bool:
    """Whether a file has these records and no others."""
    try:
        read = (record.cells for record in read_records(file, dialect))
        return all(a == b and a is not None for a, b in zip_longest(read, map(list, rows)))
    except Refusal as refusal:  # two long texts in one cell
        raise Unmergeable("a cell of the result, with both texts, is too long") from refusal


def _merge_lines(base: Path, ours: Path, theirs: Path, why: str) -> Outcome:
    """Let git merge the lines of the files; where git cannot, `ours` stays, in conflict."""
    labels = [part for side in ("ours", "base", "theirs") for part in ("-L", side)]
    files = [str(file) for file in (ours, base, theirs)]
    ended = ask_git(["merge-file", *labels, "--", *files])
    if not 0 <= ended.returncode < 128:
        why = f"{why}; git: {last_word(ended)}"
    return Outcome(int(ended.returncode != 0), by_line=why)


def find_resource(path: PurePosixPath) -> Resource | None:
    """Return the resource that names a path of the repository, as the commit HEAD describes it.

    The working tree is asked where HEAD has none: its descriptor may itself be in conflict. None
    is returned for what is no CSV or TSV. No link is followed.
    """
    for read in (_read_head, _read_tree):
        for folder in path.parents:
            if found := _find_in(folder, path.relative_to(folder), read):
                return found if is_delimited(found.descriptor) else None
    return None


def _find_in(folder: PurePosixPath, path: PurePosixPath, read: Reader) -> Resource | None:
    descriptor = _read_json(folder / DESCRIPTOR, read)
    listed = descriptor.get("resources") if isinstance(descriptor, dict) else None
    for entry in listed if isinstance(listed, list) else ():
        if not isinstance(entry, dict) or not is_name(entry.get("name")):
            continue
        if isinstance(entry.get("path"), str) and PurePosixPath(entry["path"]) == path:
            schema = entry.get("schema")
            if isinstance(schema, str):
                inside = ".." not in PurePosixPath(schema).parts and schema[:1] != "/"
                schema = _read_json(folder / schema, read) if inside else None
            usable = schema if isinstance(schema, dict) and find_fault(schema) is None else {}
            return Resource(entry["name"], str(path), None, usable, entry)
    return None


def _read_json(path: PurePosixPath, read: Reader) -> Any:
    content = read(path)
    try:
        return None if content is None else parse_json(content, path.name)
    except ReviewdataError:
        return None


def _read_head(path: PurePosixPath) -> bytes | None:
    if "\0" in str(path):
        return None
    ended = ask_git(["cat-file", "blob", f"HEAD:{path}"])
    return ended.stdout if ended.returncode == 0 else None


def _read_tree(path: PurePosixPath) -> bytes | None:
    file = Path(path)
    try:
        if any(part.is_symlink() for part in (file, *file.parents)) or not file.is_file():
            return None
        return file.read_bytes()
    except (OSError, ValueError):  # ValueError: a NUL in the name
        return None
