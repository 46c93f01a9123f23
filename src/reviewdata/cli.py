"""The command line: reads options, calls the verb of the same name, prints what it returns.

Results go to stdout, talk to stderr. Nothing is imported before the command that needs it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from reviewdata.authoring import authoring
from reviewdata.model import EXIT_CODES, Rule
from reviewdata.options import (
    Ignore,
    NoCache,
    Output,
    ProjectArgument,
    ProjectOption,
    ShowAll,
    ValidationFormat,
    Verbose,
)
from reviewdata.publishing import releasing
from reviewdata.querying import query
from reviewdata.render.formats import Format, render_run
from reviewdata.terminal import (
    choose_paint,
    is_in_actions,
    print_result,
    progress,
    run_command,
    talk,
    trace,
)

app = typer.Typer(
    name="reviewdata",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

merging = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.add_typer(merging, name="merge", help="Let git merge the tables by record and cell.")

app.add_typer(releasing, name="release", help="Freeze the dataset, publish it, fetch it.")
app.add_typer(authoring)  # without a name: its commands stand beside those here


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line, that of the process unless `arguments` are given; return its code."""
    return run_command(lambda: app(args=arguments, prog_name="reviewdata"))


@app.callback(invoke_without_command=True)
def start(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Keep a review's extracted data as a validated, computed, citable data package."""
    if version:
        import reviewdata

        print(f"reviewdata {reviewdata.__version__}")
        raise typer.Exit


@app.command()
def run(
    project: ProjectArgument = Path(), no_cache: NoCache = False, verbose: Verbose = False
) -> None:
    """Do the main job: validate, run every query, check the claims."""
    from reviewdata.project import Project
    from reviewdata.render.overview import overview_text

    with progress() as step:
        overview = Project(project).run(trace=trace(verbose), step=step, kept=not no_cache)
    print_result(overview_text(overview, choose_paint()))
    failed = any(isinstance(result, str) for _, result in overview.results)
    raise typer.Exit(2 if failed else EXIT_CODES[overview.validation.verdict])


@app.command()
def validate(
    project: ProjectArgument = Path(),
    stage: Annotated[
        list[str] | None,
        typer.Option(help="Run only this stage; may be repeated.", metavar="STAGE"),
    ] = None,
    format_: ValidationFormat = None,
    output: Output = None,
    select: Annotated[
        list[str] | None,
        typer.Option(help="Judge only codes that start so; may be repeated.", metavar="CODE"),
    ] = None,
    ignore: Ignore = None,
    show_all: ShowAll = False,
    since: Annotated[
        str | None,
        typer.Option(help="Fail only on what this revision does not have.", metavar="REV"),
    ] = None,
    rules_from: Annotated[
        str | None,
        typer.Option(help="Take all but the tables of data/ from this revision.", metavar="REV"),
    ] = None,
    staged: Annotated[
        bool, typer.Option("--staged", help="Take what is staged in git, not the files.")
    ] = False,
    no_cache: NoCache = False,
    verbose: Verbose = False,
) -> None:
    """Say what is wrong with the data, where, and how to mend it."""
    from reviewdata.project import Project
    from reviewdata.render.findings import project_hint
    from reviewdata.saved import gather_run

    chosen = [code.upper() for code in select or ()]
    asked: dict[str, Any] = {"stages": stage or (), "select": chosen, "kept": not no_cache}
    with progress() as step:
        asked |= {"trace": trace(verbose), "step": step}
        if rules_from is None and not staged:
            result = Project(project).validate(since=since, **asked)
        else:  # the descriptor in the folder is not the one that is used, and need not be one
            from reviewdata.contribution import validate_change

            asked |= {"rules_from": rules_from, "staged": staged}
            result = validate_change(project, since=since, **asked)
    chosen_format = _choose_format(format_, output)
    text = render_run(
        gather_run(result, project),
        chosen_format,
        ignore=ignore or (),
        show_all=show_all,
        verbose=verbose,
        where=project_hint(project),
        paint=choose_paint(output),
    )
    print_result(text, output, speaks=chosen_format == "github")
    raise typer.Exit(EXIT_CODES[result.verdict])


@app.command()
def diff(
    base: Annotated[
        str, typer.Argument(help="A revision: of git, a folder or a zip.", metavar="BASE")
    ],
    head: Annotated[
        str | None, typer.Argument(help="Another; the files as they are without.", metavar="HEAD")
    ] = None,
    project: ProjectOption = Path(),
    format_: Annotated[
        Literal["text", "json", "markdown"],
        typer.Option("--format", help="How the difference is printed."),
    ] = "text",
    output: Output = None,
    verbose: Verbose = False,  # read by run_command
) -> None:
    """Say what changed between two revisions, by key and cell.

    And what that does to the figures, the claims and the version.
    """
    from reviewdata.difference import compare_revisions
    from reviewdata.render import diff as render

    found = compare_revisions(project, base, head)
    match format_:
        case "json":
            text = render.diff_json(found)
        case "markdown":
            text = render.diff_markdown(found)
        case _:
            text = render.diff_text(found, choose_paint(output))
    print_result(text, output)


@app.command()
def render(
    saved: Annotated[
        Path,
        typer.Argument(help="What validate --format jsonl has written.", metavar="FINDINGS"),
    ],
    format_: ValidationFormat = None,
    output: Output = None,
    ignore: Ignore = None,
    show_all: ShowAll = False,
) -> None:
    """Show a saved validation again, in any format. Its verdict is not that of this command."""
    from reviewdata.saved import read_saved

    chosen = _choose_format(format_, output)
    paint = choose_paint(output)
    run = read_saved(saved)
    text = render_run(run, chosen, ignore=ignore or (), show_all=show_all, paint=paint)
    print_result(text, output, speaks=chosen == "github")


def _choose_format(given: Format | None, output: Path | None) -> Format:
    """Return the format asked for, else what the reader of the output understands."""
    return given or ("github" if output is None and is_in_actions() else "text")


app.command()(query)


@app.command()
def reproduce(
    project: ProjectArgument = Path(),
    format_: Annotated[
        Literal["text", "json", "markdown"],
        typer.Option("--format", help="How the claims are printed."),
    ] = "text",
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 where a claim differs.")] = False,
    verbose: Verbose = False,  # read by run_command
) -> None:
    """Check the published claims against what the queries give today."""
    from reviewdata.project import Project
    from reviewdata.render.claims import claims_markdown, claims_text
    from reviewdata.render.json import claims_json

    claims = Project(project).reproduce()
    match format_:
        case "json":
            print_result(claims_json(claims))
        case "markdown":
            print_result(claims_markdown(claims))
        case _:
            print_result(claims_text(claims, choose_paint()))
    verdicts = {claim.verdict for claim in claims}
    raise typer.Exit(2 if "broken" in verdicts else 1 if strict and "differs" in verdicts else 0)


@app.command()
def fmt(
    project: ProjectArgument = Path(),
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 where a file would change.")
    ] = False,
    verbose: Verbose = False,  # read by run_command
) -> None:
    """Bring the tables into one form; each cell keeps its text.

    Records stand in the order of the primary key, cells have quotes where they need them, lines
    end in LF, the encoding is UTF-8. A file that must be mended first is left as it is.
    """
    from reviewdata.project import Project
    from reviewdata.render.forms import forms_text, unfit_text

    forms = Project(project).fmt(check=check)
    for line in unfit_text(forms):
        talk(line)
    print_result(forms_text(forms, check=check))
    unfit = any(form.unfit for form in forms)
    raise typer.Exit(2 if unfit else int(check and any(form.reasons for form in forms)))


