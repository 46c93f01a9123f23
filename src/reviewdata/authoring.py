"""The commands that begin a review, fill it and hand it on: read options, call, print."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from reviewdata.model import EXIT_CODES, ReviewdataError
from reviewdata.options import Output, ProjectArgument, ProjectOption, Verbose
from reviewdata.terminal import choose_paint, print_result, talk

authoring = typer.Typer(rich_markup_mode=None)


@authoring.command()
def init(
    folder: Annotated[Path, typer.Argument(help="The folder to make.", metavar="DIR")],
    title: Annotated[
        str | None, typer.Option(help="What the review is called.", metavar="TEXT")
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(
            help="The kind of outcome: sample-mean, mean-difference, two-by-two, correlation"
            " or estimate.",
            metavar="KIND",
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="The name of the data package; that of DIR without.", metavar="NAME"),
    ] = None,
    author: Annotated[
        str | None, typer.Option(help="Who is named as contributor.", metavar="NAME")
    ] = None,
    ci: Annotated[
        Literal["github", "gitlab", "both", "none"],
        typer.Option(help="Whose files for CI are written."),
    ] = "github",
    action: Annotated[
        str | None,
        typer.Option(
            help="The address and commit of reviewdata for GitHub: OWNER/NAME@HASH.",
            metavar="ADDRESS",
        ),
    ] = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Write into a folder that is not empty; what is replaced is kept beside it.",
        ),
    ] = False,
    verbose: Verbose = False,  # read by run_command
) -> None:
    """Begin a review, with a synthetic example of two studies.

    The whole layout is written. On a terminal, the title and the kind are asked for where they
    are not given.
    """
    from reviewdata.asking import ask, can_ask
    from reviewdata.render.starting import started_text
    from reviewdata.starter import OUTCOMES, check_outcome, check_title
    from reviewdata.starter import init as make

    if (title is None or kind is None) and not can_ask():
        missing = "--title" if title is None else "--kind"
        raise ReviewdataError(f"{missing} is not given, and there is no terminal to ask at")
    if title is None:
        title = ask("What is the review called?", check=check_title)
    if kind is None:
        kind = ask("Which kind of outcome has it?", choices=OUTCOMES, check=check_outcome)
    started = make(
        folder,
        title=title,
        kind=kind,
        name=name,
        author=author,
        ci=ci,
        action=action,
        force=force,
    )
    for path, kept in started.replaced.items():
        talk(f"{path} was there with other content: replaced, and kept as {kept}")
    print_result(started_text(started))


@authoring.command()
def export(
    format_: Annotated[
        Literal["xlsx", "metafor", "parquet", "sqlite", "duckdb", "csv"],
        typer.Argument(help="The format of the export.", metavar="FORMAT"),
    ],
    project: ProjectArgument = Path(),
    output: Annotated[
        Path | None,
        typer.Option(
            help="The file, or of csv, parquet and metafor the folder; in export/ without.",
            metavar="PATH",
        ),
    ] = None,
    force: Annotated[
        bool,
        typer.Option("--force", help="Replace what is there, a workbook that was changed too."),
    ] = False,
    verbose: Verbose = False,  # read by run_command
) -> None:
    """Write the tables for other programs.

    xlsx is a workbook to fill in, which add --from takes back. metafor is a CSV of each declared
    statistic and an R script. parquet, sqlite and duckdb are typed, with the text as printed
    beside.
    """
    from reviewdata.project import Project
    from reviewdata.render.exports import exported_text

    done = Project(project).export(format_, output=output, force=force)
    for note in done.notes:
        talk(note)
    print_result(exported_text(done))


@authoring.command()
def add(
    table: Annotated[
        str | None, typer.Argument(help="The table that gets the row.", metavar="TABLE")
    ] = None,
    argument: ProjectArgument = Path(),
    project: ProjectOption = Path(),
    given: Annotated[
        list[str] | None,
        typer.Option("--set", help="A cell of the row; may be repeated.", metavar="COLUMN=VALUE"),
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option(
            "--from",
            help="A workbook that export xlsx has written; without TABLE, every sheet.",
            metavar="FILE",
        ),
    ] = None,
    update: Annotated[
        bool, typer.Option("--update", help="Take cells that differ from the workbook too.")
    ] = False,
    check: Annotated[bool, typer.Option("--check", help="Write nothing.")] = False,
    force: Annotated[
        bool,
        typer.Option("--force", help="Write also where an error is found, to waive it then."),
    ] = False,
    verbose: Verbose = False,  # read by run_command
) -> None:
    """Add a row to a table, and say at once what is wrong with it.

    The cells come from --set, from a workbook, or on a terminal from questions. What the row
    brings is judged before anything is written: exit 1, and no row, where that is an error.
    """
    from reviewdata.adding.session import ask_and_add, parse_cells
    from reviewdata.asking import can_ask
    from reviewdata.project import Project
    from reviewdata.render.additions import added_text
    from reviewdata.render.findings import project_hint, validation_text

    project = argument if argument != Path() else project  # where no table is named
    review = Project(project)
    if source is not None and given:
        raise ReviewdataError("--from and --set exclude each other")
    if source is None and (table is None or update):
        raise ReviewdataError("which table? name one" if table is None else "--update needs --from")
    if source is not None:
        done, notes = review.add_from(source, table, update=update, check=check, force=force)
        for note in notes:
            talk(note)
    elif given:
        done = review.add(str(table), parse_cells(given), check=check, force=force)
    elif can_ask():
        done = ask_and_add(review, str(table), check=check, force=force)
    else:
        raise ReviewdataError("--set is not given, and there is no terminal to ask at")
    if done is None:
        print_result("nothing to add\n")
        return
    if any(finding.counts for finding in done.validation.findings):
        where = project_hint(project)
        print_result(
            validation_text(done.validation, review.rules, where=where, paint=choose_paint())
        )
    print_result(added_text(done, check=check))
    stands = done.written or done.validation.verdict == "pass"
    raise typer.Exit(0 if stands else EXIT_CODES[done.validation.verdict])


@authoring.command()
def stats(
    project: ProjectArgument = Path(),
    format_: Annotated[
        Literal["text", "json", "markdown"],
        typer.Option("--format", help="How the result is printed."),
    ] = "text",
    output: Output = None,
    show_all: Annotated[bool, typer.Option("--all", help="Show every missing number.")] = False,
    verbose: Verbose = False,  # read by run_command
) -> None:
    """Say which effect sizes each study gives, and what would give more.

    That is one missing number which would unlock a row.
    """
    from reviewdata.project import Project
    from reviewdata.render.stats import stats_json, stats_text

    found = Project(project).stats()
    if format_ == "json":
        print_result(stats_json(found), output)
    else:
        text = stats_text(found, markdown=format_ == "markdown", show_all=show_all)
        print_result(text, output)
