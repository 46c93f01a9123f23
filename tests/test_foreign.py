"""JSON and XLSX: the text of their cells is loaded, and frictionless judges their values."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import io
import json
import sys
import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import frictionless
import pytest
from conftest import Command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mini import remove_suites, write_mini
from repositories import commit
from sheets import SHEET, changed, row, sheet, workbook

from reviewdata import jsontables, workbooks
from reviewdata.model import Finding
from reviewdata.package import open_package
from reviewdata.tables import load_tables
from reviewdata.validation import validate

V2 = "https://datapackage.org/profiles/2.0/datapackage.json"
FIELDS: list[dict[str, Any]] = [
    {"name": "id"},
    {"name": "n", "type": "integer"},
    {"name": "x", "type": "number"},
]
HEAD = ["id", "n", "x"]


def write(folder: Path, path: str, content: str | bytes, **resource: Any) -> Path:
    """Write a package of one table and return its folder."""
    data = content if isinstance(content, bytes) else content.encode()
    table = {"name": "t", "type": "table", "path": path, "schema": {"fields": FIELDS}, **resource}
    basic = {"$schema": V2, "name": "p", "licenses": [{"name": "MIT"}], "resources": [table]}
    (folder / path).write_bytes(data)
    (folder / "datapackage.json").write_text(json.dumps(basic))
    return folder


def judge(folder: Path) -> tuple[Finding, ...]:
    return validate(folder, stages=["package", "structure"]).findings


def look(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    with load_tables(open_package(folder)) as tables:
        return tables.look(sql)


def refuse(folder: Path) -> str:
    """Return the message of the one finding on a table that could not be read."""
    validation = validate(folder, stages=["package", "structure"])
    [finding] = validation.findings
    assert finding.code in ("RD106", "RD107")
    assert validation.tables[0].rows is None
    return f"{finding.line or ''} {finding.message.removeprefix(_COMMON)}".strip()


_COMMON = "the file cannot be read as a table: "


# What is loaded


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("t.json", '[{"id": "a", "n": 1, "x": 5.20},\n {"id": "b", "n": 2.0, "x": null}]'),
        ("t.json", '[["id", "n", "x"],\n["a", 1, 5.20], ["b", 2, null]]'),
        ("t.ndjson", '{"id": "a", "n": 1, "x": 5.20}\n{"id": "b", "n": 2}\n'),
        ("t.jsonl", '["id", "n", "x"]\n["a", 1, 5.20]\n["b", 2, ""]\n'),
        ("t.json.gz", gzip.compress(b'[{"id":"a","n":1,"x":5.20},{"id":"b","n":2}]')),
    ],
    ids=["objects", "lists", "objects on lines", "lists on lines", "gzipped"],
)
def test_json_is_loaded_with_the_digits_it_has(
    path: str, content: str | bytes, tmp_path: Path
) -> None:
    folder = write(tmp_path, path, content)
    assert judge(folder) == ()
    raw = "SELECT _row, id, n, x FROM raw.t"
    assert look(folder, raw) == [(2, "a", "1", "5.20"), (3, "b", "2", "")]
    assert look(folder, "FROM t") == [("a", 1, 5.2), ("b", 2, None)]


def test_a_record_of_json_stands_at_the_line_where_it_starts(tmp_path: Path) -> None:
    content = '\ufeff[\r\n{"id": "a",\r\n "n": 1},\r\n{"id": "b", "n": "x"}\r\n]\r\n'
    fields = {"fields": FIELDS[:2]}
    [finding] = judge(write(tmp_path, "t.json", content, schema=fields))
    assert (finding.row, finding.line, finding.field, finding.value) == (3, 4, "n", "x")


def test_a_list_within_a_file_is_found_by_its_property(tmp_path: Path) -> None:
    rows = '[\n["id", "n", "x"], ["a", "y", 1]]'
    content = f'{{"about": [1, {{"rows": 2}}],\n "a": {{"rows": {rows}, "b": 1}}}}'
    folder = write(tmp_path, "t.json", content, dialect={"json": {"property": "a.rows"}})
    assert [(f.code, f.line, f.field) for f in judge(folder)] == [("RD120", 3, "n")]


def test_keys_say_which_columns_there_are(tmp_path: Path) -> None:
    content = '[{"id": "a", "n": 1}, {"id": "b", "x": 5, "y": "left out"}]'
    folder = write(tmp_path, "t.json", content, dialect={"json": {"keys": HEAD}})
    assert judge(folder) == ()
    assert look(folder, "FROM t") == [("a", 1, None), ("b", None, 5.0)]


def test_nested_values_are_loaded_as_json(tmp_path: Path) -> None:
    fields = [{"name": "o", "type": "object"}, {"name": "a", "type": "array"}]
    content = '[{"o": {"m": 5.20, "w": "\u00e4"}, "a": [1, null, true]}]'
    folder = write(tmp_path, "t.json", content, schema={"fields": fields})
    assert judge(folder) == ()
    texts = ('{"m": 5.20, "w": "\u00e4"}', "[1, null, true]")
    assert look(folder, "SELECT o, a FROM raw.t") == [texts]


def test_a_sheet_is_loaded_with_its_values_as_text(tmp_path: Path) -> None:
    fields = [
        *FIELDS,
        {"name": "b", "type": "boolean"},
        {"name": "d", "type": "date"},
        {"name": "m", "type": "datetime"},
        {"name": "c", "type": "time"},
    ]
    day, moment = dt.date(2020, 1, 2), dt.datetime(2020, 1, 2, 3, 4, 5)
    content = workbook(
        [field["name"] for field in fields],
        ["a", 2.0, 5.25, True, day, moment, dt.time(1, 2, 3)],
        ["b", None, 7.0, False, None, day, None],
    )
    folder = write(tmp_path, "t.xlsx", content, schema={"fields": fields})
    assert judge(folder) == ()
    assert look(folder, "FROM raw.t") == [
        (2, None, "a", "2", "5.25", "true", "2020-01-02", "2020-01-02T03:04:05", "01:02:03"),
        (3, None, "b", "", "7", "false", "", "2020-01-02T00:00:00", ""),
    ]
    typed = [
        ("a", 2, 5.25, True, day, moment, dt.time(1, 2, 3)),
        ("b", None, 7.0, False, None, dt.datetime(2020, 1, 2), None),
    ]
    assert look(folder, "FROM t") == typed


def test_texts_that_cells_share_are_read(tmp_path: Path) -> None:
    """A spreadsheet program writes each text once, beside the sheets."""
    from openpyxl.xml.constants import SHARED_STRINGS

    texts = "".join(f"<si><t>{text}</t></si>" for text in ("id", "a"))
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    shared = f'<sst xmlns="{space}">{texts}</sst>'.encode()
    cells = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>{n - 1}</v></c></row>' for n in (1, 2))
    content = changed(sheet(cells), {"xl/sharedStrings.xml": shared})
    types = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{SHARED_STRINGS}"/></Types>'
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        listed = archive.read("[Content_Types].xml").replace(b"</Types>", types.encode())
    content = changed(content, {"[Content_Types].xml": listed})
    folder = write(tmp_path, "t.xlsx", content, schema={"fields": FIELDS[:1]})
    assert look(folder, "FROM t") == [("a",)]


def test_the_dialect_names_the_sheet_and_the_row_of_its_header(tmp_path: Path) -> None:
    content = workbook(["x"], data=[["A title"], HEAD, ["a", "y", 1], ["b"]])
    for wanted in (2, "data"):
        dialect = {"excel": {"sheet": wanted}, "headerRows": [2]}
        [finding] = judge(write(tmp_path, "t.xlsx", content, dialect=dialect))
        assert (finding.code, finding.row, finding.line, finding.field) == ("RD120", 3, None, "n")


def test_a_text_is_written_as_its_field_reads_it(tmp_path: Path) -> None:
    fields = [
        {"name": "b", "type": "boolean", "trueValues": ["yes"], "falseValues": ["no"]},
        {"name": "x", "type": "number", "decimalChar": ","},
        {"name": "d", "type": "date", "format": "%d.%m.%Y"},
    ]
    content = workbook(["b", "x", "d"], [True, 5.25, dt.date(2020, 1, 2)])
    folder = write(tmp_path, "t.xlsx", content, schema={"fields": fields})
    assert judge(folder) == ()
    assert look(folder, "SELECT b, x, d FROM raw.t") == [("yes", "5,25", "02.01.2020")]
    assert look(folder, "FROM t") == [(True, 5.25, dt.date(2020, 1, 2))]


def test_null_is_missing_where_an_empty_text_is_not(tmp_path: Path) -> None:
    schema = {"fields": FIELDS, "missingValues": ["-"]}
    content = '[{"id": null, "n": 1, "x": "-"}, {"id": "", "n": 2, "x": null}]'
    folder = write(tmp_path, "t.json", content, schema=schema)
    assert judge(folder) == ()
    assert look(folder, "FROM t") == [(None, 1, None), ("", 2, None)]


# What is judged


def ask_frictionless(folder: Path) -> list[tuple[Any, ...]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        report = frictionless.validate(str(folder / "datapackage.json"))
    return [tuple(e) for e in report.flatten(["rowNumber", "fieldNumber", "type"])]


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**6), 10**6),
    st.decimals(-1000, 1000, places=2).map(float),
    st.sampled_from(["", "a", "5", "1.50", "true", "2020-01-02", "-", "nan", "x y"]),
)
KINDS = ("string", "integer", "number", "boolean", "date", "year", "any")
SAME = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("form", ["json", "ndjson", "xlsx"])
@SAME
@given(
    kinds=st.lists(st.sampled_from(KINDS), min_size=2, max_size=3),
    cells=st.lists(st.lists(VALUES, min_size=3, max_size=3), min_size=1, max_size=6),
    key=st.booleans(),
)
def test_both_say_the_same(
    form: str, kinds: list[str], cells: list[list[Any]], key: bool, tmp_path: Path
) -> None:
    names = HEAD[: len(kinds)]
    rows = [line[: len(kinds)] for line in cells]
    fields = [{"name": n, "type": kind} for n, kind in zip(names, kinds, strict=True)]
    schema = {"fields": fields, "missingValues": ["", "-"]}
    schema |= {"primaryKey": names[:1]} if key else {}
    records = [dict(zip(names, line, strict=True)) for line in rows]
    content: str | bytes = json.dumps(records)
    if form == "ndjson":
        content = "\n".join(map(json.dumps, records))
    if form == "xlsx":
        content = workbook(names, *rows, [f"last{i}" for i in range(len(names))])
    folder = write(tmp_path, f"t.{form}", content, schema=schema)
    theirs = set(ask_frictionless(folder))
    found = [f for f in judge(folder) if f.type]
    ours = {(f.row, None if f.type == "primary-key" else f.field_number, f.type) for f in found}
    blank = {row for row, _, kind in theirs if kind == "blank-row"}
    empty = {(row, None, "primary-key") for row in blank}  # see test_differences
    assert ours - empty == theirs - empty


def test_verbose_says_which_engine_judges_and_why(tmp_path: Path, reviewdata: Command) -> None:
    folder = write(tmp_path, "t.json", '[{"id": "a", "n": 1, "x": 2}]')
    told = reviewdata("validate", folder, "--stage", "structure", "--verbose").err
    assert "t is judged by frictionless: it is JSON" in told


def test_a_number_is_no_text_in_json(tmp_path: Path) -> None:
    [finding] = judge(write(tmp_path, "t.json", '[{"id": 7, "n": "1", "x": "2"}]'))
    assert finding.message == ("id is 7, not a string: the file has it as a value of another type")
    assert (finding.code, finding.value, finding.origin and finding.origin.engine) == (
        "RD120",
        "7",
        "frictionless",
    )


@pytest.mark.parametrize("form", ["json", "xlsx"])
def test_keys_lead_to_such_a_table_and_from_it(form: str, tmp_path: Path) -> None:
    rows: list[list[Any]] = [HEAD, ["a", 1, 0], ["b", 2, 0]]
    content = workbook(*rows) if form == "xlsx" else json.dumps(rows).encode()
    here = {"fields": ["id"], "reference": {"resource": "u", "fields": ["id"]}}
    there = {"fields": ["n"], "reference": {"resource": "t", "fields": ["n"]}}
    write(tmp_path, f"t.{form}", content, schema={"fields": FIELDS, "foreignKeys": [here]})
    described = json.loads((tmp_path / "datapackage.json").read_text())
    schema = {"fields": FIELDS[:2], "foreignKeys": [there]}
    described["resources"].append({"name": "u", "type": "table", "path": "u.csv", "schema": schema})
    (tmp_path / "datapackage.json").write_text(json.dumps(described))
    (tmp_path / "u.csv").write_text("id,n\na,1\nc,3\n")
    found = {(f.table, f.row, f.value) for f in judge(tmp_path) if f.code == "RD124"}
    assert found == {("t", 3, "b"), ("u", 3, "3")}
    assert look(tmp_path, "SELECT t.id FROM t JOIN u USING (n)") == [("a",)]


@pytest.mark.parametrize("form", ["json", "xlsx"])
def test_a_checksum_is_that_of_the_file(form: str, tmp_path: Path) -> None:
    content = workbook(HEAD, ["a", 1, 2]) if form == "xlsx" else b'[["id","n","x"],["a",1,2]]'
    right = {"bytes": len(content), "hash": hashlib.md5(content).hexdigest(), "rows": 1}
    assert judge(write(tmp_path, f"t.{form}", content, **right)) == ()
    wrong = {"bytes": 1, "hash": "sha256:00", "rows": 3}
    found = judge(write(tmp_path, f"t.{form}", content, **wrong))
    assert [f.code for f in found] == ["RD126"] * 3


def test_a_file_that_changes_is_judged_anew(
    tmp_path: Path, reviewdata: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REVIEWDATA_CACHE", str(tmp_path / "cache"))
    (tmp_path / "p").mkdir()
    folder = write(tmp_path / "p", "t.json", '[{"id": "a", "n": 1, "x": 2}]')
    assert [reviewdata("validate", folder).code for _ in range(2)] == [0, 0]
    write(folder, "t.json", '[{"id": "a", "n": "y", "x": 2}]')
    assert reviewdata("validate", folder).code == 1


# What is refused, each in one finding

BAD_JSON = {
    "html": ("<html>", "1 it is no list of records"),
    "a number": ("5", "1 it is no list of records"),
    "no list": (
        '{"a": []}',
        '1 it is no list of records; name the key that has one: "dialect":'
        ' {"json": {"property": "..."}}',
    ),
    "numbers": ("[1]", "1 it holds a number where a record should be"),
    "null": ("[null]", "1 it holds null where a record should be"),
    "mixed": (
        '[{"id": "a"},\n["b"]]',
        "2 it holds a list where the first record is an object",
    ),
    "NaN": ('[{"n": 1},\n{"n": NaN}]', "2 it holds NaN, which is no JSON: write null"),
    "infinite": ('[["n"],[-Infinity]]', "1 it holds -Infinity, which is no JSON: write null"),
    "another key": (
        '[{"id": "a"},\n{"id": "b", "y": 1}]',
        "2 a record has the key 'y', and the first has not: give it there too",
    ),
    "a key twice": ('[{"id": "a"},\n{"id": 1, "id": 2}]', "2 a record has the key 'id' twice"),
    "cut in a text": ('[{"id":\n "a', "2 it is no JSON: unterminated string starting at"),
    "cut in the list": ('[{"id": "a"}\n', "2 it is no JSON: its end where ']' should be"),
    "no comma": ('[{"id": 1}\n{"id": 2}]', "2 it is no JSON: '{' where ']' should be"),
    "a comma too many": ('[{"id": 1},]', "1 it is no JSON: expecting value"),
    "more behind it": ("[[1]]\n[]", "2 it goes on behind its end"),
    "deep": ("[" * 100_000, "1 a record is nested too deeply"),
    "digits": ("[[" + "9" * 5000 + "]]", "1 it holds a number of too many digits"),
    "a large number": ("[[1e400]]", "1 the number 1e400 is too large to be held"),
    "a larger number": (
        "[[1e99999999999999999999]]",
        "1 the number 1e99999999999999999999 is too large to be held",
    ),
    "a NUL character": ('[["id"],\n["\\u0000"]]', "2 record 2 has a NUL character"),
    "no header": ("[[], [1]]", "1 its header is empty"),
}


@pytest.mark.parametrize("name", BAD_JSON)
def test_json_that_is_no_table_is_one_finding(name: str, tmp_path: Path) -> None:
    content, told = BAD_JSON[name]
    assert refuse(write(tmp_path, "t.json", content)) == told


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('{"id": 1}{"id": 2}\n', "1 it has more than one record on a line"),
        ('{"id": 1}\n\n{"id": 2, "id": 3}\n', "3 a record has the key 'id' twice"),
        (
            '{"id": 1}\n{"id"\n',
            "2 it is no JSON: expecting ':' delimiter at character 7 of the line",
        ),
        (
            '[{"id": 1},\n{"id": 2}]\n',
            "1 it is no JSON: expecting value at character 13 of the line",
        ),
    ],
)
def test_lines_that_are_no_records_are_one_finding(content: str, told: str, tmp_path: Path) -> None:
    assert refuse(write(tmp_path, "t.ndjson", content)) == told


@pytest.mark.parametrize("path", ["t.json", "t.ndjson", "t.xlsx"])
def test_an_empty_file_is_told(path: str, tmp_path: Path) -> None:
    assert [f.code for f in judge(write(tmp_path, path, b""))] == ["RD102"]


def test_a_byte_that_is_not_of_the_encoding_is_told_at_its_line(tmp_path: Path) -> None:
    content = '[["id"],\n["\u00e4"]]'.encode("latin-1")
    schema = {"fields": FIELDS[:1]}
    [finding] = judge(write(tmp_path, "t.json", content, schema=schema))
    assert (finding.code, finding.line) == ("RD101", 2)
    assert judge(write(tmp_path, "t.json", content, schema=schema, encoding="latin-1")) == ()


def test_half_a_character_becomes_the_sign_for_none(tmp_path: Path) -> None:
    folder = write(tmp_path, "t.json", '[{"id": "\\ud800", "n": 1, "x": {"\\udfff": 2}}]')
    assert look(folder, "SELECT id, x FROM raw.t") == [("\ufffd", '{"\ufffd": 2}')]


def test_no_more_of_a_file_is_held_than_a_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jsontables, "BLOCK", 7)
    rows = [{"id": f"text \u00e4 {i}", "n": i, "x": i / 4} for i in range(50)]
    folder = write(tmp_path, "t.json", json.dumps(rows, indent=1, ensure_ascii=False))
    assert judge(folder) == ()
    assert look(folder, "FROM t") == [tuple(r.values()) for r in rows]
    monkeypatch.setattr(jsontables, "RECORD_LIMIT", 40)
    cut = write(tmp_path, "t.json", '[{"id": "' + "a" * 200)
    assert refuse(cut) == "1 a record has more than 40 characters"


@pytest.mark.parametrize(
    ("dialect", "told"),
    [
        ({"json": {"path": "a"}}, "the dialect property json.path is not supported"),
        ({"json": {"property": 1}}, "the dialect property json.property is 1"),
        ({"json": []}, "the dialect property json is no object"),
        ({"json": {"property": "a"}}, "1 it has no key 'a'"),
        ([], "its dialect is not an object in datapackage.json"),
    ],
)
def test_a_setting_that_is_not_read_is_told(dialect: Any, told: str, tmp_path: Path) -> None:
    assert refuse(write(tmp_path, "t.json", '[["id"]]', dialect=dialect)) == told


H = row(1, *HEAD)
ENTITIES = "".join(f'<!ENTITY e{i + 1} "{f"&e{i};" * 10}">' for i in range(9))
BOMB = f'<!DOCTYPE x [<!ENTITY e0 "x">{ENTITIES}]><worksheet>&e9;</worksheet>'
UNREAD = "it is no workbook that can be read: "
BAD_XLSX: Mapping[str, tuple[Callable[[], bytes], str]] = {
    "html": (lambda: b"<html><table>", "it is HTML or XML under the name of a workbook"),
    "a password": (
        lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
        "it has a password, or is an old XLS: save it as XLSX without one",
    ),
    "CSV": (lambda: b"id,n\na,1\n", "it is no XLSX workbook: file is not a zip file"),
    "cut": (lambda: workbook(HEAD)[:2000], "it is no XLSX workbook: file is not a zip file"),
    "a zip": (
        lambda: changed(workbook(), {"[Content_Types].xml": None}),
        "it is a zip file, and no XLSX workbook",
    ),
    "no workbook in it": (
        lambda: changed(workbook(), {"xl/workbook.xml": None}),
        f"{UNREAD}\"There is no item named 'xl/workbook.xml' in the archive\"",
    ),
    "no sheet": (
        lambda: changed(workbook(HEAD), {SHEET: None}),
        "it has no sheet 1; there are: none",
    ),
    "cut XML": (
        lambda: changed(workbook(HEAD), {SHEET: b"<worksheet><row"}),
        f"{UNREAD}unclosed token: line 1, column 11",
    ),
    "no number": (
        lambda: sheet("<row><c><v>x</v></c></row>"),
        f"{UNREAD}invalid literal for int() with base 10: 'x'",
    ),
    "no such shared text": (
        lambda: sheet('<row><c t="s"><v>9</v></c></row>'),
        f"{UNREAD}list index out of range",
    ),
    "a formula": (
        lambda: workbook(HEAD, ["a", 1, "=B2*2"]),
        "cell C2 has a formula that was not computed: open it in a spreadsheet program, and save"
        " it",
    ),
    "an empty first row": (
        lambda: workbook([], [], HEAD),
        "row 1 of the sheet should be the header, and is empty; "
        '"dialect": {"headerRows": [3]} names another',
    ),
    "a far row": (
        lambda: sheet(H + row(20_000, "a")),
        "row 20000 of the sheet stands below 19,998 empty ones",
    ),
}


@pytest.mark.parametrize("name", BAD_XLSX)
def test_a_workbook_that_is_none_is_one_finding(name: str, tmp_path: Path) -> None:
    make, told = BAD_XLSX[name]
    assert refuse(write(tmp_path, "t.xlsx", make())) == told


def test_a_formula_with_its_value_is_read(tmp_path: Path) -> None:
    cells = '<c><f>1+1</f><v>2</v></c><c t="str"><f>""</f><v></v></c>'
    folder = write(tmp_path, "t.xlsx", sheet(f"{H}<row><c><v>1</v></c>{cells}</row>"))
    assert look(folder, "SELECT n, x FROM raw.t") == [("2", "")]


def test_entities_that_grow_are_refused(tmp_path: Path) -> None:
    folder = write(tmp_path, "t.xlsx", changed(workbook(), {SHEET: BOMB.encode()}))
    assert refuse(folder).startswith(UNREAD)


@pytest.mark.parametrize("empty", ["<row/>", "<row></row>"])
def test_a_sheet_of_too_many_rows_is_refused_before_it_is_read(
    empty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbooks, "ROWS", 1000)
    folder = write(tmp_path, "t.xlsx", sheet(H + empty * 1000))
    told = "the sheet has more than 1,048,576 rows: delete the empty ones"
    assert refuse(folder) == told
    folder = write(tmp_path, "t.xlsx", sheet(H + row(10**12, "a")))
    assert refuse(folder) == told


def test_what_a_workbook_takes_unpacked_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbooks, "_BLOCK", 64 * 1024)
    monkeypatch.setattr(workbooks, "SMALL", 1024 * 1024)
    wide = "<row>" + "<c></c>" * 200_000 + "</row>"
    assert refuse(write(tmp_path, "t.xlsx", sheet(wide))) == "a row of the sheet has more than 1 MB"
    blank = sheet(H + " " * 2_000_000)
    assert refuse(write(tmp_path, "t.xlsx", blank)) == "a row of the sheet has more than 1 MB"
    styles = changed(workbook(HEAD), {"xl/styles.xml": b" " * 3_000_000})
    told = "its part xl/styles.xml has 3 MB unpacked, more than 1"
    assert refuse(write(tmp_path, "t.xlsx", styles)) == told
    monkeypatch.setattr(workbooks, "UNPACKED", 2 * 1024 * 1024)
    large = sheet(H + (row(2, "a") + " " * 999) * 3000)
    assert refuse(write(tmp_path, "t.xlsx", large)) == (
        "its part xl/worksheets/sheet1.xml has 3 MB unpacked, more than 2"
    )


def test_empty_rows_below_a_table_and_cells_beside_it_are_left_aside(tmp_path: Path) -> None:
    empty = '<row><c s="0"/><c/></row>' * 500
    content = sheet(f"{H}{row(2, 'a', 1, 2)}{empty}")
    folder = write(tmp_path, "t.xlsx", content)
    validation = validate(folder, stages=["structure"])
    assert (validation.findings, validation.tables[0].rows) == ((), 1)


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (3, "it has no sheet 3; there are: Sheet, data"),
        ("dat", "it has no sheet dat; there are: Sheet, data"),
        (True, "the dialect property excel.sheet is True"),
    ],
)
def test_a_sheet_that_is_not_there_is_told(wanted: Any, told: str, tmp_path: Path) -> None:
    content = workbook(HEAD, data=[HEAD])
    dialect = {"excel": {"sheet": wanted}}
    assert refuse(write(tmp_path, "t.xlsx", content, dialect=dialect)) == told


def test_without_openpyxl_it_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(tmp_path, "t.xlsx", workbook(HEAD, ["a", 1, 2]))
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    assert refuse(folder) == (
        "the file has the format xlsx; to read it, install openpyxl:"
        ' pip install "reviewdata[excel]"'
    )


def test_a_workbook_is_not_read_where_it_is_gzipped(tmp_path: Path) -> None:
    folder = write(tmp_path, "t.xlsx.gz", gzip.compress(workbook(HEAD)))
    told = "the file has the compression gz; only CSV, JSON and XLSX are read"
    assert refuse(folder) == told


# The other commands


@pytest.fixture(params=["json", "xlsx"])
def review(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return the synthetic review with its results in another format, as a commit."""
    kind = request.param
    rows: list[list[Any]] = [
        ["result_id", "study_id", "mean", "sd", "n", "printed"],
        ["R1", "S1", 5.2, 1.1, 40, "M = 5.20 (1.10)"],
        ["R2", "S2", 4.8, 1.3, 35, None],
    ]
    studies = {"name": "studies", "type": "table", "path": "data/studies.csv"}
    claims = {"name": "claims", "type": "table", "path": "data/claims.csv"}
    results = {"name": "results", "type": "table", "path": f"data/results.{kind}"}
    named = (studies, results, claims)
    resources = [{**r, "schema": f"schemas/{r['name']}.json"} for r in named]
    write_results(tmp_path / "review", kind, rows, resources)
    commit(tmp_path / "review")
    return tmp_path / "review"


