"""Loading: every record at its line, every cell in its type as frictionless reads it."""

from __future__ import annotations

import csv
import io
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mini import write_mini

from reviewdata.columns import quote_text, typed
from reviewdata.package import open_package
from reviewdata.records import CELL_LIMIT, Dialect, Refusal, read_records
from reviewdata.statements import QueryError
from reviewdata.tables import Tables, load_tables

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from frictionless import Field

HEAD = "result_id,study_id,mean,sd,n,printed\n"


def test_a_row_has_its_number_and_its_physical_line(tmp_path: Path) -> None:
    rows = HEAD + 'R1,S1,5,1,40,"two\nlines"\n\nR2,S2,4,1,35,\n'
    write_mini(tmp_path, files={"data/results.csv": rows})
    with load_tables(open_package(tmp_path)) as tables:
        assert tables.fetch("SELECT _row, _line, result_id FROM raw.results") == [
            (2, 2, "R1"),
            (4, 5, "R2"),
        ]


def test_raw_text_is_as_printed_and_typed_values_are_typed(tmp_path: Path) -> None:
    rows = HEAD + "R1,S1,5.20,1.10,40,\n"
    write_mini(tmp_path, files={"data/results.csv": rows})
    with load_tables(open_package(tmp_path)) as tables:
        assert tables.fetch("SELECT mean, n, printed FROM raw.results") == [("5.20", "40", "")]
        assert tables.fetch("SELECT mean, n, printed FROM results") == [(5.2, 40, None)]


def test_a_column_that_the_file_lacks_is_null_in_both(tmp_path: Path) -> None:
    write_mini(tmp_path, files={"data/studies.csv": "study_id,design\nS1,trial\n"})
    with load_tables(open_package(tmp_path)) as tables:
        assert tables.fetch("SELECT year FROM raw.studies UNION ALL SELECT year FROM studies") == [
            (None,),
            (None,),
        ]


def test_a_value_that_no_type_holds_is_null(tmp_path: Path) -> None:
    write_mini(tmp_path, files={"data/results.csv": HEAD + f"R1,S1,1e400,1,{'9' * 40},\n"})
    with load_tables(open_package(tmp_path)) as tables:
        [(mean, n)] = tables.fetch("SELECT mean, n FROM results")
    assert n is None
    assert mean is None


def test_large_tables_go_through_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reviewdata.tables.IN_MEMORY", 10)
    with load_tables(open_package(write_mini(tmp_path))) as tables:
        assert tables.fetch("SELECT count(*) FROM results") == [(2,)]
        [(database,)] = tables.fetch(
            "SELECT path FROM duckdb_databases() WHERE database_name = 'tables'"
        )
        assert Path(database).is_file()
    assert not Path(database).exists()


def test_a_variable_of_one_query_is_not_seen_by_the_next(tmp_path: Path) -> None:
    with load_tables(open_package(write_mini(tmp_path))) as tables:
        assert tables.query("SELECT getvariable('x')", {"x": 7}).rows == [(7,)]
        assert tables.fetch("SELECT getvariable('x')") == [(None,)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM glob('/*')",
        "SELECT * FROM sniff_csv('/etc/passwd')",
        "SELECT * FROM parquet_scan('x.parquet')",
        "SELECT * FROM sqlite_scan('x.db', 't')",
    ],
)
def test_a_query_reaches_nothing_outside(sql: str, tmp_path: Path) -> None:
    with (
        load_tables(open_package(write_mini(tmp_path))) as tables,
        pytest.raises(QueryError),
    ):
        tables.fetch(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SET memory_limit = '8GB'",
        "SET enable_external_access = true",
        "ATTACH '/tmp/x.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "PRAGMA database_list",
        "EXPLAIN SELECT 1",
        "INSERT INTO studies VALUES ('S3', 2020, 'trial')",
        "UPDATE studies SET year = 1",
        "DELETE FROM studies",
        "EXPORT DATABASE '/tmp/x'",
        "SET VARIABLE x = 1",
        "CALL pragma_version()",
        "BEGIN",
    ],
)
def test_only_a_select_is_run(sql: str, tmp_path: Path) -> None:
    with (
        load_tables(open_package(write_mini(tmp_path))) as tables,
        pytest.raises(QueryError, match="one SELECT statement"),
    ):
        tables.fetch(sql)


WRITING = [
    "WITH x AS (INSERT INTO store.studies SELECT * FROM store.studies RETURNING *) FROM x",
    "WITH x AS (DELETE FROM store.studies RETURNING *) SELECT 1 FROM x WHERE false",
    "WITH x AS (UPDATE store.studies SET t1 = 'X' RETURNING *) FROM x",
    "WITH x AS (COPY studies TO '{spill}/x.csv') FROM x",
]


@pytest.mark.parametrize("sql", WRITING)
def test_a_select_whose_with_clause_writes_changes_nothing(sql: str, tmp_path: Path) -> None:
    with load_tables(open_package(write_mini(tmp_path))) as tables:
        before = tables.fetch("SELECT * FROM raw.studies")
        tables.spill.mkdir()
        sql = sql.format(spill=tables.spill)
        for run in (tables.query, tables.write_parquet):
            with pytest.raises(QueryError, match="one SELECT statement, and nothing else is run"):
                run(sql)
        if "COPY" not in sql:  # the framework's own statements copy nothing
            for fetch in (tables.fetch, lambda text: list(tables.frames(text))):
                with pytest.raises(QueryError, match="one SELECT statement"):
                    fetch(sql)
        assert tables.fetch("SELECT * FROM raw.studies") == before
        assert list(tables.spill.iterdir()) == []


