"""What differs between two revisions: rows by key, cells, columns, form, schemas, results."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import Command, copy_review
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mini import write_mini

from reviewdata.changes import Diff, TableChange
from reviewdata.difference import compare_revisions

RESULTS = (
    "result_id,study_id,mean,sd,n,printed\n"
    "R1,S1,5.20,1.10,40,M = 5.20 (1.10)\n"
    "R2,S2,4.80,1.30,35,\n"
)

Compare = Callable[..., Diff]


@pytest.fixture
def compare(tmp_path: Path) -> Compare:
    """Return a function that compares the synthetic review with one in which files differ."""

    def differ(
        files: Mapping[str, str | bytes] | None = None,
        patch: Mapping[str, Any] | None = None,
        old: Mapping[str, str | bytes] | None = None,
        old_patch: Mapping[str, Any] | None = None,
    ) -> Diff:
        base = write_mini(tmp_path / "base", files=old, patch=old_patch)
        head = write_mini(tmp_path / "head", files={**(old or {}), **(files or {})}, patch=patch)
        return compare_revisions(head, str(base))

    return differ


def results(diff: Diff) -> TableChange:
    [change] = [table for table in diff.tables if table.table == "results"]
    return change


def cells(change: TableChange) -> list[tuple[str, str, str | None, str | None]]:
    """Return the cells changed: the key, the field, before and after."""
    return [
        (",".join(row.key.values()), cell.field, cell.old, cell.new)
        for row in change.rows
        if row.kind in ("changed", "renamed")
        for cell in row.cells
    ]


def test_a_review_does_not_differ_from_itself(compare: Compare) -> None:
    diff = compare()
    assert (diff.tables, diff.files, diff.figures, diff.claims) == ((), (), (), ())
    assert diff.version.bump == "none"
    assert diff.version.asked == "1.0.0"
    assert diff.changelog == ""


def test_an_added_row_is_told_with_its_line_and_its_effect(compare: Compare) -> None:
    diff = compare({"data/results.csv": RESULTS + 'R3,S2,6.00,1.00,25,"a\nb"\n'})
    change = results(diff)
    assert (change.added, change.removed, change.changed, change.cells) == (1, 0, 0, 0)
    [row] = change.rows
    assert (row.kind, dict(row.key), row.line) == ("added", {"result_id": "R3"}, 4)
    assert {cell.field: cell.new for cell in row.cells}["printed"] == "a\nb"
    [figure] = diff.figures
    assert figure.query == "pooled"
    assert set(figure.values) == {"mean"}  # no study came, so k stays
    assert figure.values["mean"] == pytest.approx(((40 * 5.2 + 35 * 4.8) / 75, 5.26))
    assert diff.version.bump == "minor"
    assert diff.version.asked == "1.1.0"


def test_a_changed_cell_is_told_as_printed(compare: Compare) -> None:
    change = results(compare({"data/results.csv": RESULTS.replace("1.10,40", "1.1,41")}))
    assert cells(change) == [("R1", "sd", "1.10", "1.1"), ("R1", "n", "40", "41")]
    assert (change.changed, change.cells) == (1, 2)


def test_a_removed_row_is_told_with_its_line_in_the_base(compare: Compare) -> None:
    diff = compare(
        {"data/results.csv": RESULTS.replace("R1,S1,5.20,1.10,40,M = 5.20 (1.10)\n", "")}
    )
    [row] = results(diff).rows
    assert (row.kind, dict(row.key), row.line) == ("removed", {"result_id": "R1"}, 2)
    assert diff.version.bump == "patch"


def test_a_renamed_key_is_no_row_removed_and_another_added(compare: Compare) -> None:
    change = results(compare({"data/results.csv": RESULTS.replace("R1,", "R9,")}))
    assert (change.renamed, change.added, change.removed, change.changed) == (1, 0, 0, 0)
    assert cells(change) == [("R9", "result_id", "R1", "R9")]
    assert change.rows[0].old_key == {"result_id": "R1"}


def test_rows_that_share_nothing_but_a_word_are_not_taken_for_renamed(compare: Compare) -> None:
    old = {"data/studies.csv": "study_id,year,design\nS1,,trial\nS2,,trial\n"}
    diff = compare({"data/studies.csv": "study_id,year,design\nS1,,trial\nS7,,trial\n"}, old=old)
    [change] = [table for table in diff.tables if table.table == "studies"]
    assert (change.renamed, change.added, change.removed) == (0, 1, 1)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (RESULTS.replace("\n", "\r\n").encode(), ("line ends LF -> CRLF",)),
        (b"\xef\xbb\xbf" + RESULTS.encode(), ("byte order mark none -> UTF-8",)),
        (RESULTS.replace("S1", '"S1"').encode(), ("quotation marks 0 -> 2",)),
        (RESULTS.rstrip("\n").encode(), ("end of the last line yes -> no",)),
        (
            "\n".join([*(RESULTS.splitlines()[i] for i in (0, 2, 1)), ""]).encode(),
            ("the records stand in another order",),
        ),
    ],
)
def test_the_same_cells_written_otherwise_are_recognised(
    compare: Compare, written: bytes, told: tuple[str, ...]
) -> None:
    diff = compare({"data/results.csv": written})
    change = results(diff)
    assert change.form == told
    assert change.rows == ()
    assert diff.version.bump == "none"


def test_another_encoding_or_delimiter_is_recognised(compare: Compare) -> None:
    text = RESULTS.replace("M = ", "Mé = ")
    written = {"encoding": "latin-1", "dialect": {"delimiter": ";"}}
    listed: dict[str, dict[str, Any]] = {n: dict(entry) for n, entry in MINI_RESOURCES.items()}
    listed["results"] |= written
    diff = compare(
        {"data/results.csv": text.replace(",", ";").encode("latin-1")},
        {"datapackage.json": {"resources": [*listed.values()]}},
        old={"data/results.csv": text},
    )
    assert results(diff).form == ("encoding utf-8 -> latin-1", "delimiter ',' -> ';'")
    assert results(diff).rows == ()


MINI_RESOURCES = {
    name: {
        "name": name,
        "type": "table",
        "path": f"data/{name}.csv",
        "schema": f"schemas/{name}.json",
    }
    for name in ("studies", "results", "claims")
}


def fields(**changes: Any) -> dict[str, Any]:
    """Return a change of the fields of the results schema; None takes a field away."""
    path = Path(__file__).parent / "packages/mini/schemas/results.json"
    schema = json.loads(path.read_text())
    kept = []
    for field in schema["fields"]:
        change = changes.pop(field["name"], {})
        if change is not None:
            kept.append(field | change)
    return {"schemas/results.json": {"fields": [*kept, *changes.values()]}}


def test_columns_that_come_go_or_have_another_name_are_told(compare: Compare) -> None:
    text = RESULTS.replace("mean", "score").replace("printed", "printed,note")
    text = text.replace("(1.10)", "(1.10),x").replace("35,", "35,,")
    patch = fields(mean=None, a={"name": "score", "type": "number"})
    diff = compare({"data/results.csv": text}, patch)
    change = results(diff)
    assert change.columns == ("column mean is now score", "column note added")
    assert change.rows == ()
    assert diff.version.bump == "major"


def test_columns_in_another_order_are_told(compare: Compare) -> None:
    rows = [line.split(",") for line in RESULTS.splitlines()]
    text = "".join(",".join([*row[:3], row[4], row[3], row[5]]) + "\n" for row in rows)
    assert results(compare({"data/results.csv": text})).columns == (
        "the columns stand in another order",
    )


@pytest.mark.parametrize(
    ("patch", "told", "bump"),
    [
        (fields(mean={"type": "string"}), "mean: type number -> string", "major"),
        (fields(sd={"constraints": {"minimum": 1}}), "sd: minimum 0 -> 1", "major"),
        (fields(sd={"constraints": {"minimum": -1}}), "sd: minimum 0 -> -1", "minor"),
        (fields(sd={"constraints": {}}), "sd: minimum 0 -> none", "minor"),
        (fields(sd={"title": "SD"}), "sd: title none -> SD", "patch"),
        (fields(x={"name": "x"}), "x: newly declared", "major"),
        (
            {"schemas/results.json": {"missingValues": ["", "-"]}},
            "missingValues '' -> '', -",
            "major",
        ),
        (
            {"schemas/results.json": {"primaryKey": ["result_id", "study_id"]}},
            "primaryKey result_id -> result_id, study_id",
            "major",
        ),
        ({"schemas/results.json": {"statistics": []}}, "statistics (1 entries) -> none", "patch"),
    ],
)
def test_what_a_schema_says_otherwise_is_told_and_graded(
    compare: Compare, patch: Mapping[str, Any], told: str, bump: str
) -> None:
    diff = compare(patch=patch)
    assert results(diff).schema == (told,)
    assert diff.version.bump == bump


def test_the_doi_that_a_publication_gave_asks_for_no_version(compare: Compare) -> None:
    diff = compare(patch={"datapackage.json": {"id": "https://doi.org/10.1234/x"}})
    assert (diff.version.bump, diff.version.asked) == ("none", diff.version.base)
    assert [file.path for file in diff.files] == ["datapackage.json"]


def test_a_codelist_with_one_word_more_is_minor_and_with_one_fewer_major(compare: Compare) -> None:
    path = Path(__file__).parent / "packages/mini/schemas/studies.json"
    listed = json.loads(path.read_text())["fields"]

    def categories(*words: str) -> dict[str, Any]:
        last = listed[-1] | {"categories": list(words)}
        return {"schemas/studies.json": {"fields": [*listed[:-1], last]}}

    assert compare(patch=categories("trial", "cohort", "case")).version.bump == "minor"
    assert compare(patch=categories("trial")).version.bump == "major"


def test_a_key_that_is_another_in_the_head_matches_by_the_heads_columns(compare: Compare) -> None:
    patch = {"schemas/results.json": {"primaryKey": ["study_id"]}}
    change = results(compare({"data/results.csv": RESULTS.replace("5.20,", "5.21,")}, patch))
    assert change.matched_by == ("study_id",)
    assert cells(change) == [("S1", "mean", "5.20", "5.21")]


def test_a_key_field_of_another_name_still_finds_the_records(compare: Compare) -> None:
    patch = fields(result_id={"name": "id"})
    patch["schemas/results.json"]["primaryKey"] = ["id"]
    text = RESULTS.replace("result_id", "id").replace("5.20,", "5.21,")
    change = results(compare({"data/results.csv": text}, patch))
    assert change.columns == ("column result_id is now id",)
    assert cells(change) == [("R1", "mean", "5.20", "5.21")]


def test_without_a_key_whole_records_come_and_go(compare: Compare) -> None:
    patch: dict[str, Any] = {"schemas/results.json": {"primaryKey": []}}
    text = RESULTS.replace("5.20,", "5.21,")
    change = results(compare({"data/results.csv": text}, patch, old_patch=patch))
    assert change.matched_by == ()
    assert (change.added, change.removed, change.changed) == (1, 1, 0)


def test_records_with_one_key_are_matched_in_their_order(compare: Compare) -> None:
    old = RESULTS + "R2,S2,4.90,1.30,35,\n"
    change = results(
        compare({"data/results.csv": old.replace("4.90", "4.95")}, old={"data/results.csv": old})
    )
    assert cells(change) == [("R2", "mean", "4.90", "4.95")]
    assert (change.added, change.removed) == (0, 0)


def test_a_table_that_appears_or_vanishes_is_told_with_its_rows(compare: Compare) -> None:
    extra = [
        *MINI_RESOURCES.values(),
        {"name": "extra", "path": "data/studies.csv", "schema": "schemas/studies.json"},
    ]
    [change] = compare(patch={"datapackage.json": {"resources": extra}}).tables
    assert (change.table, change.kind, change.added) == ("extra", "added", 2)


def test_a_table_that_vanishes_is_a_major_change(compare: Compare) -> None:
    fewer = [entry for name, entry in MINI_RESOURCES.items() if name != "results"]
    diff = compare(patch={"datapackage.json": {"resources": fewer}})
    [change] = diff.tables
    assert (change.table, change.kind, change.removed) == ("results", "removed", 2)
    assert diff.version.because == ("table results removed",)


def test_a_table_that_cannot_be_read_is_told_and_stops_nothing(compare: Compare) -> None:
    diff = compare(
        {
            "data/results.csv": b"\xff\xfe\x00",
            "data/studies.csv": "study_id,year,design\nS1,2019,trial\n",
        }
    )
    assert results(diff).form == (
        "after the change it cannot be read; `reviewdata validate` says why",
    )
    [figure] = diff.figures
    assert figure.why is not None
    assert "results could not be read" in figure.why
    assert [table.removed for table in diff.tables if table.table == "studies"] == [1]


def test_ragged_and_blank_records_are_compared_as_far_as_they_go(compare: Compare) -> None:
    change = results(compare({"data/results.csv": RESULTS.replace("35,\n", "35\n\n")}))
    assert cells(change) == [("R2", "printed", "", None)]


RECLASSIFIED = "studies: design cohort -> trial (reclassified)"
STUDIES = {"reviewdata": {"studies": {"resource": "studies", "key": "study_id"}}}


@pytest.mark.parametrize(
    ("text", "bump", "because"),
    [
        ("S1,2019,trial\nS2,2021,cohort\nS3,2020,trial\n", "minor", "1 study added"),
        ("S1,2019,trial\n", "major", "1 study removed"),
        ("S1,2019,trial\nS8,2021,cohort\n", "major", "1 study renamed"),
        (
            "S1,2019,trial\nS2,2021,trial\n",
            "major",
            "studies: design cohort -> trial (reclassified)",
        ),
        ("S1,2018,trial\nS2,2021,cohort\n", "patch", "studies: 1 cell changed"),
        ("S1,2019,\nS2,2021,cohort\n", "patch", "studies: 1 cell changed"),
    ],
)
def test_what_happens_to_a_study_decides_the_version(
    compare: Compare, text: str, bump: str, because: str
) -> None:
    patch = {"datapackage.json": STUDIES}
    diff = compare({"data/studies.csv": "study_id,year,design\n" + text}, patch, old_patch=patch)
    assert diff.version.bump == bump
    assert because in diff.version.because


def test_a_blank_that_is_filled_is_new_data(compare: Compare) -> None:
    diff = compare({"data/results.csv": RESULTS.replace("35,", "35,M = 4.80")})
    assert diff.version.because == ("results: 1 blank cell filled",)
    assert diff.version.bump == "minor"


def test_the_changelog_says_what_changed_and_what_it_does(compare: Compare) -> None:
    diff = compare({"data/results.csv": RESULTS.replace("5.20,", "5.60,")})
    assert diff.changelog == (
        "## Data 1.0.1\n\n"
        "- Changed R1 in results: mean 5.20 -> 5.60.\n"
        "- pooled: mean 5.0133 -> 5.2267.\n"
    )


def test_a_cell_cannot_write_lines_of_the_changelog(compare: Compare) -> None:
    cell = '"a\n## Data 9.9.9\n\u2028- Removed all."'
    diff = compare({"data/results.csv": RESULTS.replace("35,", f"35,{cell}")})
    assert diff.changelog.splitlines()[2:] == [
        "- Changed R2 in results: printed (blank) -> a\\n## Data 9.9.9\\n\\n- Removed all.."
    ]


def test_a_claim_whose_verdict_changed_is_told(compare: Compare) -> None:
    [claim] = compare({"data/results.csv": RESULTS.replace("5.20,", "5.60,")}).claims
    assert (claim.claim_id, claim.old, claim.new) == ("mean", "reproduced", "differs")
    assert (claim.old_computed, claim.new_computed) == ("5.0133", "5.2267")


def test_rules_and_queries_that_differ_are_listed(compare: Compare) -> None:
    diff = compare({"queries/pooled.sql": "SELECT 1 AS one", "validations/new.txt": "x"})
    assert [(file.path, file.kind) for file in diff.files] == [
        ("queries/pooled.sql", "changed"),
        ("validations/new.txt", "added"),
    ]
    [figure] = diff.figures  # it is a headline no more
    assert set(figure.values) == {"mean", "k"}
    assert figure.values["k"] == (2, None)


def test_rows_of_a_headline_are_found_again_by_their_words(compare: Compare) -> None:
    query = (
        "-- headline: yes\nSELECT design, sum(n) AS n FROM results JOIN studies USING (study_id)"
        " GROUP BY design ORDER BY n DESC"
    )
    old = {"queries/pooled.sql": query}
    [figure] = compare({"data/results.csv": RESULTS.replace(",35,", ",99,")}, old=old).figures
    assert (dict(figure.where), dict(figure.values)) == ({"design": "cohort"}, {"n": (35, 99)})


def test_a_sum_in_another_order_moves_no_figure(compare: Compare) -> None:
    query = "-- headline: yes\nSELECT sum(mean) AS s FROM results"
    rows = [f"R{n},S1,0.{n},1,40,p{n}" for n in range(1, 10)]
    head = RESULTS.splitlines()[0]
    old = {"queries/pooled.sql": query, "data/results.csv": "\n".join([head, *rows, ""])}
    new = {"data/results.csv": "\n".join([head, *reversed(rows), ""])}
    assert compare(new, old=old).figures == ()


def test_the_bases_of_the_shipped_review_are_compared_by_the_command(
    alliance: Path, tmp_path: Path, reviewdata: Command
) -> None:
    base = copy_review(alliance, tmp_path / "base")
    table = alliance / "data/measures.csv"
    table.write_text(table.read_text().replace("week 3,5.41,", "week 3,5.14,"))
    ended = reviewdata("diff", base, "--project", alliance, "--format", "json")
    assert ended.code == 0
    content = json.loads(ended.out)["diff"]
    [change] = content["tables"]
    assert change["rows"][0]["cells"] == [{"field": "mean", "old": "5.41", "new": "5.14"}]
    figures = {figure["query"]: figure for figure in content["figures"]}
    assert set(figures) == {"pooled_alliance", "pooled_alliance_random"}
    figure = figures["pooled_alliance"]
    before, after = figure["values"]["weighted_mean"]
    assert (round(before, 2), round(after, 2)) == (5.11, 5.06)


CELL = st.sampled_from(["", "a", "b", "1.0", "1.00", "é", "x\ny", 'q"q', ";", "NULL"])
ROWS = st.dictionaries(st.sampled_from("ABCDEF"), st.tuples(CELL, CELL, CELL), max_size=6)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(ROWS, ROWS, st.randoms(use_true_random=False))
def test_the_difference_applied_to_the_base_gives_the_head(
    tmp_path: Path,
    old: dict[str, tuple[str, ...]],
    new: dict[str, tuple[str, ...]],
    shuffle: random.Random,
) -> None:
    names = ["key", "x", "y", "z"]
    schema = {"fields": [{"name": n, "type": "string"} for n in names], "primaryKey": ["key"]}

    def write(folder: Path, rows: Mapping[str, tuple[str, ...]]) -> Path:
        folder.mkdir(exist_ok=True)
        listed = list(rows.items())
        shuffle.shuffle(listed)
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows([names, *([k, *v] for k, v in listed)])
        (folder / "t.csv").write_text(out.getvalue(), "utf-8")
        resource = {"name": "t", "path": "t.csv", "schema": schema}
        (folder / "datapackage.json").write_text(json.dumps({"resources": [resource]}))
        return folder

    diff = compare_revisions(write(tmp_path / "new", new), str(write(tmp_path / "old", old)))
    rows = {key: dict(zip(names, (key, *cells), strict=True)) for key, cells in old.items()}
    for row in [row for table in diff.tables for row in table.rows]:
        before = (row.old_key or row.key)["key"]
        kept = {} if row.kind == "added" else rows.pop(before)
        if row.kind == "removed":
            assert {c.field: c.old for c in row.cells} == {n: t for n, t in kept.items() if t}
            continue
        assert all((kept.get(c.field) or None) == (c.old or None) for c in row.cells)
        changed = dict.fromkeys(names, "") | kept | {c.field: c.new or "" for c in row.cells}
        rows[row.key["key"]] = changed
    assert rows == {k: dict(zip(names, (k, *cells), strict=True)) for k, cells in new.items()}
