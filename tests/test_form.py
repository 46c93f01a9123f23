"""`fmt`: one form for every table, and not a character of a cell lost. All data is synthetic."""

from __future__ import annotations

import codecs
import hashlib
import json
import random
import stat
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Command
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from mini import write_mini

import reviewdata as package
from reviewdata import form
from reviewdata.cells import LineWriter
from reviewdata.model import ReviewdataError
from reviewdata.records import Dialect, read_records

STUDIES = "data/studies.csv"
TIDY = "study_id,year,design\nS1,2019,trial\nS2,2021,cohort\n"


def write_table(
    folder: Path,
    content: str | bytes,
    fields: Sequence[dict[str, Any]] = (),
    key: Sequence[str] = (),
    schema: dict[str, Any] | None = None,
    **resource: Any,
) -> Path:
    """Write a package of one table and return its file."""
    file = folder / str(resource.get("path", "t.csv"))
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    described = {"fields": list(fields), "primaryKey": list(key), **(schema or {})}
    entry = {"name": "t", "path": "t.csv", "schema": described, **resource}
    descriptor = {"name": "p", "licenses": [{"name": "CC0-1.0"}], "resources": [entry]}
    (folder / "datapackage.json").write_text(json.dumps(descriptor, indent=1), "utf-8")
    return file


def text(*names: str, kind: str = "string") -> list[dict[str, Any]]:
    return [{"name": name, "type": kind} for name in names]


def formatted(folder: Path, *, check: bool = False) -> Any:
    """Format the one table of a folder and return what is told of it."""
    [told] = package.open(folder).fmt(check=check)
    return told


@pytest.mark.parametrize(
    "review", [ROOT, ROOT / "examples" / "bcg-vaccine", ROOT / "tests" / "packages" / "mini"]
)
def test_the_shipped_reviews_are_in_the_form(review: Path, reviewdata: Command) -> None:
    ended = reviewdata("fmt", review, "--check")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("0 files to format, ")


def test_a_review_is_formatted_and_says_what_was_changed(
    tmp_path: Path, reviewdata: Command
) -> None:
    untidy = 'study_id,"year",design\r\n\r\nS2,2021,cohort\r\nS1,"2019",trial'
    write_mini(tmp_path, files={STUDIES: untidy})
    ended = reviewdata("fmt", tmp_path, "--check")
    what = "data/studies.csv  order, quoting, blank lines, line ends, last line end\n"
    assert (ended.code, ended.out) == (1, f"{what}1 file to format, 2 as they should be\n")
    assert (tmp_path / STUDIES).read_bytes() == untidy.encode()
    ended = reviewdata("fmt", tmp_path)
    assert (ended.code, ended.out) == (0, f"{what}1 file formatted, 2 as they should be\n")
    assert (tmp_path / STUDIES).read_bytes() == TIDY.encode()
    assert reviewdata("fmt", tmp_path).out == "0 files formatted, 3 as they should be\n"