def write_results(
    folder: Path, kind: str, rows: list[list[Any]], resources: list[dict[str, str]] | None = None
) -> None:
    content = workbook(*rows) if kind == "xlsx" else json.dumps(rows, indent=1).encode()
    if resources is None:
        (folder / "data" / f"results.{kind}").write_bytes(content)
    else:
        patch = {"datapackage.json": {"resources": resources}}
        write_mini(folder, files={f"data/results.{kind}": content}, patch=patch)
        remove_suites(folder)


def test_a_review_of_such_tables_is_run_and_compared(review: Path, reviewdata: Command) -> None:
    ended = reviewdata("run", review)
    assert (ended.code, "1 reproduced" in ended.out) == (0, True)
    [file] = (review / "data").glob("results.[jx]*")
    before = file.read_bytes()
    formed = reviewdata("fmt", review)
    assert (formed.code, "1 of another format" in formed.out) == (0, True)
    assert file.read_bytes() == before
    rows: list[list[Any]] = [
        ["result_id", "study_id", "mean", "sd", "n", "printed"],
        ["R1", "S1", 9.2, 1.1, 40, "M = 5.20 (1.10)"],
        ["R2", "S2", 4.8, 1.3, 35, None],
    ]
    write_results(review, file.suffix[1:], rows)
    changes = reviewdata("diff", "main", "--project", review)
    assert "R1  mean 5.2 -> 9.2" in changes.out
    since = reviewdata("validate", review, "--since", "main")
    assert (since.code, "mean 9.2 lies outside the scale 1 to 7" in since.out) == (1, True)
