"""The tables of a package in one DuckDB connection that can do nothing but read them.

Each resource gives two relations: `NAME`, typed by its Table Schema, and `raw.NAME`, the
text of each cell as printed (null where the file has no such cell), with `_row` (the
record's number) and `_line` (the physical line on which it starts); the framework's own rules
read both at once from `cells.NAME`. Everything is loaded first; then the connection loses all
access to the outside and its configuration is locked, so that a query can only select.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from reviewdata.columns import quote_name, quote_text
from reviewdata.compressed import most_bytes
from reviewdata.loading import load_resource
from reviewdata.model import ReviewdataError
from reviewdata.package import Package, Resource
from reviewdata.plans import Loaded, Plan, Sieved
from reviewdata.records import Refusal
from reviewdata.rules import nearest
from reviewdata.statements import (
    TIME_LIMIT,
    QueryError,
    Rows,
    describe,
    fetch,
    interruptible,
    may_write,
    one_select,
    stoppable,
    told,
)
from reviewdata.synthesis.macros import find_unknown_option, find_used, install

if TYPE_CHECKING:
    import pandas as pd

IN_MEMORY = 64 * 1024 * 1024
"""Bytes of data up to which the tables stay in memory; above, a temporary file has them."""

LOAD_LIMIT = "1GB"
"""Memory that DuckDB may take while it loads; a large table goes to its file."""

MEMORY_LIMIT = "2GB"
"""Memory that a query may take; what it sorts or groups goes to a temporary file above it."""

SPILL_LIMIT = "8GB"
CHUNK_VECTORS = 50
"""DuckDB vectors (of 2,048 rows) in one frame: about 100,000 rows."""


CELL_LIMIT = 3_000_000
"""Cells of a result that are held in memory; as text, JSON the largest, they take 1 GB."""

KEPT = 1_000
"""Rows of an answer up to which it is kept, to be given again."""


@dataclass
class Tables:
    """The loaded tables.

    `loaded` has what is known of each table that was loaded, `refusals` says which could not
    be read, and why. `spill` is the one folder to which DuckDB can write. `catalog` is the
    database of the connection that has the tables; blank where it has one only. `tell` gets what
    only those want to know who look for a fault.
    """

    package: Package
    connection: duckdb.DuckDBPyConnection
    spill: Path
    catalog: str = ""
    refusals: dict[str, Refusal] = field(default_factory=dict)
    loaded: dict[str, Loaded] = field(default_factory=dict)
    macros: set[str] = field(default_factory=set)
    answers: dict[tuple[str, str, str], Rows] = field(default_factory=dict)
    tell: Callable[[str], None] = lambda _: None

    @property
    def columns(self) -> dict[str, tuple[str, ...]]:
        """The fields of each table that was loaded, by the order of the package."""
        loaded = (name for name in self.package.resources if name in self.loaded)
        return {name: tuple(self.loaded[name].plan.fields) for name in loaded}

    def look(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of one SELECT of the framework's own, in which nothing of a review runs.

        Only Ctrl-C stops it. Raises QueryError for an error in it.
        """
        with self.cursor() as cursor, told():
            return cursor.execute(sql).fetchall()

    def select(self, sql: str, *, timeout: float = TIME_LIMIT) -> Rows:
        """Return the result of one SELECT of the framework's own.

        Raises QueryError for anything but one SELECT, an error in it, or one that takes
        longer than `timeout` seconds or more memory than allowed.
        """
        with self._reader() as cursor:
            statement = one_select(cursor, sql)
            return stoppable(lambda: fetch(cursor, statement), cursor, timeout)

    def fetch(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of one SELECT of the framework's own."""
        return self.select(sql).rows

    def frames(self, sql: str) -> Iterator[pd.DataFrame]:
        """Yield the result of one SELECT of the framework's own in frames of bounded size."""
        with self._reader() as cursor:
            cursor.execute(one_select(cursor, sql))
            while not (frame := cursor.fetch_df_chunk(CHUNK_VECTORS)).empty:
                yield frame

    def query(
        self,
        sql: str,
        variables: Mapping[str, Any] | None = None,
        *,
        timeout: float = TIME_LIMIT,
        where: str = "",
    ) -> Rows:
        """Return the result of one SELECT of a review, with its `variables` set.

        `where` keeps the rows of the result of which the condition is true. Raises
        QueryError as select does, and where two columns have one name, or where the result
        has more than CELL_LIMIT cells. The tables do not change, so a short answer is kept.
        """
        key = _key(sql, variables, where)
        if key in self.answers:
            return self.answers[key]
        self._provide(sql)
        with self._reader(variables) as cursor:
            asked = statement = one_select(cursor, sql)
            if where:
                inner = quote_text(asked.query)
                wrapped = f"FROM query({inner}) AS result WHERE (\n{where}\n)"
                statement = one_select(cursor, wrapped)

            def run() -> Rows:
                if where or may_write(asked.query):  # else to plan it once is enough
                    describe(cursor, asked)
                return fetch(cursor, statement, cells=CELL_LIMIT)

            found = stoppable(run, cursor, timeout)
        self._keep(key, found)
        return found

    def prepare(self, sql: str, variables: Mapping[str, Any], wheres: Sequence[str]) -> None:
        """Ask a SELECT once for what query will be asked with each of several conditions.

        A condition that is none, and a statement that fails, are left to query to tell.
        """
        self._provide(sql)
        flags = ", ".join(
            f"coalesce((\n{where}\n), false) AS _where_{number}"
            for number, where in enumerate(wheres)
        )
        with suppress(QueryError), self._reader(variables) as cursor:
            asked = one_select(cursor, sql)
            width = len(describe(cursor, asked))
            statement = one_select(
                cursor, f"SELECT *, {flags} FROM query({quote_text(asked.query)}) AS result"
            )

            def run() -> Rows:
                return fetch(cursor, statement, KEPT)

            columns, rows = stoppable(run, cursor, TIME_LIMIT)
            if len(columns) != width + len(wheres):
                return
            for number, where in enumerate(wheres, start=width):
                kept = [row[:width] for row in rows if row[number] is True]
                self._keep(_key(sql, variables, where), Rows(columns[:width], kept))

    def _keep(self, key: tuple[str, str, str], found: Rows) -> None:
        if len(found.rows) <= KEPT:
            self.answers[key] = found

    def write_parquet(
        self,
        sql: str,
        variables: Mapping[str, Any] | None = None,
        *,
        timeout: float = TIME_LIMIT,
    ) -> Path:
        """Write the result of one SELECT of a review to a Parquet file, whatever its size.

        The file lies in the folder of the tables and goes with them. Raises QueryError as
        query does, but for the size.
        """
        self._provide(sql)
        self.spill.mkdir(exist_ok=True)
        file = self.spill / "result.parquet"
        with self._reader(variables) as cursor:
            asked = one_select(cursor, sql)

            def run() -> Rows:
                wide = [
                    f"CAST({quote_name(name)} AS DECIMAL(38, 0)) AS {quote_name(name)}"
                    for name, type_ in describe(cursor, asked)
                    if type_ in ("HUGEINT", "UHUGEINT")  # Parquet has none: they become DOUBLE
                ]
                listed = f"* REPLACE ({', '.join(wide)})" if wide else "*"
                return fetch(
                    cursor,
                    f"COPY (SELECT {listed} FROM query({quote_text(asked.query)}))"
                    f" TO {quote_text(str(file))} (FORMAT parquet)",
                )

            stoppable(run, cursor, timeout)
        return file

    def _provide(self, sql: str) -> None:
        """Create the macros of synthesis that a statement of a review uses, once each.

        Raises QueryError for an option that a macro does not have.
        """
        if unknown := find_unknown_option(sql):
            name, option, known = unknown
            raise QueryError(f"{name} has no option {option}; {nearest(option, list(known))}")
        missing = [name for name in find_used(sql) if name not in self.macros]
        if missing:
            with self.cursor() as cursor:
                install(cursor, missing)
            self.macros.update(missing)

    @contextmanager
    def _reader(
        self, variables: Mapping[str, Any] | None = None
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        """Yield a cursor with its `variables` set that can read and change nothing.

        What DuckDB calls a SELECT may delete in its WITH clause; a transaction that only
        reads, which ends with the cursor, refuses it.
        """
        with self.cursor() as cursor, told():
            cursor.execute("BEGIN TRANSACTION READ ONLY")
            for name, value in (variables or {}).items():
                cursor.execute(f"SET VARIABLE {quote_name(name)} = ?", [value])
            yield cursor

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Yield a cursor of the framework's own, to which the names of these tables are known."""
        with self.connection.cursor() as cursor:
            if self.catalog:
                cursor.execute(f"USE {self.catalog}")
            yield cursor

    def named(self, sql: str) -> set[str]:
        """Return the names in a statement that may be tables of the package; lower case."""
        with self.cursor() as cursor:
            try:
                return {name.lower() for name in cursor.get_table_names(sql)}
            except duckdb.Error:  # DuckDB binds the columns too, of tables that are not there
                return {n.lower() for n in re.findall(r"\w+|(?<=\")[^\"]+(?=\")", sql)}

    def count(self, table: str) -> int:
        """Return the number of records of a table that hold something."""
        return self.loaded[table].records

    def unread(self, sql: str) -> list[str]:
        """Return the tables that a statement names and that could not be loaded."""
        missing = {
            name.lower(): name for name in self.package.resources if name not in self.columns
        }
        if not missing:
            return []
        return sorted(missing[name] for name in self.named(sql) if name in missing)


def _key(sql: str, variables: Mapping[str, Any] | None, where: str) -> tuple[str, str, str]:
    return sql, repr(sorted((variables or {}).items())), where


TableSieve = Callable[["Tables", Resource, Plan, str], Sieved | None]
"""A sieve (see `loading`) that is given the tables loaded before, and the resource."""


@contextmanager
def load_tables(
    package: Package,
    only: Sequence[str] | None = None,
    *,
    sieve: TableSieve | None = None,
    step: Callable[[str], None] = lambda _: None,
    threads: int | None = None,
) -> Iterator[Tables]:
    """Load the tables of a package (or `only` some) and close them at the end.

    With a `sieve`, only those records are loaded with which something may be wrong; the tables
    to which others refer come first. `step` is told which is read next. With one of `threads`,
    sums and files come out the same to the last bit each time. A resource that cannot be read is
    in `refusals`, or has its finding in the package stage. Raises ReviewdataError where the disk
    is full.
    """
    with _load({"": package}, only, sieve, step, threads) as [tables]:
        yield tables


@contextmanager
def load_pair(base: Package, head: Package) -> Iterator[tuple[Tables, Tables]]:
    """Load the tables of two packages into one connection, so that they can be compared.

    To SQL of the framework's own they are `base.raw.NAME` and `head.raw.NAME`; the names in
    a review's SQL are those of its own side. Values are typed where they are read, since a
    comparison reads the text. See load_tables.
    """
    with _load({"base": base, "head": head}) as [first, second]:
        yield first, second


@contextmanager
def _load(
    packages: Mapping[str, Package],
    only: Sequence[str] | None = None,
    sieve: TableSieve | None = None,
    step: Callable[[str], None] = lambda _: None,
    threads: int | None = None,
) -> Iterator[list[Tables]]:
    """Load packages into the databases of one connection, by name; "" is its own."""
    wanted = [
        (catalog, resource)
        for catalog, package in packages.items()
        for resource in package.resources.values()
        if resource.file and (only is None or resource.name in only)
    ]
    if sieve is not None:
        keyed = {key.resource for _, r in wanted for key in r.foreign_keys}
        wanted.sort(key=lambda entry: entry[1].name not in keyed)
    size = sum(most_bytes(r.file) for _, r in wanted if r.file)
    with tempfile.TemporaryDirectory(prefix="reviewdata-", ignore_cleanup_errors=True) as folder:

        def database(name: str) -> str:
            return ":memory:" if size <= IN_MEMORY else str(Path(folder) / f"{name}.duckdb")

        connection = duckdb.connect(database("tables"))
        try:
            spill = Path(folder) / "spill"
            loaded = {c: Tables(p, connection, spill, c) for c, p in packages.items()}
            connection.execute(f"SET memory_limit = '{LOAD_LIMIT}'")
            connection.execute(f"SET temp_directory = {quote_text(str(spill))}")
            if threads is not None:
                connection.execute(f"SET threads = {threads:d}")
            if len(loaded) > 1:  # read once, so packing them would cost more than it saves
                connection.execute("SET force_compression = 'uncompressed'")
            for catalog in loaded:
                if catalog:
                    connection.execute(f"ATTACH {quote_text(database(catalog))} AS {catalog}")
                    connection.execute(f"USE {catalog}")
                for schema in ("store", "irregular", "raw", "cells"):
                    connection.execute(f"CREATE SCHEMA {schema}")
            with interruptible():
                for catalog, resource in wanted:
                    if catalog:
                        connection.execute(f"USE {catalog}")
                    tables = loaded[catalog]
                    step(f"reading {resource.name}")
                    try:
                        tables.loaded[resource.name] = load_resource(
                            connection,
                            resource,
                            Path(folder),
                            stored=not catalog,
                            sieve=sieve and partial(sieve, tables, resource),
                        )
                    except Refusal as refusal:
                        tables.refusals[resource.name] = refusal
                _lock(connection)
            yield list(loaded.values())
        except OSError as error:
            if error.errno == 28:
                raise ReviewdataError(f"the disk is full: no room in {folder}") from error
            raise
        finally:
            connection.close()


def _lock(connection: duckdb.DuckDBPyConnection) -> None:
    """Take from the connection everything but reading its own tables."""
    connection.execute(f"SET memory_limit = '{MEMORY_LIMIT}'")
    connection.execute(f"SET max_temp_directory_size = '{SPILL_LIMIT}'")
    connection.execute("SET autoinstall_known_extensions = false")
    connection.execute("SET autoload_known_extensions = false")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