def test_a_file_in_the_form_is_not_written_again(tmp_path: Path) -> None:
    write_mini(tmp_path)
    before = (tmp_path / STUDIES).stat()
    package.open(tmp_path).fmt()
    after = (tmp_path / STUDIES).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize(
    ("field", "texts"),
    [
        ({"type": "integer"}, "-3 -0 0 00 7 +8 1_0 010 99999999999999999999 x ''"),
        ({"type": "number"}, "-1e3 .22 0.30 0.5 5 5.0 1e2 1e400 1,5 nan ''"),
        ({"type": "number", "decimalChar": ",", "groupChar": "."}, "0,5 7 1.000 1.000,5 x"),
        ({"type": "number", "bareNumber": False}, "$5 9% €10 ten"),
        ({"type": "year"}, "0999 1000 2024 19 20245"),
        ({"type": "date"}, "2020-2-1 2020-02-10 2020-11-01 2020-02-30 soon"),
        ({"type": "date", "format": "%d.%m.%Y"}, "02.01.2020 01.02.2020 2020-01-01"),
        ({"type": "time"}, "09:00:00 09:00:00.5 10:00:00 25:00:00"),
        ({"type": "time", "format": "any"}, "09:00 10:00:00 x"),
        (
            {"type": "datetime"},
            "2020-01-01T12:00:00+02:00 2020-01-01T11:00:00Z 2020-01-01T12:00:00 x",
        ),
        ({"type": "datetime", "format": "%H %d/%m/%Y"}, "x"),
        ({"type": "string"}, "10 9 A a ä 漢 😀 ''"),
        ({"type": "boolean"}, "0 1 false true"),
    ],
)
def test_records_are_sorted_by_value_and_what_is_no_value_comes_last(
    field: dict[str, Any], texts: str, tmp_path: Path
) -> None:
    ordered = ["" if t == "''" else t for t in texts.split()]
    shuffled = random.Random(1).sample(ordered, len(ordered))
    shuffled = sorted(shuffled, key=lambda t: t in ("-0", "0", "00", "010", "1_0", "5", "5.0"))
    same = [t for t in shuffled if t in ("-0", "0", "00", "010", "1_0", "5", "5.0")]
    file = write_table(
        tmp_path,
        "k,n\n" + "".join(f'"{cell}",{number}\n' for number, cell in enumerate(shuffled)),
        [{"name": "k", **field}, *text("n")],
        ["k"],
    )
    formatted(tmp_path)
    rows = [record.cells[0] for record in read_records(file, Dialect())][1:]
    # Equal values keep the order that they had.
    assert [t for t in rows if t in same] == sorted(
        same, key=lambda t: (float(t.replace("_", "")), shuffled.index(t))
    )
    assert [t for t in rows if t not in same] == [t for t in ordered if t not in same]


def test_a_key_of_several_columns_goes_field_by_field(tmp_path: Path) -> None:
    fields = [*text("arm"), *text("study", kind="integer")]
    write_table(tmp_path, "arm,study\nb,10\na,10\nz,9\n", fields, ["study", "arm"])
    formatted(tmp_path)
    assert (tmp_path / "t.csv").read_text() == "arm,study\nz,9\na,10\nb,10\n"


@pytest.mark.parametrize(("key", "header"), [([], "id"), (["id"], "other")])
def test_without_a_key_in_the_file_the_order_is_kept(
    key: list[str], header: str, tmp_path: Path
) -> None:
    file = write_table(tmp_path, f'{header},x\nb,"1"\na,2\n', text("id", "x"), key)
    assert formatted(tmp_path).reasons == ("quoting",)
    assert file.read_text() == f"{header},x\nb,1\na,2\n"


def test_a_missing_value_as_key_comes_last(tmp_path: Path) -> None:
    schema = {"missingValues": ["", "NA"]}
    file = write_table(tmp_path, "id\nNA\nZ\n\nA\n", text("id"), ["id"], schema)
    formatted(tmp_path)
    assert file.read_text() == "id\nA\nZ\nNA\n"


def test_a_record_of_separators_alone_is_kept_and_a_blank_line_is_not(tmp_path: Path) -> None:
    file = write_table(tmp_path, "a,b\n\n,\nx,y\n\n", text("a", "b"), ["a"])
    assert formatted(tmp_path).reasons == ("order", "blank lines")
    assert file.read_text() == "a,b\nx,y\n,\n"


def test_a_lone_empty_cell_is_no_blank_line(tmp_path: Path) -> None:
    file = write_table(tmp_path, 'a\n""\n\nx\n', text("a"))
    formatted(tmp_path)
    assert file.read_text() == 'a\n""\nx\n'


def test_a_mark_that_is_data_is_not_taken_for_the_mark_of_the_file(tmp_path: Path) -> None:
    file = write_table(tmp_path, "\ufeff\ufeffid,b\nx,\ufeffy\n", text("id", "b"))
    assert formatted(tmp_path).reasons == ("quoting", "byte order mark")
    assert file.read_bytes() == '"\ufeffid",b\nx,\ufeffy\n'.encode()
    assert formatted(tmp_path).reasons == ()


