"""The verbs of `reviewdata release` that speak to a server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from reviewdata.model import ReviewdataError
from reviewdata.options import Output, ProjectArgument, Verbose
from reviewdata.releasing import app as releasing
from reviewdata.releasing import showing_unready
from reviewdata.terminal import print_result, talk

if TYPE_CHECKING:
    from reviewdata.release.plan import Publication

__all__ = ["releasing"]

ServerOption = Annotated[
    str,
    typer.Option(help="sandbox or zenodo, or the address of another server.", metavar="SERVER"),
]
TargetOption = Annotated[
    Literal["invenio", "ckan"] | None,
    typer.Option(help="What the server runs; it is asked where this is not given."),
]
OrganisationOption = Annotated[
    str | None,
    typer.Option(help="Of CKAN: who will own the dataset.", metavar="NAME"),
]

SinceOption = Annotated[
    str | None,
    typer.Option(help="The release before, where that is no tag of git.", metavar="REV"),
]

_GO_ON = "the same command goes on where this one ended"


@releasing.command()
def plan(
    project: ProjectArgument = Path(),
    server: ServerOption = "sandbox",
    target: TargetOption = None,
    organisation: OrganisationOption = None,
    since: SinceOption = None,
    format_: Annotated[
        Literal["text", "json"], typer.Option("--format", help="How the plan is printed.")
    ] = "text",
    output: Output = None,
    verbose: Verbose = False,
) -> None:
    """Say what draft and publish would do; the server is only read."""
    from reviewdata.release.plan import plan as make_plan
    from reviewdata.render import publications

    with _publication(
        project, server, target, organisation, since, verbose, format_, output
    ) as publication:
        found = make_plan(publication)
        host = publication.repository.server.host
    render = publications.plan_json if format_ == "json" else publications.plan_text
    print_result(render(found, host), output)
    raise typer.Exit(1 if found.problems else 0)


@releasing.command()
def draft(
    project: ProjectArgument = Path(),
    server: ServerOption = "sandbox",
    target: TargetOption = None,
    organisation: OrganisationOption = None,
    since: SinceOption = None,
    verbose: Verbose = False,
) -> None:
    """Make the draft, with its DOI inside, and compare every byte.

    Run again at any point, it goes on. Where nothing changed since the last version, nothing is
    sent.
    """
    from reviewdata.progress import show_progress
    from reviewdata.release.publishing import draft as make_draft
    from reviewdata.render.publications import draft_text

    begun = time.monotonic()
    with _publication(project, server, target, organisation, since, verbose) as publication:
        with show_progress("sent") as told:
            done = make_draft(publication, told)
        host = publication.repository.server.host
    for warning in done.deposit.warnings:
        talk(f"note: {warning}")
    again = "".join(
        f" --{name} {value}"
        for name, value in (
            ("server", server),
            ("target", target),
            ("organisation", organisation),
            ("since", since),
        )
        if value and (name, value) != ("server", "sandbox")
    )
    print_result(draft_text(done, host, time.monotonic() - begun, again))


@releasing.command()
def publish(
    project: ProjectArgument = Path(),
    yes: Annotated[bool, typer.Option("--yes", help="Yes: it cannot be undone.")] = False,
    server: ServerOption = "sandbox",
    target: TargetOption = None,
    organisation: OrganisationOption = None,
    since: SinceOption = None,
    verbose: Verbose = False,
) -> None:
    """Publish the draft if it is what is built here, and read it back."""
    from reviewdata.release.publishing import publish as publish_draft

    if not yes:
        raise ReviewdataError("what is published cannot be taken back: give --yes")
    with _publication(project, server, target, organisation, since, verbose) as publication:
        publish_draft(publication)
        _verify(publication, tag=True)


@releasing.command()
def verify(
    project: ProjectArgument = Path(),
    server: ServerOption = "sandbox",
    target: TargetOption = None,
    organisation: OrganisationOption = None,
    verbose: Verbose = False,
) -> None:
    """Read the latest version back, byte for byte.

    The DOI of all versions becomes the id in datapackage.json, where that has none.
    """
    opened = _publication(project, server, target, organisation, None, verbose, builds=False)
    with opened as publication:
        _verify(publication)


def _verify(publication: Publication, *, tag: bool = False) -> None:
    from reviewdata.progress import show_progress
    from reviewdata.release.publishing import verify as read_back
    from reviewdata.render.publications import verified_text

    begun = time.monotonic()
    with show_progress("read") as told:
        done = read_back(publication, told)
    print_result(verified_text(done, time.monotonic() - begun, tag=tag))
    if tag and not done.matches:
        raise ReviewdataError(f"{done.published.address} is not what is built here")


@releasing.command()
def fetch(
    what: Annotated[
        str, typer.Argument(help="A DOI, an address or a path; @VERSION for one of them all.")
    ],
    output: Annotated[
        Path | None,
        typer.Option(help="The folder to make; NAME-VERSION without.", metavar="FOLDER"),
    ] = None,
    server: Annotated[
        str | None,
        typer.Option(help="Where a DOI is; it is asked for without.", metavar="SERVER"),
    ] = None,
    target: TargetOption = None,
    verbose: Verbose = False,
) -> None:
    """Fetch a published package, and compare every checksum.

    It leaves a folder for query and diff; of a folder or zip that is there, it checks the sums.
    """
    from reviewdata.progress import show_progress
    from reviewdata.release.fetching import fetch as fetch_package
    from reviewdata.render.publications import fetched_text

    begun = time.monotonic()
    with show_progress("fetched") as told:
        done = fetch_package(what, output, server=server, kind=target, told=told, notice=talk)
    print_result(fetched_text(done, time.monotonic() - begun))


@contextmanager
def _publication(
    project: Path,
    server: str,
    target: str | None,
    organisation: str | None,
    since: str | None,
    verbose: bool,
    format_: Literal["text", "json"] = "text",
    output: Path | None = None,
    builds: bool = True,
) -> Iterator[Publication]:
    """Yield the review and its server, and say after Ctrl-C how to go on.

    What stands against a release is shown as `release build` shows it.
    """
    from reviewdata.release.publication import open_publication

    opened = open_publication(
        project,
        server,
        kind=target,
        organisation=organisation,
        since=since,
        builds=builds,
        notice=talk,
    )
    try:
        with showing_unready(project, format_, verbose, output), opened as publication:
            yield publication
    except KeyboardInterrupt:
        raise KeyboardInterrupt(_GO_ON) from None
