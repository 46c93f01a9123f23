"""`reviewdata export`: the same rows in other formats, with nothing lost and nothing run."""

from __future__ import annotations

import csv
import json
import math
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest
from conftest import ROOT, Command
from mini import merge, write_mini
from sheets import workbook

import reviewdata as rd
from reviewdata.exporting.export import FORMATS
from reviewdata.exporting.sheets import CELL, LISTS, ROWS, name_sheets
from reviewdata.model import ReviewdataError
from reviewdata.starter import OUTCOMES, init
from reviewdata.synthesis import install

RESULTS = "data/results.csv"
FORMULAS = ("=1+1", "+1", "-x", "@SUM(A1)", '=HYPERLINK("http://x")', "#N/A", "007", "1.20", "TRUE")


@pytest.fixture
def review(tmp_path: Path) -> Path:
    """Return a review of two synthetic studies with means."""
    init(tmp_path / "review", title="A review", kind="sample-mean")
    return tmp_path / "review"


def patch(file: Path, change: Any) -> None:
    file.write_text(json.dumps(merge(json.loads(file.read_text("utf-8")), change)), "utf-8")


def read_csv(file: Path) -> list[list[str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.reader(lines))


def put_quotes(review: Path, texts: tuple[str, ...]) -> None:
    """Give the review a result for each text, which is its quote."""
    head, first, _ = read_csv(review / RESULTS)
    with (review / RESULTS).open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(head)
        for number, text in enumerate(texts):
            writer.writerow([f"example-1-{number:02}", *first[1:-1], text])


@pytest.mark.parametrize("format_", FORMATS)
def test_each_format_is_written_to_the_export_folder_and_told(
    format_: str, review: Path, reviewdata: Command
) -> None:
    ended = reviewdata("export", format_, review)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines()[0].endswith("2 files" if format_ == "metafor" else "5 rows")
    names = {path.name for path in (review / "export").iterdir()}
    assert names == {format_} if format_ in ("csv", "parquet", "metafor") else {f"review.{format_}"}
    left = list(review.rglob(".reviewdata-*"))
    assert left == []


@pytest.mark.parametrize("format_", [f for f in FORMATS if f != "duckdb"])
def test_an_export_is_the_same_bytes_each_time(format_: str, review: Path, tmp_path: Path) -> None:
    put_quotes(review, FORMULAS)
    made = []
    for name in ("a", "b"):
        done = rd.open(review).export(format_, output=tmp_path / name / "out")
        made.append([file.read_bytes() for file in done.files])
    assert made[0] == made[1]


def test_a_duckdb_file_is_the_same_content_each_time(review: Path, tmp_path: Path) -> None:
    made = []
    for name in ("a", "b"):
        rd.open(review).export("duckdb", output=tmp_path / f"{name}.duckdb")
        with duckdb.connect(str(tmp_path / f"{name}.duckdb"), read_only=True) as base:
            folder = tmp_path / name
            base.execute(f"EXPORT DATABASE '{folder}'")
            # load.sql names the folder
            files = {p.name: p.read_bytes() for p in folder.iterdir() if p.name != "load.sql"}
            made.append(files)
    assert len(made[0]) == 7
    assert made[0] == made[1]


def test_csv_has_each_cell_as_printed_whatever_the_file_is(review: Path) -> None:
    put_quotes(review, (*FORMULAS, 'a "quote", a comma', "two\nlines", " spaces ", "ünïcode"))
    before = read_csv(review / RESULTS)
    (review / RESULTS).unlink()
    descriptor = json.loads((review / "datapackage.json").read_text("utf-8"))
    descriptor["resources"][1] |= {"path": "data/results.xlsx", "format": "xlsx"}
    (review / "datapackage.json").write_text(json.dumps(descriptor), "utf-8")
    # a workbook cannot tell these apart from formulas where openpyxl wrote them as such
    sheet = [row for row in before if not row[-1].startswith("=")]
    (review / "data/results.xlsx").write_bytes(
        workbook(*[[None if cell == "" else cell for cell in row] for row in sheet])
    )
    done = rd.open(review).export("csv")
    assert read_csv(done.path / "results.csv") == sheet
    assert (done.path / "studies.csv").read_bytes() == (review / "data/studies.csv").read_bytes()


def test_parquet_is_typed_and_has_the_text_beside(review: Path) -> None:
    done = rd.open(review).export("parquet")
    with duckdb.connect() as base:
        sql = f"SELECT mean, n, se FROM '{done.path}/%s' ORDER BY result_id"
        assert base.execute(sql % "results.parquet").fetchall() == [
            (5.2, 40, None),
            (4.85, 55, None),
        ]
        assert base.execute(sql % "raw/results.parquet").fetchall() == [
            ("5.20", "40", ""),
            ("4.85", "55", ""),
        ]


def test_sqlite_has_types_keys_and_the_text_beside(review: Path) -> None:
    done = rd.open(review).export("sqlite")
    base = sqlite3.connect(done.path)
    assert base.execute("SELECT mean, n, se FROM results").fetchall() == [
        (5.2, 40, None),
        (4.85, 55, None),
    ]
    assert base.execute("SELECT mean, typeof(mean) FROM raw_results").fetchone() == ("5.20", "text")
    [key] = base.execute("PRAGMA foreign_key_list(results)").fetchall()
    assert key[2:5] == ("studies", "study_id", "study_id")
    assert base.execute("PRAGMA foreign_key_check").fetchall() == []
    assert base.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        base.execute("INSERT INTO studies SELECT * FROM studies")
    base.close()


def test_duckdb_has_types_keys_words_and_the_text_beside(review: Path) -> None:
    done = rd.open(review).export("duckdb")
    with duckdb.connect(str(done.path), read_only=True) as base:
        assert base.execute("SELECT mean, n FROM results").fetchall() == [(5.2, 40), (4.85, 55)]
        assert base.execute("SELECT mean FROM raw.results").fetchall() == [("5.20",), ("4.85",)]
        kinds = base.execute(
            "SELECT constraint_type FROM duckdb_constraints() WHERE table_name = 'results'"
        ).fetchall()
        assert {kind for (kind,) in kinds} == {"PRIMARY KEY", "FOREIGN KEY", "NOT NULL"}
        [(said,)] = base.execute(
            "SELECT comment FROM duckdb_columns() WHERE table_name = 'results'"
            " AND column_name = 'sd' AND schema_name = 'main'"
        ).fetchall()
        assert said == "Standard deviation of the score, as printed."


@pytest.mark.parametrize("format_", ["sqlite", "duckdb"])
def test_keys_that_the_rows_do_not_keep_are_left_out_and_told(
    format_: str, review: Path, reviewdata: Command
) -> None:
    text = (review / RESULTS).read_text("utf-8")
    row = text.splitlines()[1]
    (review / RESULTS).write_text(text + row + "\n" + row.replace("example-1,", "nowhere,") + "\n")
    ended = reviewdata("export", format_, review)
    assert ended.code == 0
    assert ended.err.splitlines() == [
        "not declared: results: primary key result_id: 1 value more than once",
        "not declared: results: foreign key study_id: 1 row leads nowhere",
    ]
    connect: Any = sqlite3.connect if format_ == "sqlite" else duckdb.connect
    base = connect(str(review / f"export/review.{format_}"))
    assert base.execute("SELECT count(*) FROM results").fetchone() == (4,)
    base.close()


@pytest.mark.parametrize("format_", ["sqlite", "duckdb"])
def test_a_table_may_refer_to_itself(format_: str, review: Path) -> None:
    schema = json.loads((review / "schemas/studies.json").read_text("utf-8"))
    schema["fields"].append({"name": "part_of", "type": "string"})
    reference = {"resource": "", "fields": ["study_id"]}
    schema["foreignKeys"] = [{"fields": ["part_of"], "reference": reference}]
    (review / "schemas/studies.json").write_text(json.dumps(schema))
    (review / "data/studies.csv").write_text(
        "study_id,label,year,citation,doi,part_of\na,A,2020,x,,b\nb,B,2020,y,,\n"
    )
    (review / RESULTS).write_text((review / RESULTS).read_text().splitlines()[0] + "\n")
    done = rd.open(review).export(format_)
    connect: Any = sqlite3.connect if format_ == "sqlite" else duckdb.connect
    base = connect(str(done.path))
    assert base.execute("SELECT part_of FROM studies").fetchall() == [("b",), (None,)]
    base.close()
    told = ("not declared: studies: foreign key part_of: it leads back to studies",)
    assert done.notes == (told if format_ == "duckdb" else ())


def test_cells_that_their_type_cannot_read_are_told(review: Path, reviewdata: Command) -> None:
    text = (review / RESULTS).read_text("utf-8")
    (review / RESULTS).write_text(text.replace("5.20", "about 5").replace("1.12", "n.s."))
    ended = reviewdata("export", "parquet", review)
    assert ended.err == "results: 2 cells of another type; their text is in raw alone\n"


def test_a_table_that_is_not_whole_is_refused(review: Path, reviewdata: Command) -> None:
    text = (review / RESULTS).read_text("utf-8")
    for content, why in (
        (text.rstrip("\n") + ",more\n", "it has 1 cell beyond its header"),
        (text + '"open', "a quote"),
        ("", "not even a header"),
    ):
        (review / RESULTS).write_text(content)
        ended = reviewdata("export", "csv", review)
        assert (ended.code, ended.out) == (2, "")
        assert ended.err.startswith("reviewdata: results cannot be exported: ")
        assert why in ended.err
        assert ended.err.count("\n") == 1
    assert not (review / "export" / "csv").exists()


def test_the_tables_themselves_are_never_written_over(review: Path) -> None:
    project = rd.open(review)
    for format_, place in (("csv", "data"), ("sqlite", "schemas/x"), ("csv", "data/deep")):
        with pytest.raises(ReviewdataError, match="the review's own"):
            project.export(format_, output=review / place)
    (review / "link").symlink_to("data")
    with pytest.raises(ReviewdataError, match="the review's own"):
        project.export("csv", output=review / "link")
    with pytest.raises(ReviewdataError, match="holds the review"):
        project.export("csv", output=review)
    with pytest.raises(ReviewdataError, match="is a folder"):
        project.export("xlsx", output=review)


def test_labels_of_a_header_stay_as_they_are(review: Path) -> None:
    text = (review / RESULTS).read_text("utf-8")
    odd = "".join(
        f"{line}{end}\n"
        for line, end in zip(text.splitlines(), (",,n", ",x,y", ",z,"), strict=True)
    )
    (review / RESULTS).write_text(odd, "utf-8")
    done = rd.open(review).export("csv")
    assert (done.path / "results.csv").read_text("utf-8") == odd


def test_a_condition_of_a_review_is_one_condition(review: Path, reviewdata: Command) -> None:
    file = review / "schemas/results.json"
    schema = json.loads(file.read_text("utf-8"))
    schema["statistics"][0]["where"] = "true)) AS t; CREATE TABLE x AS SELECT 1; --"
    file.write_text(json.dumps(schema), "utf-8")
    for command in (["export", "metafor"], ["stats"]):
        ended = reviewdata(*command, review)
        assert (ended.code, ended.out) == (2, "")
        assert ended.err.count("\n") == 1


def test_what_stood_in_the_folder_is_left_and_named(review: Path, reviewdata: Command) -> None:
    other = review / "export/csv/mine.csv"
    other.parent.mkdir(parents=True)
    other.write_text("mine")
    ended = reviewdata("export", "csv", review)
    assert ended.err == f"left as it was: {other}\n"
    assert other.read_text() == "mine"


def test_an_unknown_format_is_told(review: Path, reviewdata: Command) -> None:
    assert reviewdata("export", "xls", review).code == 2
    with pytest.raises(ReviewdataError, match="did you mean xlsx"):
        rd.open(review).export("xls")


def test_tables_without_a_schema_and_odd_names_go_into_every_format(tmp_path: Path) -> None:
    names = ["a/b", "../x", "raw", "raw_raw", 'it\'s "odd"', LISTS, "数"]
    (tmp_path / "data").mkdir()
    resources = []
    for number, name in enumerate(names):
        path = f"data/t{number}.csv"
        (tmp_path / path).write_text(f'A,a,"q""q",\n{number},=1,,x\n', "utf-8")
        resources.append({"name": name, "path": path})
    descriptor = {"name": "odd", "resources": resources}
    (tmp_path / "datapackage.json").write_text(json.dumps(descriptor), "utf-8")
    before = set(tmp_path.parent.rglob("*"))
    for format_ in FORMATS:
        if format_ == "metafor":
            continue
        done = rd.open(tmp_path).export(format_)
        assert done.rows == 7
        assert all(file.is_relative_to(tmp_path / "export") for file in done.files)
    base = sqlite3.connect(tmp_path / "export/odd.sqlite")
    tables = base.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    base.close()
    assert {*names, "raw_a/b", "raw_raw_"} <= {name for (name,) in tables}
    left = set(tmp_path.parent.rglob("*")) - before
    assert all(path.is_relative_to(tmp_path / "export") for path in left)


def test_a_circle_of_tables_is_written(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    resources = []
    for name, other in (("a", "b"), ("b", "a")):
        (tmp_path / f"data/{name}.csv").write_text(f"id,{other}\n1,1\n")
        fields = [{"name": "id", "type": "integer"}, {"name": other, "type": "integer"}]
        reference = {"resource": other, "fields": ["id"]}
        keys = {"primaryKey": ["id"], "foreignKeys": [{"fields": [other], "reference": reference}]}
        schema = {"fields": fields, **keys}
        resources.append({"name": name, "path": f"data/{name}.csv", "schema": schema})
    descriptor = {"name": "circle", "resources": resources}
    (tmp_path / "datapackage.json").write_text(json.dumps(descriptor), "utf-8")
    assert rd.open(tmp_path).export("sqlite").notes == ()
    told = ("not declared: a: foreign key b: it leads back to a",)
    assert rd.open(tmp_path).export("duckdb").notes == told


def test_a_full_disk_is_one_line_and_leaves_no_file(review: Path) -> None:
    # a file of more than a kilobyte is refused by the system, as on a disk without room
    command = f"ulimit -f 1; {sys.executable} -m reviewdata export xlsx {review}"
    ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.endswith("review.xlsx cannot be written: File too large\n")
    assert ended.stderr.count("\n") == 1
    assert list((review / "export").iterdir()) == []


def open_sheets(path: Path) -> Any:
    return openpyxl.load_workbook(path)


def test_a_workbook_has_a_sheet_a_table_with_words_and_choices(review: Path) -> None:
    book = open_sheets(rd.open(review).export("xlsx").path)
    assert book.sheetnames == ["studies", "results", "claims", LISTS]
    assert book[LISTS].sheet_state == "hidden"
    sheet = book["results"]
    assert sheet.freeze_panes == "A2"
    head = {cell.value: cell for cell in sheet[1]}
    assert head["sd"].comment.text == (
        "SD\nStandard deviation of the score, as printed.\nType: number"
    )
    assert "Required" in head["basis"].comment.text
    assert "printed: as printed in the publication" in head["basis"].comment.text
    rules = {str(rule.sqref): rule for rule in sheet.data_validations.dataValidation}
    letter = head["basis"].column_letter
    rule = rules[f"{letter}2:{letter}{ROWS}"]
    assert (rule.type, rule.errorStyle) == ("list", "stop")
    name, _, place = rule.formula1.partition("!")
    listed = [cell.value for (cell,) in book[name.strip("'")][place.replace("$", "")]]
    assert listed == ["printed", "computed", "from-authors", "from-figure"]
    keys = rules[f"B2:B{ROWS}"]
    assert (keys.formula1, keys.errorStyle) == ("'studies'!$A$2:$A$203", "warning")


def test_every_cell_of_a_workbook_is_text_also_what_looks_like_a_formula(review: Path) -> None:
    put_quotes(review, FORMULAS)
    sheet = open_sheets(rd.open(review).export("xlsx").path)["results"]
    quotes = [row[-1] for row in sheet.iter_rows(min_row=2)]
    assert [cell.value for cell in quotes] == list(FORMULAS)
    cells = [cell for row in sheet.iter_rows(min_row=2) for cell in row if cell.value is not None]
    assert {(cell.data_type, cell.number_format) for cell in cells} == {("s", "@")}
    assert {cell.value[0] for cell in cells if cell.quotePrefix} == set("=+-@")
    assert sheet.column_dimensions["A"].number_format == "@"
    content = zipfile.ZipFile(review / "export/review.xlsx").read("xl/worksheets/sheet2.xml")
    assert b"<f>" not in content


def test_a_workbook_that_was_filled_in_is_not_written_over(
    review: Path, reviewdata: Command
) -> None:
    assert reviewdata("export", "xlsx", review).code == 0
    assert reviewdata("export", "xlsx", review).code == 0  # the same content
    file = review / "export/review.xlsx"
    book = open_sheets(file)
    book["studies"]["A4"] = "smith2020"
    book.save(file)
    filled = file.read_bytes()
    ended = reviewdata("export", "xlsx", review)
    assert (ended.code, ended.out) == (2, "")
    assert "which somebody may have filled in: --force replaces it" in ended.err
    assert file.read_bytes() == filled
    assert reviewdata("export", "xlsx", review, "--force").code == 0
    assert open_sheets(file)["studies"]["A4"].value is None


def test_names_of_sheets_are_what_a_workbook_takes_and_distinct() -> None:
    long = "a-very-long-name-of-a-table-that-goes-on"
    names = name_sheets([f"{long}-1", f"{long}-2", "a/b", "a:b", "History", "lists", "''"])
    assert len({name.lower() for name in names.values()} | {LISTS}) == 8
    for name in names.values():
        assert 0 < len(name) <= 31
        assert not set("[]:*?/\\") & set(name)
        assert not name.startswith("'")
        openpyxl.Workbook().create_sheet(name)
    assert names[f"{long}-2"].endswith("~2")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("x" * (CELL + 1), "32,768 characters"),
        ("a\x07b", r"U\+0007"),
        ("a\r\nb", r"U\+000D"),
        ("_x0041_", "reads as another character"),
    ],
)
def test_a_cell_that_would_not_come_back_is_told_by_its_place(
    text: str, why: str, review: Path
) -> None:
    put_quotes(review, ("good", text))
    with pytest.raises(ReviewdataError, match=rf"^results, row 2 of the data: quote has .*{why}"):
        rd.open(review).export("xlsx")
    assert not (review / "export/review.xlsx").exists()