def test_a_dialect_is_kept(tmp_path: Path) -> None:
    dialect = {"delimiter": ";", "quoteChar": "'", "escapeChar": "\\", "doubleQuote": False}
    content = "b;'2,5';'it\\'s'\na;'x;y';'\\\\'\n"
    file = write_table(
        tmp_path, content, text("k", "n", "t"), ["k"], dialect={**dialect, "header": False}
    )
    assert formatted(tmp_path).reasons == ("order", "quoting")
    assert file.read_text() == "a;'x;y';'\\\\'\nb;2,5;'it\\'s'\n"
    assert formatted(tmp_path).reasons == ()


def test_tabs_separate_a_tsv(tmp_path: Path) -> None:
    file = write_table(tmp_path, 'a\tb\n"x"\t1,5\n', text("a", "b"), path="t.tsv")
    formatted(tmp_path)
    assert file.read_text() == "a\tb\nx\t1,5\n"


def test_a_file_in_another_encoding_and_its_descriptor_change_together(tmp_path: Path) -> None:
    content = "id,name\nb,Zoë\na,Müller\n"
    file = write_table(
        tmp_path,
        content.encode("latin-1"),
        text("id", "name"),
        ["id"],
        description='an "encoding": "latin-1" in words',
        encoding="latin-1",
        bytes=len(content),
        hash="sha256:" + hashlib.sha256(content.encode("latin-1")).hexdigest(),
        stats={"md5": hashlib.md5(content.encode("latin-1")).hexdigest()},
    )
    descriptor = tmp_path / "datapackage.json"
    old = descriptor.read_bytes().replace(b"\n", b"\r\n")
    descriptor.write_bytes(old)
    told = formatted(tmp_path, check=True)
    assert told.reasons == ("order", "encoding")
    assert told.described == ("encoding", "hash", "bytes", "stats.md5")
    assert descriptor.read_bytes() == old
    assert formatted(tmp_path) == told
    new = "id,name\na,Müller\nb,Zoë\n".encode()
    assert file.read_bytes() == new
    expected = old.replace(b'"encoding": "latin-1",\r\n', b'"encoding": "utf-8",\r\n')
    expected = expected.replace(b'"bytes": 23', b'"bytes": 25')
    for kind in ("sha256", "md5"):
        before = hashlib.new(kind, content.encode("latin-1")).hexdigest().encode()
        expected = expected.replace(before, hashlib.new(kind, new).hexdigest().encode())
    assert descriptor.read_bytes() == expected
    assert formatted(tmp_path).reasons == ()
    checked = package.open(tmp_path).validate(stages=["structure"])
    assert "RD126" not in {finding.code for finding in checked.findings}


@pytest.mark.parametrize(
    ("encoding", "content", "reasons"),
    [
        ("utf-8-sig", "\ufeffid\né\n".encode(), ("byte order mark", "encoding")),
        ("ascii", b"id\ne\n", ("encoding",)),
        ("utf-16", "id\né\n".encode("utf-16"), ("encoding",)),
        ("UTF8", "id\né\n".encode(), ()),
    ],
)
def test_every_encoding_becomes_utf_8_without_a_mark(
    encoding: str, content: bytes, reasons: tuple[str, ...], tmp_path: Path
) -> None:
    file = write_table(tmp_path, content, text("id"), encoding=encoding)
    told = formatted(tmp_path)
    assert told.reasons == reasons
    assert told.described == (("encoding",) if reasons else ())
    assert file.read_bytes() == content.decode(encoding).removeprefix("\ufeff").encode()
    assert formatted(tmp_path).reasons == ()


