"""Files of many records, or that nobody expects: right lines, bounded work, nothing in silence."""

from __future__ import annotations

import io
import sys
import time
from pathlib import Path

import pytest
from conftest import Command
from test_descriptors import field, resource, schema, write

from reviewdata import terminal
from reviewdata.package import open_package
from reviewdata.render.values import plural
from reviewdata.stages.compiled import sieve
from reviewdata.stages.engines import sieve as sift
from reviewdata.tables import load_tables
from reviewdata.terminal import progress
from reviewdata.validation import validate

HEAD = "id,n,note\n"


def find(folder: Path) -> list[tuple[str, int | None, int | None]]:
    """Return code, line and row of each finding on `t`, where structure is all that is asked."""
    found = validate(folder, stages=["structure"]).findings
    return sorted((f.code, f.line, f.row) for f in found if f.table == "t")


def load(folder: Path) -> tuple[int, int, int, bool]:
    """Return how many records of `t` were found, refused and loaded, and whether it was clear."""
    with load_tables(open_package(folder), sieve=sift) as tables:
        loaded = tables.loaded["t"]
        [(number,)] = tables.look("SELECT count(*) FROM raw.t")
        return loaded.records, loaded.refused, number, loaded.clear


def test_of_a_file_without_errors_nothing_is_loaded(tmp_path: Path) -> None:
    write(tmp_path, rows="".join(f"k{n},{n},word{n}\n" for n in range(30_000)))
    assert load(tmp_path) == (30_000, 0, 0, True)
    assert find(tmp_path) == []


