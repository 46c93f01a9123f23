"""A connection with the macros of the synthesis files, and the values of expressions in it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest
from scipy import special

FOLDER = Path(__file__).parents[1] / "src" / "reviewdata" / "synthesis"
FILES = ("effects", "conversions", "descriptions")

NEEDS_POOL = pytest.mark.skipif(
    not (FOLDER / "pooling.sql").exists(), reason="pool() comes with pooling.sql"
)


def connect() -> duckdb.DuckDBPyConnection:
    """Return a connection that has the macros of FILES and the distributions that they call."""
    con = duckdb.connect()
    con.execute("SET threads = 1")
    if (FOLDER / "distributions.sql").exists():
        con.execute((FOLDER / "distributions.sql").read_text("utf-8"))
    else:
        stub_distributions(con)
    for name in FILES:
        con.execute((FOLDER / f"{name}.sql").read_text("utf-8"))
    return con


def stub_distributions(con: duckdb.DuckDBPyConnection) -> None:
    """Stand in for distributions.sql: the same names, by scipy."""

    def norm_ppf(p: float) -> float:
        return float(special.ndtri(p))

    def t_ppf(p: float, df: float) -> float:
        return float(special.stdtrit(df, p))

    def t_sf2(t: float, df: float) -> float:
        return 2 * float(special.stdtr(df, -abs(t)))

    con.create_function("norm_ppf", norm_ppf)
    con.create_function("t_ppf", t_ppf)
    con.create_function("t_sf2", t_sf2)


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


def macro_names(path: Path) -> list[str]:
    return re.findall(r"^CREATE OR REPLACE MACRO (\w+)", path.read_text("utf-8"), re.M)
