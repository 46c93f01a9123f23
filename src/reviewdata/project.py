"""A review as an object: the verbs of the command line, as methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reviewdata.claims import check_claims
from reviewdata.model import Claim, QueryResult, ReviewdataError, Rule, Validation
from reviewdata.package import Package, open_package
from reviewdata.queries import Query, find_query, list_queries, run_query, run_sql
from reviewdata.tables import TIME_LIMIT, Tables, load_tables
from reviewdata.validation import Trace, validate


@dataclass(frozen=True)
class Overview:
    """The main job: the validation, and each query's result or the text of why it failed."""

    package: Package
    validation: Validation
    results: tuple[tuple[Query, QueryResult | str], ...]


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
        timeout: float = TIME_LIMIT,
    ) -> QueryResult:
        """Return the rows of the query file `name`, or of one SELECT.

        Raises ReviewdataError for an unknown query or parameter, and for a statement that
        fails, is no SELECT, or takes longer than `timeout` seconds.
        """
        if (name is None) == (sql is None):
            raise ReviewdataError("a query is either the name of a file in queries/ or an SQL text")
        if sql is not None and params:
            raise ReviewdataError("parameters belong to a query file; write them into the SQL text")
        package = self.package
        query = find_query(package, name) if name is not None else None
        with load_tables(package) as tables:
            if query is not None:
                return run_query(tables, query, params, timeout=timeout)
            return run_sql(tables, str(sql), timeout=timeout)

    def query_all(
        self, *, timeout: float = TIME_LIMIT
    ) -> tuple[tuple[Query, QueryResult | str], ...]:
        """Return each query file with its result, or with the text of why it failed."""
        package = self.package
        queries = list_queries(package)
        with load_tables(package) as tables:
            return tuple((query, _attempt(tables, query, timeout)) for query in queries.values())

    def reproduce(self) -> tuple[Claim, ...]:
        """Return every claim with its verdict; none where the review declares none.

        Raises ReviewdataError where the claims table or the coverage cannot be read.
        """
        with load_tables(self.package) as tables:
            return check_claims(tables)

    def run(self, *, trace: Trace | None = None) -> Overview:
        """Return the main job: the validation with its claims, and every query's result."""
        return Overview(self.package, self.validate(trace=trace), self.query_all())


def _attempt(tables: Tables, query: Query, timeout: float) -> QueryResult | str:
    try:
        return run_query(tables, query, timeout=timeout)
    except ReviewdataError as error:
        return str(error)