def test_only_the_resource_that_is_meant_changes_in_the_descriptor(tmp_path: Path) -> None:
    write_table(tmp_path, "id\né\n".encode("latin-1"), text("id"))
    resources = ",".join(
        f'{{"name":"{name}","path":"{name}.csv", "encoding"\n:\t"{encoding}"}}'
        for name, encoding in (("a", "latin-1"), ("b", "latin-1"), ("c", "utf-8"))
    )
    for name, content in (("a", b"x\n1\n"), ("b", b"x\n\xe9\n"), ("c", b"x\n1\n")):
        (tmp_path / f"{name}.csv").write_bytes(content)
    descriptor = tmp_path / "datapackage.json"
    written = f'\ufeff{{"encoding": "latin-1", "resources":[{resources}]}}'
    descriptor.write_text(written, "utf-8")
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe")  # it is left as it is
    a, b, c = package.open(tmp_path).fmt()
    assert (a.unfit is not None, b.reasons, c.reasons) == (True, ("encoding",), ())
    first = written.index('"latin-1"', written.index('"b"'))
    expected = written[:first] + '"utf-8"' + written[first + len('"latin-1"') :]
    assert descriptor.read_text("utf-8") == expected


UNFIT: dict[str, tuple[str | bytes, int | None, str]] = {
    "too few cells": ("a,b\n1,2\n3\n", 3, "record 3 has 1 cell, not 2"),
    "too many cells": ("a,b\n1,2,3\n", 2, "record 2 has 3 cells, not 2"),
    "separators of another width": ("a,b\n,,\n", 2, "has 3 cells"),
    "a quote left open": ('a,b\n1,"2\n3,4\n', 2, "never closed"),
    "a stray quote": ('a,b\n1,"2\n3,"4"\n', 2, "text follows a closing quote"),
    "a stray quote that makes a record longer": ('a,b\n1,"2\n3,"4",5\n', 2, "closing quote"),
    "a space before a quote": ('a,b\n1, "2"\n', 2, "a space before its quote"),
    "a NUL": ("a,b\n1,2\n3,\0\n", 3, "NUL"),
    "conflict lines": ("a,b\n1,2\n<<<<<<< HEAD\n", 3, "merge conflict"),
    "a conflict in a cell": ("a,b\n1,<<<<<<< x ======= y >>>>>>>\n", 2, "merge conflict"),
    "Latin-1": ("a,b\n1,2\né,4\n".encode("latin-1"), 3, "not utf-8"),
    "UTF-16": ("a,b\n1,2\n".encode("utf-16"), None, "UTF-16"),
    "nothing": ("", None, "empty"),
    "a blank line in place of the header": ("\na,b\n1,2\n", 1, "the first line is blank"),
    "another separator": ("a;b\n1;2\n", 1, "separated otherwise"),
    "blanks in place of a record": ("a,b\n  \n", 2, "has 1 cell"),
}


@pytest.mark.parametrize("name", UNFIT)
def test_an_unfit_file_is_left_as_it_is_and_told(
    name: str, tmp_path: Path, reviewdata: Command
) -> None:
    content, line, words = UNFIT[name]
    file = write_table(tmp_path, content, text("a", "b"), ["a"])
    before = file.read_bytes()
    for arguments in ((), ("--check",)):
        ended = reviewdata("fmt", tmp_path, *arguments)
        assert ended.code == 2
        at = f"t.csv:{line}" if line else "t.csv"
        assert ended.err.startswith(f"{at}: left as it is: ")
        assert words in ended.err
        assert ended.err.count("\n") == 1
        assert ended.out.endswith("as they should be, 1 left as it is\n")
    assert file.read_bytes() == before


DESCRIBED: dict[str, tuple[dict[str, Any], str]] = {
    "a dialect that is a path": ({"dialect": "dialect.json"}, "not an object"),
    "an unknown property": ({"dialect": {"headerCase": False}}, "headerCase is not supported"),
    "a separator of two characters": ({"dialect": {"delimiter": "--"}}, "1-character"),
    "no separator": ({"dialect": {"delimiter": None}}, "delimiter"),
    "a property twice": ({"dialect": {"delimiter": ",", "csv": {"delimiter": ";"}}}, "than once"),
    "an encoding that is none": ({"encoding": "klingon"}, "no encoding of text files"),
    "another encoding than that of the bytes": ({"encoding": "latin-1"}, "the bytes are UTF-8"),
    "another size": ({"bytes": 3}, "has not the size or checksum"),
    "another checksum": ({"hash": "sha256:00"}, "has not the size or checksum"),
    "a checksum of an unknown kind": ({"hash": "crc:00"}, "of no kind that is known"),
    "a file that is not there": ({"path": "data/none.csv"}, "none.csv"),
    "a file elsewhere": ({"path": "../t.csv"}, "t.csv"),
    "a schema that is not there": ({"schema": "none.json"}, "none.json"),
}


