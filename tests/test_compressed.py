"""Gzipped tables and tables in old encodings are read as any other, at the same lines."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path
from typing import Any

import pytest
from conftest import Command
from test_descriptors import Change, field, resource, write

from reviewdata.compressed import most_bytes
from reviewdata.formatting import format_package
from reviewdata.model import Finding
from reviewdata.validation import validate

HEAD = "id,n,note\n"
ROWS = 'a,1,x\n"b\nb",x,y\n\n,,\nc,1,z,9\na,2\n'


def pack(folder: Path, content: bytes, **properties: Any) -> list[Finding]:
    """Return what is found in a table `t` that is gzipped, or is said to be."""
    named = {"path": "t.csv.gz", **properties}
    write(folder, resource(**named))
    (folder / named["path"]).write_bytes(content)
    return find(folder)


def find(folder: Path) -> list[Finding]:
    return [f for f in validate(folder, stages=["structure"]).findings if f.table == "t"]


def say(found: list[Finding]) -> list[tuple[Any, ...]]:
    return [(f.code, f.line, f.row, f.field, f.message) for f in found]


@pytest.mark.parametrize(
    ("rows", "lines"), [(ROWS, {3, 5, 6, 7, 8}), ("a,1,x\nb,x,y\na,1,z\n", {3, 4})]
)
@pytest.mark.parametrize("properties", [{}, {"path": "t.csv", "compression": "gz"}])
def test_a_gzipped_table_is_judged_as_the_same_text(
    rows: str, lines: set[int], properties: dict[str, Any], tmp_path: Path
) -> None:
    plain = write(tmp_path, rows=rows)
    expected = find(plain)
    assert {f.line for f in expected} == lines
    found = pack(tmp_path, gzip.compress((HEAD + rows).encode()), **properties)
    assert say(found) == say(expected)
    assert {f.origin.engine for f in found if f.origin} == {"duckdb"}


def test_frictionless_too_is_told_that_a_table_is_gzipped(
    tmp_path: Path, reviewdata: Command
) -> None:
    content = gzip.compress(b"id,n,note\na,{},x\nb,5,y\n")

    def change(package: dict[str, Any]) -> None:
        field(type="object")(package)
        resource(path="t.csv", compression="gz")(package)

    write(tmp_path, change)
    (tmp_path / "t.csv").write_bytes(content)
    assert [(f.code, f.line) for f in find(tmp_path)] == [("RD120", 3)]
    told = reviewdata("validate", tmp_path, "--stage", "structure", "--verbose").err
    assert "t is judged by frictionless: n is object" in told


def test_tab_separated_text_may_be_gzipped(tmp_path: Path) -> None:
    content = gzip.compress(b"id\tn\tnote\na\tx\ty\n")
    found = pack(tmp_path, content, path="t.tsv.gz")
    assert [(f.code, f.line) for f in found] == [("RD120", 2)]


def test_size_and_checksum_are_those_of_the_file_not_of_its_content(tmp_path: Path) -> None:
    content = gzip.compress((HEAD + "a,1,x\n").encode())
    digest = hashlib.sha256(content).hexdigest()
    assert pack(tmp_path, content, bytes=len(content), hash=f"sha256:{digest}") == []
    found = pack(tmp_path, content, bytes=len(HEAD) + 6)
    assert [f.type for f in found] == ["byte-count"]


LINES = b"".join(b"%d,%d,x\n" % (n, n * n) for n in range(9000))
LONG = gzip.compress(b"id,n,note\n" + LINES, mtime=0)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (HEAD.encode(), "it is said to be gzipped, and is not"),
        (LONG[: len(LONG) // 2], "the gzip file is damaged"),
        (LONG[:-8] + b"\0" * 8, "the gzip file is damaged"),
        (LONG[:500] + b"\xff" * 40 + LONG[540:], "the gzip file is damaged"),
        (LONG[:2], "the gzip file is damaged"),
    ],
)
def test_a_file_that_cannot_be_unpacked_is_told(content: bytes, says: str, tmp_path: Path) -> None:
    [finding] = pack(tmp_path, content)
    assert finding.code == "RD106"
    assert says in finding.message


def test_a_gzipped_file_has_to_say_that_it_is(tmp_path: Path) -> None:
    [finding] = pack(tmp_path, LONG, path="t.csv")
    assert finding.code == "RD106"
    assert 'add "compression": "gz"' in finding.message


@pytest.mark.parametrize("content", [b"", gzip.compress(b"", mtime=0)], ids=["nothing", "packed"])
def test_an_empty_file_is_empty_also_where_it_is_gzipped(content: bytes, tmp_path: Path) -> None:
    assert [f.code for f in pack(tmp_path, content)] == ["RD102"]


@pytest.mark.parametrize("properties", [{"path": "t.csv.zip"}, {"compression": "zip"}])
def test_another_compression_is_one_finding(properties: dict[str, Any], tmp_path: Path) -> None:
    [finding] = pack(tmp_path, b"PK\3\4\7", **properties)
    assert finding.code == "RD107"
    assert finding.message == "the file has the compression zip; only CSV, JSON and XLSX are read"


def test_the_form_of_a_gzipped_table_is_left_alone(tmp_path: Path) -> None:
    content = gzip.compress((HEAD + "b,1,x\na,2,y\n").encode())
    pack(tmp_path, content, format="csv")
    formed = {form.path: form.skipped for form in format_package(tmp_path)}
    assert formed["t.csv.gz"] == "gz"
    assert (tmp_path / "t.csv.gz").read_bytes() == content


@pytest.mark.parametrize("name", ["iso-8859-1", "latin1", "Latin-1", "cp1252", "iso-8859-15"])
@pytest.mark.parametrize("packed", [False, True])
def test_a_table_in_an_old_encoding_is_judged_at_its_lines(
    name: str, packed: bool, tmp_path: Path
) -> None:
    change: Change = resource(encoding=name, **({"path": "t.csv.gz"} if packed else {}))
    write(tmp_path, change)
    text = 'id,n,note\nä,1,x\n"ö\nö",x,ü\n\nß,é,y\nä,2,z\n'.encode(name)
    path = tmp_path / ("t.csv.gz" if packed else "t.csv")
    path.write_bytes(gzip.compress(text) if packed else text)
    found = find(tmp_path)
    assert [(f.code, f.line, f.row, f.value) for f in found if f.code != "RD115"] == [
        ("RD120", 3, 3, "x"),
        ("RD120", 6, 5, "é"),
        ("RD123", 7, 6, None),
    ]
    assert {f.origin.engine for f in found if f.origin} == {"duckdb"}


def test_a_byte_that_the_encoding_does_not_have_is_told_at_its_line(tmp_path: Path) -> None:
    write(tmp_path, resource(encoding="cp1252"))
    (tmp_path / "t.csv").write_bytes(b"id,n,note\na,1,x\nb,2,\x81\n")
    assert [(f.code, f.line) for f in find(tmp_path)] == [("RD101", 3)]


def test_how_much_a_gzipped_file_may_hold_is_never_thought_too_little(tmp_path: Path) -> None:
    content = b"0" * 5_000_000
    file = tmp_path / "t.csv.gz"
    file.write_bytes(gzip.compress(content, compresslevel=9))
    assert most_bytes(file) >= len(content)
    (tmp_path / "t.csv").write_bytes(b"id,n\n")
    assert most_bytes(tmp_path / "t.csv") == 5
