"""A review and the server that it is published on, opened together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reviewdata.package import DESCRIPTOR, open_package
from reviewdata.release.build import OUTPUT
from reviewdata.release.concept import find_concept, is_rehearsal
from reviewdata.release.handover import make_builder
from reviewdata.release.plan import Publication
from reviewdata.release.servers import find_server, find_token, name_publisher
from reviewdata.release.state import State
from reviewdata.release.targets import open_repository
from reviewdata.release.web import Notice, untold

STATE = ".publishing.json"
"""The file, in the folder of releases, that says which draft is ours."""


@contextmanager
def open_publication(
    project: Path,
    server: str = "sandbox",
    *,
    kind: str | None = None,
    organisation: str | None = None,
    since: str | None = None,
    builds: bool = True,
    notice: Notice = untold,
) -> Iterator[Publication]:
    """Yield a review and its server, and close the connections at the end.

    `server` is sandbox, zenodo or an address, `kind` invenio or ckan (asked of the server where it
    is None), `organisation` who will own the dataset on a CKAN; `since` is the release before,
    where no tag of git has it; with `builds` the review is built before the server is asked
    anything; `notice` is given a line where a wait is long. Raises
    ReviewdataError for a folder that is no data package, without a token, and for a server that is
    none.
    """
    package = open_package(project)
    found = find_server(server)
    token = find_token(found)
    builder = make_builder(project, name_publisher(found), since)
    if builds:
        builder(None, None)
    repository = open_repository(found, token, kind, organisation=organisation, notice=notice)
    concept = find_concept(package.descriptor, found)
    try:
        yield Publication(
            str(package.descriptor.get("name") or ""),
            repository,
            builder,
            concept,
            State(package.root / OUTPUT / STATE),
            # Where git names a concept on another server, it cannot name the one here as well.
            adopts=is_rehearsal(found) or (concept is None and bool(package.descriptor.get("id"))),
            descriptor=project / DESCRIPTOR if project.is_dir() else project,
        )
    finally:
        repository.close()
