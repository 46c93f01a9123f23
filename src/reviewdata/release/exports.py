"""What is computed for a release: the tables as Parquet, and the result of every query."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from reviewdata.exporting import parquet
from reviewdata.queries import list_queries, run_query
from reviewdata.render.json import query_json
from reviewdata.render.results import result_csv
from reviewdata.tables import Tables

PARQUET = "parquet"
RESULTS = "results"
TIME_LIMIT = 3600.0
"""Seconds that one query may take."""


def write_parquet(tables: Tables, folder: Path) -> Iterator[str]:
    """Write each table to `parquet/NAME.parquet`, in the order of its file; yield the paths.

    The tables must have been loaded for one thread, so that a file is the same bytes each time.
    """
    (folder / PARQUET).mkdir()
    for path in parquet.write_parquet(tables, folder / PARQUET):
        yield path.relative_to(folder).as_posix()


def write_results(tables: Tables, folder: Path) -> Iterator[str]:
    """Write the rows of each query to `results/` as CSV and as JSON; yield the paths.

    Parameters have their defaults, numbers all their digits. Raises ReviewdataError for a query
    that fails.
    """
    queries = list_queries(tables.package)
    if queries:
        (folder / RESULTS).mkdir()
    for name, query in queries.items():
        result = run_query(tables, query, timeout=TIME_LIMIT)
        for suffix, text in (("csv", result_csv(result)), ("json", query_json(result))):
            path = f"{RESULTS}/{name}.{suffix}"
            (folder / path).write_bytes(text.encode("utf-8", "backslashreplace"))
            yield path
