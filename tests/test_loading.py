"""Loading gives what Python's csv reads, whichever of its two ways a file goes."""

from __future__ import annotations

import csv
import errno
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import Command
from hypothesis import example, given, settings
from hypothesis import strategies as st
from mini import write_mini
from test_descriptors import resource, write

from reviewdata import direct, loading, plans
from reviewdata.files import find_stray_quotes
from reviewdata.package import Resource, open_package
from reviewdata.records import Dialect, Refusal, read_records
from reviewdata.stages.engines import sieve as sift
from reviewdata.tables import load_tables
from reviewdata.validation import validate

Loaded = list[tuple[Any, ...]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("loading")


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        for schema in ("store", "irregular", "raw", "cells"):
            connection.execute(f"CREATE SCHEMA {schema}")
        yield connection


def load(
    connection: duckdb.DuckDBPyConnection, folder: Path, data: bytes, way: str, **dialect: str
) -> Loaded | None:
    """Return raw.t of a file, loaded one way; None where that way is not for it."""
    file = folder / "t.csv"
    file.write_bytes(data)
    resource = Resource("t", "t.csv", file, {}, {"path": "t.csv", "dialect": dialect})
    form = Dialect.of(resource.descriptor)
    plan = plans.plan_columns(resource, form)
    try:
        loaded = (
            loading.load_by_record(connection, resource, form, plan, folder)
            if way == "by record"
            else direct.load_directly(connection, resource, form, plan)
        )
        if loaded is None:
            return None
        loading.create_views(connection, resource, plan, loaded)
        return connection.execute("SELECT * FROM raw.t ORDER BY _row").fetchall()
    finally:
        for kind, name in (("VIEW", "t"), ("VIEW", "raw.t"), ("VIEW", "cells.t")):
            connection.execute(f"DROP {kind} IF EXISTS {name}")
        connection.execute("DROP TABLE IF EXISTS store.t; DROP TABLE IF EXISTS irregular.t")


TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=6)
ODD = st.sampled_from(
    ["", "\\N", "0", "NULL", "\n", "\r", "\r\n", "a\r\nb", '"', "'", ",", " a ", "\ufeff", "\x01"]
)


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(st.lists(TEXT | ODD, min_size=2, max_size=2), min_size=1, max_size=5),
    end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    delimiter=st.sampled_from([",", ";", "\t", ":", " ", "e"]),
)
def test_a_cell_is_loaded_as_it_was_written(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    rows: list[list[str]],
    end: str,
    quoting: Any,
    delimiter: str,
) -> None:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator=end, quoting=quoting, delimiter=delimiter)
    writer.writerows([["a", "b"], *rows])
    expected = read_by_python(out.getvalue(), delimiter)
    if quoting == csv.QUOTE_ALL:
        assert [list(cells) for _, _, *cells in expected] == [row for row in rows if any(row)]
    data = out.getvalue().encode()
    assert load(connection, folder, data, "by record", delimiter=delimiter) == expected
    assert load(connection, folder, data, "directly", delimiter=delimiter) in (None, expected)


def read_by_python(text: str, delimiter: str) -> Loaded:
    """Return the records after the header: number, line, and two cells, null where it ends."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    records, line = [], 1
    for number, cells in enumerate(reader, start=1):
        if any(cells):
            records.append((number, line, *[*cells, None, None][:2]))
        line = reader.line_num + 1
    return records[1:]


BITS = st.sampled_from(["a", "0", " ", '"', '""', "'", ",", "\t", "\n", "\\", "\x0b", "\x85", "#"])
LINES = st.builds("{}{},{}{}".format, BITS, BITS, BITS, BITS)


@settings(max_examples=250, deadline=None)
@given(text=st.lists(LINES, max_size=4).map("\n".join))
@example(text='x, "y"\n')
@example(text='"x"y,z\n')
@example(text='x"y,z\n')
@example(text='x,"y\n')
@example(text=',\n\n"",\n')
def test_what_duckdb_reads_by_itself_is_what_is_read_by_record(
    connection: duckdb.DuckDBPyConnection, folder: Path, text: str
) -> None:
    data = b"h1,h2\n" + text.encode()
    direct = load(connection, folder, data, "directly")
    if direct is not None:
        assert direct == load(connection, folder, data, "by record")
        assert not list(find_stray_quotes(folder / "t.csv", Dialect()))


def test_an_ordinary_file_is_read_by_duckdb_itself(
    connection: duckdb.DuckDBPyConnection, folder: Path
) -> None:
    data = b'a,b\n1,"x, y"\n2,"say ""so"""\n'
    assert load(connection, folder, data, "directly") == [
        (2, 2, "1", "x, y"),
        (3, 3, "2", 'say "so"'),
    ]


HEAD = "study_id,year,design\n"


