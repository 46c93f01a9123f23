"""The structure stage: where a finding stands, what it says, and what it does not cry wolf at."""

from __future__ import annotations

import time
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_descriptors import field, schema, write

from reviewdata import files
from reviewdata.files import find_stray_quote, inspect_file
from reviewdata.model import Finding
from reviewdata.records import Dialect, Record, make_reader
from reviewdata.stages.wording import show, suggest
from reviewdata.validation import validate

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from frictionless import Package, system


def judge(folder: Path) -> list[Finding]:
    return [f for f in validate(folder, stages=["structure"]).findings if f.table == "t"]


def say(folder: Path) -> list[tuple[str, int | None, str]]:
    return [(f.code, f.line, f.message) for f in judge(folder)]


def test_an_open_quote_that_meets_a_later_one_is_told(tmp_path: Path) -> None:
    rows = 'a,1,"x\nb,2,y\nc,3,"z"\nd,4,w\n'
    assert say(write(tmp_path, rows=rows)) == [
        ("RD129", 2, "in record 2, text follows a closing quote; lines 2 to 4 are one record")
    ]


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ('a,1,"y"z\n', "text follows a closing quote"),
        ('a,1, "y"\n', "a space before its quote keeps ' \"y\"' from being one quoted cell"),
        ('a,1,"y" \n', "text follows a closing quote"),
        ('a,1,5" tall\n', None),
        ('a,1,"say ""so"""\n', None),
        ('a,1," ""so"""\n', None),
        ('a,1," """\n', None),
        ('a,1, "\n', "a space before its quote keeps ' \"' from being one quoted cell"),
        ('a,1,"two\nlines"\n', None),
        ('a,1,"he said, ""no"""\n', None),
    ],
)
def test_a_quote_out_of_place(rows: str, says: str | None, tmp_path: Path) -> None:
    told = [message for code, _, message in say(write(tmp_path, rows=rows)) if code == "RD129"]
    assert told == ([f"in record 2, {says}"] if says else [])


@pytest.mark.parametrize(
    ("dialect", "line", "cell"),
    [
        (Dialect(), '" ""a""",b, "c"\n', ' "c"'),
        (Dialect(), '" ""a""", ""b\r\n', ' ""b'),
        (Dialect(delimiter="\t"), '"a"\t "b"\n', ' "b"'),
        (Dialect(delimiter=" "), '"a" "\t"" b" c\n', None),
        (Dialect(escape="\\"), 'a\\, "b","c\\", ""d"\n', None),
        (Dialect(escape="\\"), '"c\\", ""d", "e"\n', ' "e"'),
        (Dialect(quote="'"), "a, 'b'\n", " 'b'"),
    ],
)
def test_a_space_before_a_quote_is_told_in_every_dialect(
    dialect: Dialect, line: str, cell: str | None
) -> None:
    record = Record(2, 2, next(make_reader([line], dialect)))
    told = find_stray_quote(record, [line], dialect)
    assert told == (cell and ("spaced", {"cell": cell}))


def test_thousands_of_cells_that_are_quoted_as_they_should_are_looked_through() -> None:
    line = ",".join(f'" ""{number}"""' for number in range(100_000)) + "\n"
    record = Record(2, 2, next(make_reader([line], Dialect())))
    assert find_stray_quote(record, [line], Dialect()) is None


@pytest.mark.parametrize(
    ("rows", "lines"),
    [
        ("a,1,<<<<<<< x ======= y >>>>>>>\n", [2]),
        ("a,<<<<<<< 1 ======= 2 >>>>>>>,<<<<<<< x ======= y >>>>>>>\n", [2]),
        ("<<<<<<< a ======= b >>>>>>>,1,x\n", [2]),
        ("a,1,<<<<<<< good ======= <<<<<<< evil >>>>>>>\n", [2]),
        ("a,1,<<<<<<< <<<<<<< x ======= y >>>>>>> ======= z >>>>>>>\n", [2]),
        ('a,1,"<<<<<<< x\n ======= <<<<<<< y\nz >>>>>>>"\n', [2]),
        ("a,1,<<<<<<<  =======  >>>>>>>\nb,1,<<<<<<< x =======  >>>>>>>\n", [2, 3]),
        ('a,1,y\nb,1,"<<<<<<< x\n ======= y\nz >>>>>>>"\n', [3]),
        ("<<<<<<< ours\na,1,x\n=======\na,1,y\n>>>>>>> theirs\n", [2, 6]),
        ("a,1,<<<< x\nb,1,=======\nc,1,>>>>>>>\n", []),
        ("a,1,<<<<<<< x\nb,1,y >>>>>>>\n", []),
        ("a,1,x ======= y >>>>>>>\n", []),
        ("a,1,<<<<<<<< x ======== y >>>>>>>>\n", []),
    ],
)
def test_a_merge_conflict_is_told_once_at_its_line(
    rows: str, lines: list[int], tmp_path: Path
) -> None:
    found = [f.line for f in judge(write(tmp_path, rows=rows)) if f.code == "RD132"]
    assert found == lines


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ('"=\nSUM(A1)"', True),
        ("=1", True),
        ('"-1,234,567"', False),
        ('"+1,234.5"', False),
        ("-INF", False),
        ("-1_000", False),
        ("-n/a", False),
        ("-n/b", True),
        ("=======", False),
        ("-5 %", False),
    ],
)
def test_a_formula_is_neither_a_number_nor_a_missing_value(
    cell: str, told: bool, tmp_path: Path
) -> None:
    rows = write(tmp_path, schema(missingValues=["", "-n/a"]), f"a,1,{cell}\n")
    assert bool([f for f in judge(rows) if f.code == "RD134"]) is told


