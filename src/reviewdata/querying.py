"""The command `reviewdata query`: which query, with which values, printed how."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from reviewdata.model import QueryResult, ReviewdataError
from reviewdata.options import Output, ProjectOption, Verbose
from reviewdata.terminal import print_result, talk


def query(
    name: Annotated[
        str | None, typer.Argument(help="A file of queries/, without .sql.", metavar="NAME")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Run every query.")] = False,
    sql: Annotated[str | None, typer.Option(help="Run this SELECT.", metavar="TEXT")] = None,
    project: ProjectOption = Path(),
    param: Annotated[
        list[str] | None,
        typer.Option(help="A parameter of the query; may be repeated.", metavar="NAME=VALUE"),
    ] = None,
    timeout: Annotated[
        float, typer.Option(help="Seconds after which a query is stopped.", metavar="SECONDS")
    ] = 60.0,
    format_: Annotated[
        Literal["table", "csv", "json", "markdown", "parquet"],
        typer.Option("--format", help="How the rows are printed."),
    ] = "table",
    output: Output = None,
    print_sql: Annotated[
        bool, typer.Option("--print-sql", help="Print the SQL instead of running it.")
    ] = False,
    verbose: Verbose = False,  # read by run_command
) -> None:
    """Run a query on the tables; without a name, list the queries."""
    _check_query(name, every, sql, param, format_, output, print_sql)
    from reviewdata.package import open_package
    from reviewdata.project import Project
    from reviewdata.queries import find_query, list_queries, parse_assignments, script

    values = parse_assignments(param or [])
    if print_sql:
        package = open_package(project)
        chosen = list_queries(package).values() if every else []
        if name is not None:
            chosen = [find_query(package, name)]
        text = "\n".join(script(q, values) for q in chosen)
        if sql is not None:
            from reviewdata.synthesis import macros

            text = f"{macros.script(sql)}{sql}\n"
        print_result(text, output, raw=True)
    elif every:
        raise typer.Exit(_query_all(project, timeout, format_, output))
    elif name is None and sql is None:
        from reviewdata.render.results import queries_text

        print_result(queries_text(list_queries(open_package(project)).values()), output)
    elif format_ == "parquet" and output is not None:
        Project(project).save(output, name, sql=sql, params=values, timeout=timeout)
    else:
        result = Project(project).query(name, sql=sql, params=values, timeout=timeout)
        print_result(_rendered(result, format_), output, raw=format_ == "csv")
        _tell([result])


def _check_query(
    name: str | None,
    every: bool,
    sql: str | None,
    param: list[str] | None,
    format_: str,
    output: Path | None,
    print_sql: bool,
) -> None:
    """Raise ReviewdataError for options of `query` that do not go together."""
    if sum((name is not None, every, sql is not None)) > 1:
        raise ReviewdataError("a name, --all and --sql exclude each other")
    if param and sql is not None:
        raise ReviewdataError("parameters belong to a query file; write them into the SQL text")
    if param and name is None:
        raise ReviewdataError("--param is of one query; name it")
    if name is None and sql is None and not every and (print_sql or format_ != "table"):
        raise ReviewdataError("which query? name one, or give --all or --sql")
    if format_ == "parquet" and output is None and not print_sql:
        raise ReviewdataError("parquet is no text; name a file with --output")
    if every and format_ in ("csv", "parquet"):
        raise ReviewdataError(f"{format_} holds one table; name one query")


def _query_all(project: Path, timeout: float, format_: str, output: Path | None) -> int:
    from reviewdata.project import Project

    results = Project(project).query_all(timeout=timeout)
    given = [result for _, result in results if not isinstance(result, str)]
    if format_ == "json":
        from reviewdata.render.json import queries_json

        print_result(queries_json(given), output)
    else:
        from reviewdata.render.markdown import markdown_text
        from reviewdata.render.values import plain

        mark, head = ("## ", markdown_text) if format_ == "markdown" else ("", plain)
        parts = [f"{mark}{head(f'{r.query}: {r.title}')}\n\n{_rendered(r, format_)}" for r in given]
        print_result("\n".join(parts), output)
    _tell(given)
    failed = [(found.name, why) for found, why in results if isinstance(why, str)]
    for name, why in failed:
        talk(f"{name} could not be run: {why}")
    return 2 if failed else 0


def _tell(results: Sequence[QueryResult]) -> None:
    """Say on standard error what was found on the queries themselves."""
    for finding in (finding for result in results for finding in result.findings):
        talk(f"{finding.level} {finding.code}: {finding.message}")


def _rendered(result: QueryResult, format_: str) -> str:
    from reviewdata.render import json, results

    renderers: dict[str, Callable[[QueryResult], str]] = {
        "table": results.result_table,
        "csv": results.result_csv,
        "json": json.query_json,
        "markdown": results.result_markdown,
    }
    return renderers[format_](result)
