"""Lines that are no records: headers further down, headers of several records, comments, blanks."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import frictionless
import pytest
from conftest import Command
from test_descriptors import resource, write

from reviewdata.formatting import format_package
from reviewdata.model import Finding
from reviewdata.validation import validate

V2 = "https://datapackage.org/profiles/2.0/datapackage.json"


def find(folder: Path, content: str, labels: list[str], **dialect: Any) -> list[Finding]:
    """Return what is found in a table of these columns, the second of integers."""
    fields = [{"name": name} for name in labels]
    fields[1]["type"] = "integer"
    table = {"name": "t", "path": "t.csv", "schema": {"fields": fields}, "dialect": dialect}
    package = {"$schema": V2, "licenses": [{"name": "MIT"}], "resources": [table]}
    (folder / "datapackage.json").write_text(json.dumps(package))
    (folder / "t.csv").write_text(content)
    return list(validate(folder, stages=["package", "structure"]).findings)


CASES: list[tuple[dict[str, Any], str, list[str], list[tuple[int | None, int | None, str]]]] = [
    (
        {"headerRows": [2]},
        'a "title"\nid,n\na,1\n\nb,x\n',
        ["id", "n"],
        [(4, 4, "blank-row"), (5, 5, "type-error")],
    ),
    (
        {"headerRows": [3]},
        '"a\ntitle"\n\nid,m\na,x,y\n',
        ["id", "n"],
        [(4, None, "incorrect-label"), (5, 4, "type-error"), (5, 4, "extra-cell")],
    ),
    (
        {"headerRows": [1, 2]},
        "score,score\nid,n\na,x\n",
        ["score id", "score n"],
        [(3, 3, "type-error")],
    ),
    (
        {"headerRows": [1, 3], "headerJoin": "_"},
        "id,a\nno,header\nid,n\na,x\n",
        ["id", "a_n"],
        [(4, 4, "type-error")],
    ),
    (
        {"commentRows": [1, 3]},
        "a title\nid,n\n5\na,1\nb,x\n",
        ["id", "n"],
        [
            (5, 5, "type-error"),
        ],
    ),
    ({"commentChar": "#"}, "# x\nid,n\na,1\n#y\nb,x\n", ["id", "n"], [(5, 5, "type-error")]),
    ({"commentChar": "#"}, "# x\nid,m\na,1\n", ["id", "n"], [(2, None, "incorrect-label")]),
    (
        {"commentRows": [2, 4]},
        "id,n\n5\na,x\n7\nb,y\n",
        ["id", "n"],
        [
            (3, 3, "type-error"),
            (5, 5, "type-error"),
        ],
    ),
    (
        {"skipBlankRows": True},
        'id,n\n\na,1\n,\n"b\nb",x\n\n',
        ["id", "n"],
        [(5, 5, "type-error")],
    ),
    ({"header": False, "headerRows": [2]}, "a,1\nb,x\n", ["id", "n"], [(2, 2, "type-error")]),
    (
        {"headerRows": [2], "commentChar": "#"},
        "# x\nid,n\n#y\na,x\n",
        ["id", "n"],
        [(4, 4, "type-error")],
    ),
]
"""A dialect, a file, the columns, and the line, row and type of each error."""


@pytest.mark.parametrize(("dialect", "content", "labels", "told"), CASES)
def test_lines_that_are_no_records_are_left_out_as_frictionless_does(
    dialect: dict[str, Any],
    content: str,
    labels: list[str],
    told: list[tuple[int | None, int | None, str]],
    tmp_path: Path,
) -> None:
    found = find(tmp_path, content, labels, **dialect)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        report = frictionless.validate(str(tmp_path / "datapackage.json"))
    theirs = [tuple(e) for e in report.flatten(["rowNumber", "fieldNumber", "type"])]
    ours = [(f.row, f.field_number, f.type) for f in found if f.type]
    assert sorted(ours, key=str) == sorted(theirs, key=str)
    lines = [(f.line, f.row, f.type) for f in found if f.type]
    assert sorted(lines, key=str) == sorted(told, key=str)


@pytest.mark.parametrize(
    "dialect",
    [
        {"headerRows": []},
        {"headerRows": [0]},
        {"headerRows": [2, 1]},
        {"headerRows": [101]},
        {"headerRows": ["1"]},
        {"headerRows": [True]},
        {"headerRows": 2},
        {"commentRows": [-1]},
        {"headerJoin": 5},
        {"skipBlankRows": "yes"},
    ],
)
def test_a_setting_that_is_none_is_named(dialect: dict[str, Any], tmp_path: Path) -> None:
    found = find(tmp_path, "id,n\na,1\n", ["id", "n"], **dialect)
    [finding] = [f for f in found if f.code == "RD106"]
    [(name, value)] = dialect.items()
    assert f"the dialect property {name} is {value!r}" in finding.message


@pytest.mark.parametrize("content", ["", "a title\n", "a title\n\n"])
def test_a_file_that_ends_before_its_header_is_empty(content: str, tmp_path: Path) -> None:
    assert [f.code for f in find(tmp_path, content, ["id", "n"], headerRows=[4])] == ["RD102"]


def test_a_table_with_such_lines_is_neither_sorted_nor_merged_by_record(
    tmp_path: Path, reviewdata: Command
) -> None:
    write(tmp_path, resource(dialect={"commentRows": [2]}), "b,1,x\na,2,y\n")
    text = (tmp_path / "t.csv").read_bytes()
    form = next(form for form in format_package(tmp_path) if form.path == "t.csv")
    assert form.unfit is not None
    assert "lines that are no records" in str(form.unfit)
    assert (tmp_path / "t.csv").read_bytes() == text
