"""Statements as they are run: one SELECT each, described, stopped at a limit, errors in words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any, NamedTuple

import duckdb

from reviewdata.model import ReviewdataError

TIME_LIMIT = 60.0
"""Seconds after which a statement is stopped."""

NOT_A_SELECT = "a query is one SELECT statement, and nothing else is run"


class QueryError(ReviewdataError):
    """A statement that cannot be run, was refused or was stopped."""


class Rows(NamedTuple):
    """The result of a SELECT: the name and type of each column, and the rows."""

    columns: tuple[tuple[str, str], ...]
    rows: list[tuple[Any, ...]]


@contextmanager
def interruptible() -> Iterator[None]:
    """Turn what DuckDB raises on Ctrl-C in the main thread into what Python raises."""
    try:
        yield
    except RuntimeError as error:
        if str(error) == "Query interrupted":
            raise KeyboardInterrupt from error
        raise


@contextmanager
def told() -> Iterator[None]:
    """Turn an error of DuckDB into a QueryError with its message in one line."""
    try:
        with interruptible():
            yield
    except duckdb.Error as error:
        said = first_lines(error)
        if "read-only mode" in said or "statement must be at the top level" in said:
            said = NOT_A_SELECT
        if "HAVING clause cannot contain window functions" in said:
            said += " A macro that pools is one: write QUALIFY."
        raise QueryError(said) from error
    except MemoryError as error:
        raise QueryError("the result takes more memory than there is; aggregate") from error


def one_select(cursor: duckdb.DuckDBPyConnection, sql: str) -> duckdb.Statement:
    """Return the one SELECT that a text is. Raises QueryError for anything else."""
    statements = cursor.extract_statements(sql)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise QueryError(NOT_A_SELECT)
    return statements[0]


def describe(
    cursor: duckdb.DuckDBPyConnection, statement: duckdb.Statement
) -> list[tuple[str, str]]:
    """Return the name and type of each column of a SELECT without running it.

    A WITH clause that writes, be it only to a file, cannot be described: DuckDB takes it at
    the head of a statement alone. Raises QueryError where two columns have one name.
    """
    columns = [(row[0], row[1]) for row in cursor.execute(f"DESCRIBE {statement.query}").fetchall()]
    check_names(columns)
    return columns


def may_write(sql: str) -> bool:
    """Whether a SELECT may write in its WITH clause: without one of these words none does."""
    return _WRITES.search(sql) is not None


_WRITES = re.compile("insert|update|delete|merge|copy|create|drop|alter|export|attach", re.I)


def check_names(columns: Sequence[tuple[str, str]]) -> None:
    """Raise QueryError where two columns have one name."""
    taken: dict[str, str] = {}
    for name, _ in columns:
        if name.lower() in taken:
            both = f"{taken[name.lower()]} and {name}"
            raise QueryError(f"two columns have one name, {both}; give one another with AS")
        taken[name.lower()] = name


def fetch(
    cursor: duckdb.DuckDBPyConnection,
    statement: duckdb.Statement | str,
    most: int | None = None,
    *,
    cells: int | None = None,
) -> Rows:
    """Return the result of a statement.

    Raises QueryError where it has more than `most` rows, or, with `cells` given, more cells than
    that or two columns of one name.
    """
    cursor.execute(statement)
    columns = tuple((c[0], str(c[1])) for c in cursor.description or ())
    if cells is not None:
        check_names(columns)
        most = cells // len(columns)
    if most is None:
        return Rows(columns, cursor.fetchall())
    rows = cursor.fetchmany(most + 1)
    if len(rows) > most:
        raise QueryError(
            f"the result has more than {most:,} rows, too many to print;"
            " aggregate, add a LIMIT, or write it to a file with --format parquet"
        )
    return Rows(columns, rows)


def stoppable(run: Callable[[], Rows], cursor: duckdb.DuckDBPyConnection, timeout: float) -> Rows:
    """Run in a thread, so that the time limit and Ctrl-C can stop what DuckDB is doing."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        job = pool.submit(run)
        try:
            return job.result(timeout)
        except TimeoutError:
            raise QueryError(f"stopped after {timeout:g} seconds; see --timeout") from None
        finally:
            while not job.done():
                cursor.interrupt()
                wait([job], timeout=0.05)


def first_lines(error: duckdb.Error) -> str:
    """Return DuckDB's message in one line, without its picture of the statement or of its stack.

    What a macro says of a wrong option is said as it stands.
    """
    said = re.split(r"\n(?:LINE |\s*Stack Trace:)", str(error))[0]
    said = " ".join(said.split())
    return said.removeprefix("Invalid Input Error: ")
