"""A release, built: the package with all that belongs beside it, as a folder and as a zip."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from reviewdata.exporting.whole import file_names
from reviewdata.model import ReviewdataError
from reviewdata.output import open_output
from reviewdata.package import DESCRIPTOR, Package, open_package
from reviewdata.release import citation, datacite, rocrate, schemaorg
from reviewdata.release.archive import (
    SUMS,
    ReleaseFile,
    fix_folder,
    hash_sums,
    json_bytes,
    measure_file,
    measure_folder,
    pack_folder,
    sums_text,
)
from reviewdata.release.codebook import write_codebook
from reviewdata.release.contents import Contents
from reviewdata.release.deposit import UnreadyError
from reviewdata.release.exports import PARQUET, write_parquet, write_results
from reviewdata.release.identifiers import take_doi
from reviewdata.release.metadata import Metadata, is_concept, read_metadata
from reviewdata.release.moment import find_moment
from reviewdata.release.pages import write_html, write_markdown
from reviewdata.release.readiness import Readiness, check_readiness
from reviewdata.release.statements import write_statements
from reviewdata.tables import Tables, load_tables
from reviewdata.trust import FOLDERS
from reviewdata.validation import Trace

OUTPUT = "dist"
"""The folder of releases, in the folder of the review, unless another is named."""


@dataclass(frozen=True)
class Release:
    """A built release.

    `folder` is `DIR/NAME-VERSION`, `archive` the zip of it, which is `zipped` as a file; `files`
    are those in the folder, SHA256SUMS last. `content_hash` is the same for two releases of the
    same content, whatever their version, dates and identifiers; `readiness` has what was checked.
    """

    folder: Path
    archive: Path
    zipped: ReleaseFile
    files: tuple[ReleaseFile, ...]
    metadata: Metadata
    content_hash: str
    readiness: Readiness

    @property
    def name(self) -> str:
        """`NAME-VERSION`."""
        return self.folder.name

    def to_dict(self) -> dict[str, Any]:
        """Return what was built as plain JSON types, for `release build --format json`."""
        meta = self.metadata
        return {
            "version": "1",
            "name": meta.name,
            "release": meta.version,
            "date": meta.date.isoformat(),
            "doi": meta.doi,
            "concept_doi": meta.concept_doi,
            "last": self.readiness.last,
            "content_hash": self.content_hash,
            "folder": str(self.folder),
            "archive": {**_listed(self.zipped), "path": str(self.archive)},
            "files": [_listed(file) for file in self.files],
            "statements": list(meta.statements),
            "findings": [f.to_dict() for f in self.readiness.verdict.findings],
        }


class NotReadyError(UnreadyError):
    """A review that cannot be released; `readiness` has the findings."""

    def __init__(self, readiness: Readiness) -> None:
        errors = [f for f in readiness.verdict.findings if f.level == "error"]
        said = "; ".join(finding.message for finding in errors[:3])
        more = f"; and {len(errors) - 3} more" if len(errors) > 3 else ""
        super().__init__(f"the review is not ready to be released: {said}{more}")
        self.readiness = readiness


def build_release(
    project: Path | str = ".",
    *,
    output: Path | str | None = None,
    doi: str | None = None,
    concept_doi: str | None = None,
    publisher: str = "",
    since: str | None = None,
    trace: Trace | None = None,
    kept: bool = True,
) -> Release:
    """Check a review, write its release to `output`/NAME-VERSION and a zip beside it, return it.

    `output` is `dist` in the folder of the review unless given. `doi` is that of this version and
    `concept_doi` that of all versions, as a repository has reserved them; `publisher` its name.
    `since` is the revision of the last release, where that is no tag. A folder and a zip of the
    same release are replaced. Raises NotReadyError, with the findings, where something stands
    against the release, and ReviewdataError for a DOI that is none, a release without a date, and a
    place that cannot be written or holds something else.
    """
    dois = take_doi(doi, "DOI"), take_doi(concept_doi, "concept DOI")
    if not publisher.isprintable() or any(0xD800 <= ord(c) <= 0xDFFF for c in publisher):
        raise ReviewdataError(f"the publisher {publisher!r} has characters that cannot be printed")
    readiness = check_readiness(project, since=since, trace=trace, kept=kept)
    return write_release(
        readiness, output=output, doi=dois[0], concept_doi=dois[1], publisher=publisher
    )


def write_release(
    readiness: Readiness,
    *,
    output: Path | str | None = None,
    doi: str | None = None,
    concept_doi: str | None = None,
    publisher: str = "",
) -> Release:
    """Write the release of a review that has been checked, and return it; see build_release.

    For a review that is written twice: before and after a repository has reserved its DOI.
    """
    if not readiness.is_ready:
        raise NotReadyError(readiness)
    package = readiness.package
    moment = find_moment(readiness.repository, package.descriptor)
    metadata = read_metadata(
        package,
        moment.date(),
        doi=take_doi(doi, "DOI"),
        concept_doi=take_doi(concept_doi, "concept DOI"),
        publisher=publisher,
        statements=write_statements(readiness.validation),
        changes=readiness.changes,
    )
    target = _find_target(package, output, f"{metadata.name}-{metadata.version}")
    with _beside(target) as folder:
        _write_package(package, readiness.contents, metadata, folder)
        files = _write_made(package, metadata, folder)
        sums = {file.path: file.sha256 for file in files}
        content = hash_sums(sums, (folder / DESCRIPTOR).read_bytes())
        fix_folder(folder, moment)
        archive = target.with_name(f"{target.name}.zip")
        with open_output(archive) as out:
            pack_folder(folder, files, target.name, moment, out)
        _replace(folder, target)
    zipped = measure_file(archive, archive.name)
    return Release(target, archive, zipped, files, metadata, content, readiness)


def _find_target(package: Package, output: Path | str | None, name: str) -> Path:
    """Return the folder to be written; raise ReviewdataError where it must not be."""
    parent = package.root / OUTPUT if output is None else Path(output)
    if output is None and parent.is_symlink():  # of whoever made the review
        raise ReviewdataError(f"{parent} is a link; name the folder with --output")
    inside = os.path.realpath(parent)
    for part in FOLDERS:
        if Path(inside).is_relative_to(package.root / part):
            raise ReviewdataError(f"{parent} lies in {part}/, which is released; name another")
    target = Path(inside) / name
    if target.exists() and not ((target / SUMS).is_file() and (target / DESCRIPTOR).is_file()):
        raise ReviewdataError(f"{target} is there and is no release; move it away")
    archive = target.with_name(f"{name}.zip")
    if target.is_symlink() or archive.is_symlink() or (archive.exists() and not archive.is_file()):
        raise ReviewdataError(f"{target}, or the zip of it, is a link or no file; move it away")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ReviewdataError(f"{target.parent} cannot be made: {error.strerror}") from error
    return target


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """Yield an empty folder beside the target, which is gone at the end whatever happens."""
    with (
        _writing(target),
        tempfile.TemporaryDirectory(
            prefix=".reviewdata-", dir=target.parent, ignore_cleanup_errors=True
        ) as folder,
    ):
        built = Path(folder) / target.name
        built.mkdir()
        yield built


@contextmanager
def _writing(target: Path | str) -> Iterator[None]:
    """Turn what the system says against writing into a ReviewdataError of one line."""
    try:
        yield
    except OSError as error:
        why = error.strerror or str(error)
        raise ReviewdataError(f"{target} cannot be written: {why}") from error


def _replace(folder: Path, target: Path) -> None:
    """Put a built folder in the place of the target."""
    if target.exists():
        target.replace(folder.with_name("before"))
    folder.replace(target)


def _write_package(package: Package, contents: Contents, metadata: Metadata, folder: Path) -> None:
    """Copy the files, as they were when they were checked, into a folder."""
    for path, file in contents.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, folder / path)
        if measure_file(folder / path, path).sha256 != contents.sums[path]:
            raise ReviewdataError(f"{path} has changed since it was checked: build it again")
    descriptor = _with_dois(package.descriptor, metadata)
    if descriptor != package.descriptor:
        (folder / DESCRIPTOR).write_bytes(json_bytes(descriptor))


def _with_dois(descriptor: Mapping[str, Any], metadata: Metadata) -> dict[str, Any]:
    """Return the descriptor with the DOI of the version as its id, where there is one."""
    if metadata.doi is None:
        return dict(descriptor)
    found = dict(descriptor) | {"id": f"https://doi.org/{metadata.doi}"}
    if metadata.concept_doi is not None:
        concept = {
            "relationType": "isVersionOf",
            "relatedIdentifier": f"https://doi.org/{metadata.concept_doi}",
            "relatedIdentifierType": "DOI",
        }
        listed = descriptor.get("relatedIdentifiers")
        others = [e for e in listed if not is_concept(e)] if isinstance(listed, list) else []
        found["relatedIdentifiers"] = [*others, concept]
    return found


def _write_made(package: Package, metadata: Metadata, folder: Path) -> tuple[ReleaseFile, ...]:
    """Write what is made, and return every file; each of the last three names those before it."""
    # Of what is packed: a query that git does not have is none of the release.
    packed = open_package(folder)
    with load_tables(packed, threads=1) as tables, _writing(folder.name):
        for _ in (*write_parquet(tables, folder), *write_results(tables, folder)):
            pass
        blocks = tuple(write_codebook(tables, metadata))
        _write(folder, "codebook.md", write_markdown(blocks))
        _write(folder, "codebook.html", write_html(blocks, f"Codebook: {metadata.title}"))
        words = dict(_words(tables))
    _write(folder, citation.NAME, citation.citation_cff(metadata))
    _write(folder, datacite.NAME, json_bytes(datacite.datacite_json(metadata)))
    files = list(measure_folder(folder))
    dataset = schemaorg.dataset_json(package, metadata, files, words)
    files.append(_write(folder, schemaorg.NAME, json_bytes(dataset)))
    crate = rocrate.crate_json(metadata, files, words)
    files.append(_write(folder, rocrate.NAME, json_bytes(crate)))
    files.sort(key=lambda file: file.path)
    return (*files, _write(folder, SUMS, sums_text(files)))


def _write(folder: Path, path: str, content: str | bytes) -> ReleaseFile:
    (folder / path).write_bytes(content.encode() if isinstance(content, str) else content)
    return measure_file(folder / path, path)


def _words(tables: Tables) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the paths of tables and results with what they are called."""
    from reviewdata.queries import list_queries

    plain = file_names(tables.columns)
    for resource in tables.package.resources.values():
        texts = {k: resource.descriptor.get(k) for k in ("title", "description")}
        said = {k: v for k, v in texts.items() if isinstance(v, str)}
        named = {"name": said.get("title", resource.name)}
        named |= {"description": said["description"]} if "description" in said else {}
        yield resource.path, named
        yield f"{PARQUET}/{plain.get(resource.name, resource.name)}.parquet", named
    for name, query in list_queries(tables.package).items():
        named = {"name": query.title, "description": query.description}
        for path in (f"results/{name}.csv", f"results/{name}.json", f"queries/{name}.sql"):
            yield path, named


def _listed(file: ReleaseFile) -> dict[str, Any]:
    return asdict(file)
