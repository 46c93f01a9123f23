"""Query files and their results: what is read, refused and written."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import duckdb
import pytest
from conftest import Command
from mini import remove_suites, write_mini

import reviewdata as rd
from reviewdata.model import ReviewdataError
from reviewdata.statements import first_lines


def make_folder(path: Path) -> None:
    path.mkdir()


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


def make_link(path: Path) -> None:
    path.symlink_to("nowhere.sql")


def make_latin(path: Path) -> None:
    path.write_bytes("SELECT 'é'".encode("latin-1"))


def make_parameter(path: Path) -> None:
    path.write_text("-- param a INTEGER\nSELECT 1")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (make_folder, "queries/odd.sql is a folder, not a query"),
        (make_pipe, "queries/odd.sql is no file, not a query"),
        (make_link, "queries/odd.sql is a link to nothing"),
        (make_latin, "queries/odd.sql is not UTF-8: byte 8"),
        (
            make_parameter,
            "queries/odd.sql has the parameter a INTEGER; one is `-- param NAME TYPE = DEFAULT`",
        ),
    ],
)
def test_a_query_file_that_cannot_be_read_stops_no_other(
    make: object, says: str, tmp_path: Path, reviewdata: Command
) -> None:
    write_mini(tmp_path)
    remove_suites(tmp_path)
    assert callable(make)
    make(tmp_path / "queries" / "odd.sql")
    ended = reviewdata("query", "odd", "--project", tmp_path)
    assert (ended.code, ended.err) == (2, f"reviewdata: {says}\n")
    ended = reviewdata("query", "--all", "--project", tmp_path)
    assert (ended.code, ended.err) == (2, f"odd could not be run: {says}\n")
    assert "5.0133" in ended.out
    ended = reviewdata("run", tmp_path)
    assert ended.code == 2
    assert says in ended.out
    assert "UNCHECKED: query odd could not be run; nothing found" in ended.out
    assert says in reviewdata("query", "--project", tmp_path).out
    assert says in reviewdata("query", "--all", "--print-sql", "--project", tmp_path).err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--all", "--param", "least=1"), "--param is of one query; name it"),
        (("--param", "least=1"), "--param is of one query; name it"),
        (("--print-sql", "--sql", "SELECT 1", "--param", "a=1"), "parameters belong to a query"),
        (("--print-sql", "--all", "--param", "a=1"), "--param is of one query"),
        (("--print-sql",), "which query? name one, or give --all or --sql"),
        (("--format", "json"), "which query? name one, or give --all or --sql"),
        (("pooled", "--timeout", "inf"), "the timeout is inf seconds; give more than 0"),
        (("pooled", "--timeout", "nan"), "the timeout is nan seconds; give more than 0"),
        (("pooled", "--timeout", "1e300"), "the timeout is 1e+300 seconds"),
        (("pooled", "--timeout", "-1"), "the timeout is -1 seconds"),
        (("--all", "--timeout", "0"), "the timeout is 0 seconds"),
        (("typed",), "the type NUMBRE of parameter a of typed is unknown to DuckDB"),
        (("--sql", "SELECT 1 AS a, 2 AS A"), "two columns have one name, a and A; give one"),
        (("--sql", "SELECT * FROM results, studies"), "two columns have one name, study_id"),
    ],
)
def test_what_a_query_is_not_given_is_one_line(
    arguments: tuple[str, ...], says: str, tmp_path: Path, reviewdata: Command
) -> None:
    write_mini(tmp_path)
    (tmp_path / "queries" / "typed.sql").write_text("-- param a NUMBRE = 1\nSELECT 1")
    ended = reviewdata("query", *arguments, "--project", tmp_path)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"reviewdata: {says}")
    assert ended.err.count("\n") == 1


def test_parameters_are_numbers_and_booleans_in_python(tmp_path: Path) -> None:
    review = rd.open(write_mini(tmp_path))
    assert review.query("pooled", params={"least": 36}).records()[0]["k"] == 1
    assert review.query("pooled", params={"least": "36"}).records()[0]["k"] == 1
    sql = "-- param wanted BOOLEAN = true\nSELECT getvariable('wanted') AS wanted"
    (tmp_path / "queries" / "wanted.sql").write_text(sql)
    assert review.query("wanted", params={"wanted": False}).rows == ((False,),)
    for value in (None, [1], b"1"):
        with pytest.raises(ReviewdataError, match=r"the parameter least is a \w+; give a text"):
            review.query("pooled", params={"least": value})


def test_the_types_of_a_result_in_json(tmp_path: Path, reviewdata: Command) -> None:
    sql = (
        "SELECT 12345678901234567890.123456789::DECIMAL(38, 9) AS exact, 1.20::DECIMAL(3, 2) AS"
        " printed, DATE '2020-01-31' AS day, TIMESTAMP '2020-01-31 12:30:00' AS moment,"
        " [1.50::DECIMAL(3, 2)] AS listed, NULL AS nothing, 'nan'::DOUBLE AS nan"
    )
    out = reviewdata(
        "query", "--sql", sql, "--format", "json", "--project", write_mini(tmp_path)
    ).out
    assert '"exact": 12345678901234567890.123456789,' in out
    assert '"printed": 1.20,' in out
    [row] = json.loads(out)["rows"]
    assert (row["day"], row["moment"]) == ("2020-01-31", "2020-01-31T12:30:00")
    assert (row["listed"], row["nothing"], row["nan"]) == ([1.5], None, None)


def test_a_list_and_a_boolean_in_csv(tmp_path: Path, reviewdata: Command) -> None:
    sql = "SELECT true AS yes, [1, NULL] AS listed, {'a': 'x'} AS struct"
    ended = reviewdata("query", "--sql", sql, "--format=csv", "--project", write_mini(tmp_path))
    assert ended.out == 'yes,listed,struct\ntrue,"[1, null]","{""a"": ""x""}"\n'


def test_parquet_takes_many_rows_and_large_numbers(tmp_path: Path, reviewdata: Command) -> None:
    write_mini(tmp_path)
    output = tmp_path / "rows.parquet"
    sql = (
        "-- many\nSELECT range AS n, sum(range) OVER () AS total, 1.5::DECIMAL(4, 2) AS d,"
        " uuid() AS id FROM range(3_000_000); -- the end"
    )
    started = time.monotonic()
    command = ("query", "--sql", sql, "--format", "parquet", "--output", output)
    ended = reviewdata(*command, "--project", tmp_path)
    assert (ended.code, ended.err) == (0, "")
    assert time.monotonic() - started < 20
    with duckdb.connect() as connection:
        read = connection.execute(f"FROM read_parquet('{output}') LIMIT 1")
        assert [str(c[1]) for c in read.description] == [
            "BIGINT",
            "DECIMAL(38,0)",
            "DECIMAL(4,2)",
            "UUID",
        ]
        counted = connection.execute(f"SELECT count(*), max(total) FROM '{output}'").fetchall()
    assert counted == [(3_000_000, sum(range(3_000_000)))]


def test_parquet_of_a_query_file_and_in_python(tmp_path: Path) -> None:
    review = rd.open(write_mini(tmp_path))
    review.save(tmp_path / "x.parquet", "pooled", params={"least": 36})
    with duckdb.connect() as connection:
        assert connection.execute(f"FROM '{tmp_path / 'x.parquet'}'").fetchall() == [(5.2, 1)]
    with pytest.raises(ReviewdataError, match="two columns have one name"):
        review.save(tmp_path / "y.parquet", sql="SELECT 1 AS a, 2 AS a")
    assert not (tmp_path / "y.parquet").exists()


def test_an_error_within_duckdb_is_one_line_without_its_stack() -> None:
    stack = "INTERNAL Error: it should not be used here!\n\nStack Trace:\n\n/a/lib.so(+0x1) [0x2]\n"
    assert first_lines(duckdb.InternalException(stack)) == (
        "INTERNAL Error: it should not be used here!"
    )
