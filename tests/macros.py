"""A connection with the macros of the synthesis files, and the values of expressions in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import duckdb

from reviewdata.synthesis.macros import install


def connect() -> duckdb.DuckDBPyConnection:
    """Return a connection with all macros, on one thread, and with temporary tables of its own."""
    return _connect().cursor()


@cache
def _connect() -> duckdb.DuckDBPyConnection:
    """Return what all connections share, since to create the macros takes a third of a second."""
    con = duckdb.connect()
    con.execute("SET threads = 1")
    install(con)
    return con


def evaluate(con: duckdb.DuckDBPyConnection, *expressions: str) -> list[Any]:
    """Return the values of SQL expressions; a struct is a dictionary."""
    [row] = con.execute("SELECT " + ", ".join(expressions)).fetchall()
    return list(row)


def aggregate(
    con: duckdb.DuckDBPyConnection, expression: str, rows: Sequence[Sequence[Any]], columns: str
) -> Any:
    """Return the value of an aggregate over rows of a table `given` with these columns."""
    if rows:
        body = ", ".join("(" + ", ".join(literal(cell) for cell in row) + ")" for row in rows)
        relation = f"(VALUES {body}) AS given({columns})"
    else:
        nulls = ", ".join(f"CAST(NULL AS DOUBLE) AS {name}" for name in columns.split(", "))
        relation = f"(SELECT {nulls} WHERE false) AS given"
    [(value,)] = con.execute(f"SELECT {expression} FROM {relation}").fetchall()
    return value


def literal(cell: Any) -> str:
    if cell is None:
        return "NULL"
    if isinstance(cell, str):
        return "'" + cell.replace("'", "''") + "'"
    return f"CAST('{cell!r}' AS DOUBLE)" if isinstance(cell, float) else repr(cell)


def arguments(values: Mapping[str, Any]) -> str:
    """Return values as the named arguments of a macro, which its positional ones may be too."""
    return ", ".join(f"{name} := {literal(value)}" for name, value in values.items())
