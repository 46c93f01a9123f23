"""Query files: one SELECT a file, described by comments at its head, run on the tables."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reviewdata.columns import quote_name, quote_text
from reviewdata.model import QueryResult, ReviewdataError
from reviewdata.output import open_output
from reviewdata.package import Package
from reviewdata.pools import judge_query, judge_result
from reviewdata.rules import nearest
from reviewdata.statements import TIME_LIMIT, QueryError
from reviewdata.synthesis import macros
from reviewdata.tables import Tables

FOLDER = "queries"
LONGEST = 86_400.0
"""Seconds that a query may be given at most: a day."""

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
    """A query file: its words, its parameters and its one SELECT.

    `fault` says why the file cannot be read as one; it is blank where it can.
    """

    name: str
    path: Path
    sql: str
    title: str
    description: str
    grain: str
    headline: bool
    parameters: tuple[Parameter, ...]
    fault: str = ""


def list_queries(package: Package) -> dict[str, Query]:
    """Return the query files of a package by name (the file's stem), in order of name.

    One that cannot be read is among them, with its fault.
    """
    folder = package.root / FOLDER
    return {path.stem: read_query(path) for path in sorted(folder.glob("*.sql"))}


def find_query(package: Package, name: str) -> Query:
    """Return one query file.

    Raises ReviewdataError where there is none, naming the nearest, or it cannot be read.
    """
    known = {p.stem: p for p in sorted((package.root / FOLDER).glob("*.sql"))}
    if name not in known:
        raise ReviewdataError(f"no query {name} in {FOLDER}/; {nearest(name, known)}")
    query = read_query(known[name])
    if query.fault:
        raise ReviewdataError(query.fault)
    return query


def read_query(path: Path) -> Query:
    """Return the query in a file.

    The comments at the head have the form `-- key: value`; a line that goes on with the
    last value is a comment without a key. The fault is set for what is no file of UTF-8,
    or has a parameter that is not of the form `-- param NAME TYPE = DEFAULT`.
    """
    words: dict[str, str] = {}
    parameters: list[Parameter] = []
    sql = fault = ""
    try:
        sql = _read_text(path)
        _parse_head(sql, words, parameters)
    except ReviewdataError as error:
        fault = f"{FOLDER}/{path.name} {error}"
    return Query(
        name=path.stem,
        path=path,
        sql=sql,
        title=words.get("title", path.stem.replace("_", " ")),
        description=words.get("description", ""),
        grain=words.get("grain", ""),
        headline=words.get("headline", "no").lower() == "yes",
        parameters=tuple(parameters),
        fault=fault,
    )


def _read_text(path: Path) -> str:
    if not path.exists():
        raise ReviewdataError("is a link to nothing")
    if not path.is_file():  # reading a pipe would wait for its other end
        raise ReviewdataError(f"is {'a folder' if path.is_dir() else 'no file'}, not a query")
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ReviewdataError(f"is not UTF-8: byte {error.start}") from error
    except OSError as error:
        raise ReviewdataError(f"cannot be read: {error.strerror}") from error


def _parse_head(sql: str, words: dict[str, str], parameters: list[Parameter]) -> None:
    """Put what the comments at the head of a query say into `words` and `parameters`."""
    key = ""
    for line in sql.splitlines():
        if not line.startswith("--"):
            break
        match = _HEAD.match(line)
        if match is None:
            if key:
                words[key] += " " + line.lstrip("- ").strip()
        elif match[1] == "param":
            parameters.append(_parse_parameter(match[2]))
            key = ""
        else:
            key = match[1]
            words[key] = match[2].strip()


def run_query(
    tables: Tables,
    query: Query,
    given: Mapping[str, Any] | None = None,
    *,
    timeout: float = TIME_LIMIT,
    where: str = "",
) -> QueryResult:
    """Run a query file with its parameters and return its rows, those that `where` is true of.

    A parameter is given as text, a boolean or a number. Raises QueryError where the
    statement fails or names an unread table, ReviewdataError for a query that cannot be
    read, a parameter that it does not have or a value that is not of its type.
    """
    values = _bind(tables, query, given or {})
    _check_read(tables, query.sql)
    result = tables.query(query.sql, values, timeout=timeout, where=where)
    path = f"{FOLDER}/{query.path.name}"
    findings = (*judge_query(query.sql, path), *judge_result(*result, path))
    return QueryResult(query.name, result.columns, tuple(result.rows), query.title, findings)


def prepare_query(
    tables: Tables, query: Query, given: Mapping[str, Any], wheres: Sequence[str]
) -> None:
    """Ask a query file once for what run_query will be asked with each of several conditions.

    What is wrong with the query, a parameter or a condition is left to run_query to tell.
    """
    with suppress(ReviewdataError):
        tables.prepare(query.sql, _bind(tables, query, given), wheres)


def run_sql(tables: Tables, sql: str, *, timeout: float = TIME_LIMIT) -> QueryResult:
    """Run one SELECT and return its rows; see Tables.query for what is raised."""
    _check_read(tables, sql)
    result = tables.query(sql, timeout=timeout)
    findings = (*judge_query(sql, None), *judge_result(*result, None))
    return QueryResult("", result.columns, tuple(result.rows), findings=findings)


def save_query(
    tables: Tables,
    path: Path,
    query: Query | str,
    given: Mapping[str, Any] | None = None,
    *,
    timeout: float = TIME_LIMIT,
) -> None:
    """Write the rows of a query file, or of one SELECT, to a Parquet file of any size.

    Raises what run_query raises, and ReviewdataError where the file cannot be written.
    """
    values, sql = {}, query
    if isinstance(query, Query):
        values, sql = _bind(tables, query, given or {}), query.sql
    _check_read(tables, str(sql))
    written = tables.write_parquet(str(sql), values, timeout=timeout)
    with open_output(path) as out, written.open("rb") as rows:
        shutil.copyfileobj(rows, out)


def check_timeout(timeout: float | None) -> float:
    """Return the time limit in seconds, TIME_LIMIT for None; raise ReviewdataError for none."""
    if timeout is None:
        return TIME_LIMIT
    if not 0 < timeout <= LONGEST:
        raise ReviewdataError(
            f"the timeout is {timeout:g} seconds; give more than 0 and at most {LONGEST:g}, a day"
        )
    return timeout


def _check_read(tables: Tables, sql: str) -> None:
    unread = tables.unread(sql)
    if unread:
        raise QueryError(f"the table {unread[0]} could not be read; `reviewdata validate` says why")


def script(query: Query, given: Mapping[str, str]) -> str:
    """Return the SQL that any DuckDB shell runs: the macros it uses, the parameters, the query.

    Raises ReviewdataError for a query that cannot be read or a parameter that it does not have.
    """
    if query.fault:
        raise ReviewdataError(query.fault)
    values = {p.name: p.default for p in query.parameters}
    for name, text in given.items():
        if name not in values:
            raise ReviewdataError(f"{query.name} has no parameter {name}; {nearest(name, values)}")
        values[name] = quote_text(text)
    lines = [
        f"SET VARIABLE {quote_name(p.name)} = CAST({values[p.name]} AS {p.type});\n"
        for p in query.parameters
    ]
    return macros.script(query.sql) + "".join(lines) + query.sql.rstrip().rstrip(";") + ";\n"


def parse_assignments(texts: Iterable[str]) -> dict[str, str]:
    """Return parameters from texts of the form `name=value`. Raises ReviewdataError otherwise."""
    given = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise ReviewdataError(f"the parameter {text} is not of the form name=value")
        given[name.strip()] = value.strip()
    return given


def _parse_parameter(text: str) -> Parameter:
    match = _PARAM.fullmatch(text.strip())
    if match is None:
        raise ReviewdataError(
            f"has the parameter {text.strip()}; one is `-- param NAME TYPE = DEFAULT`"
        )
    return Parameter(match[1], match[2].strip().upper(), match[3].strip())


def _bind(tables: Tables, query: Query, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the value of each parameter: the default, or the given value in its type."""
    if query.fault:
        raise ReviewdataError(query.fault)
    known = {p.name: p for p in query.parameters}
    for name in given:
        if name not in known:
            raise ReviewdataError(f"{query.name} has no parameter {name}; {nearest(name, known)}")
    values = {}
    for parameter in query.parameters:
        said, literal = parameter.default, parameter.default
        if parameter.name in given:
            said = _text(parameter.name, given[parameter.name])
            literal = quote_text(said)
        try:
            rows = tables.fetch(f"SELECT CAST({literal} AS {parameter.type})")
        except QueryError as error:
            of = f"parameter {parameter.name} of {query.name}"
            if not _is_type(tables, parameter.type):
                raise ReviewdataError(
                    f"the type {parameter.type} of {of} is unknown to DuckDB"
                ) from error
            raise ReviewdataError(f"{said} is no {parameter.type}, as {of} asks") from error
        values[parameter.name] = rows[0][0]
    return values


def _text(name: str, value: Any) -> str:
    """Return a parameter's value as text. Raises ReviewdataError for another type of value."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    kind = type(value).__name__
    raise ReviewdataError(f"the parameter {name} is a {kind}; give a text, a boolean or a number")


def _is_type(tables: Tables, name: str) -> bool:
    try:
        tables.fetch(f"SELECT CAST(NULL AS {name})")
    except QueryError:
        return False
    return True
