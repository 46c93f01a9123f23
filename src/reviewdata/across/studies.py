"""The studies of a review: one study under two keys, and what its label, year and DOI say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from reviewdata.across.question import Question
from reviewdata.joins import Cell, Source, UnknownName
from reviewdata.tables import Tables

BARE_DOI = r"10\.[0-9]{4,9}/\S+"
"""Crossref's pattern of a DOI, without its resolver."""

SIMILAR = 0.1
"""Share of letters by which two citations may differ and still be near-equal."""

SHORTEST = 20
"""Letters that a citation must have to be compared."""

LONGEST = 2_000
"""Letters that it may have: the time of one comparison grows with the square of them."""

_RESOLVER = r"^(https?://(dx\.)?doi\.org/|doi:\s*)"
_YEAR = "(?:^|[^0-9])((?:19|20)[0-9][0-9])(?:[^0-9]|$)"


class Studies(NamedTuple):
    """The declared studies: FROM clause, table, key, and the cells of some roles."""

    source: str
    table: str
    key: Cell
    cells: tuple[Cell, ...]

    @property
    def field(self) -> str | None:
        """The column of the first cell, or the key where it lies in another table."""
        return self.cells[0].field or self.key.field


def same_doi(tables: Tables) -> Iterator[Question]:
    """Ask for studies whose DOI is that of an earlier one (RD303)."""
    studies = find_studies(tables, "doi")
    if studies is None:
        return
    doi = f"lower({_bare(studies.cells[0])})"
    sql = f"""
        WITH named AS (
          SELECT t._row AS _row, {studies.key.value} AS study, {doi} AS doi
          {studies.source}
        )
        SELECT *, first(study) OVER same AS other
        FROM named
        WHERE doi <> ''
        WINDOW same AS (PARTITION BY doi ORDER BY _row)
        QUALIFY row_number() OVER same > 1
        ORDER BY _row"""
    yield Question("RD303", studies.table, studies.field, sql)


def near_citations(tables: Tables) -> Iterator[Question]:
    """Ask for studies whose citation nearly is that of an earlier one (RD304).

    Compared are citations of at most LONGEST letters that begin with the same word; those
    with one DOI are RD303's.
    """
    with_doi = find_studies(tables, "citation", "doi")
    studies = with_doi or find_studies(tables, "citation")
    if studies is None:
        return
    text = f"lower(strip_accents({studies.cells[0].value}))"
    doi = f"lower({_bare(studies.cells[1])})" if with_doi else "NULL"
    longer = "greatest(length(a.words), length(b.words))"
    sql = f"""
        WITH cited AS (
          SELECT
            t._row AS _row,
            {studies.key.value} AS study,
            trim(regexp_replace({text}, '[^a-z0-9]+', ' ', 'g')) AS words,
            {doi} AS doi
          {studies.source}
        ),
        known AS (
          SELECT *, split_part(words, ' ', 1) AS first
          FROM cited
          WHERE length(words) BETWEEN {SHORTEST} AND {LONGEST}
        )
        SELECT
          b._row AS _row,
          b.study AS study,
          min_by(a.study, a._row) AS other,
          CASE WHEN bool_or(a.words = b.words) THEN 'warning' ELSE 'note' END AS level
        FROM known AS a
        JOIN known AS b ON a.first = b.first AND a._row < b._row
        WHERE coalesce(a.doi <> b.doi, true)
          AND abs(length(a.words) - length(b.words)) <= {longer} * {SIMILAR}
          AND levenshtein(a.words, b.words) <= {longer} * {SIMILAR}
        GROUP BY b._row, b.study
        ORDER BY b._row"""
    yield Question("RD304", studies.table, studies.field, sql)


def year_in_label(tables: Tables) -> Iterator[Question]:
    """Ask for studies whose label has another year than their year column (RD305).

    A year apart is a note: online and in print.
    """
    studies = find_studies(tables, "year", "label")
    if studies is None:
        return
    year, label = studies.cells
    sql = f"""
        WITH labelled AS (
          SELECT
            t._row AS _row,
            {label.value} AS label,
            TRY_CAST({year.value} AS BIGINT) AS year,
            list_transform(
              regexp_extract_all({label.value}, '{_YEAR}', 1), lambda y: y::BIGINT
            ) AS years
          {studies.source}
        )
        SELECT
          *,
          CASE
            WHEN list_min(list_transform(years, lambda y: abs(y - year))) = 1 THEN 'note'
            ELSE 'warning'
          END AS level
        FROM labelled
        WHERE len(years) > 0 AND year IS NOT NULL AND NOT list_contains(years, year)
        ORDER BY _row"""
    yield Question("RD305", studies.table, studies.field, sql)


def doi_syntax(tables: Tables) -> Iterator[Question]:
    """Ask for studies whose DOI is none, or is written as an address (RD306)."""
    studies = find_studies(tables, "doi")
    if studies is None:
        return
    text, bare = f"trim({studies.cells[0].value})", _bare(studies.cells[0])
    sql = f"""
        WITH named AS (
          SELECT
            t._row AS _row,
            {studies.key.value} AS study,
            {text} AS doi,
            regexp_full_match({bare}, '{BARE_DOI}') AS address
          {studies.source}
          WHERE {text} <> '' AND NOT regexp_full_match({text}, '{BARE_DOI}')
        )
        SELECT
          *,
          CASE WHEN address THEN 'note' ELSE 'warning' END AS level,
          CASE WHEN address THEN 'address' END AS reason
        FROM named
        ORDER BY _row"""
    yield Question("RD306", studies.table, studies.field, sql)


def find_studies(tables: Tables, *roles: str) -> Studies | None:
    """Return the declared studies with the cells of some roles; None where one is missing."""
    declared = tables.package.config.studies or {}
    table = declared.get("resource")
    if table not in tables.columns:
        return None
    source = Source(tables.package, tables.package.resources[table])
    try:
        key, *cells = [source.cell(str(declared.get(role, ""))) for role in ("key", *roles)]
    except UnknownName:  # not declared, or the package stage tells
        return None
    return Studies(source.sql, table, key, tuple(cells))


def _bare(doi: Cell) -> str:
    return f"regexp_replace(trim({doi.value}), '{_RESOLVER}', '', 'i')"
