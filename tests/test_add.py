"""`reviewdata add`: a row is judged before it is written, and nothing else of the file changes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from conftest import Command
from test_init import answer

import reviewdata as rd
from reviewdata.adding.filled import read_filled
from reviewdata.adding.records import read_table_file, write_records
from reviewdata.checksums import Checksums
from reviewdata.model import ReviewdataError
from reviewdata.starter import init

STUDIES, RESULTS = "data/studies.csv", "data/results.csv"
STUDY = {"study_id": "smith2020", "label": "Smith 2020", "year": "2020", "citation": "Smith, A."}
RESULT = {
    "result_id": "example-2-other",
    "study_id": "example-2",
    "outcome": "another",
    "r": "0.30",
    "n": "88",
    "basis": "printed",
    "locator": "SYNTHETIC: Table 3",
}


@pytest.fixture
def review(tmp_path: Path) -> Path:
    """Return a review of two synthetic studies with correlations."""
    init(tmp_path / "review", title="A review", kind="correlation", ci="none")
    return tmp_path / "review"


def cells(row: dict[str, str]) -> list[str]:
    return [part for name, value in row.items() for part in ("--set", f"{name}={value}")]


def lines(file: Path) -> list[str]:
    return file.read_text("utf-8").splitlines()


def test_a_row_of_options_is_added_where_its_key_puts_it(review: Path, reviewdata: Command) -> None:
    before = lines(review / RESULTS)
    ended = reviewdata("add", "results", review, *cells(RESULT | {"result_id": "example-1-x"}))
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == f"{RESULTS}:3  results  (example-1-x)\n1 row added\n"
    row = "example-1-x,example-2,another,0.30,88,,,printed,SYNTHETIC: Table 3,"
    assert lines(review / RESULTS) == [*before[:2], row, before[2]]
    assert reviewdata("fmt", "--check", review).code == 0


def test_a_warning_is_shown_and_the_row_is_written(review: Path, reviewdata: Command) -> None:
    ended = reviewdata("add", "studies", review, *cells(STUDY))
    assert ended.code == 0
    assert f"{STUDIES}:4:study_id  warning MY301  study smith2020 has no result" in ended.out
    assert "pass: 1 warning, 2 in the review already" in ended.out
    assert lines(review / STUDIES)[-1] == 'smith2020,Smith 2020,2020,"Smith, A.",'


def test_a_row_with_errors_is_told_and_not_written(review: Path, reviewdata: Command) -> None:
    before = (review / RESULTS).read_bytes()
    bad = {"result_id": "example-1-r", "study_id": "nobody", "r": "1.50", "n": "about 80"}
    bad |= {"basis": "prnted", "outcome": ""}
    ended = reviewdata("add", "results", review, *cells(RESULT | bad))
    assert ended.code == 1
    for said in (
        "r 1.50 breaks the constraint maximum 1",
        "study_id nobody is not in studies",
        "result_id example-1-r",
        "did you mean printed?",
        "about 80",
        "outcome is empty",
    ):
        assert said in ended.out
    assert ended.out.endswith("nothing is written; --force writes all the same\n")
    assert (review / RESULTS).read_bytes() == before


def test_force_writes_what_a_source_prints_so_that_it_can_be_waived(
    review: Path, reviewdata: Command
) -> None:
    ended = reviewdata("add", "results", review, "--force", *cells(RESULT | {"r": "1.50"}))
    assert ended.code == 0
    assert "error RD230" in ended.out
    assert "example-2-other" in lines(review / RESULTS)[2]


def test_check_writes_nothing(review: Path, reviewdata: Command) -> None:
    before = (review / RESULTS).read_bytes()
    ended = reviewdata("add", "results", review, "--check", *cells(RESULT))
    assert (ended.code, ended.out.splitlines()[-1]) == (
        0,
        "1 row added: only checked, nothing is written",
    )
    assert reviewdata("add", "results", review, "--check", *cells(RESULT | {"r": "2"})).code == 1
    assert (review / RESULTS).read_bytes() == before


def test_what_was_wrong_before_does_not_stand_in_the_way(review: Path, reviewdata: Command) -> None:
    text = (review / RESULTS).read_text("utf-8").replace("0.35,40", "3.5,40")
    (review / RESULTS).write_text(text, "utf-8")
    assert rd.open(review).validate(stages=["structure"]).verdict == "fail"
    ended = reviewdata("add", "results", review, *cells(RESULT))
    assert (ended.code, ended.out.splitlines()[-1]) == (0, "1 row added")


@pytest.mark.parametrize(
    ("made", "kept"),
    [
        (lambda text: text.replace("\n", "\r\n"), "\r\n"),
        (lambda text: "\ufeff" + text, "\n"),
        (lambda text: text.rstrip("\n"), "\n"),
        (lambda text: text.replace("Table 1", '"Table 1"').replace("SYNTHETIC", "S"), "\n"),
        (lambda text: "\n".join([text.splitlines()[n] for n in (0, 2, 1)]) + "\n", "\n"),
    ],
    ids=["CRLF", "mark", "no last line end", "needless quotes", "another order"],
)
def test_every_other_line_stays_as_it_is(
    made: Callable[[str], str], kept: str, review: Path
) -> None:
    text = made((review / RESULTS).read_text("utf-8"))
    (review / RESULTS).write_bytes(text.encode())
    records = read_table_file(rd.open(review).package.resources["results"])
    content, [line] = write_records(records, [records.cells_of(RESULT)], {})
    after = content.decode()
    assert after.splitlines()[line - 1].startswith("example-2-other,")
    row = f"example-2-other,example-2,another,0.30,88,,,printed,SYNTHETIC: Table 3,{kept}"
    assert row in after
    assert after.replace(row, "").rstrip("\n") == text.rstrip("\n")


def test_a_row_goes_into_a_table_of_another_encoding_and_dialect(review: Path) -> None:
    descriptor = json.loads((review / "datapackage.json").read_text("utf-8"))
    descriptor["resources"][0] |= {"encoding": "latin-1", "dialect": {"delimiter": ";"}}
    (review / "datapackage.json").write_text(json.dumps(descriptor), "utf-8")
    text = (review / STUDIES).read_text("utf-8").replace(",", ";")
    (review / STUDIES).write_bytes(text.encode("latin-1"))
    records = read_table_file(rd.open(review).package.resources["studies"])
    content, _ = write_records(records, [records.cells_of(STUDY | {"label": "Müller; Ø"})], {})
    last = content.splitlines()[-1]
    assert last == 'smith2020;"Müller; Ø";2020;Smith, A.;'.encode("latin-1")
    with pytest.raises(ReviewdataError, match=r"latin-1, which has no U\+6570"):
        write_records(records, [records.cells_of(STUDY | {"label": "数"})], {})


def test_size_and_checksum_in_the_descriptor_change_with_the_file(review: Path) -> None:
    descriptor = json.loads((review / "datapackage.json").read_text("utf-8"))
    descriptor["resources"][1] |= {"bytes": 0, "hash": "sha256:0"}
    measured = Checksums(descriptor["resources"][1]).measure([(review / RESULTS).read_bytes()])
    descriptor["resources"][1] |= {place[-1]: value for place, value in measured.items()}
    (review / "datapackage.json").write_text(json.dumps(descriptor), "utf-8")
    rd.open(review).add("results", RESULT)
    resource = rd.open(review).package.resources["results"]
    assert Checksums(resource.descriptor).hold(review / RESULTS)
    (review / RESULTS).write_text("result_id,study_id\n")
    with pytest.raises(ReviewdataError, match="restore the file"):
        rd.open(review).add("results", {"result_id": "a"})


@pytest.mark.parametrize("linked", ["file", "folder"])
def test_a_trial_writes_through_no_link(linked: str, review: Path, reviewdata: Command) -> None:
    (review / "real").mkdir()
    if linked == "file":
        (review / RESULTS).rename(review / "real/results.csv")
        (review / RESULTS).symlink_to(review / "real/results.csv")
    else:
        (review / "data").rename(review / "real/data")
        (review / "data").symlink_to(review / "real/data")
    before = (review / RESULTS).read_bytes()
    ended = reviewdata("add", "results", review, *cells(RESULT | {"r": "1.50"}))
    assert ended.code == (1 if linked == "file" else 2)
    assert (review / RESULTS).read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["resuls", "--set", "a=b"], "no table resuls; did you mean results?"),
        (["results", "--set", "colour=red"], "results has no column colour; it has: result_id"),
        (["results", "--set", "r"], "'r' is no cell; write COLUMN=VALUE"),
        (["results", "--set", "r=1", "--set", "r=2"], "r is given twice"),
        (["results", "--set", "r="], "without any value"),
        (["results"], "--set is not given, and there is no terminal"),
        (["results", "--set", "r=1", "--from", "x.xlsx"], "exclude each other"),
        (["results", "--update", "--set", "r=1"], "--update needs --from"),
        (["results", "--from", "none.xlsx"], "none.xlsx cannot be read"),
    ],
)
def test_misuse_is_one_line(
    arguments: list[str], why: str, review: Path, reviewdata: Command
) -> None:
    table, *rest = arguments
    ended = reviewdata("add", table, review, *rest)
    assert (ended.code, ended.out) == (2, "")
    assert why in ended.err
    assert ended.err.count("\n") == 1


def test_a_file_that_must_be_mended_first_is_left_as_it_is(review: Path) -> None:
    for content, why in (
        (b'a,b\n"open', r"data/results.csv:2: .*quote"),
        (b"\xff\xfe", r"data/results.csv"),
        (b"", r"data/results.csv"),
    ):
        (review / RESULTS).write_bytes(content)
        with pytest.raises(ReviewdataError, match=why):
            rd.open(review).add("results", RESULT)
        assert (review / RESULTS).read_bytes() == content


def test_a_table_that_is_no_csv_takes_no_rows(review: Path) -> None:
    descriptor = json.loads((review / "datapackage.json").read_text("utf-8"))
    descriptor["resources"][0] |= {"path": "data/studies.json", "format": "json"}
    (review / "datapackage.json").write_text(json.dumps(descriptor), "utf-8")
    (review / "data/studies.json").write_text("[]")
    with pytest.raises(ReviewdataError, match="no CSV or TSV"):
        rd.open(review).add("studies", STUDY)


def fill(review: Path, change: Callable[[Any], None], name: str = "filled.xlsx") -> Path:
    """Return a workbook of the review that somebody has changed."""
    made = rd.open(review).export("xlsx", output=review / "made.xlsx", force=True)
    book = openpyxl.load_workbook(made.path)
    change(book)
    book.save(review / name)
    return review / name


def put_twice(book: Any) -> None:
    for _ in range(2):
        put(book["results"], RESULT)


def put(sheet: Any, row: dict[str, Any]) -> None:
    """Write a row below the others of a sheet, as a person does."""
    labels = [cell.value for cell in sheet[1]]
    sheet.append([row.get(label) for label in labels])


ODD: tuple[str, ...] = (
    "=1+1",
    "+1",
    "-x",
    "@a",
    "007",
    "1.20",
    "TRUE",
    "#N/A",
    "2020-01-01",
    " a ",
    "two\nlines",
)
ODD += ("a,b;\t'\"", "ünïcode 数", "1e5", ".22", "'quoted", "1/2", "x" * 32_767)


def test_a_workbook_comes_back_without_loss(review: Path, reviewdata: Command) -> None:
    records = read_table_file(rd.open(review).package.resources["results"])
    rows = [RESULT | {"result_id": f"odd-{n:02}", "quote": text} for n, text in enumerate(ODD)]
    content, _ = write_records(records, [records.cells_of(row) for row in rows], {})
    (review / RESULTS).write_bytes(content)
    assert reviewdata("export", "xlsx", review).code == 0
    saved = fill(review, lambda book: None)  # and once more as a program saves it
    for book in (review / "export/review.xlsx", saved):
        ended = reviewdata("add", "--from", book, "--update", cwd(review))
        assert (ended.code, ended.out, ended.err) == (0, "nothing to add\n", "")
        # and into a table that has lost them
        (review / RESULTS).write_bytes(content.splitlines(keepends=True)[0])
        filled = read_filled(rd.open(review).package, book, "results")
        assert filled.notes == ()
        [change] = filled.changes
        assert write_records(change.records, change.new, {})[0] == content
        (review / RESULTS).write_bytes(content)


def cwd(review: Path) -> str:
    """Return the option that names the review where no table is named."""
    return f"--project={review}"


def test_the_rows_of_every_sheet_are_added_at_once(review: Path, reviewdata: Command) -> None:
    def change(book: Any) -> None:
        put(book["studies"], STUDY)
        put(book["results"], RESULT | {"result_id": "smith2020-r", "study_id": "smith2020"})
        put(book["results"], RESULT)

    ended = reviewdata("add", "--from", fill(review, change), cwd(review))
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines() == [
        f"{STUDIES}:4  studies  (smith2020)",
        f"{RESULTS}:5  results  (smith2020-r)",
        f"{RESULTS}:3  results  (example-2-other)",
        "3 rows added",
    ]
    assert [line.split(",")[0] for line in lines(review / RESULTS)[1:]] == [
        "example-1-r",
        "example-2-other",
        "example-2-r",
        "smith2020-r",
    ]


def test_numbers_and_dates_of_a_sheet_are_written_as_text(review: Path) -> None:
    def change(book: Any) -> None:
        put(book["results"], RESULT | {"r": 0.3, "n": 88.0})

    done, notes = rd.open(review).add_from(fill(review, change), "results")
    assert done is not None
    assert (done.written, notes) == (True, ())
    assert lines(review / RESULTS)[2].startswith("example-2-other,example-2,another,0.3,88,")


def test_a_cell_that_differs_is_named_and_kept_unless_it_is_asked_for(
    review: Path, reviewdata: Command
) -> None:
    book = fill(review, lambda book: book["results"].__setitem__("D2", "0.53"))
    before = lines(review / RESULTS)
    ended = reviewdata("add", "results", review, "--from", book)
    assert (ended.code, ended.out) == (0, "nothing to add\n")
    assert ended.err == (
        "results example-1-r: r '0.35' is '0.53' in the sheet; kept as it is,"
        " --update takes the sheet's\n"
    )
    assert lines(review / RESULTS) == before
    ended = reviewdata("add", "results", review, "--from", book, "--update")
    assert ended.code == 0
    assert ended.out.endswith("1 row changed\n")
    assert "warning RD231" in ended.out  # p = 0.03 is not that of r = 0.53
    assert lines(review / RESULTS) == [before[0], before[1].replace("0.35", "0.53"), before[2]]


def test_rows_and_columns_that_are_only_on_one_side_are_told(
    review: Path, reviewdata: Command
) -> None:
    def change(book: Any) -> None:
        sheet = book["results"]
        sheet.delete_rows(2)
        sheet.delete_cols(10)  # the quote
        sheet["K1"] = "my notes"
        sheet["K2"] = "look at this again"

    before = lines(review / RESULTS)
    ended = reviewdata("add", "results", review, "--from", fill(review, change), "--update")
    assert (ended.code, ended.out) == (0, "nothing to add\n")
    assert ended.err.splitlines() == [
        "the sheet results has a column of my notes that results has not: its 1 cell is not taken",
        "results: 1 row is not in the sheet, and stays in the table",
    ]
    assert lines(review / RESULTS) == before


def test_a_key_twice_in_a_sheet_is_an_error(review: Path, reviewdata: Command) -> None:
    twice = fill(review, put_twice)
    ended = reviewdata("add", "results", review, "--from", twice)
    assert ended.code == 1
    assert "nothing is written" in ended.out
    old = fill(review, lambda book: put(book["results"], RESULT | {"result_id": "example-1-r"}))
    ended = reviewdata("add", "results", review, "--from", old)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "row 4 of the sheet results has the key example-1-r once more" in ended.err


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"not a workbook", "no XLSX workbook"),
        (b"<html>", "HTML or XML"),
        (b"\xd0\xcf\x11\xe0", "password"),
        (b"", "not even a header"),
    ],
)
def test_what_is_no_workbook_is_told(
    content: bytes, why: str, review: Path, reviewdata: Command
) -> None:
    (review / "x.xlsx").write_bytes(content)
    ended = reviewdata("add", "results", review, "--from", review / "x.xlsx")
    assert (ended.code, ended.out) == (2, "")
    assert why in ended.err
    assert ended.err.count("\n") == 1


def test_a_sheet_that_is_not_there_is_told(review: Path, reviewdata: Command) -> None:
    book = fill(review, lambda book: book.remove(book["results"]))
    ended = reviewdata("add", "results", review, "--from", book)
    assert "has no sheet results; it has: studies, claims, lists" in ended.err
    ended = reviewdata("add", "--from", book, cwd(review))
    assert (ended.code, ended.out) == (0, "nothing to add\n")
    assert ended.err.endswith("has no sheet results: nothing is taken into results\n")


def test_a_table_without_a_key_takes_the_rows_that_it_has_not(review: Path) -> None:
    schema = json.loads((review / "schemas/results.json").read_text("utf-8"))
    del schema["primaryKey"]
    del schema["fields"][0]["constraints"]
    (review / "schemas/results.json").write_text(json.dumps(schema), "utf-8")
    book = fill(review, put_twice)
    done, notes = rd.open(review).add_from(book, "results", force=True)
    assert done is not None
    assert ([row.line for row in done.placed], notes) == ([4, 5], ())
    assert rd.open(review).add_from(book, "results") == (None, ())


def test_on_a_terminal_a_row_is_asked_for_and_what_is_wrong_is_asked_again(
    review: Path,
) -> None:
    answers: tuple[str, ...] = (
        "example-2-new",
        "nobody",
        "an outcome",
        "1.2.3",
        "1.5",
        "40",
        "",
        "",
    )
    answers += ("nonsense", "1", "Table 9", "a quote")
    again = ("2", "0.20")
    code, shown = answer(
        ["add", "results", str(review)], "".join(f"{a}\n" for a in (*answers, *again)).encode()
    )
    assert code == 0, shown
    assert "study_id (required) - The study that reports it. - a key of studies" in shown
    assert "r is a number with a decimal point, and 1.2.3 is none" in shown
    assert "basis is not nonsense" in shown
    assert "error RD124  study_id nobody is not in studies" in shown
    assert "error RD124  study_id nobody is not in studies" in shown
    assert "error RD230  r 1.5 lies outside -1 to 1" in shown
    assert lines(review / RESULTS)[2] == (
        "example-2-new,example-2,an outcome,0.20,40,,,printed,Table 9,a quote"
    )


def test_answers_that_end_add_nothing(review: Path) -> None:
    before = (review / RESULTS).read_bytes()
    code, shown = answer(["add", "results", str(review)], b"example-2-new\n")
    assert code == 2
    assert "nothing was written" in shown
    assert (review / RESULTS).read_bytes() == before