@pytest.mark.parametrize("name", DESCRIBED)
def test_a_file_that_the_descriptor_does_not_fit_is_left_as_it_is(
    name: str, tmp_path: Path, reviewdata: Command
) -> None:
    entry, words = DESCRIBED[name]
    write_mini(tmp_path)
    before = "id,name\nb,Zoë\na,x\n".encode()
    (tmp_path / "t.csv").write_bytes(before)
    (tmp_path / STUDIES).write_text(TIDY.replace("S1", '"S1"'), "utf-8")
    descriptor = json.loads((tmp_path / "datapackage.json").read_text("utf-8"))
    schema = {"fields": text("id", "name"), "primaryKey": "id"}
    entry = {"name": "t", "path": "t.csv", "format": "csv", "schema": schema, **entry}
    descriptor["resources"].insert(0, entry)
    (tmp_path / "datapackage.json").write_text(json.dumps(descriptor), "utf-8")
    ended = reviewdata("fmt", tmp_path)
    assert ended.code == 2
    assert words in ended.err
    assert ended.err.count("\n") == 1
    assert (tmp_path / "t.csv").read_bytes() == before
    # The others are formatted all the same.
    assert (tmp_path / STUDIES).read_text("utf-8") == TIDY


def test_a_property_that_is_given_twice_is_told(tmp_path: Path, reviewdata: Command) -> None:
    write_table(tmp_path, "a;b\n1;2\n", text("a", "b"), dialect={"delimiter": ";"})
    descriptor = tmp_path / "datapackage.json"
    twice = descriptor.read_text().replace('"delimiter": ";"', '"delimiter": ",", "delimiter": ";"')
    descriptor.write_text(twice)
    ended = reviewdata("fmt", tmp_path)
    assert ended.code == 2
    assert "datapackage.json gives delimiter of t more than once" in ended.err


def test_a_comment_is_not_sorted_among_the_records(tmp_path: Path, reviewdata: Command) -> None:
    content = "a,b\n2,x\n1,y\n#last\n"
    file = write_table(tmp_path, content, text("a", "b"), ["a"], dialect={"commentChar": "#"})
    ended = reviewdata("fmt", tmp_path)
    assert ended.code == 2
    assert ended.err.startswith("t.csv:4: left as it is: a comment has no place")
    assert file.read_text() == content


def test_two_resources_of_one_file_are_left_as_they_are(
    tmp_path: Path, reviewdata: Command
) -> None:
    write_mini(tmp_path, files={STUDIES: TIDY.replace("S1", '"S1"')})
    (tmp_path / "data" / "again.csv").symlink_to("studies.csv")
    descriptor = json.loads((tmp_path / "datapackage.json").read_text("utf-8"))
    descriptor["resources"].append({"name": "again", "path": "data/again.csv"})
    (tmp_path / "datapackage.json").write_text(json.dumps(descriptor), "utf-8")
    ended = reviewdata("fmt", tmp_path)
    assert ended.code == 2
    assert ended.err.count("share the file") == 2
    assert '"S1"' in (tmp_path / STUDIES).read_text("utf-8")


def test_a_table_of_another_format_is_counted_and_not_touched(
    tmp_path: Path, reviewdata: Command
) -> None:
    write_table(tmp_path, b"PK\x03\x04", path="t.xlsx")
    ended = reviewdata("fmt", tmp_path)
    assert ended.code == 0
    assert ended.out == "0 files formatted, 0 as they should be, 1 of another format\n"


