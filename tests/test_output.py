"""Each output format, compared with a golden file; written anew under UPDATE_GOLDEN."""

from __future__ import annotations

import json
import re
from pathlib import Path

import duckdb
import pytest
from conftest import UPDATE, Command
from mini import write_mini
from synthetic import DIFF, finding, saved_run

from reviewdata.render.diff import diff_json, diff_markdown, diff_text
from reviewdata.render.formats import render_run

GOLDEN = Path(__file__).parent / "golden"

WRONG = {
    "data/studies.csv": "study_id,year,design\nS1,2019,trial\nS2,twenty,cohort\nS3,2020,trial\n",
    "data/results.csv": "result_id,study_id,mean,sd,n,printed\n"
    'R1,S1,9.20,1.10,40,"as printed,\nin two lines"\n'
    "R2,S2,4.80,4.30,35,\nR3,S9,4.80,1.30,35,=1+1\n",
    "validations/waivers.toml": '[[waiver]]\ncode = "RD202"\ntable = "results"\n'
    'key = { result_id = "R2" }\nfield = "sd"\nvalue = "4.30"\n'
    'reason = "as printed in the source"\nwho = "the authors"\n',
}
STAGES = [f"--stage={s}" for s in ("package", "structure", "rows", "relations", "claims")]


@pytest.fixture
def wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the synthetic review with a mistake of most kinds, as the current folder."""
    write_mini(tmp_path, files=WRONG)
    monkeypatch.chdir(tmp_path)
    return tmp_path


COMMANDS = {
    "validate.txt": ("validate", *STAGES),
    "validate-all.txt": ("validate", *STAGES, "--all", "--verbose"),
    "validate-concise.txt": ("validate", *STAGES, "--format", "concise"),
    "validate.json": ("validate", *STAGES, "--format", "json"),
    "validate.jsonl": ("validate", *STAGES, "--format", "jsonl"),
    "validate-github.txt": ("validate", *STAGES, "--format", "github"),
    "validate.md": ("validate", *STAGES, "--format", "markdown"),
    "validate.sarif": ("validate", *STAGES, "--format", "sarif"),
    "validate.junit.xml": ("validate", *STAGES, "--format", "junit"),
    "query.txt": ("query", "--sql", "SELECT * FROM results"),
    "query.csv": ("query", "--sql", "SELECT * FROM results", "--format", "csv"),
    "query.json": ("query", "pooled", "--format", "json"),
    "query.md": ("query", "--sql", "SELECT * FROM raw.results", "--format", "markdown"),
    "query-list.txt": ("query",),
    "query-all.txt": ("query", "--all"),
    "query.sql": ("query", "pooled", "--print-sql"),
    "reproduce.txt": ("reproduce",),
    "reproduce.json": ("reproduce", "--format", "json"),
    "reproduce.md": ("reproduce", "--format", "markdown"),
    "rules.txt": ("rules",),
    "rule.txt": ("rule", "RD231"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_an_output_is_as_the_golden_file_has_it(
    name: str, wrong: Path, reviewdata: Command
) -> None:
    ended = reviewdata(*COMMANDS[name])
    told = [f"{table} is judged by DuckDB" for table in ("studies", "results", "claims")]
    assert ended.err.splitlines() == (told if "--verbose" in COMMANDS[name] else [])
    compare(name, ended.out)


def compare(name: str, printed: str) -> None:
    """Hold a text against its golden file, but for versions and the token of one run."""
    printed = re.sub(r'("(?:engine|name)": "\w+",\s+"version": )"[\d.]+"', r'\1"*"', printed)
    printed = re.sub(r"with reviewdata [\d.]+\d", "with reviewdata *", printed)
    printed = re.sub(r"\b[0-9a-f]{64}\b", "TOKEN", printed)
    if UPDATE:
        GOLDEN.mkdir(exist_ok=True)
        (GOLDEN / name).write_text(printed, "utf-8")
    assert printed == (GOLDEN / name).read_text("utf-8")


CHANGED = saved_run(
    finding(),
    finding("RD202", waived=True),
    finding("RD203", old=True),
    finding("RD904", path="queries/pooled.sql", line=None, key={}, field=None, value=None),
    since="v0.1.0",
    diff=DIFF,
)
RENDERED = {
    "diff.txt": lambda: diff_text(DIFF),
    "diff.md": lambda: diff_markdown(DIFF),
    "diff.json": lambda: diff_json(DIFF),
    "change.txt": lambda: render_run(CHANGED, "text"),
    "change.jsonl": lambda: render_run(CHANGED, "jsonl"),
    "change-github.txt": lambda: render_run(CHANGED, "github"),
    "change.md": lambda: render_run(CHANGED, "markdown"),
    "change.sarif": lambda: render_run(CHANGED, "sarif"),
    "change.junit.xml": lambda: render_run(CHANGED, "junit"),
}


@pytest.mark.parametrize("name", RENDERED)
def test_a_change_is_shown_as_the_golden_file_has_it(name: str) -> None:
    compare(name, RENDERED[name]())


def test_jsonl_holds_what_json_holds(wrong: Path, reviewdata: Command) -> None:
    whole = json.loads(reviewdata(*COMMANDS["validate.json"]).out)
    lines = [json.loads(line) for line in reviewdata(*COMMANDS["validate.jsonl"]).out.splitlines()]
    again = {k: v for k, v in lines[0].items() if k in whole}
    for record in ("run", "finding"):
        again[f"{record}s"] = [
            {k: v for k, v in line.items() if k != "record"}
            for line in lines
            if line["record"] == record
        ]
    assert again == whole


def test_parquet_keeps_names_types_and_values(wrong: Path, reviewdata: Command) -> None:
    sql = "SELECT mean, n, printed FROM results ORDER BY result_id"
    output = wrong / "rows.parquet"
    assert reviewdata("query", "--sql", sql, "--format", "parquet", "--output", output).code == 0
    with duckdb.connect() as connection:
        read = connection.execute("SELECT * FROM read_parquet(?)", [str(output)])
        assert [(c[0], str(c[1])) for c in read.description] == [
            ("mean", "DOUBLE"),
            ("n", "BIGINT"),
            ("printed", "VARCHAR"),
        ]
        assert read.fetchall()[1:] == [(4.8, 35, None), (4.8, 35, "=1+1")]


def test_full_precision_and_null_for_what_is_no_number(wrong: Path, reviewdata: Command) -> None:
    sql = "SELECT 1/3.0::DOUBLE AS third, 'nan'::DOUBLE AS none, 'inf'::DOUBLE AS infinite"
    ended = reviewdata("query", "--sql", sql, "--format", "json")
    assert json.loads(ended.out)["rows"] == [{"third": 1 / 3, "none": None, "infinite": None}]