@merging.command("install")
def merge_install(project: ProjectArgument = Path(), verbose: Verbose = False) -> None:
    """Set the merge driver in this clone, and name it in .gitattributes."""
    from reviewdata.project import Project

    print_result("\n".join(Project(project).merge_install()) + "\n")


@merging.command("driver", hidden=True)
def merge_driver(
    base: Annotated[Path, typer.Argument(metavar="BASE")],
    ours: Annotated[Path, typer.Argument(metavar="OURS")],
    theirs: Annotated[Path, typer.Argument(metavar="THEIRS")],
    path: Annotated[str, typer.Argument(metavar="PATH")],
) -> None:
    """Merge three files as git's merge driver, called with %O %A %B %P; the result is in OURS."""
    from reviewdata.mergedriver import run_driver
    from reviewdata.render.merges import outcome_lines

    outcome = run_driver(base, ours, theirs, path)
    for line in outcome_lines(path, outcome):
        talk(line)
    raise typer.Exit(outcome.code)


@app.command()
def rules(project: ProjectOption = Path()) -> None:
    """List the rules, the review's own included."""
    from reviewdata.render.pages import rules_text

    print_result(rules_text(_rules(project).values(), choose_paint()))


@app.command()
def rule(
    code: Annotated[str, typer.Argument(help="A code such as RD231.", metavar="CODE")],
    project: ProjectOption = Path(),
) -> None:
    """Explain a rule: why, how to mend, source, examples."""
    from reviewdata.render.pages import rule_text
    from reviewdata.rules import find_rule

    print_result(rule_text(find_rule(_rules(project), code), choose_paint()))


def _rules(project: Path) -> Mapping[str, Rule]:
    """Return the rules of the review, or the framework's alone where there is no review."""
    from reviewdata.package import DESCRIPTOR, open_package
    from reviewdata.rules import builtin_rules

    if project == Path() and not Path(DESCRIPTOR).is_file():
        return builtin_rules()
    return open_package(project).rules
