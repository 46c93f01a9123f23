"""Both engines of the structure stage come to one verdict; which of them judges, and why."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from conftest import Command
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from test_descriptors import Change, field, key, resource, schema, write
from twins import Twin, packages

from reviewdata.model import CUT
from reviewdata.package import open_package
from reviewdata.stages import verdicts
from reviewdata.stages.compiled import keys, odd, sheet, sieve
from reviewdata.stages.compiled.beyond import Beyond
from reviewdata.stages.compiled.judge import judge
from reviewdata.stages.engines import find_fault
from reviewdata.stages.engines import sieve as sift
from reviewdata.stages.errors import Verdict
from reviewdata.stages.structure import check
from reviewdata.tables import Tables, load_tables
from reviewdata.validation import validate

Told = Counter[tuple[Any, ...]]


def tell(tables: Tables, name: str, verdict: Verdict) -> Told:
    """Return the errors of a verdict.

    Of a record that is left out since it holds nothing, the stage drops what is said of its key.
    """
    named = f"schema_name = 'irregular' AND table_name = '{name}'"
    blank: set[int | None] = set()
    if tables.fetch(f"SELECT 1 FROM duckdb_tables() WHERE {named}"):
        there = f"SELECT _row FROM raw.{name}"
        left = f"SELECT row FROM irregular.{name} WHERE row NOT IN ({there})"
        blank = {row for (row,) in tables.fetch(left)}
    return Counter(
        (e.row, e.number, e.type, e.field, e.constraint, e.first)
        for e in verdict.errors
        if e.type != "primary-key" or e.row not in blank
    )


@contextmanager
def opened(folder: Path) -> Iterator[tuple[Tables, list[str]]]:
    """Yield the tables of a package, and the names of those whose schemas can be used."""
    package = open_package(folder)
    with load_tables(package) as tables:
        faults = {name: find_fault(package, package.resources[name]) for name in tables.columns}
        for name, fault in faults.items():
            assert fault == verdicts.find_fault(package, package.resources[name])
        yield tables, [name for name, fault in faults.items() if fault is None]


def compare(folder: Path) -> dict[str, str]:
    """Judge each table of a package by both engines; return why SQL did not, or nothing."""
    done = {}
    with opened(folder) as (tables, usable):
        for name in usable:
            resource = tables.package.resources[name]
            try:
                given = judge(tables, resource, usable)
            except Beyond as beyond:
                done[name] = str(beyond)
                continue
            done[name] = ""
            expected = verdicts.judge(tables, resource, usable)
            unjudged = [kind for kind, _ in expected.unjudged]
            if "TypeError" in unjudged:  # frictionless breaks down, over a list in a key
                done[name] = "frictionless breaks down"
                continue
            assert [kind for kind, _ in given.unjudged] == unjudged
            assert tell(tables, name, given) == tell(tables, name, expected)
            assert given.labels == expected.labels
    return done


def compare_twin(twin: Twin, few: int) -> None:
    with tempfile.TemporaryDirectory() as folder, mock.patch.object(sheet, "FEW", few):
        twin.write(Path(folder))
        for why in compare(Path(folder)).values():
            event(why or "judged by SQL")


def compare_sieved(twin: Twin, few: int) -> None:
    """Judge a package whole, and with only the records loaded that a sieve leaves."""
    with tempfile.TemporaryDirectory() as name, mock.patch.object(sieve, "MOST", few):
        twin.write(Path(name))
        package = open_package(Path(name))
        with load_tables(package) as tables:
            expected = check(tables)
        with load_tables(package, sieve=sift) as tables:
            assert check(tables) == expected
            for loaded in tables.loaded.values():
                event("whole" if loaded.whole else "clear" if loaded.clear else "some records")


quick = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


@quick
@given(packages(), st.sampled_from([0, 10_000]))
def test_both_engines_tell_the_same_of_a_table(twin: Twin, few: int) -> None:
    compare_twin(twin, few)


@quick
@given(packages(tidy=True), st.sampled_from([1, 10_000]))
def test_of_few_records_the_same_is_told_as_of_all(twin: Twin, few: int) -> None:
    compare_sieved(twin, few)


@pytest.mark.contract
@settings(quick, max_examples=1000)
@given(packages(tidy=True) | packages(), st.sampled_from([1, 10_000]))
def test_of_few_records_the_same_is_told_as_of_all_of_thousands(twin: Twin, few: int) -> None:
    compare_sieved(twin, few)


@pytest.mark.contract
@settings(quick, max_examples=2000)
@given(packages(), st.sampled_from([0, 10_000]))
def test_both_engines_tell_the_same_of_thousands_of_tables(twin: Twin, few: int) -> None:
    compare_twin(twin, few)


NOTABLE: list[tuple[dict[str, Any], list[str], list[str]]] = [
    (
        {"type": "integer"},
        ["4", "+4", "-0", " 4\t", "4_000", "\u0664", "\uff14", "4" * 60, "0004"],
        ["4.", "4e2", "4_", "_4", "4__0", "0x4", "4 000", "- 4", "\u00b2", "4" * 4301],
    ),
    (
        {"type": "integer", "bareNumber": False},
        ["4 kg", "\u20ac4", "-4 %"],
        ["kg", "4-5", "4.5 kg"],
    ),
    (
        {"type": "number"},
        ["4", ".4", "4.", "4e2", "Inf", "-infinity", "NaN", "sNaN1", "4e4000", "4_0.0_4", " 4.5 "],
        ["4,5", "4..5", "e4", "4e", "0x4", "+-4", "4 5", "infinite"],
    ),
    (
        {"type": "number", "groupChar": ".", "decimalChar": ","},
        ["4.000,5", "4,5", "4000", ",5"],
        ["4,5,5", "x"],
    ),
    ({"type": "number", "decimalChar": ","}, ["4,5", "4"], ["4.5", "4,5,5"]),
    (
        {"type": "boolean"},
        ["true", "True", "TRUE", "1", "FALSE", "0"],
        ["tRUE", "yes", " 1", "1.0"],
    ),
    ({"type": "boolean", "trueValues": ["y"], "falseValues": ["n", "y"]}, ["y", "n"], ["true"]),
    (
        {"type": "date"},
        ["2021-02-28", "2021-2-8", "0001-01-01", "2024-02-29"],
        ["2021-02-29", "0000-01-01", "21-02-28", "2021-02-28 ", "20210228", "28.2.2021"],
    ),
    (
        {"type": "date", "format": "%d.%m.%Y"},
        ["28.02.2021", "8.2.2021"],
        ["2021-02-28", "31.02.2021", "28.02.21", "28/02/2021"],
    ),
    ({"type": "date", "format": "any"}, ["2021-02-28", "28 Feb 2021", "2/28/2021"], ["no day"]),
    (
        {"type": "time"},
        ["08:15:00", "23:59:59.25", "24:00:00", "08:15:00Z", "08:15:00+01:00"],
        ["08:15", "8:15:00", "08:15:60", "25:00:00", "08:15:00 "],
    ),
    (
        {"type": "datetime"},
        ["2021-02-28T08:15:00", "2021-02-28 08:15:00", "2021-02-28T08:15:00Z"],
        ["2021-02-28", "2021-02-29T08:15:00", "2021-02-28T08:15", "28.2.2021 08:15:00"],
    ),
    ({"type": "year"}, ["2021", "0001", "+021", "2_21", " 202"], ["21", "20211", "-021", "202x"]),
    ({"type": "yearmonth"}, ["2021-02", "2021-2", "1-2", " 2021 - 2"], ["2021-13", "2021", "21-0"]),
    (
        {"type": "duration"},
        ["P1Y", "PT5M", "P2W", "-P1D", "P1Y2M3DT4H"],
        ["1Y", "P", "p1y", "5 min"],
    ),
    ({"type": "list"}, ["a", "a,b", ",", " "], []),
    (
        {"type": "list", "itemType": "integer", "delimiter": ";"},
        ["1", "1;2", "1; 2"],
        ["1,2", "1;", "x"],
    ),
    (
        {"type": "string", "format": "email"},
        ["ann@example.org", "a.b+c@mail.example.org", "ANN@EXAMPLE.ORG"],
        ["ann", "ann@example", "ann@@example.org", "ann @example.org", "@example.org"],
    ),
    (
        {"type": "string", "format": "uri"},
        ["https://example.org/x?y#z", "doi:10.1/x", "HTTPS://EXAMPLE.ORG", "https://a:b@x.org"],
        ["example.org", "//example.org", "1a://x"],
    ),
    (
        {"type": "string", "format": "uuid"},
        ["95ecc380-afe9-11e4-9b6c-751b66dd541e", "{95ECC380AFE911E49B6C751B66DD541E}"],
        ["95ecc380", "g5ecc380-afe9-11e4-9b6c-751b66dd541e"],
    ),
    ({"type": "any"}, ["", " ", "x", "1"], []),
    (
        {"type": "integer", "constraints": {"minimum": 4, "maximum": 5}},
        ["4", "5", "05", " 4"],
        ["3", "6"],
    ),
    (
        {"type": "number", "constraints": {"minimum": 0.3}},
        ["0.3", "0.30", "0.300000000000000000001", "inf"],
        ["0.29999999999999999999999", "nan", "-1e-400", "-0"],
    ),
    (
        {"type": "number", "constraints": {"enum": [4, 4.5]}},
        ["4.0", "4.50", "45e-1"],
        ["4.51", "5"],
    ),
    (
        {"type": "string", "constraints": {"minLength": 2}},
        ["ab", "\U0001f642\U0001f642"],
        ["a", "\u00e4"],
    ),
    ({"type": "string", "constraints": {"enum": ["a", "B"]}}, ["a", "B", ""], ["A", "b", " a"]),
    (
        {"type": "string", "constraints": {"pattern": "a+b?"}},
        ["a", "aab", "a\n"],
        ["b", "abb", "xa"],
    ),
    ({"type": "string", "constraints": {"pattern": "(a|b)\\1"}}, ["aa", "bb"], ["ab", "a"]),
    (
        {"type": "string", "missingValues": ["-"], "constraints": {"required": True}},
        ["", " -"],
        ["-"],
    ),
]
"""Fields, cells that are right for each, and cells that are not."""


@pytest.mark.parametrize(("entry", "right", "wrong"), NOTABLE)
def test_a_cell_is_right_or_wrong(
    entry: dict[str, Any], right: list[str], wrong: list[str], tmp_path: Path
) -> None:
    quoted = ('"' + cell.replace('"', '""') + '"' for cell in (*right, *wrong))
    rows = "".join(f"{number},{cell},x\n" for number, cell in enumerate(quoted))
    write(tmp_path, field(**{"type": "string", **entry}), rows)
    assert compare(tmp_path)["t"] == ""
    found = [
        f for f in validate(tmp_path, stages=["structure"]).findings if f.type and f.table == "t"
    ]
    cells = [*right, *wrong]
    assert [cells[(f.row or 0) - 2] for f in sorted(found, key=lambda f: f.row or 0)] == wrong
    assert {f.origin.engine for f in found if f.origin} <= {"duckdb"}


def refer_to_a_list(descriptor: dict[str, Any]) -> None:
    """Let a column that is not there refer to one that frictionless cannot look up."""
    key("id", "u", "k")(descriptor)
    descriptor["resources"][0]["schema"]["fieldsMatch"] = "partial"
    descriptor["resources"][0]["schema"]["fields"][0]["name"] = "ID"
    descriptor["resources"][0]["schema"]["primaryKey"] = []
    descriptor["resources"][0]["schema"]["foreignKeys"][0]["fields"] = ["ID"]
    descriptor["resources"][1]["schema"]["fields"][1]["type"] = "list"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (field(type="object"), "n is object"),
        (field(2, format="binary"), "note is string of the format binary"),
        (field(type="number", floatNumber=True), "n is number with floatNumber"),
        (field(type="duration", constraints={"unique": True}), "n is a duration in a key"),
        (key("n", "u", "uid"), "n and uid of u have different types"),
        (refer_to_a_list, "k is a list in a key"),
        (resource(dialect={"commentChar": "i"}), "its header is not its first record"),
        (
            field(type="datetime", constraints={"minimum": "2020-01-01T00:00:00Z"}),
            "frictionless breaks on n: can't compare offset-naive and offset-aware datetimes",
        ),
    ],
)
def test_what_sql_does_not_take_goes_to_frictionless(
    change: Change, why: str, tmp_path: Path, reviewdata: Command
) -> None:
    write(tmp_path, change, "a,2020-01-02T00:00:00,x\n,,\n")
    told = reviewdata("validate", tmp_path, "--stage", "structure", "--verbose").err
    assert f"t is judged by frictionless: {why}\n" in told
    assert "u is judged by DuckDB\n" in told
    found = validate(tmp_path, stages=["structure"]).findings
    assert {f.origin.engine for f in found if f.table == "t" and f.origin} <= {"frictionless"}


@pytest.mark.parametrize(
    ("module", "name", "change"),
    [
        (odd, "MOST", field(type="integer")),
        (keys, "MOST", field(type="integer", constraints={"unique": True})),
    ],
)
def test_a_column_of_too_many_odd_texts_goes_to_frictionless(
    module: Any, name: str, change: Change, tmp_path: Path
) -> None:
    write(tmp_path, change, "".join(f"{n},{n}\u0661,x\n" for n in range(5)))
    with mock.patch.object(module, name, 4), mock.patch.object(sheet, "FEW", 0):
        assert "more than 4 unusual values" in compare(tmp_path)["t"]
    with mock.patch.object(sheet, "FEW", 0):
        assert compare(tmp_path)["t"] == ""


def test_of_many_errors_all_are_counted_and_the_first_are_listed(tmp_path: Path) -> None:
    change = field(2, constraints={"enum": ["y"]})
    write(tmp_path, change, "".join(f"a,{'x' * (n % 7 + 1)},{n}\n" for n in range(12_000)))
    result = validate(tmp_path, stages=["structure"])
    why = {run.code: run.why for run in result.runs if run.status == "fail"}
    assert why["RD120"] == f"12001 findings, of which 10000 {CUT}"  # one is of another table
    assert why["RD121"] == f"12000 findings, of which 10000 {CUT}"
    assert why["RD123"] == f"11999 findings, of which 10000 {CUT}"
    listed = [f.row for f in result.findings if f.code == "RD121"]
    assert listed == list(range(2, 10_002))
    [first] = [f for f in result.findings if f.code == "RD123" and f.row == 4]
    assert first.message == "the primary key a is that of record 3 already"


def test_a_record_of_missing_values_only_is_blank_in_a_wide_table(tmp_path: Path) -> None:
    names = [f"c{number}" for number in range(3 * sheet.AT_ONCE)]
    fields = [{"name": n, "constraints": {"required": True}} for n in names]
    fields[-1]["missingValues"] = ["-", ""]
    change = schema(fields=fields, primaryKey=[], missingValues=["", "NA"])
    write(tmp_path, change)
    rows = [names, ["x"] * len(names), [*["NA"] * (len(names) - 1), "-"], ["NA"] * len(names)]
    (tmp_path / "t.csv").write_text("".join(",".join(row) + "\n" for row in rows))
    assert compare(tmp_path)["t"] == ""
    found = [f for f in validate(tmp_path, stages=["structure"]).findings if f.table == "t"]
    assert Counter(f.type for f in found) == {"blank-row": 1, "constraint-error": len(names) - 1}


def test_a_size_and_a_checksum_are_compared(tmp_path: Path) -> None:
    declared: list[dict[str, Any]] = [{"bytes": 3}, {"hash": "0" * 32}, {"hash": "sha256:0"}]
    for properties in [*declared, {"hash": "sha1:0"}]:
        write(tmp_path, resource(**properties))
        assert compare(tmp_path)["t"] == ""


@pytest.mark.parametrize(
    ("properties", "rows", "says"),
    [
        ({"rows": 3}, "a,1,x\nb,2,y\n", ["rows, expected is 3 and actual is 2"]),
        ({"rows": 2, "fields": 3}, "a,1,x\nb,2,y\n", []),
        ({"rows": 3}, 'a,1,x\n\nb,2,"y\nz"\n', []),
        ({"rows": 2}, "a,1,x\n,,\nb,2,y,z\n", ["rows, expected is 2 and actual is 3"]),
        ({"fields": 4, "rows": 0}, "a,1,x\n", ["fields, expected is 4 and actual is 3"]),
        ({"rows": 1, "dialect": {"header": False}}, "", []),
    ],
)
def test_a_declared_number_of_records_and_fields_is_that_of_the_file(
    properties: dict[str, Any], rows: str, says: list[str], tmp_path: Path
) -> None:
    write(tmp_path, resource(**properties), rows)
    assert compare(tmp_path)["t"] == ""
    found = [f for f in validate(tmp_path, stages=["structure"]).findings if f.code == "RD126"]
    told = "the file is not the one that the descriptor describes: "
    assert [f.message.removeprefix(told) for f in found] == says


def test_a_key_of_two_columns_to_the_same_table(tmp_path: Path) -> None:
    write(tmp_path, key(["note", "n"], "", ["id", "n"]), "a,1,a\nb,2,a\nc,3,\nd,,a\ne,,\n")
    assert compare(tmp_path)["t"] == ""
    found = [f for f in validate(tmp_path, stages=["structure"]).findings if f.code == "RD124"]
    assert [(f.row, f.message) for f in found] == [
        (3, "note a, n 2 is not in t (id, n)"),
        (4, "note '', n 3 is not in t (id, n)"),
        (5, "note a, n '' is not in t (id, n)"),
    ]
