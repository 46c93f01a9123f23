"""A review as an object: the verbs of the command line, as methods.

DuckDB is imported by the verb that needs it: `validate` starts the suites before that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reviewdata.model import Claim, QueryResult, ReviewdataError, Rule, Validation
from reviewdata.package import Package, open_package
from reviewdata.validation import Trace, validate

if TYPE_CHECKING:
    from reviewdata.queries import Query
    from reviewdata.tables import Tables

Results = tuple[tuple["Query", QueryResult | str], ...]
"""Each query file with its result, or with the text of why it failed."""


@dataclass(frozen=True)
class Overview:
    """The main job: the validation, and each query's result or the text of why it failed."""

    package: Package
    validation: Validation
    results: Results


class Project:
    """A review on disk; the files are read anew by each verb."""

    def __init__(self, project: Path | str = ".") -> None:
        """Open the review. Raises ReviewdataError where there is no data package."""
        self.path = Path(project)
        open_package(self.path)

    @property
    def package(self) -> Package:
        """The descriptor as it stands now."""
        return open_package(self.path)

    @property
    def rules(self) -> Mapping[str, Rule]:
        """Every rule by code: the framework's and the review's own."""
        return self.package.rules

    @property
    def queries(self) -> Mapping[str, Query]:
        """The query files by name."""
        from reviewdata.queries import list_queries

        return list_queries(self.package)

    def validate(
        self,
        *,
        stages: Sequence[str] = (),
        select: Sequence[str] = (),
        trace: Trace | None = None,
    ) -> Validation:
        """Return what the stages find; see `reviewdata.validation.validate`."""
        return validate(self.path, stages=stages, select=select, trace=trace)

    def query(
        self,
        name: str | None = None,
        *,
        sql: str | None = None,
        params: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> QueryResult:
        """Return the rows of the query file `name`, or of one SELECT.

        Raises ReviewdataError for an unknown query or parameter, and for a statement that
        fails, is no SELECT, or takes longer than `timeout` seconds (60 unless given).
        """
        from reviewdata.queries import find_query, run_query, run_sql
        from reviewdata.tables import TIME_LIMIT, load_tables

        if (name is None) == (sql is None):
            raise ReviewdataError("a query is either the name of a file in queries/ or an SQL text")
        if sql is not None and params:
            raise ReviewdataError("parameters belong to a query file; write them into the SQL text")
        package = self.package
        query = find_query(package, name) if name is not None else None
        limit = TIME_LIMIT if timeout is None else timeout
        with load_tables(package) as tables:
            if query is not None:
                return run_query(tables, query, params, timeout=limit)
            return run_sql(tables, str(sql), timeout=limit)

    def query_all(self, *, timeout: float | None = None) -> Results:
        """Return each query file with its result, or with the text of why it failed."""
        from reviewdata.tables import load_tables

        with load_tables(self.package) as tables:
            return _run_all(tables, timeout)

    def reproduce(self) -> tuple[Claim, ...]:
        """Return every claim with its verdict; none where the review declares none.

        Raises ReviewdataError where the claims table or the coverage cannot be read.
        """
        from reviewdata.claims import check_claims
        from reviewdata.tables import load_tables

        with load_tables(self.package) as tables:
            return check_claims(tables)

    def run(self, *, trace: Trace | None = None) -> Overview:
        """Return the main job: the validation with its claims, and every query's result."""
        results: list[Results] = []

        def meanwhile(tables: Tables) -> None:
            results.append(_run_all(tables))

        validation = validate(self.path, trace=trace, meanwhile=meanwhile)
        return Overview(self.package, validation, results[0])


def _run_all(tables: Tables, timeout: float | None = None) -> Results:
    from reviewdata.queries import list_queries, run_query
    from reviewdata.tables import TIME_LIMIT

    limit = TIME_LIMIT if timeout is None else timeout
    results: list[tuple[Query, QueryResult | str]] = []
    for query in list_queries(tables.package).values():
        try:
            results.append((query, run_query(tables, query, timeout=limit)))
        except ReviewdataError as error:
            results.append((query, str(error)))
    return tuple(results)
