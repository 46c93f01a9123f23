"""Query files: one SELECT a file, described by comments at its head, run on the tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reviewdata.columns import quote_name, quote_text
from reviewdata.model import QueryResult, ReviewdataError
from reviewdata.package import Package
from reviewdata.rules import nearest
from reviewdata.tables import TIME_LIMIT, QueryError, Tables

FOLDER = "queries"
_HEAD = re.compile(r"--\s*(title|description|grain|headline|param)\b\s*:?\s*(.*)")
_PARAM = re.compile(r"(\w+)\s+([\w() ,]+?)\s*=\s*(.+)")


@dataclass(frozen=True)
class Parameter:
    """A value that a query reads with getvariable('name'); `default` is an SQL literal."""

    name: str
    type: str
    default: str


@dataclass(frozen=True)
class Query:
    """A query file: its words, its parameters and its one SELECT."""

    name: str
    path: Path
    sql: str
    title: str
    description: str
    grain: str
    headline: bool
    parameters: tuple[Parameter, ...]


def list_queries(package: Package) -> dict[str, Query]:
    """Return the query files of a package by name (the file's stem), in order of name."""
    folder = package.root / FOLDER
    return {path.stem: read_query(path) for path in sorted(folder.glob("*.sql"))}


def find_query(package: Package, name: str) -> Query:
    """Return one query file. Raises ReviewdataError, naming the nearest, where there is none."""
    path = package.root / FOLDER / f"{name}.sql"
    known = {p.stem: p for p in sorted((package.root / FOLDER).glob("*.sql"))}
    if name not in known:
        raise ReviewdataError(f"no query {name} in {FOLDER}/; {nearest(name, known)}")
    return read_query(path)


def read_query(path: Path) -> Query:
    """Return the query in a file.

    The comments at the head have the form `-- key: value`; a line that goes on with the
    last value is a comment without a key. Raises ReviewdataError for one that is not UTF-8
    or whose parameter is not of the form `-- param NAME TYPE = DEFAULT`.
    """
    try:
        sql = path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise ReviewdataError(f"{path.name} is not UTF-8: byte {error.start}") from error
    words: dict[str, str] = {}
    parameters = []
    key = ""
    for line in sql.splitlines():
        if not line.startswith("--"):
            break
        match = _HEAD.match(line)
        if match is None:
            if key:
                words[key] += " " + line.lstrip("- ").strip()
        elif match[1] == "param":
            parameters.append(_parse_parameter(match[2], path))
            key = ""
        else:
            key = match[1]
            words[key] = match[2].strip()
    return Query(
        name=path.stem,
        path=path,
        sql=sql,
        title=words.get("title", path.stem.replace("_", " ")),
        description=words.get("description", ""),
        grain=words.get("grain", ""),
        headline=words.get("headline", "no").lower() == "yes",
        parameters=tuple(parameters),
    )


def run_query(
    tables: Tables,
    query: Query,
    given: Mapping[str, str] | None = None,
    *,
    timeout: float = TIME_LIMIT,
) -> QueryResult:
    """Run a query file with its parameters, `given` ones as text, and return its rows.

    Raises QueryError where the statement fails or names an unread table, ReviewdataError
    for a parameter that the query does not have or a value that is not of its type.
    """
    values = _bind(tables, query, given or {})
    result = run_sql(tables, query.sql, name=query.name, variables=values, timeout=timeout)
    return QueryResult(result.query, result.columns, result.rows, title=query.title)


def run_sql(
    tables: Tables,
    sql: str,
    *,
    name: str = "",
    variables: Mapping[str, Any] | None = None,
    timeout: float = TIME_LIMIT,
) -> QueryResult:
    """Run one SELECT and return its rows; see Tables.select for what is raised."""
    unread = tables.unread(sql)
    if unread:
        raise QueryError(f"the table {unread[0]} could not be read; `reviewdata validate` says why")
    result = tables.query(sql, variables, timeout=timeout)
    return QueryResult(name, result.columns, tuple(result.rows))


def script(query: Query, given: Mapping[str, str]) -> str:
    """Return the SQL that any DuckDB shell runs: the parameters set, then the query."""
    values = {p.name: p.default for p in query.parameters}
    for name, text in given.items():
        if name not in values:
            raise ReviewdataError(f"{query.name} has no parameter {name}; {nearest(name, values)}")
        values[name] = quote_text(text)
    lines = [
        f"SET VARIABLE {quote_name(p.name)} = CAST({values[p.name]} AS {p.type});\n"
        for p in query.parameters
    ]
    return "".join(lines) + query.sql.rstrip().rstrip(";") + ";\n"


def parse_assignments(texts: Iterable[str]) -> dict[str, str]:
    """Return parameters from texts of the form `name=value`. Raises ReviewdataError otherwise."""
    given = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise ReviewdataError(f"the parameter {text} is not of the form name=value")
        given[name.strip()] = value.strip()
    return given


def _parse_parameter(text: str, path: Path) -> Parameter:
    match = _PARAM.fullmatch(text.strip())
    if match is None:
        raise ReviewdataError(f"{path.name}: a parameter is `-- param NAME TYPE = DEFAULT`")
    return Parameter(match[1], match[2].strip().upper(), match[3].strip())


def _bind(tables: Tables, query: Query, given: Mapping[str, str]) -> dict[str, Any]:
    """Return the value of each parameter: the default, or the given text in its type."""
    known = {p.name: p for p in query.parameters}
    for name in given:
        if name not in known:
            raise ReviewdataError(f"{query.name} has no parameter {name}; {nearest(name, known)}")
    values = {}
    for parameter in query.parameters:
        text = given.get(parameter.name)
        literal = parameter.default if text is None else quote_text(text)
        try:
            rows = tables.fetch(f"SELECT CAST({literal} AS {parameter.type})")
        except QueryError as error:
            said = text if text is not None else parameter.default
            raise ReviewdataError(
                f"{said} is no {parameter.type}, as parameter {parameter.name} of {query.name} asks"
            ) from error
        values[parameter.name] = rows[0][0]
    return values