def test_a_line_in_a_file_of_old_line_ends_has_its_number(tmp_path: Path) -> None:
    folder = write(tmp_path)
    (folder / "t.csv").write_bytes(b"id,n,note\ra,1,x\x07\r<<<<<<< ours\rb,2,y\r")
    told = {(f.code, f.line) for f in judge(folder)}
    assert {("RD133", 2), ("RD132", 3), ("RD131", None)} <= told


@pytest.mark.parametrize(
    ("change", "rows", "says"),
    [
        (
            field(2, constraints={"enum": ["client", "therapist"]}),
            "a,1,client \n",
            "note 'client ' breaks the constraint enum client, therapist;"
            " it has a space at its end; did you mean client?",
        ),
        (
            field(2, constraints={"enum": ["client", "therapist"]}),
            "a,1,Cleint\n",
            "note Cleint breaks the constraint enum client, therapist; did you mean client?",
        ),
        (
            field(2, constraints={"enum": ["client", "therapist"]}),
            "a,1,zzz\n",
            "note zzz breaks the constraint enum client, therapist",
        ),
        (
            field(type="number"),
            'a,"5,20",x\n',
            'n is 5,20, not a number: a decimal comma? write 5.20, or declare "decimalChar": ","',
        ),
        (field(type="date"), "a,31.1.2020,x\n", "n is 31.1.2020, not a date (YYYY-MM-DD)"),
        (
            field(type="date", format="%d.%m.%Y"),
            "a,2020-01-31,x\n",
            "n is 2020-01-31, not a date (%d.%m.%Y)",
        ),
        (field(), "a, x\t,y\n", r"n is ' x\t', not an integer"),
        (
            field(),
            "a,1,x,b,2,y\n",
            "record 2 has a cell too many: b (6 cells, the header 3: two records on one line?)",
        ),
        (field(), "a,1,x,\n", "record 2 has a cell too many: '' (4 cells, the header 3)"),
    ],
)
def test_a_message_names_the_value_and_how_to_mend_it(
    change: Any, rows: str, says: str, tmp_path: Path
) -> None:
    assert say(write(tmp_path, change, rows))[0][2] == says


def test_a_required_value_is_to_be_entered(tmp_path: Path) -> None:
    [finding] = judge(write(tmp_path, field(2, constraints={"required": True}), "a,1,\n"))
    assert finding.message == "note is empty; the schema requires a value"
    assert finding.fix.startswith("Enter the value")


def test_a_column_without_a_name_behind_the_others_is_told_by_its_number(tmp_path: Path) -> None:
    folder = write(tmp_path)
    (folder / "t.csv").write_text("id,n,note,,\na,1,x,,\n")
    assert say(folder) == [
        ("RD110", 1, "column 4 of the header has no name"),
        ("RD110", 1, "column 5 of the header has no name"),
    ]
    assert {f.type for f in judge(folder)} == {"extra-label"}


@pytest.mark.parametrize(("separator", "told"), [(";", ";"), ("\t", "\\t"), ("|", "|")])
def test_another_separator_is_one_finding(separator: str, told: str, tmp_path: Path) -> None:
    folder = write(tmp_path)
    rows = "id,n,note\na,1,x\nb,2\n".replace(",", separator)
    (folder / "t.csv").write_text(rows)
    assert say(folder) == [
        (
            "RD106",
            1,
            "the file cannot be read as a table: its columns are separated otherwise than declared;"
            f' add "dialect": {{"delimiter": "{told}"}}',
        )
    ]


