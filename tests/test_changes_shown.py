"""The words for a change: numbers that tell old from new, rows by their key, what is left out."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from synthetic import DIFF, MEASURES

from reviewdata.changes import (
    CellChange,
    ClaimChange,
    Diff,
    FigureChange,
    RowChange,
    TableChange,
    VersionChange,
)
from reviewdata.render.diff import ROWS, diff_json, diff_markdown, diff_text

NOTHING = Diff("a", "b", (), (), (), (), VersionChange("none", (), "1.0.0", None, "1.0.0"), "")


def figures(old: Any, new: Any) -> str:
    """Return how a figure that moved from one value to another is shown."""
    diff = replace(NOTHING, figures=(FigureChange("q", "", {}, {"x": (old, new)}),))
    return diff_text(diff).splitlines()[2].removeprefix("  q  x ")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (5.1113, 5.3249, "5.11 -> 5.32"),
        (5.1113, 5.1149, "5.111 -> 5.115"),
        (5.0, 5.32, "5.00 -> 5.32"),
        (4, 5, "4 -> 5"),
        (252.0, 300, "252 -> 300"),
        (Decimal("5.10"), Decimal("5.20"), "5.10 -> 5.20"),
        (None, 5.3249, "- -> 5.32"),
        (0.5, None, "0.50 -> -"),
        (float("nan"), 5, "- -> 5"),
        (None, 0.0003, "- -> 0.0003"),
        (0.0003, 0.5, "0.0003 -> 0.5000"),
        (0, 0.25, "0.00 -> 0.25"),
        (-0.371, -0.372, "-0.371 -> -0.372"),
        (1e-9, 2e-9, "1e-09 -> 2e-09"),
        (1e22, 2e22, "1e+22 -> 2e+22"),
        (1234567.25, 1234567.5, "1234567.25 -> 1234567.50"),
        (0.3, 0.1 + 0.2, "0.3 -> 0.30000000000000004"),
        (10**30, 10**30 + 1, f"{10**30} -> {10**30 + 1}"),
        (10**400, 1, f"{10**400} -> 1"),
        (5, 5, "5"),
        (True, False, "true -> false"),
        ("a", "b\n", 'a -> "b\\n"'),
        ("a", "", "a -> (blank)"),
        ([1, 2.5], None, "[1, 2.5] -> -"),
    ],
)
def test_a_figure_shows_the_fewest_decimals_that_differ(old: Any, new: Any, says: str) -> None:
    assert figures(old, new) == says


def test_nothing_that_differs_is_said() -> None:
    assert diff_text(NOTHING) == "a -> b\nnothing differs\nversion  1.0.0 stays\n"
    assert diff_markdown(NOTHING) == "### a → b\n\nNothing differs.\n\nVersion: 1.0.0 stays\n"


@pytest.mark.parametrize(
    ("version", "says"),
    [
        (VersionChange("none", (), None, None, None), "none is asked for"),
        (VersionChange("major", (), None, "1.0.0", None), "- -> 1.0.0 (major)"),
        (VersionChange("patch", ("a", "b"), "1", "2", "2"), "1 -> 2 (patch: a; b)"),
        (
            VersionChange("minor", ("a",), "1", "2", "1"),
            "1 -> 2 (minor: a); datapackage.json has 1",
        ),
    ],
)
def test_the_version_is_told_with_its_reasons(version: VersionChange, says: str) -> None:
    assert f"\nversion  {says}\n" in diff_text(replace(NOTHING, version=version))


def test_a_claim_tells_its_figure_only_where_that_moved() -> None:
    same = ClaimChange("a", "s", "5.66", "incomplete", "reproduced", "5.6612", "5.6612")
    gone = ClaimChange("b", "s", "8", "reproduced", None, "8", "")
    lines = diff_text(replace(NOTHING, claims=(same, gone))).splitlines()
    assert lines[2] == "  a  incomplete -> reproduced"
    assert lines[3] == "  b  reproduced -> - (published 8, computed 8 -> -)"


def test_a_cell_whose_spaces_changed_can_be_seen() -> None:
    cells = (CellChange("a", "x", "x "), CellChange("b", "x y", "x  y"), CellChange("c", None, ""))
    row = RowChange("changed", {"id": "k"}, 2, cells)
    table = TableChange("t", "t.csv", "changed", ("id",), changed=1, cells=3, rows=(row,))
    text = diff_text(replace(NOTHING, tables=(table,)))
    assert text.splitlines()[2] == '  ~ k  a x -> "x ", b x y -> "x  y", c - -> (blank)'


def test_rows_that_are_not_listed_are_counted() -> None:
    table = replace(MEASURES, added=1000)
    text = diff_text(replace(DIFF, tables=(table,)))
    assert "  ... and 999 rows more\n" in text
    page = diff_markdown(replace(DIFF, tables=(table,)))
    assert "Rows and cells changed (1,003)" in page
    assert "\nand 999 rows more\n" in page
    none = replace(MEASURES, added=7, removed=0, changed=0, renamed=0, rows=())
    assert "7 rows, left out of this page" in diff_markdown(replace(DIFF, tables=(none,)))


def test_a_page_shows_the_first_rows_and_cells() -> None:
    cells = tuple(CellChange(f"c{n}", "0", "1") for n in range(20))
    rows = tuple(RowChange("changed", {"id": f"k{n}"}, n, cells) for n in range(ROWS + 20))
    table = TableChange("t", "t.csv", "changed", changed=len(rows), cells=1400, rows=rows)
    page = diff_markdown(replace(NOTHING, tables=(table,)))
    assert page.count("| changed |") == ROWS
    assert "c7 0 → 1, and 12 cells more |" in page
    assert "\nand 20 rows more\n" in page
    assert "c19 0 -> 1" in diff_text(replace(NOTHING, tables=(table,)))


def test_a_change_of_many_tables_is_summed_up() -> None:
    tables = tuple(replace(MEASURES, table=f"t{n}") for n in range(7))
    page = diff_markdown(replace(NOTHING, tables=tables))
    assert "Adds 7 rows in 7 tables;" in page
    assert "changes 14 cells of 7 rows in 7 tables." in page


def test_the_json_has_the_whole_change_beside_its_version() -> None:
    told = json.loads(diff_json(DIFF))
    assert told["version"] == "1"
    assert told["diff"]["version"]["bump"] == "minor"
    assert [table["table"] for table in told["diff"]["tables"]] == ["measures", "samples", "notes"]