@pytest.mark.parametrize("delimiter", [",", ":", " ", "e", "w", "\n", "\x00", ";"])
@pytest.mark.parametrize("quote", ['"', "'", "d"])
def test_a_quote_left_open_is_told_with_any_delimiter(
    delimiter: str, quote: str, folder: Path
) -> None:
    file = folder / "open.csv"
    file.write_text(f"a{delimiter}b\n1{delimiter}2\n3{delimiter}{quote}4\n")
    dialect = Dialect(delimiter=delimiter, quote=quote)
    with pytest.raises(Refusal) as refused:
        list(read_records(file, dialect))
    code = "RD103" if delimiter == "\0" else "RD104"
    assert refused.value.code == code
    file.write_text(f"a{delimiter}b\n1{delimiter}2\n")
    if delimiter not in "\0\n":
        assert [r.cells for r in read_records(file, dialect)] == [["a", "b"], ["1", "2"]]


@pytest.mark.parametrize("label", ["_column_2", "_column_1", "_COLUMN_2"])
def test_a_label_like_a_generated_name_keeps_its_column(label: str, folder: Path) -> None:
    resource = Resource("t", "t.csv", None, {}, {})
    names = plans.column_names([label, ""], resource)
    assert names[0] == label
    assert len({name.lower() for name in names}) == 2


@pytest.mark.parametrize(
    "encoding", ["undefined", "unicode_escape", "utf-7", "utf-8\0", "rot13", "base64", "zip", "x"]
)
def test_an_encoding_that_is_none_is_told(
    encoding: str, tmp_path: Path, reviewdata: Command
) -> None:
    write_mini(tmp_path, patch=one_table(encoding=encoding), files={STUDIES: HEAD + "\\ud800,1,\n"})
    ended = reviewdata("validate", tmp_path, "--stage", "structure", "--format", "concise")
    assert ended.code == 1
    assert "error RD101" in ended.out
    assert "no encoding of text files" in ended.out
    assert ended.out.count("\n") == 1


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_file_in_utf_16_is_called_that(
    encoding: str, tmp_path: Path, reviewdata: Command
) -> None:
    data = ("\ufeff" + HEAD + "S1,2019,trial\r\n").encode(encoding)
    write_mini(tmp_path, patch=one_table(), files={STUDIES: data})
    ended = reviewdata("validate", tmp_path, "--stage", "structure", "--format", "concise")
    assert ended.code == 1
    assert "it looks like UTF-16; save it as UTF-8" in ended.out
    assert "RD131" not in ended.out


def test_a_file_in_utf_16_may_be_declared_so(tmp_path: Path) -> None:
    data = (HEAD + "S1,2019,trial\nS2,2020,cohort\n").encode("utf-16")
    write_mini(tmp_path, patch=one_table(encoding="utf-16"), files={STUDIES: data})
    assert validate(tmp_path, stages=["structure"]).findings == ()


def test_a_file_that_may_not_be_read_is_a_finding_and_the_others_are_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_mini(tmp_path, files={"data/results.csv": "result_id\nR1\n"})
    real = Path.open

    def refused(path: Path, *arguments: Any, **options: Any) -> Any:
        if path.name == "studies.csv":
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", refused)
    found = validate(tmp_path, stages=["structure"]).findings
    assert [f.message for f in found if f.table == "studies"] == [
        "the file cannot be read as a table: permission denied"
    ]
    assert [f for f in found if f.table == "results"]


def test_a_record_of_many_large_cells_is_a_finding(tmp_path: Path) -> None:
    write_mini(tmp_path)
    with (tmp_path / "data/results.csv").open("a") as file:
        file.write(",".join(["x" * 8_000_000] * 5) + "\n")
    found = validate(tmp_path, stages=["structure"]).findings
    assert [(f.code, f.line, f.message) for f in found] == [
        (
            "RD106",
            4,
            "the file cannot be read as a table: record 4 has more than 33,554,432 characters",
        )
    ]


def test_a_record_below_the_limit_is_loaded(
    connection: duckdb.DuckDBPyConnection, folder: Path
) -> None:
    cell = '"' * 3_000_000 + "\U0001f600" * 1_000_000
    out = io.StringIO()
    csv.writer(out).writerows([["a", "b", "c"], [cell, cell, "x"]])
    connection.execute("SET memory_limit = '400MB'")
    [(_, _, *cells)] = load(connection, folder, out.getvalue().encode(), "by record") or []
    assert cells == [cell, cell, "x"]