@pytest.mark.parametrize(
    "sql",
    [
        ";SELECT 7 AS a",
        "-- head\nSELECT 7 AS a; -- end",
        "FROM (VALUES (7)) AS v(a)",
        "WITH x AS (SELECT 7 AS a) FROM x",
        "(SELECT 7 AS a) UNION ALL (SELECT 7 WHERE false)",
    ],
)
def test_a_select_is_run_whatever_its_form(sql: str, tmp_path: Path) -> None:
    with load_tables(open_package(write_mini(tmp_path))) as tables:
        for rows in (tables.query(sql), tables.query(sql, where="a > 6")):
            assert rows.rows == [(7,)]
            assert [name for name, _ in rows.columns] == ["a"]
        assert tables.write_parquet(sql).is_file()


def test_a_result_too_large_for_memory_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reviewdata.tables.CELL_LIMIT", 2000)
    with load_tables(open_package(write_mini(tmp_path))) as tables:
        assert len(tables.query("SELECT range, 1 AS one FROM range(1000)").rows) == 1000
        with pytest.raises(QueryError, match="more than 1,000 rows, too many to print"):
            tables.query("SELECT range, 1 AS one FROM range(1_000_000_000_000)")


CELLS = {
    "integer": ["1", "-7", "+3", "1_000", " 7 ", "1.5", "1e3", "0x10", "", "abc", "007", "1 000"],
    "number": ["1.5", "-.5", "5.", "1e3", "1E-3", "+2", "1,5", "", "x", " 1.5 ", "1_0.5", "--1"],
    "boolean": ["true", "True", "TRUE", "1", "false", "False", "FALSE", "0", "t", "yes", "tRUE"],
    "date": ["2020-01-31", "2020-1-1", "2020-02-30", "20200131", "31.01.2020", "2020-01-31T00:00"],
    "year": ["2020", "99", "0099", "1_00", "20201", "-20", "2020.0", "MMXX"],
    "time": ["12:30:00", "12:30", "25:00:00", "12:30:00.5"],
    "datetime": [
        "2020-01-31T12:30:00",
        "2020-01-31T12:30:00Z",
        "2020-01-31",
        "2020-13-01T00:00:00",
    ],
}


def read_by_frictionless(field: dict[str, Any], cell: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Field.from_descriptor({"name": "a", **field}).read_cell(cell)[0]


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tables]:
    """Return the tables of a review, for what reads none of them."""
    with load_tables(open_package(write_mini(tmp_path_factory.mktemp("tables")))) as loaded:
        yield loaded


def read_by_duckdb(field: dict[str, Any], cell: str, tables: Tables) -> Any:
    [(value,)] = tables.fetch(f"SELECT {typed(field, quote_text(cell), [''])}")
    return value


@pytest.mark.parametrize("kind", CELLS)
def test_a_cell_is_null_exactly_where_frictionless_reads_nothing(kind: str, tables: Tables) -> None:
    for cell in CELLS[kind]:
        there = read_by_frictionless({"type": kind}, cell)
        here = read_by_duckdb({"type": kind}, cell, tables)
        assert (here is None) == (there is None), cell
        if kind in ("integer", "number", "boolean", "date", "year") and there is not None:
            assert here == (float(there) if kind == "number" else there), cell


@pytest.mark.parametrize(
    ("field", "cell", "value"),
    [
        ({"type": "number", "decimalChar": ","}, "1,5", 1.5),
        ({"type": "number", "groupChar": ","}, "1,500.5", 1500.5),
        ({"type": "number", "decimalChar": ","}, "1.5", None),
        ({"type": "number", "bareNumber": False}, "12.5 %", 12.5),
        ({"type": "integer", "bareNumber": False}, "€ 12", 12),
        ({"type": "boolean", "trueValues": ["yes"], "falseValues": ["no"]}, "yes", True),
        ({"type": "boolean", "trueValues": ["yes"], "falseValues": ["no"]}, "true", None),
    ],
)
def test_the_properties_of_a_field_are_respected(
    field: dict[str, Any], cell: str, value: Any, tables: Tables
) -> None:
    assert read_by_duckdb(field, cell, tables) == value
    there = read_by_frictionless(field, cell)
    assert (None if there is None else type(value)(there)) == value


cells = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(cells, min_size=2, max_size=2), min_size=1, max_size=8))
def test_records_are_those_that_were_written(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    """Whatever is in the cells comes back, each record at the line where it starts."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)
    starts = []
    for row in rows:
        starts.append(lines(out.getvalue()))
        writer.writerow(row)
    file = tmp_path_factory.mktemp("records") / "cells.csv"
    file.write_bytes(out.getvalue().encode("utf-8"))
    records = list(read_records(file, Dialect()))
    if not rows[0][0].startswith("\ufeff"):
        assert [record.cells for record in records] == rows
    assert [record.row for record in records] == list(range(1, len(rows) + 1))
    assert [record.line for record in records] == starts


def lines(text: str) -> int:
    """Return the number of the line behind a text, as editors and git count them."""
    return text.replace("\r\n", "\n").replace("\r", "\n").count("\n") + 1


def test_a_cell_at_the_limit_is_read_and_one_above_is_not(tmp_path: Path) -> None:
    file = tmp_path / "cells.csv"
    file.write_text("a\n" + "x" * CELL_LIMIT + "\n")
    assert len(list(read_records(file, Dialect()))[1].cells[0]) == CELL_LIMIT
    file.write_text("a\n" + "x" * (CELL_LIMIT + 1) + "\n")
    with pytest.raises(Refusal) as refused:
        list(read_records(file, Dialect()))
    assert (refused.value.code, refused.value.line) == ("RD105", 2)