def test_a_link_stays_a_link_and_a_mode_is_kept(tmp_path: Path) -> None:
    write_table(tmp_path, "", text("a"))
    (tmp_path / "t.csv").unlink()
    (tmp_path / "real.csv").write_bytes(b"a\r\nx\r\n")
    (tmp_path / "real.csv").chmod(0o640)
    (tmp_path / "t.csv").symlink_to("real.csv")
    formatted(tmp_path)
    assert (tmp_path / "t.csv").is_symlink()
    assert (tmp_path / "real.csv").read_bytes() == b"a\nx\n"
    assert stat.S_IMODE((tmp_path / "real.csv").stat().st_mode) == 0o640
    assert sorted(p.name for p in tmp_path.iterdir()) == ["datapackage.json", "real.csv", "t.csv"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs limits of the system")
def test_a_full_disk_leaves_everything_as_it_was(tmp_path: Path) -> None:
    content = "id,name\n" + "".join(f"{n},é\n" for n in range(30_000, 0, -1))
    file = write_table(
        tmp_path, content.encode("latin-1"), text("id", "name"), ["id"], encoding="latin-1"
    )
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000));"
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "from reviewdata.cli import main; sys.exit(main(['fmt', sys.argv[1]]))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert "cannot be written" in ended.stderr
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert file.exists()


def test_a_file_that_changes_meanwhile_is_left_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_table(tmp_path, "id\nb\na\n", text("id"), ["id"])
    look = form.look_at

    def look_and_change(*arguments: Any) -> Any:
        seen = look(*arguments)
        file.write_text("id\nb\na\nc\n")
        return seen

    monkeypatch.setattr("reviewdata.formatting.look_at", look_and_change)
    assert "changed while it was read" in str(formatted(tmp_path).unfit)
    assert file.read_text() == "id\nb\na\nc\n"


def test_a_mistake_of_ours_is_no_finding_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_table(tmp_path, "id,x\nb,1.50\na,2\n", text("id", "x"), ["id"])
    line = LineWriter.line

    def rounded(self: Any, cells: Sequence[str], *, first: bool = False) -> str:
        return line(self, cells, first=first).replace("1.50", "1.5")

    monkeypatch.setattr(LineWriter, "line", rounded)
    with pytest.raises(RuntimeError, match="other records would have been written"):
        formatted(tmp_path)
    assert file.read_text() == "id,x\nb,1.50\na,2\n"
    assert not issubclass(RuntimeError, ReviewdataError)


SIGNS = " \t,;\"'\\|\n\r#=+-@\ufeff\x1c\x85\u2028\x0bé漢😀a1.<>"
CELLS = st.one_of(
    st.text(st.sampled_from(SIGNS), max_size=5),
    st.text(max_size=5).filter(lambda t: "\0" not in t),
    st.sampled_from(["", "1.20", "0010", ".5", "=1+1", "2020-01-01", "NA", " x ", '"', '""']),
).filter(lambda t: not any("\ud800" <= c <= "\udfff" for c in t) and "\0" not in t)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[list[str]], bytes, dict[str, Any], list[str]]:
    """Return cells, a file that holds them in some form, its resource and its key."""
    width = draw(st.integers(1, 4))
    names = draw(st.lists(CELLS, min_size=width, max_size=width))
    rows = draw(st.lists(st.lists(CELLS, min_size=width, max_size=width), max_size=8))
    delimiter = draw(st.sampled_from(",;\t|"))
    quote = draw(st.sampled_from("\"'"))
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    always = draw(st.booleans())
    needed = {delimiter, quote, "\r", "\n"}
    content = ""
    for cells in [names, *rows]:
        written = [
            quote + cell.replace(quote, 2 * quote) + quote
            if always or needed & set(cell) or (not cell and width == 1) or cell[:1] == "\ufeff"
            else cell
            for cell in cells
        ]
        content += delimiter.join(written) + end
        content += end * draw(st.sampled_from([0, 0, 0, 1]))
    if draw(st.booleans()):
        content = content.rstrip("\r\n")
    encoding = draw(st.sampled_from(["utf-8", "utf-8", "utf-16", "latin-1", "cp1252"]))
    try:
        data = content.encode(encoding)
    except UnicodeEncodeError:
        data, encoding = content.encode(), "utf-8"
    if encoding == "utf-8" and draw(st.booleans()):
        data = codecs.BOM_UTF8 + data
    entry = {"dialect": {"delimiter": delimiter, "quoteChar": quote}, "encoding": encoding}
    kinds = draw(
        st.lists(
            st.sampled_from(["string", "integer", "number", "year", "date", "time", "datetime"]),
            min_size=width,
            max_size=width,
        )
    )
    labels = [name.strip() for name in names]
    fields = [
        {"name": label, "type": kind}
        for label, kind in zip(labels, kinds, strict=True)
        if label and labels.count(label) == 1
    ]
    key = draw(st.lists(st.sampled_from([f["name"] for f in fields] or ["none"]), max_size=2))
    entry["schema"] = {"fields": fields, "primaryKey": list(dict.fromkeys(key))}
    return [names, *rows], data, entry, key