@pytest.mark.parametrize("number", [errno.EFBIG, errno.EIO, errno.EACCES])
def test_an_error_of_the_system_while_loading_is_one_finding(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> bool:
        raise OSError(number, "It Went Wrong")

    monkeypatch.setattr(loading, "load_directly", fail)
    found = validate(write_mini(tmp_path), stages=["structure"]).findings
    assert {f.message for f in found} == {"the file cannot be read as a table: it went wrong"}


def test_an_error_of_duckdb_while_loading_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> bool:
        raise duckdb.OutOfMemoryException("Out of Memory Error: no\nroom")

    monkeypatch.setattr(loading, "load_directly", fail)
    found = validate(write_mini(tmp_path), stages=["structure"]).findings
    assert {f.message for f in found} == {
        "the file cannot be read as a table: Out of Memory Error: no room"
    }


def one_table(**properties: Any) -> dict[str, Any]:
    """Return a patch that makes the package of one table."""
    given = {"name": "studies", "type": "table", "path": STUDIES, "schema": "schemas/studies.json"}
    return {"datapackage.json": {"resources": [{**given, **properties}]}}


STUDIES = "data/studies.csv"


@pytest.mark.parametrize("rows", ["a,b\n\nc,d\n", "\n\na,b\nc,d\n", "a,b\n,\n"])
def test_a_table_without_header_and_schema_is_loaded(rows: str, tmp_path: Path) -> None:
    write_mini(
        tmp_path,
        patch=one_table(schema={}, dialect={"header": False}),
        files={STUDIES: rows},
    )
    found = validate(tmp_path, stages=["package", "structure"]).findings
    assert {f.code for f in found if f.table == "studies"} == {"RD007", "RD199"}
    with load_tables(open_package(tmp_path)) as tables:
        [(row, line, first, second), *_] = tables.fetch("SELECT * FROM raw.studies")
    assert (first, second) == ("a", "b")
    assert row == line == rows.index("a") + 1


def test_values_made_where_they_are_read_are_those_that_are_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds = ["integer", "number", "boolean", "date", "year", "time", "datetime", "string"]
    cells = ["7", "x", "", "1.5", "true", "2020-01-31", "2020", "12:30:00", "2020-01-31T12:30:00"]
    fields = [{"name": kind, "type": kind} for kind in kinds]
    rows = "".join(",".join([cell] * len(kinds)) + "\n" for cell in cells if cell)
    write_mini(
        tmp_path,
        patch=one_table(schema={"fields": fields, "missingValues": ["", "x"]}),
        files={STUDIES: ",".join(kinds) + "\n" + rows},
    )
    results = []
    for wide in (0, 1000):
        monkeypatch.setattr(plans, "WIDE", wide)
        with load_tables(open_package(tmp_path)) as tables:
            results.append(tables.fetch("SELECT * FROM studies"))
    assert results[0] == results[1]
    assert any(row[0] == 7 for row in results[0])


def test_a_table_of_more_than_a_thousand_columns_is_loaded_and_judged(tmp_path: Path) -> None:
    kinds = ["string", "number", "integer", "date", "boolean"]
    fields = [{"name": f"c{number}", "type": kinds[number % 5]} for number in range(1050)]
    cells = ["x", "1.5", "7", "2020-01-31", "true"] * 210
    bad = [*cells[:-1], "maybe"]
    lines = [",".join(str(f["name"]) for f in fields), ",".join(cells), ",".join(bad)]
    write_mini(
        tmp_path,
        patch=one_table(schema={"fields": fields}),
        files={STUDIES: "\n".join(lines) + "\n"},
    )
    found = validate(tmp_path, stages=["structure"]).findings
    assert [(f.code, f.line, f.field) for f in found] == [("RD120", 3, "c1049")]


def test_records_of_another_length_and_blank_ones_are_kept_beside(tmp_path: Path) -> None:
    wide = ",".join(str(number) for number in range(9, 9 + loading.EXTRA_LIMIT + 1))
    rows = f'\nS1\nS2,2020,trial,x,\n,,,\n"S\n3",2020,a,{wide}\nS4,2020,trial\n'
    files = {"data/studies.csv": "study_id,year,design\n" + rows}
    with load_tables(open_package(write_mini(tmp_path, files=files))) as tables:
        kept = tables.fetch("SELECT * FROM irregular.studies ORDER BY row, number")
    assert kept == [
        (2, 2, 0, None, None),
        (3, 3, 1, None, None),
        (4, 4, 5, 4, "x"),
        (4, 4, 5, 5, ""),
        (5, 5, 4, None, None),
        (6, 6, 4 + loading.EXTRA_LIMIT, 4, "9"),
    ]


@pytest.mark.parametrize("path", ["t[1].csv", "*.csv", "t?.csv", "t1=2020/t.csv", "a[!b]/t.csv"])
def test_a_file_is_read_whose_path_is_a_pattern(path: str, tmp_path: Path) -> None:
    write(tmp_path, resource(path=path))
    for other in ("t1.csv", "tx.csv", "a.csv", "ac/t.csv"):
        (tmp_path / other).parent.mkdir(exist_ok=True)
        (tmp_path / other).write_text("id,n,note\nother,1,x\n")
    (tmp_path / path).parent.mkdir(exist_ok=True)
    (tmp_path / path).write_text("id,n,note\nown,1,x\n")
    for sieve in (None, sift):
        with load_tables(open_package(tmp_path), sieve=sieve) as tables:
            assert tables.count("t") == 1
            if sieve is None:
                assert tables.look("SELECT id, n, note FROM t") == [("own", 1, "x")]
            assert not tables.loaded["t"].by_record