def test_of_a_file_with_errors_the_records_are_loaded_that_may_have_one(tmp_path: Path) -> None:
    rows = [f"k{n},{n},word{n}\n" for n in range(30_000)]
    rows[9] = "k9,nine,word9\n"  # line 11
    rows[20_000] = "k77,1,word\n"  # the key of line 79
    rows[20_001] = ",2,word\n"
    rows[29_999] = "k29999,3,=1+1\n"
    write(tmp_path, rows="".join(rows))
    assert load(tmp_path) == (30_000, 0, 5, False)
    assert find(tmp_path) == [
        ("RD120", 11, 11),
        ("RD123", 20_002, 20_002),
        ("RD123", 20_003, 20_003),
        ("RD134", 30_001, 30_001),
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_are_those_of_the_file_after_cells_of_several_lines(end: str, tmp_path: Path) -> None:
    write(tmp_path)
    rows = ["id,n,note", "a,1,x", 'b,2,"one\ntwo\nthree"'.replace("\n", end), "", "c,three,y"]
    (tmp_path / "t.csv").write_bytes((end.join(rows) + end).encode())
    assert load(tmp_path) == (3, 1, 2, False)  # a cell of several lines is looked at
    assert find(tmp_path) == [("RD115", 6, 4), ("RD120", 7, 5)]
    with load_tables(open_package(tmp_path)) as tables:
        assert not tables.loaded["t"].by_record
        places = tables.look("SELECT id, _row, _line FROM cells.t ORDER BY _row")
        assert places == [("a", 2, 2), ("b", 3, 3), ("c", 5, 7)]


def test_one_of_many_columns_of_words_is_looked_at_whole(tmp_path: Path) -> None:
    rows = "".join(f"k{n},{n},{'Trial' if n % 100 else 'trial'}\n" for n in range(1_000))
    write(tmp_path, rows=rows)
    assert load(tmp_path) == (1_000, 0, 1_000, False)
    assert {code for code, _, _ in find(tmp_path)} == {"RD138"}


def test_a_file_of_many_errors_is_loaded_whole_and_all_are_counted(
    tmp_path: Path, reviewdata: Command
) -> None:
    many = sieve.MOST + 5_000
    write(tmp_path, field(1, type="boolean"), "".join(f"k{n},{n},w{n}\n" for n in range(2, many)))
    assert load(tmp_path) == (many - 2, 0, many - 2, False)
    ended = reviewdata("validate", tmp_path, "--stage", "structure")
    assert f"  ... and {many - 6:,} more, of which --all shows 9,995\n" in ended.out
    assert f"{many - 1:,} rows read, 0 blank and refused\n" in ended.out
    unlisted = f"{many - 1 - 10_000:,} more that are not listed"
    assert f"FAIL: {plural(10_000, 'error')} in 1 rule, {unlisted}\n" in ended.out


def test_rows_read_and_refused_are_the_rows_of_the_file(
    tmp_path: Path, reviewdata: Command
) -> None:
    write(tmp_path, rows='a,1,x\n\nb,2\n,,\nc,3,"two\nlines"\nd,4,x,y\n')
    [read] = [t for t in validate(tmp_path, stages=["structure"]).tables if t.table == "t"]
    assert (read.rows, read.refused, read.why) == (4, 2, None)
    told = reviewdata("validate", tmp_path, "--stage", "structure", "--verbose").out
    assert "t: 4 rows read, 2 blank and refused\n" in told
    assert "\n5 rows read, 2 blank and refused\n" in told


def test_a_record_of_empty_cells_is_read_where_an_empty_cell_is_a_value(tmp_path: Path) -> None:
    write(tmp_path, schema(missingValues=["-"], primaryKey=[]), "a,1,x\n,,\n\n")
    [read] = [t for t in validate(tmp_path, stages=["structure"]).tables if t.table == "t"]
    assert (read.rows, read.refused) == (2, 1)
    assert find(tmp_path) == [("RD115", 4, 4), ("RD120", 3, 3)]
    with load_tables(open_package(tmp_path)) as tables:
        assert tables.look("SELECT id, n, note FROM t") == [("a", 1, "x"), ("", None, "")]


def test_of_a_table_that_cannot_be_read_no_number_is_known(
    tmp_path: Path, reviewdata: Command
) -> None:
    write(tmp_path, rows='a,1,"open\n')
    [read] = [t for t in validate(tmp_path, stages=["structure"]).tables if t.table == "t"]
    assert (read.rows, read.refused) == (None, None)
    assert "quote" in (read.why or "")
    told = reviewdata("validate", tmp_path, "--stage", "structure").out
    assert "1 row read, 0 blank and refused; 1 table could not be read\n" in told


def test_a_quote_left_open_late_in_a_large_file_is_told_at_its_line(tmp_path: Path) -> None:
    rows = "".join(f"k{n},{n},word{n}\n" for n in range(100_000))
    write(tmp_path, rows=rows + 'last,1,"open\n' + "x,1,y\n" * 10)
    assert find(tmp_path) == [("RD104", 100_002, None)]


def test_a_file_of_a_header_alone_has_no_rows(tmp_path: Path) -> None:
    write(tmp_path, rows="")
    assert load(tmp_path) == (0, 0, 0, True)
    assert find(tmp_path) == []


def test_a_blank_line_below_the_last_record_is_told(tmp_path: Path) -> None:
    write(tmp_path, rows="\n")
    assert find(tmp_path) == [("RD115", 2, 2)]
    write(tmp_path, rows="a,1,x\n\n")
    assert find(tmp_path) == [("RD115", 3, 3)]


def test_a_file_that_changes_while_it_is_judged_is_told(tmp_path: Path) -> None:
    write(tmp_path)
    file = tmp_path / "t.csv"

    def meddle(what: str) -> None:
        if what == "checking structure":
            file.write_text(HEAD + "a,1,x\n")

    found = validate(tmp_path, stages=["structure"], step=meddle).findings
    [finding] = [f for f in found if f.table == "t"]
    assert (finding.code, finding.path) == ("RD106", "t.csv")
    assert "it was changed while it was judged; validate it again" in finding.message


def test_a_file_that_goes_while_it_is_judged_is_told(tmp_path: Path) -> None:
    write(tmp_path, resource(bytes=26))
    steps = []

    def meddle(what: str) -> None:
        steps.append(what)
        if what == "reading u":
            (tmp_path / "t.csv").write_text(HEAD)

    found = validate(tmp_path, stages=["structure"], step=meddle).findings
    assert {f.code for f in found if f.table == "t"} == {"RD106", "RD126"}
    assert steps == ["reading t", "reading u", "checking structure"]


class Screen(io.StringIO):
    """What a terminal would have got."""

    def isatty(self) -> bool:
        """Say that somebody looks."""
        return True


def test_long_work_is_shown_on_a_terminal_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "PATIENCE", 0.01)
    for key, value in {"TERM": "xterm", "COLUMNS": "80"}.items():
        monkeypatch.setenv(key, value)
    for stream, shown in ((Screen(), True), (io.StringIO(), False)):
        monkeypatch.setattr(sys, "stderr", stream)
        with progress() as step:
            step("reading \x1b[31mresults")
            limit = time.monotonic() + 20
            while shown and "results" not in stream.getvalue() and time.monotonic() < limit:
                time.sleep(0.01)
        assert ("reading \\u{1b}[31mresults" in stream.getvalue()) is shown


def test_quick_work_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", screen := Screen())
    with progress() as step:
        step("reading results")
    assert screen.getvalue() == ""
