"""A review as an object: the verbs of the command line, as methods.

DuckDB is imported by the verb that needs it: `validate` starts the suites before that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reviewdata.model import Claim, QueryResult, ReviewdataError, Rule, Validation
from reviewdata.package import Package, open_package
from reviewdata.rules import find_rule
from reviewdata.validation import Step, Trace, validate

if TYPE_CHECKING:
    from reviewdata.adding.add import Added
    from reviewdata.changes import Diff
    from reviewdata.computable import Stats
    from reviewdata.exporting.export import Exported
    from reviewdata.formatting import FileForm
    from reviewdata.queries import Query
    from reviewdata.release.build import Release
    from reviewdata.release.plan import Plan
    from reviewdata.release.publishing import Drafted, Verified
    from reviewdata.tables import Tables

Results = tuple[tuple["Query", QueryResult | str], ...]
"""Each query file with its result, or with the text of why it failed."""


@dataclass(frozen=True)
class Overview:
    """The main job: the validation, and each query's result or the text of why it failed."""

    path: Path
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
        since: str | None = None,
        rules_from: str | None = None,
        staged: bool = False,
        trace: Trace | None = None,
        step: Step | None = None,
        kept: bool = True,
    ) -> Validation:
        """Return what the stages find; see `reviewdata.validation.validate`.

        With `since`, what that revision has too is old, and the result has the difference;
        with `rules_from`, all but the tables is that revision's; with `staged`, the files are
        those staged in git. See `reviewdata.contribution.validate_change`. Unless `kept`,
        everything is found anew.
        """
        asked: dict[str, Any] = {"stages": stages, "select": select, "kept": kept}
        asked |= {"trace": trace, "step": step}
        if since is None and rules_from is None and not staged:
            return validate(self.path, **asked)
        from reviewdata.contribution import validate_change

        return validate_change(
            self.path, since=since, rules_from=rules_from, staged=staged, **asked
        )

    def diff(self, base: str, head: str | None = None) -> Diff:
        """Return what differs between two revisions; without `head`, between one and the files.

        A revision is a commit of git, a folder or a zip: see `reviewdata.revisions`.
        """
        from reviewdata.difference import compare_revisions

        return compare_revisions(self.path, base, head)

    def fmt(self, *, check: bool = False) -> tuple[FileForm, ...]:
        """Bring every table into the form of `fmt`; return what was, or would be, changed of each.

        Where `check`, nothing is written. A file that must be mended first is left as it is, and
        its `unfit` says where and why.
        """
        from reviewdata.formatting import format_package

        return format_package(self.path, check=check)

    def merge_install(self) -> tuple[str, ...]:
        """Let git merge the tables by record and cell, in this clone; return what was done.

        Raises ReviewdataError without git, and outside a repository.
        """
        from reviewdata.gitconfig import install_driver

        return install_driver(self.package)

    def rule(self, code: str) -> Rule:
        """Return one rule. Raises ReviewdataError where the review has none of this code."""
        return find_rule(self.rules, code)

    def query(
        self,
        name: str | None = None,
        *,
        sql: str | None = None,
        params: Mapping[str, Any] | None = None,
        timeout: float | None = None,
    ) -> QueryResult:
        """Return the rows of the query file `name`, or of one SELECT.

        `params` are texts, booleans or numbers. Raises ReviewdataError for an unknown query
        or parameter, and for a statement that fails, is no SELECT, takes longer than
        `timeout` seconds (60 unless given), or gives more rows than are held in memory.
        """
        from reviewdata.queries import Query, run_query, run_sql

        with self._asked(name, sql, params, timeout) as (tables, asked, limit):
            if isinstance(asked, Query):
                return run_query(tables, asked, params, timeout=limit)
            return run_sql(tables, asked, timeout=limit)

    def save(
        self,
        path: Path | str,
        name: str | None = None,
        *,
        sql: str | None = None,
        params: Mapping[str, Any] | None = None,
        timeout: float | None = None,
    ) -> None:
        """Write the rows of a query to a Parquet file, of any number; see query."""
        from reviewdata.queries import save_query

        with self._asked(name, sql, params, timeout) as (tables, asked, limit):
            save_query(tables, Path(path), asked, params, timeout=limit)

    @contextmanager
    def _asked(
        self,
        name: str | None,
        sql: str | None,
        params: Mapping[str, Any] | None,
        timeout: float | None,
    ) -> Iterator[tuple[Tables, Query | str, float]]:
        """Yield the loaded tables, the query file or SQL text asked for, and the time limit."""
        from reviewdata.queries import check_timeout, find_query
        from reviewdata.tables import load_tables

        if (name is None) == (sql is None):
            raise ReviewdataError("a query is either the name of a file in queries/ or an SQL text")
        if sql is not None and params:
            raise ReviewdataError("parameters belong to a query file; write them into the SQL text")
        limit = check_timeout(timeout)
        package = self.package
        asked = find_query(package, name) if name is not None else str(sql)
        with load_tables(package) as tables:
            yield tables, asked, limit

    def query_all(self, *, timeout: float | None = None) -> Results:
        """Return each query file with its result, or with the text of why it failed."""
        from reviewdata.queries import check_timeout
        from reviewdata.tables import load_tables

        limit = check_timeout(timeout)
        with load_tables(self.package) as tables:
            return _run_all(tables, limit)

    def reproduce(self) -> tuple[Claim, ...]:
        """Return every claim with its verdict; none where the review declares none.

        Raises ReviewdataError where the claims table or the coverage cannot be read.
        """
        from reviewdata.claims import check_claims
        from reviewdata.tables import load_tables

        with load_tables(self.package) as tables:
            return check_claims(tables)

    def release_build(
        self,
        *,
        output: Path | str | None = None,
        doi: str | None = None,
        concept_doi: str | None = None,
        publisher: str = "",
        since: str | None = None,
        trace: Trace | None = None,
        kept: bool = True,
    ) -> Release:
        """Check the review, write its release as a folder and a zip, and return it.

        See `reviewdata.release.build.build_release`, also for what is raised.
        """
        from reviewdata.release.build import build_release

        return build_release(
            self.path,
            output=output,
            doi=doi,
            concept_doi=concept_doi,
            publisher=publisher,
            since=since,
            trace=trace,
            kept=kept,
        )

    def release_plan(
        self,
        server: str = "sandbox",
        *,
        kind: str | None = None,
        organisation: str | None = None,
        since: str | None = None,
    ) -> Plan:
        """Return what `release_draft` and `release_publish` would do; the server is only read.

        See `reviewdata.release.publication.open_publication` for the arguments, and
        `reviewdata.release.plan.plan` for what comes back; what is raised is there too.
        """
        from reviewdata.release.plan import plan
        from reviewdata.release.publication import open_publication

        opened = open_publication(
            self.path, server, kind=kind, organisation=organisation, since=since
        )
        with opened as publication:
            return plan(publication)

    def release_draft(
        self,
        server: str = "sandbox",
        *,
        kind: str | None = None,
        organisation: str | None = None,
        since: str | None = None,
    ) -> Drafted:
        """Make the draft what is to be published; see `reviewdata.release.publishing.draft`."""
        from reviewdata.release.publication import open_publication
        from reviewdata.release.publishing import draft

        opened = open_publication(
            self.path, server, kind=kind, organisation=organisation, since=since
        )
        with opened as publication:
            return draft(publication)

    def release_publish(
        self,
        server: str = "sandbox",
        *,
        kind: str | None = None,
        organisation: str | None = None,
        since: str | None = None,
    ) -> Verified:
        """Publish the draft, which cannot be undone, and read it back.

        See `publish` and `verify` of `reviewdata.release.publishing`.
        """
        from reviewdata.release.publication import open_publication
        from reviewdata.release.publishing import publish, verify

        opened = open_publication(
            self.path, server, kind=kind, organisation=organisation, since=since
        )
        with opened as publication:
            publish(publication)
            return verify(publication)

    def release_verify(
        self,
        server: str = "sandbox",
        *,
        kind: str | None = None,
        organisation: str | None = None,
    ) -> Verified:
        """Read the latest version back; see `reviewdata.release.publishing.verify`."""
        from reviewdata.release.publication import open_publication
        from reviewdata.release.publishing import verify

        opened = open_publication(
            self.path, server, kind=kind, organisation=organisation, builds=False
        )
        with opened as publication:
            return verify(publication)

    def add(
        self, table: str, row: Mapping[str, str], *, check: bool = False, force: bool = False
    ) -> Added:
        """Add one row to a table, judged before anything is written, and return what came of it.

        See `reviewdata.adding.add.add_row`, also for what is raised.
        """
        from reviewdata.adding.add import add_row

        return add_row(self.path, table, row, check=check, force=force)

    def add_from(
        self,
        workbook: Path | str,
        table: str | None = None,
        *,
        update: bool = False,
        check: bool = False,
        force: bool = False,
    ) -> tuple[Added | None, tuple[str, ...]]:
        """Take the rows of a filled-in workbook, and return what came of it and what was left.

        None where it brings nothing. See `reviewdata.adding.filled.read_filled`.
        """
        from reviewdata.adding.add import add_changes
        from reviewdata.adding.filled import read_filled

        filled = read_filled(self.package, Path(workbook), table, update=update)
        if not filled.changes:
            return None, filled.notes
        done = add_changes(self.path, filled.changes, check=check, force=force)
        return done, filled.notes

    def export(
        self, format_: str, *, output: Path | str | None = None, force: bool = False
    ) -> Exported:
        """Write the tables for other programs, and return what was written.

        See `reviewdata.exporting.export.export`, also for what is raised.
        """
        from reviewdata.exporting.export import export

        return export(self.path, format_, output=output, force=force)

    def stats(self) -> Stats:
        """Return which effect sizes each study gives, and which one number would give another.

        It is of the tables that can be read; see `reviewdata.computable`.
        """
        from reviewdata.computable import find_stats
        from reviewdata.tables import load_tables

        with load_tables(self.package) as tables:
            return find_stats(tables)

    def run(
        self, *, trace: Trace | None = None, step: Step | None = None, kept: bool = True
    ) -> Overview:
        """Return the main job: the validation with its claims, and every query's result."""
        results: list[Results] = []

        def meanwhile(tables: Tables) -> None:
            results.append(_run_all(tables))

        validation = validate(self.path, trace=trace, step=step, meanwhile=meanwhile, kept=kept)
        return Overview(self.path, self.package, validation, results[0])


def _run_all(tables: Tables, timeout: float | None = None) -> Results:
    from reviewdata.queries import check_timeout, list_queries, run_query

    limit = check_timeout(timeout)
    results: list[tuple[Query, QueryResult | str]] = []
    for query in list_queries(tables.package).values():
        try:
            results.append((query, run_query(tables, query, timeout=limit)))
        except ReviewdataError as error:
            results.append((query, str(error)))
    return tuple(results)
