"""What is built of a review, as a deposit to send: the zip, and beside it what people look for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from reviewdata.release.build import Release, write_release
from reviewdata.release.datacite import type_contributor
from reviewdata.release.deposit import Builder, Creator, Deposit, DepositMetadata, File, Related
from reviewdata.release.metadata import Contributor, Metadata
from reviewdata.release.readiness import Readiness, check_readiness
from reviewdata.release.servers import PREFIX

BESIDE = (
    "CITATION.cff",
    "README.md",
    "README-DATA.md",
    "codebook.html",
    "codebook.md",
    "datacite.json",
)
"""Files of the release that are sent beside the zip too, for those who do not unpack it.

datapackage.json and ro-crate-metadata.json are not among them: they describe the files about them,
and those are in the zip.
"""


def make_builder(project: Path, publisher: str, since: str | None = None) -> Builder:
    """Return what builds the release of a review, with the DOIs it is given.

    The review is checked once, when the first is built. `publisher` is the name of the repository,
    as the metadata of the release have it; `since` the release before, where no tag has it. What
    is returned raises NotReadyError and ReviewdataError as
    `reviewdata.release.build.build_release` does.
    """
    checked: list[Readiness] = []
    there: dict[tuple[str | None, str | None], Deposit] = {}  # the one that lies in dist now

    def build(doi: str | None, concept: str | None) -> Deposit:
        if (doi, concept) in there:
            return there[doi, concept]
        if not checked:
            with _without_tokens():
                checked.append(check_readiness(project, since=since))
        readiness = checked[0]
        if doi is not None and concept is None:
            readiness = _forget_concept(readiness)
        release = write_release(readiness, doi=doi, concept_doi=concept, publisher=publisher)
        there.clear()
        there[doi, concept] = hand_over(release)
        return there[doi, concept]

    return build


@contextmanager
def _without_tokens() -> Iterator[None]:
    """Take the tokens out of the environment while rules of the review run, which are Python."""
    kept = {name: text for name, text in os.environ.items() if name.startswith(PREFIX)}
    for name in kept:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(kept)


def _forget_concept(readiness: Readiness) -> Readiness:
    """Return the review as it was before its first version, whose publication gave it an `id`.

    The DOI of all versions is known after the first is public, and was not written into that one:
    without this it would not be found again, byte for byte, once git has the DOI.
    """
    package = readiness.package
    kept = {key: value for key, value in package.descriptor.items() if key != "id"}
    return replace(readiness, package=replace(package, descriptor=kept))


def hand_over(release: Release) -> Deposit:
    """Return a built release as a deposit: its zip, and the files of BESIDE that it has."""
    zipped = release.zipped
    archive = File(release.archive, zipped.size, zipped.md5, zipped.sha256)
    beside = {
        file.path: File(release.folder / file.path, file.size, file.md5, file.sha256)
        for file in release.files
        if file.path in BESIDE
    }
    return Deposit(
        name=release.metadata.name,
        files={release.archive.name: archive} | beside,
        metadata=_describe(release.metadata),
        content_hash=release.content_hash.removeprefix("sha256:"),
        warnings=(*_warn(release.readiness), *release.metadata.statements),
        unsaved=tuple(path for path, _ in release.readiness.contents.uncommitted),
        follows=release.readiness.last is not None,
    )


def _warn(readiness: Readiness) -> Iterator[str]:
    """Yield the warnings of the release stage, those of one rule as one."""
    for code, found in groupby(readiness.verdict.findings, key=lambda finding: finding.code):
        first, *more = found
        yield f"{code}: {first.message}" + (f", and {len(more)} more" if more else "")


def _describe(metadata: Metadata) -> DepositMetadata:
    given = ((s.doi, "doi") if s.doi else (s.url, "url") for s in metadata.sources)
    sources = [Related(found, kind, "IsDerivedFrom") for found, kind in given if found]
    return DepositMetadata(
        title=metadata.title,
        description=metadata.abstract,
        creators=tuple(map(_name, metadata.creators)),
        contributors=tuple(
            replace(_name(other), role=type_contributor(other))
            for other in metadata.contributors
            if set(other.roles) != {"publisher"}
        ),
        licences=tuple(licence.id for licence in metadata.licences),
        version=metadata.version,
        publication_date=metadata.date,
        keywords=metadata.keywords,
        related=tuple(dict.fromkeys(sources)),
    )


def _name(creator: Contributor) -> Creator:
    return Creator(
        creator.name,
        creator.given or "",
        creator.family or "",
        creator.orcid or "",
        creator.organization or "",
    )