def test_a_table_with_more_rows_than_a_sheet_is_refused_in_one_line(
    review: Path, reviewdata: Command
) -> None:
    head = (review / "data/studies.csv").read_text().splitlines()[0]
    rows = "".join(f"s{number},,,,\n" for number in range(ROWS))
    (review / "data/studies.csv").write_text(f"{head}\n{rows}")
    ended = reviewdata("export", "xlsx", review)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == (
        "reviewdata: studies has 1,048,576 rows; a sheet holds 1,048,575 below its header:"
        " export csv, parquet, sqlite or duckdb\n"
    )


def test_without_openpyxl_one_line_says_what_to_install(
    review: Path, reviewdata: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    ended = reviewdata("export", "xlsx", review)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == ('reviewdata: a workbook needs openpyxl: pip install "reviewdata[excel]"\n')


COLUMNS = {
    "sample-mean": "study,row,mi,sdi,ni,yi,vi,",
    "mean-difference": "study,row,m1i,sd1i,n1i,m2i,sd2i,n2i,yi,vi,",
    "two-by-two": "study,row,ai,n1i,ci,n2i,yi,vi,",
    "correlation": "study,row,ri,ni,yi,vi,",
    "estimate": "study,row,yi,vi,",
}


@pytest.mark.parametrize("kind", OUTCOMES)
def test_metafor_has_its_own_names_of_columns_and_the_digits_as_printed(
    kind: str, tmp_path: Path
) -> None:
    init(tmp_path / "review", title='A "title"\\', kind=kind)
    done = rd.open(tmp_path / "review").export("metafor")
    assert [file.name for file in done.files] == [f"results-1-{kind}.csv", "analysis.R"]
    text = done.files[0].read_text("utf-8")
    assert text.startswith(COLUMNS[kind])
    head, *rows = read_csv(done.files[0])
    assert [row[0] for row in rows] == ["Example 1 (synthetic)", "Example 2 (synthetic)"]
    # every cell of the table is there, as printed
    own = read_csv(tmp_path / "review" / RESULTS)
    start = len(head) - len(own[0])
    assert [row[start:] for row in rows] == own[1:]
    if kind == "sample-mean":
        assert rows[0][:7] == [
            "Example 1 (synthetic)",
            "example-1-score",
            "5.20",
            "0.90",
            "40",
            "",
            "",
        ]


def test_metafor_has_the_effect_where_its_own_numbers_are_not_printed(review: Path) -> None:
    text = (review / RESULTS).read_text("utf-8")
    (review / RESULTS).write_text(text.replace("5.20,0.90,,", "5.20,,0.14,"))
    done = rd.open(review).export("metafor")
    head, first, second = read_csv(done.files[0])
    row = dict(zip(head, first, strict=True))
    assert (row["mi"], row["sdi"]) == ("", "")
    assert [float(row["yi"]), float(row["vi"])] == pytest.approx([5.2, 0.14**2])
    assert dict(zip(head, second, strict=True))["mi"] == "4.85"


def test_two_studies_of_one_label_stay_two_for_metafor(review: Path) -> None:
    for table in ("data/studies.csv", RESULTS):
        text = (review / table).read_text("utf-8")
        (review / table).write_text(text.replace("Example 2 (", "Example 1 ("), "utf-8")
    done = rd.open(review).export("metafor")
    assert [row[0] for row in read_csv(done.files[0])[1:]] == [
        "Example 1 (synthetic) (example-1)",
        "Example 1 (synthetic) (example-2)",
    ]


def test_metafor_is_told_of_numbers_that_allow_no_effect(review: Path) -> None:
    text = (review / RESULTS).read_text("utf-8")
    (review / RESULTS).write_text(text.replace("40,5.20,0.90", "40,5.20,-0.90"))
    done = rd.open(review).export("metafor")
    assert done.notes[0].startswith("results-1-sample-mean.csv: 1 row without an effect")
    head, first, _ = read_csv(done.files[0])
    row = dict(zip(head, first, strict=True))
    assert (row["mi"], row["sdi"], row["sd"]) == ("", "", "-0.90")


def test_a_review_without_statistics_has_nothing_for_metafor(review: Path) -> None:
    patch(review / "schemas/results.json", {"statistics": []})
    with pytest.raises(ReviewdataError, match="no statistic is declared"):
        rd.open(review).export("metafor")


EXAMPLES = (".", "examples/bcg-vaccine", "examples/adherence")
R_CHECK = """\
suppressPackageStartupMessages(library(metafor))
source("analysis.R", echo = FALSE)
for (name in grep("^dat[0-9]+$", ls(), value = TRUE)) {
  dat <- get(name)
  write.csv(dat[, c("row", "yi", "vi")], paste0(name, ".out"), row.names = FALSE)
}
"""


def run_r(folder: Path, *arguments: str) -> str:
    """Return what R prints; skips, loudly, where there is no R with metafor."""
    program = shutil.which("Rscript")
    if program is None:
        pytest.skip("R IS NOT INSTALLED: THE SCRIPT FOR METAFOR WAS NOT RUN")
    known = subprocess.run([program, "-e", "library(metafor)"], capture_output=True, check=False)
    if known.returncode:
        pytest.skip("METAFOR IS NOT INSTALLED: ITS SCRIPT WAS NOT RUN")
    ended = subprocess.run(
        [program, "--vanilla", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert "Warning" not in ended.stderr
    return ended.stdout


@pytest.mark.contract
@pytest.mark.parametrize("kind", OUTCOMES)
def test_the_r_script_runs_and_pools_what_reviewdata_pools(kind: str, tmp_path: Path) -> None:
    folder = tmp_path / "a folder with spaces"
    init(folder, title="'); quit(status = 1) #\n\"`\\", kind=kind)
    done = rd.open(folder).export("metafor")
    printed = run_r(tmp_path, str(done.path / "analysis.R"))
    assert "2 rows, 2 with an effect" in printed
    assert "not pooled" not in printed
    [row] = rd.open(folder).query("pooled").records()
    effect = next(
        row[name] for name in ("pooled_mean", "g", "risk_ratio", "r", "estimate") if name in row
    )
    shown = float(printed.split("pval")[-1].split("\n")[1].split()[0])
    back = {"two-by-two": math.exp, "estimate": math.exp, "correlation": math.tanh}
    value = back.get(kind, float)(shown)
    assert value == pytest.approx(effect, abs=1e-4)


@pytest.mark.contract
@pytest.mark.parametrize("example", EXAMPLES)
def test_escalc_computes_of_the_columns_what_reviewdata_computes(
    example: str, tmp_path: Path
) -> None:
    from reviewdata.measures import MEASURES, measures_sql
    from reviewdata.package import open_package
    from reviewdata.statistics import Statistic, bind_statistics
    from reviewdata.tables import load_tables

    done = rd.open(ROOT / example).export("metafor", output=tmp_path)
    (tmp_path / "check.R").write_text(R_CHECK)
    run_r(tmp_path, "check.R")
    package = open_package(ROOT / example)
    compared = 0
    with load_tables(package) as tables:
        found = [
            statistic
            for resource in package.resources.values()
            for statistic in bind_statistics(package, resource)
            if isinstance(statistic, Statistic) and statistic.kind in MEASURES
        ]
        assert len(found) == len(done.files) - 1
        for number, statistic in enumerate(found, start=1):
            name = MEASURES[statistic.kind][0].name
            ours = tables.query(
                f'SELECT _row, "{name}" FROM ({measures_sql(statistic)}) ORDER BY 1'
            )
            _, *theirs = read_csv(tmp_path / f"dat{number}.out")
            assert len(theirs) == len(ours.rows)
            for (_, effect), (_, yi, vi) in zip(ours.rows, theirs, strict=True):
                if effect is None:
                    assert (yi, vi) == ("NA", "NA")
                else:
                    compared += 1
                    expected = pytest.approx((effect["yi"], effect["vi"]), rel=1e-12)
                    assert (float(yi), float(vi)) == expected
    assert compared >= 12


@pytest.mark.contract
def test_escalc_leaves_the_effects_of_other_printed_numbers(tmp_path: Path) -> None:
    from test_stats import MEANS, all_roles, make

    rows: list[dict[str, Any]] = [
        MEANS | {"study_id": "example-2"},
        {"d": 0.5, "n1": 20, "n2": 22},
        {"g": 0.4, "se": 0.2},
        MEANS | {"method": "paired", "g": 0.3, "ci_lower": 0.1, "ci_upper": 0.5},
        MEANS | {"sd1": -1},
        {"mean1": 5},
    ]
    folder = make(tmp_path / "r", "mean-difference", all_roles("mean-difference"), *rows)
    done = rd.open(folder).export("metafor")
    (done.path / "check.R").write_text(R_CHECK)
    printed = run_r(done.path, "check.R")
    assert "6 rows, 4 with an effect" in printed
    assert "several rows of one study" in printed
    _, *effects = read_csv(done.path / "dat1.out")
    assert [name for name, _, _ in effects] == ["r1", "r2", "r3", "r4", "r5", "r6"]
    found = [[float(yi), float(vi)] for _, yi, vi in effects[:4]]
    with duckdb.connect() as base:
        install(base)
        sql = (
            "SELECT unnest([es_smd(5.2, 0.9, 40, 4.7, 1.05, 42), es_smd_from_d(0.5, 20, 22)],"
            " recursive := true)"
        )
        ours = [list(row[:2]) for row in base.execute(sql).fetchall()]
    ours += [[0.4, 0.04], [0.3, (0.4 / 2 / 1.959963984540054) ** 2]]
    for first, second in zip(found, ours, strict=True):
        assert first == pytest.approx(second, rel=1e-12)
    assert effects[4][1:] == effects[5][1:] == ["NA", "NA"]


def test_what_is_the_reviews_or_gits_is_not_written_over(tmp_path: Path) -> None:
    review = rd.open(write_mini(tmp_path / "review"))
    for place in ("datapackage.json", ".git/config", ".github/workflows", "data/x.sqlite"):
        for format_ in ("sqlite", "csv"):
            with pytest.raises(ReviewdataError, match="name another"):
                review.export(format_, output=tmp_path / "review" / place, force=True)


def test_a_file_of_somebody_else_is_replaced_only_where_that_is_asked_for(tmp_path: Path) -> None:
    review = rd.open(write_mini(tmp_path / "review"))
    (tmp_path / "mine.db").write_text("mine", "utf-8")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "studies.csv").write_text("mine", "utf-8")
    for format_, name in (("sqlite", "mine.db"), ("duckdb", "mine.db"), ("csv", "folder")):
        with pytest.raises(ReviewdataError, match="--force"):
            review.export(format_, output=tmp_path / name)
    assert (tmp_path / "mine.db").read_text("utf-8") == "mine"
    assert (tmp_path / "folder" / "studies.csv").read_text("utf-8") == "mine"
    assert review.export("sqlite", output=tmp_path / "mine.db", force=True).files
    assert review.export("csv").files
    assert review.export("csv").files  # in export/, what is there is ours


def test_a_link_in_the_place_of_an_export_is_not_followed(tmp_path: Path) -> None:
    review = rd.open(write_mini(tmp_path / "review"))
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "studies.csv").write_text("kept", "utf-8")
    (tmp_path / "review" / "export").symlink_to(victim)
    with pytest.raises(ReviewdataError, match="is a link; move it away"):
        review.export("csv")
    (tmp_path / "review" / "export").unlink()
    (tmp_path / "review" / "export" / "csv").mkdir(parents=True)
    (tmp_path / "review" / "export" / "csv" / "studies.csv").symlink_to(victim / "studies.csv")
    with pytest.raises(ReviewdataError, match="is a link; move it away"):
        review.export("csv")
    assert (victim / "studies.csv").read_text("utf-8") == "kept"