PATTERNS = ["(a+)+", "[a-c]+", r"\d+|x", "^S[0-9]+$", "(?=a).+", "a.c"]
CELLS = ["a" * 40 + "!", "abc", "1", "x!", "S12", "S12\n", "a\nc", "", "\u0661", "b"]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_is_broken_by_the_cells_that_frictionless_says(
    pattern: str, tmp_path: Path
) -> None:
    cells = CELLS if pattern != "(a+)+" else [c for c in CELLS if c[:20] != "a" * 20]
    rows = "".join(f'{number},1,"{cell}"\n' for number, cell in enumerate(cells))
    folder = write(tmp_path, field(2, constraints={"pattern": pattern}), rows)
    with warnings.catch_warnings(), system.use_context(trusted=True):
        warnings.simplefilter("ignore")
        package = Package(str(folder / "datapackage.json"))
        report = package.get_resource("t").validate()
        there = report.flatten(["rowNumber", "fieldNumber", "type"])
    here = [[f.row, f.field_number, f.type] for f in judge(folder) if f.type]
    assert sorted(here) == sorted(there)
    assert there


@pytest.mark.parametrize("columns", ["note,n,id", "id,n,remark"])
def test_a_pattern_is_tried_in_the_column_where_frictionless_reads_the_field(
    columns: str, tmp_path: Path
) -> None:
    change = field(2, constraints={"pattern": "[ab]"})
    folder = write(tmp_path, change, "a,1,x\nx,1,a\n")
    (folder / "t.csv").write_text((folder / "t.csv").read_text().replace("id,n,note", columns))
    broken = [f for f in judge(folder) if f.type == "constraint-error"]
    assert [(f.row, f.field_number, f.value) for f in broken] == [(2, 3, "x")]


def test_a_pattern_without_end_ends(tmp_path: Path) -> None:
    cell = "a" * 5000 + "!"
    folder = write(tmp_path, field(2, constraints={"pattern": "(a+)+"}), f"a,1,{cell}\nb,2,aa\n")
    start = time.monotonic()
    found = [f for f in validate(folder, stages=["structure", "rows"]).findings if f.table == "t"]
    assert time.monotonic() - start < 20
    assert [(f.code, f.line) for f in found] == [("RD121", 2)]


def test_a_record_of_thousands_of_cells_is_told_once_with_their_count(tmp_path: Path) -> None:
    told = say(write(tmp_path, rows=f"a,x,n{',9' * 30_000}\nb,x,\nc,1,n,8,9\n"))
    assert [(code, line) for code, line, _ in told] == [
        ("RD117", 2),
        ("RD117", 4),
        ("RD117", 4),
        ("RD120", 2),
        ("RD120", 3),
    ]
    assert told[0][2].startswith("record 2 has a cell too many: 9 (30003 cells, the header 3")


def test_a_long_cell_of_quotes_is_judged_as_any_other(tmp_path: Path) -> None:
    cell = "' 'x'" * 25_000  # a guess at its dialect would take 20 seconds
    told = say(write(tmp_path, rows=f'a,1,"{cell}"\nb,x,\n'))
    assert [(code, line) for code, line, _ in told] == [("RD120", 3)]


def test_a_pattern_that_nothing_can_run_is_told_and_the_rest_is_judged(tmp_path: Path) -> None:
    change = field(2, constraints={"pattern": "(?=a)(a+)+"})
    told = say(write(tmp_path, change, f"a,x,{'a' * 40}!\n"))
    assert [(code, line) for code, line, _ in told] == [("RD120", 2), ("RD199", None)]
    assert "(?=a)(a+)+ of note may run without end and was not tried" in told[1][2]


def test_a_text_is_shown_in_quotes_where_space_matters() -> None:
    assert show("a b") == "a b"
    assert show("a ") == "'a '"
    assert show("a\nb") == r"'a\nb'"


def test_a_suggestion_overlooks_case_and_space() -> None:
    assert suggest(" CLIENT", ["client", "therapist"]) == "client"
    assert suggest("nothing", ["client"]) is None


def test_after_the_limit_of_errors_no_cell_is_called_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reviewdata.stages.verdicts.ERROR_LIMIT", 2)
    change = field(type="object")  # which frictionless judges
    told = say(write(tmp_path, change, "a,x,\nb,x,\nc,x,\nd,x,\n"))
    assert [(code, line) for code, line, _ in told] == [
        ("RD120", 2),
        ("RD120", 3),
        ("RD199", None),
    ]


