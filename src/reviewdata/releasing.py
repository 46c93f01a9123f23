"""The commands of `reviewdata release`: read options, call the verb, print what it returns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer

from reviewdata.model import EXIT_CODES
from reviewdata.options import NoCache, ProjectArgument, Verbose
from reviewdata.terminal import choose_paint, is_in_actions, print_result, talk

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def release() -> None:
    """Freeze the dataset as a citable release."""  # without it, one command would be the group


@app.command()
def build(
    project: ProjectArgument = Path(),
    output: Annotated[
        Path | None,
        typer.Option(help="The folder of releases; dist in that of the review.", metavar="DIR"),
    ] = None,
    doi: Annotated[
        str | None, typer.Option(help="The DOI reserved for this version.", metavar="DOI")
    ] = None,
    concept_doi: Annotated[
        str | None, typer.Option(help="The DOI of all versions.", metavar="DOI")
    ] = None,
    publisher: Annotated[
        str, typer.Option(help="The repository that publishes it.", metavar="NAME")
    ] = "",
    since: Annotated[
        str | None,
        typer.Option(help="The release before, where that is no tag of git.", metavar="REV"),
    ] = None,
    format_: Annotated[
        Literal["text", "json"], typer.Option("--format", help="How the result is printed.")
    ] = "text",
    no_cache: NoCache = False,
    verbose: Verbose = False,
) -> None:
    """Check that the dataset is ready, and write its release.

    That is a folder and a zip of it. Offline, and the same bytes each time: the date is
    SOURCE_DATE_EPOCH, else that of the commit. Exit 1 where something stands against the release;
    nothing is written then.
    """
    from reviewdata.project import Project
    from reviewdata.render.findings import finding_line
    from reviewdata.render.releases import release_json, release_text

    with showing_unready(project, format_, verbose):
        built = Project(project).release_build(
            output=output,
            doi=doi,
            concept_doi=concept_doi,
            publisher=publisher,
            since=since,
            trace=talk if verbose else None,
            kept=not no_cache,
        )
    for finding in built.readiness.verdict.findings:
        talk(finding_line(finding))
    if format_ == "json":
        print_result(release_json(built))
    else:
        print_result(release_text(built, choose_paint()))


@contextmanager
def showing_unready(
    project: Path, format_: Literal["text", "json"], verbose: bool, output: Path | None = None
) -> Iterator[None]:
    """Show the findings that stand against a release, and exit as `validate` does."""
    from reviewdata.release.build import NotReadyError

    try:
        yield
    except NotReadyError as refusal:
        from reviewdata.render.findings import project_hint
        from reviewdata.render.formats import render_run
        from reviewdata.saved import gather_run

        verdict = refusal.readiness.verdict
        chosen: Literal["text", "json", "github"] = format_
        if format_ == "text" and is_in_actions():
            chosen = "github"
        text = render_run(
            gather_run(verdict, project),
            chosen,
            verbose=verbose,
            where=project_hint(project),
            paint=choose_paint(),
        )
        print_result(text, output, speaks=chosen == "github")
        raise typer.Exit(EXIT_CODES[verdict.verdict]) from None