@settings(max_examples=400, deadline=None)
@given(tables())
@example(([["a"], [' "']], b'a\n" """\n', {"encoding": "utf-8"}, []))
def test_no_character_is_lost_and_twice_is_once(
    table: tuple[list[list[str]], bytes, dict[str, Any], list[str]],
) -> None:
    cells, data, entry, _ = table
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        described = {"name": "t", "path": "t.csv", "format": "csv", **entry}
        (folder / "datapackage.json").write_text(json.dumps({"resources": [described]}), "utf-8")
        file = folder / "t.csv"
        file.write_bytes(data)
        dialect = Dialect.of(described)
        before = [r.cells for r in read_records(file, dialect) if r.cells]
        told = formatted(folder)
        if told.unfit is not None:
            # What looks like UTF-8 and is declared otherwise, conflicts, and a blank header.
            assert file.read_bytes() == data
            assume(False)
        assert before == cells
        written = file.read_bytes()
        changed = json.loads((folder / "datapackage.json").read_text("utf-8"))
        after = list(read_records(file, Dialect.of(changed["resources"][0])))
        assert after[0].cells == before[0]
        assert Counter(tuple(r.cells) for r in after) == Counter(map(tuple, before))
        assert bool(told.reasons) == (written != data or dialect.encoding != "utf-8")
        assert not written.startswith(codecs.BOM_UTF8)
        assert written.endswith(b"\n")
        assert formatted(folder).reasons == ()
        assert file.read_bytes() == written


DIALECTS = st.fixed_dictionaries(
    {},
    optional={
        "delimiter": st.sampled_from(",;\t| '"),
        "quoteChar": st.sampled_from(["'", '"', "|", None]),
        "escapeChar": st.sampled_from(["\\", '"', "'", " "]),
        "doubleQuote": st.booleans(),
        "skipInitialSpace": st.booleans(),
        "header": st.booleans(),
        "commentChar": st.sampled_from("#'"),
        "lineTerminator": st.just("\r\n"),
    },
)


@settings(max_examples=600, deadline=None)
@given(
    st.lists(st.sampled_from(["a", "b", *",;'\"\\\n\r |#\ufeff", "'\n", '","', "é"]), max_size=25),
    DIALECTS,
    st.booleans(),
)
def test_any_text_in_any_dialect_keeps_its_cells_or_is_left_as_it_is(
    signs: list[str], dialect: dict[str, Any], sort: bool
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        schema = {"fields": text("a", "b"), "primaryKey": ["a"] if sort else []}
        described = {"name": "t", "path": "t.csv", "dialect": dialect, "schema": schema}
        (folder / "datapackage.json").write_text(json.dumps({"resources": [described]}), "utf-8")
        file = folder / "t.csv"
        data = ("a,b\n" * (not signs or signs[0] == "a") + "".join(signs)).encode()
        file.write_bytes(data)
        told = formatted(folder)
        written = file.read_bytes()
        if told.unfit is not None:
            assert written == data
            return
        assert bool(told.reasons) == (written != data)
        assert formatted(folder).reasons == ()
        assert file.read_bytes() == written
        after = [r.cells for r in read_records(file, Dialect.of(described))]
        file.write_bytes(data)
        before = [r.cells for r in read_records(file, Dialect.of(described)) if r.cells]
        assert after[:1] == before[:1] or not dialect.get("header", True)
        assert Counter(map(tuple, after)) == Counter(map(tuple, before))