@given(
    st.lists(
        st.sampled_from(
            [*"a,é\t\n\r\x07\x7f", '"', "\r\n", "<<<<<<< x", "=======", ">>>>>>> y", "|||||||"]
        )
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_file_is_plain_only_where_no_line_is_odd(tmp_path: Path, parts: list[str]) -> None:
    file = tmp_path / "t.csv"
    file.write_text("".join(parts), "utf-8", newline="")
    quickly = list(inspect_file(file, "utf-8"))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(files, "_is_plain", lambda _: False)
        assert list(inspect_file(file, "utf-8")) == quickly


V2 = "https://datapackage.org/profiles/2.0/"


@pytest.mark.parametrize(
    ("profiles", "judged"),
    [
        ({}, False),
        ({"package": V2 + "datapackage.json"}, True),
        ({"package": V2 + "datapackage.json", "schema": V2 + "tableschema.json"}, True),
        ({"package": "https://datapackage.org/profiles/1.0/datapackage.json"}, False),
        ({"package": "https://example.org/own.json"}, True),
        ({"schema": V2 + "tableschema.json"}, False),
    ],
)
def test_the_package_says_which_version_its_schemas_are_of(
    profiles: dict[str, str], judged: bool, tmp_path: Path
) -> None:
    def change(descriptor: dict[str, Any]) -> None:
        field(constraints={"exclusiveMinimum": 1})(descriptor)
        for noun, where in (
            ("package", descriptor),
            ("schema", descriptor["resources"][0]["schema"]),
        ):
            where |= {"$schema": profiles[noun]} if noun in profiles else {}

    told = say(write(tmp_path, change))
    assert [code for code, _, _ in told] == (["RD121"] if judged else ["RD199"])


@pytest.mark.parametrize(
    ("properties", "cells", "wrong"),
    [
        ({"categories": ["x", "y"]}, ["x", "y", "", "X", "x "], ["X", "x "]),
        ({"categories": [{"value": "x", "label": "an x"}]}, ["x", "an x"], ["an x"]),
        ({"type": "integer", "categories": [1, 2]}, ["1", "02", "+1", "3", ""], ["3"]),
        ({"type": "integer", "categories": [{"value": 1, "label": "2"}]}, ["1", "2"], ["2"]),
        ({"type": "integer", "categories": ["1"]}, ["1", "2"], ["2"]),
        ({"type": "integer", "categories": ["one"]}, ["1"], ["1"]),
        ({"type": "any", "categories": ["x"]}, ["x", "y"], ["y"]),
        ({"type": "integer", "categories": [1], "missingValues": ["-9", ""]}, ["-9", "9"], ["9"]),
        ({"categories": ["x"], "missingValues": [{"value": "-", "label": "none"}]}, ["-", "x"], []),
        ({"type": "number", "categories": [1]}, ["1", "2"], []),
        ({"categories": [f"w{n}" for n in range(300)]}, ["w0", "w299", "w300"], ["w300"]),
        ({"type": "integer", "categories": []}, ["1"], []),
    ],
)
def test_a_value_is_one_of_its_categories(
    properties: dict[str, Any], cells: list[str], wrong: list[str], tmp_path: Path
) -> None:
    def change(package: dict[str, Any]) -> None:
        package["$schema"] = "https://datapackage.org/profiles/2.0/datapackage.json"
        field(2, **properties)(package)

    rows = "".join(f"{number},1,{cell}\n" for number, cell in enumerate(cells))
    found = [f for f in judge(write(tmp_path, change, rows)) if f.code == "RD139"]
    assert [f.value for f in found] == wrong
    assert [f.line for f in found] == [cells.index(cell) + 2 for cell in wrong]


def test_a_value_that_is_no_integer_is_told_once_and_not_as_a_category(tmp_path: Path) -> None:
    told = say(write(tmp_path, field(categories=[1]), "a,x,y\n"))
    assert [code for code, _, _ in told] == ["RD120"]


def test_a_key_that_must_be_unique_compares_values_and_passes_over_missing_ones(
    tmp_path: Path,
) -> None:
    change = schema(uniqueKeys=[["n", "note"], ["note"]], missingValues=["", "-"])
    rows = "a,1,x\nb,01,x\nc,,x\nd,,x\ne,2,-\nf,2,-\ng,wrong,y\nh,wrong,y\n"
    found = [f for f in judge(write(tmp_path, change, rows)) if f.code == "RD127"]
    assert [(f.line, f.message) for f in found] == [
        (3, "n, note together repeat record 2"),
        (3, "note together repeat record 2"),
        (4, "note together repeat record 2"),
        (5, "note together repeat record 2"),
        (9, "note together repeat record 8"),
    ]
