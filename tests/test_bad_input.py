"""Input that no review should have: each a finding or one line, never a traceback or silence."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import Command
from mini import write_mini

from reviewdata.tables import load_tables
from reviewdata.validation import validate

STUDIES = "data/studies.csv"
RESULTS = "data/results.csv"
HEAD = "study_id,year,design\n"
RESULT_HEAD = "result_id,study_id,mean,sd,n,printed\n"


def resource(**properties: Any) -> dict[str, Any]:
    """Return a patch that makes the package of one resource."""
    given = {"name": "studies", "type": "table", "path": STUDIES, "schema": "schemas/studies.json"}
    return {"datapackage.json": {"resources": [{**given, **properties}]}}


BAD_FILES: dict[str, tuple[dict[str, Any], str, int, str]] = {
    "a missing column": (
        {STUDIES: "study_id,year\nS1,2019\nS2,2021\n"},
        "RD112",
        1,
        "the column design of the schema is missing",
    ),
    "an extra column": (
        {STUDIES: "study_id,year,design,note\nS1,2019,trial,\nS2,2021,cohort,\n"},
        "RD113",
        1,
        "the column note is not in the schema",
    ),
    "a row too short": ({STUDIES: HEAD + "S1,2019\nS2,2021,cohort\n"}, "RD116", 2, "too few cells"),
    "a row too long": (
        {STUDIES: HEAD + "S1,2019,trial,x\nS2,2021,cohort\n"},
        "RD117",
        2,
        "a cell too many: x (4 cells, the header 3)",
    ),
    "a blank row": ({STUDIES: HEAD + "S1,2019,trial\n\nS2,2021,cohort\n"}, "RD115", 3, "is blank"),
    "Latin-1": (
        {RESULTS: (RESULT_HEAD + "R1,S1,5,1,40,Müller\n").encode("latin-1")},
        "RD101",
        2,
        "not utf-8: 0xfc at byte 15 of the line",
    ),
    "a stray byte": (
        {RESULTS: (RESULT_HEAD + "R1,S1,5,1,40,").encode() + b"\xff\n"},
        "RD101",
        2,
        "not utf-8: 0xff",
    ),
    "a quote left open": (
        {RESULTS: RESULT_HEAD + 'R1,S1,5,1,40,"two\nR2,S2,4,1,35,\n'},
        "RD104",
        2,
        "never closed",
    ),
    "an empty file": ({STUDIES: ""}, "RD102", 0, "not even a header"),
    "a binary file": ({STUDIES: b"PK\x03\x04\x00\x00\x08\x00"}, "RD103", 0, "it is no text"),
    "merge-conflict markers": (
        {STUDIES: HEAD + "<<<<<<< ours\nS1,2019,trial\n=======\nS2,2021,cohort\n>>>>>>> theirs\n"},
        "RD132",
        2,
        "a merge conflict was not resolved",
    ),
    "two studies with one key": (
        {STUDIES: HEAD + "S1,2019,trial\nS2,2021,cohort\nS2,2022,cohort\n"},
        "RD123",
        4,
        "S2 is that of record 3 already",
    ),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_an_error_at_its_line(name: str, tmp_path: Path, reviewdata: Command) -> None:
    files, code, line, words = BAD_FILES[name]
    write_mini(tmp_path, files=files)
    ended = reviewdata("validate", tmp_path, "--stage", "structure", "--format", "concise")
    assert ended.code == 1
    path = next(iter(files)) + (f":{line}" if line else "")
    told = [text for text in ended.out.splitlines() if f" {code} " in text]
    assert told[0].startswith(path)
    assert words in told[0]


def test_odd_bytes_that_can_be_read_do_not_fail_the_run(
    tmp_path: Path, reviewdata: Command
) -> None:
    rows = "\ufeffstudy_id,year,design\r\nS1,2019,trial\nS2,2021,cohort\n"
    results = "result_id,study_id,mean,sd,n,printed\nR1,S1,5.20,1.10,40,p.\x08 7\n"
    write_mini(tmp_path, files={STUDIES: rows, "data/results.csv": results})
    ended = reviewdata("validate", tmp_path, "--stage", "structure", "--format", "concise")
    assert ended.code == 0
    assert "RD130" in ended.out
    assert "RD131  lines end in LF and CRLF" in ended.out
    assert "data/results.csv:2  warning RD133  the line holds the control character" in ended.out
    assert "\x08" not in ended.out


def test_old_line_ends_are_read_as_line_ends(tmp_path: Path, reviewdata: Command) -> None:
    write_mini(tmp_path, files={STUDIES: "study_id,year,design\rS1,2019,trial\rS2,2021,cohort\r"})
    ended = reviewdata("validate", tmp_path, "--stage", "structure", "--format", "concise")
    assert ended.code == 0
    assert ended.out.count("\n") == 1
    assert "RD131  lines end in CR" in ended.out


def test_a_huge_cell_is_refused_before_it_is_held_twice(
    tmp_path: Path, reviewdata: Command
) -> None:
    write_mini(tmp_path)
    with (tmp_path / RESULTS).open("a") as file:
        file.write('R3,S1,5,1,40,"')
        for _ in range(200):
            file.write("x" * 1_000_000)
        file.write('"\n')
    ended = reviewdata("validate", tmp_path, "--stage", "structure", "--format", "concise")
    assert ended.code == 1
    assert (
        "data/results.csv:4  error RD105  record 4 has a cell of more than 8,388,608" in ended.out
    )


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("../studies.csv", "RD003"),
        ("/etc/passwd", "RD003"),
        ("https://example.org/studies.csv", "RD004"),
        ("data/none.csv", "RD005"),
        ("data", "RD006"),
    ],
)
def test_a_path_that_names_no_file_of_the_package(
    path: str, code: str, tmp_path: Path, reviewdata: Command
) -> None:
    write_mini(tmp_path, patch=resource(path=path))
    ended = reviewdata("validate", tmp_path, "--stage", "package", "--format", "concise")
    assert ended.code == 1
    assert f"error {code} " in ended.out
    assert path in ended.out


def test_a_link_that_leaves_the_package_is_not_followed(
    tmp_path: Path, reviewdata: Command
) -> None:
    outside = tmp_path / "outside.csv"
    outside.write_text("study_id,year,design\nsecret,2019,trial\n")
    package = write_mini(tmp_path / "package")
    (package / STUDIES).unlink()
    (package / STUDIES).symlink_to(outside)
    ended = reviewdata("validate", package, "--stage", "package", "--stage", "structure")
    assert ended.code == 1
    assert "RD003" in ended.out
    assert "secret" not in ended.out


def test_a_link_in_a_circle_is_no_file(tmp_path: Path, reviewdata: Command) -> None:
    write_mini(tmp_path)
    (tmp_path / STUDIES).unlink()
    (tmp_path / STUDIES).symlink_to(tmp_path / STUDIES)
    assert reviewdata("validate", tmp_path, "--stage", "package").code == 1


def test_a_circle_of_foreign_keys_is_told_and_does_not_hang(
    tmp_path: Path, reviewdata: Command
) -> None:
    back = {"fields": ["study_id"], "reference": {"resource": "results", "fields": ["study_id"]}}
    write_mini(tmp_path, patch={"schemas/studies.json": {"foreignKeys": [back]}})
    ended = reviewdata("validate", tmp_path, "--stage", "package", "--format", "concise")
    assert ended.code == 0
    assert "RD011  foreign keys go in a circle" in ended.out


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"{", "is not JSON"),
        (b"[]", "is not a data package"),
        (b'{"resources": {}}', "is not a data package"),
        (b"\xff\xfe", "is not UTF-8"),
        (b"", "is not JSON"),
        (b"[" * 100_000, "is nested too deeply"),
    ],
)
def test_a_descriptor_that_cannot_be_read_is_one_line_and_2(
    text: bytes, says: str, tmp_path: Path, reviewdata: Command
) -> None:
    (tmp_path / "datapackage.json").write_bytes(text)
    for verb in ("validate", "run", "reproduce"):
        ended = reviewdata(verb, tmp_path)
        assert ended.code == 2
        assert ended.out == ""
        assert says in ended.err
        assert ended.err.count("\n") == 1


def test_no_package_is_one_line_and_2(tmp_path: Path, reviewdata: Command) -> None:
    ended = reviewdata("validate", tmp_path)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == (
        f"reviewdata: no datapackage.json in {tmp_path}: is this the folder of a data package?\n"
    )


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ('=HYPERLINK("x")', True),
        ("+cmd", True),
        ("@SUM(1)", True),
        ("-x", True),
        ("-0.5", False),
        ("+1e3", False),
        ("-", False),
        ("n = 5", False),
    ],
)
def test_a_cell_that_a_spreadsheet_would_execute(
    cell: str, told: bool, tmp_path: Path, reviewdata: Command
) -> None:
    quoted = cell.replace('"', '""')
    write_mini(tmp_path, files={RESULTS: RESULT_HEAD + f'R1,S1,5,1,40,"{quoted}"\n'})
    ended = reviewdata("validate", tmp_path, "--stage", "structure", "--format", "concise")
    assert ended.code == 0
    assert ("data/results.csv:2:printed  warning RD134" in ended.out) is told


def test_a_word_of_the_codelist_is_no_formula(tmp_path: Path, reviewdata: Command) -> None:
    fields = [
        {"name": "study_id", "type": "string"},
        {"name": "year", "type": "integer"},
        {"name": "design", "type": "string", "categories": ["-none-", "trial"]},
    ]
    write_mini(
        tmp_path,
        patch={"schemas/studies.json": {"fields": fields}},
        files={STUDIES: HEAD + "S1,2019,-none-\nS2,2021,trial\n"},
    )
    ended = reviewdata("validate", tmp_path, "--stage", "structure", "--format", "concise")
    assert (ended.code, ended.out) == (0, "")


HOSTILE = ['a "b"', "a'b", "a; DROP TABLE studies", "select", "a b", "a.b", "ä", "x--", "{a}", "%s"]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_with_spaces_quotes_or_sql_in_them(name: str, tmp_path: Path) -> None:
    label = '"' + name.replace('"', '""') + '"'
    write_mini(
        tmp_path,
        files={STUDIES: f"study_id,{label}\nS1,19\nS2,x\n"},
        patch={
            "schemas/studies.json": {
                "fields": [
                    {"name": "study_id", "type": "string"},
                    {"name": name, "type": "integer", "constraints": {"maximum": 20}},
                ],
                "statistics": [{"kind": "proportion", "count": name, "n": 20}],
            }
        },
    )
    (tmp_path / "validations" / "relations" / "study_without_result.sql").write_text(
        "-- code: EX301\nSELECT study_id, 1 AS year FROM studies WHERE false"
    )
    result = validate(tmp_path, stages=["package", "structure", "rows", "relations", "claims"])
    assert result.verdict == "fail"
    assert [(f.code, f.line, f.field, f.value) for f in result.findings] == [
        ("RD120", 3, name, "x")
    ]


@pytest.mark.parametrize("name", ['a"b', "a b; DROP TABLE x", "raw", "main"])
def test_a_resource_with_a_hostile_name_is_loaded_under_it(name: str, tmp_path: Path) -> None:
    write_mini(tmp_path, patch=resource(name=name))
    result = validate(tmp_path, stages=["structure", "rows"])
    assert not [f for f in result.findings if f.table == name]


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("SELEC 1", "syntax error"),
        ("SELECT nothing FROM studies", "not found"),
        ("DROP TABLE studies", "one SELECT"),
        ("SELECT 1; SELECT 2", "one SELECT"),
        ("CREATE TABLE x AS SELECT 1", "one SELECT"),
        ("COPY studies TO 'x.csv'", "one SELECT"),
        ("", "one SELECT"),
        ("SELECT * FROM read_csv('/etc/passwd')", "disabled"),
        ("SELECT * FROM 'data/studies.csv'", "disabled"),
        ("SELECT * FROM read_text('datapackage.json')", "disabled"),
        ("SELECT getenv('HOME')", "getenv"),
    ],
)
def test_a_query_that_is_wrong_writes_or_reads_files(
    sql: str, says: str, tmp_path: Path, reviewdata: Command
) -> None:
    write_mini(tmp_path, files={"queries/pooled.sql": sql})
    ended = reviewdata("query", "pooled", "--project", tmp_path)
    assert (ended.code, ended.out) == (2, "")
    assert says in ended.err
    assert ended.err.count("\n") == 1
    assert reviewdata("reproduce", tmp_path).code == 2


def test_a_query_without_end_is_stopped(tmp_path: Path, reviewdata: Command) -> None:
    write_mini(tmp_path)
    endless = (
        "SELECT count(*) FROM range(10_000_000) a, range(10_000_000) b WHERE a.range > b.range"
    )
    ended = reviewdata("query", "--sql", endless, "--project", tmp_path, "--timeout", "0.2")
    assert ended.code == 2
    assert ended.err == "reviewdata: stopped after 0.2 seconds; see --timeout\n"


def test_a_query_that_takes_all_memory_is_stopped(tmp_path: Path, reviewdata: Command) -> None:
    write_mini(tmp_path)
    greedy = "SELECT len(list(range)) FROM range(1_000_000_000)"
    ended = reviewdata("query", "--sql", greedy, "--project", tmp_path)
    assert ended.code == 2
    assert "Out of Memory" in ended.err or "memory" in ended.err.lower()


def test_a_full_disk_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from reviewdata import loading
    from reviewdata.model import ReviewdataError
    from reviewdata.package import open_package

    def full(*_: object) -> list[str]:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(loading, "load_directly", full)
    with (
        pytest.raises(ReviewdataError, match="the disk is full"),
        load_tables(open_package(write_mini(tmp_path))),
    ):
        pass


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_a_result_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    write_mini(tmp_path)
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "reviewdata", "rules", "--project", str(tmp_path)]
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr == "reviewdata: the result cannot be written: No space left on device\n"


def test_an_output_file_is_whole_or_not_there(
    tmp_path: Path, reviewdata: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_mini(tmp_path)
    output = tmp_path / "findings.json"
    output.write_text("old")

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    arguments = ("validate", tmp_path, "--stage", "package", "--format", "json")
    monkeypatch.setattr(Path, "replace", interrupted)
    assert reviewdata(*arguments, "--output", output).code == 130
    assert output.read_text() == "old"
    monkeypatch.undo()
    assert reviewdata(*arguments, "--output", output).code == 0
    assert json.loads(output.read_text())["verdict"] == "pass"
    assert not list(tmp_path.glob(".reviewdata-*"))


def test_a_folder_that_is_not_there_cannot_be_written_to(
    tmp_path: Path, reviewdata: Command
) -> None:
    write_mini(tmp_path)
    output = tmp_path / "none" / "x.json"
    ended = reviewdata("validate", tmp_path, "--stage", "package", "--output", output)
    assert ended.code == 2
    assert ended.err == f"reviewdata: {output} cannot be written: No such file or directory\n"


def test_ctrl_c_ends_a_run_in_one_line(tmp_path: Path) -> None:
    import signal
    import time

    write_mini(tmp_path)
    endless = (
        "SELECT count(*) FROM range(10_000_000) a, range(10_000_000) b WHERE a.range > b.range"
    )
    command = [sys.executable, "-m", "reviewdata", "query", "--sql", endless]
    command += ["--project", str(tmp_path)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    time.sleep(3)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=30)
    assert process.returncode == 130
    assert error == "reviewdata: stopped\n"


def test_cell_text_cannot_steer_the_terminal(tmp_path: Path, reviewdata: Command) -> None:
    cell = "\x1b[31mred\u202e"
    write_mini(tmp_path, files={STUDIES: HEAD + f"S1,{cell},trial\nS2,2021,cohort\n"})
    for format_ in ("text", "concise"):
        ended = reviewdata("validate", tmp_path, "--stage", "structure", "--format", format_)
        assert "\x1b" not in ended.out
        assert "\u202e" not in ended.out
        assert "year is \\u{1b}[31mred\\u{202e}, not an integer" in ended.out


def test_a_citation_as_long_as_a_book_is_compared_with_none(tmp_path: Path) -> None:
    field = [{"name": name, "type": "string"} for name in ("study_id", "citation")]
    role = {"resource": "studies", "key": "study_id", "citation": "citation"}
    long, short = f"Doe {'ab' * 60_000} eoD", "Doe J (2019) Alliance in e-mail therapy"
    rows = f"S1,{long}\nS2,{long[::-1]}\nS3,{short}\nS4,{short}\n"
    write_mini(
        tmp_path,
        patch={
            "schemas/studies.json": {"fields": field},
            "datapackage.json": {"reviewdata": {"studies": role}},
        },
        files={STUDIES: "study_id,citation\n" + rows},
    )
    found = validate(tmp_path, stages=["relations"]).findings
    assert [(f.code, f.line) for f in found if f.code == "RD304"] == [("RD304", 5)]
