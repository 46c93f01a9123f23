"""Every table of a review brought into one form, and what of the descriptor depends on it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from reviewdata.checksums import Checksums
from reviewdata.compressed import compression_of
from reviewdata.descriptor import Place, change_values, find_repeated
from reviewdata.form import ENCODING, Look, Unfit, check_encoding, check_same, form_lines, look_at
from reviewdata.model import ReviewdataError
from reviewdata.output import open_output
from reviewdata.package import DESCRIPTOR, Package, Resource, open_package
from reviewdata.records import format_of, is_delimited


@dataclass(frozen=True)
class FileForm:
    """A file of the review: what was, or would be, changed of it, or why it is left as it is.

    `reasons` are what was not in the form, none where all is as it should be; `described` the
    properties of its resource that change with it. `unfit` says what to mend first, `skipped`
    the format of a file that is no CSV or TSV.
    """

    path: str
    reasons: tuple[str, ...] = ()
    described: tuple[str, ...] = ()
    unfit: Unfit | None = None
    skipped: str | None = None


def format_package(project: Path | str, *, check: bool = False) -> tuple[FileForm, ...]:
    """Bring every CSV and TSV of a package into the form, and return what was changed of each.

    Where `check`, nothing is written. A file that must be left as it is does not keep the
    others from being formatted. Raises ReviewdataError where there is no package.
    """
    package = open_package(project)
    file = Path(project) / DESCRIPTOR if Path(project).is_dir() else Path(project)
    return tuple(_forms(package, file, check))


def _forms(package: Package, descriptor: Path, check: bool) -> Iterator[FileForm]:
    for finding in package.findings:
        if finding.code in _NO_RESOURCE:
            yield FileForm(DESCRIPTOR, unfit=Unfit(finding.message, finding.fix))
    for resource in package.resources.values():
        if resource.path and not is_delimited(resource.descriptor):
            skipped = compression_of(resource.descriptor) or format_of(resource.descriptor)
            skipped = skipped or "of no name"
            yield FileForm(resource.path, skipped=skipped)
            continue
        try:
            yield _form(_find_file(package, resource), resource, descriptor, check)
        except Unfit as unfit:
            yield FileForm(resource.path or DESCRIPTOR, unfit=unfit)
        except ReviewdataError as error:  # a full disk, a folder that must not be written to
            yield FileForm(resource.path, unfit=Unfit(str(error), ""))
        except OSError as error:
            why = f"it cannot be read: {(error.strerror or str(error)).lower()}"
            yield FileForm(resource.path, unfit=Unfit(why, ""))


_NO_RESOURCE = ("RD001", "RD010")
_NO_TABLE = ("RD003", "RD004", "RD005", "RD006", "RD007", "RD012")


def _find_file(package: Package, resource: Resource) -> Path:
    """Return the file of a resource. Raises Unfit where it or its schema cannot be used."""
    for finding in package.findings:
        without = finding.code == "RD007" and "schema" not in resource.descriptor  # has no key
        if finding.table == resource.name and finding.code in _NO_TABLE and not without:
            raise Unfit(finding.message, finding.fix)
    assert resource.file is not None
    real = os.path.realpath(resource.file)
    for other in package.resources.values():
        if other is not resource and other.file and os.path.realpath(other.file) == real:
            why = f"the resources {resource.name} and {other.name} share the file"
            raise Unfit(why, "Give each a file of its own.")
    return resource.file


def _form(file: Path, resource: Resource, descriptor: Path, check: bool) -> FileForm:
    text = descriptor.read_bytes().decode(ENCODING)
    if repeated := find_repeated(text, resource.name):
        why = f"{DESCRIPTOR} gives {repeated} of {resource.name} more than once"
        raise Unfit(why, "Remove all but the right one.")
    before = _stamp(file)
    look = look_at(file, resource)
    if not look.reasons:
        return FileForm(resource.path)
    changes: dict[Place, str | int] = {}
    if "encoding" in look.reasons:
        check_encoding(file, resource)
        changes["encoding",] = ENCODING
    checksums = Checksums(resource.descriptor)
    if not checksums.hold(file):
        why = f"it has not the size or checksum that {DESCRIPTOR} declares"
        raise Unfit(why, "Restore the file, or correct `bytes` and `hash` of the resource.")
    # Before anything is written, so that neither file is changed without the other.
    _describe(text, resource, dict.fromkeys([*changes, *checksums.declared], ""))
    lines = form_lines(file, resource, look)
    if not check:
        changes |= _write(file, resource, look, lines, before, descriptor, changes, checksums)
    elif checksums.declared:
        changes |= checksums.measure(lines)
    told = (place for place, value in changes.items() if checksums.declared.get(place) != value)
    return FileForm(resource.path, look.reasons, tuple(".".join(place) for place in told))


def _stamp(file: Path) -> tuple[int, int, int]:
    """Return what is another number where a file has changed."""
    seen = file.stat()
    return seen.st_mtime_ns, seen.st_size, seen.st_ino


def _write(
    file: Path,
    resource: Resource,
    look: Look,
    lines: Iterator[bytes],
    before: tuple[int, int, int],
    descriptor: Path,
    changes: dict[Place, str | int],
    checksums: Checksums,
) -> dict[Place, str | int]:
    """Write the file, and the descriptor where it changes too; return its sums as they are now.

    Both are written beside their places before the first is renamed.
    """
    with ExitStack() as stack:
        described = None
        if changes or checksums.declared:
            described = stack.enter_context(open_output(descriptor))
        out = stack.enter_context(open_output(file))  # renamed first

        def written() -> Iterator[bytes]:
            for line in lines:
                out.write(line)
                yield line

        measured = checksums.measure(written())
        out.flush()
        if _stamp(file) != before:
            raise Unfit("it was changed while it was read", "Run fmt again.")
        check_same(Path(out.name), resource, look)
        if described is not None:
            text = descriptor.read_bytes().decode(ENCODING)
            described.write(_describe(text, resource, changes | measured).encode(ENCODING))
            described.flush()
    return measured


def _describe(text: str, resource: Resource, values: dict[Place, str | int]) -> str:
    """Return the descriptor with values changed. Raises Unfit where that cannot be done."""
    changed = change_values(text, resource.name, values)
    if changed is None:
        names = ", ".join(".".join(place) for place in values)
        why = f"{DESCRIPTOR} says {names} of it in a way that cannot be changed in place"
        raise Unfit(why, "Write each as a plain property of the resource.")
    return changed
