"""Synthetic changes and runs for the formats; nothing in them is of a real study."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

from reviewdata.changes import (
    CellChange,
    ClaimChange,
    Diff,
    FigureChange,
    FileChange,
    RowChange,
    TableChange,
    VersionChange,
)
from reviewdata.model import Finding, Origin, Review, Rule, Run, Validation, Waiver
from reviewdata.saved import SavedRun

MEASURES = TableChange(
    table="measures",
    path="data/measures.csv",
    kind="changed",
    matched_by=("measure_id",),
    added=1,
    removed=1,
    changed=1,
    renamed=1,
    cells=2,
    rows=(
        RowChange("added", {"measure_id": "zz2020-wais"}, 12, (CellChange("mean", None, "5.2"),)),
        RowChange("removed", {"measure_id": "yy1999-wai"}, 3, (CellChange("mean", "5.0", None),)),
        RowChange(
            "changed",
            {"measure_id": "aa2012-2a-wai"},
            5,
            (CellChange("mean", "5.77", "5.80"), CellChange("sd", "1.20", "")),
        ),
        RowChange("renamed", {"measure_id": "b"}, 6, (), {"measure_id": "a"}),
    ),
)

DIFF = Diff(
    base="v0.1.0",
    head="working tree",
    tables=(
        MEASURES,
        TableChange("samples", "data/samples.csv", "changed", form=("line ends CRLF -> LF",)),
        TableChange(
            table="notes",
            path="data/notes.csv",
            kind="added",
            added=3,
            rows=(RowChange("added", {}, 2, (CellChange("note", None, " spaced"),)),),
            columns=("note added",),
            schema=("note is a string",),
        ),
    ),
    files=(FileChange("queries/pooled.sql", "changed"),),
    figures=(
        FigureChange(
            "pooled",
            "Weighted mean",
            {},
            {"weighted_mean": (5.1113, 5.3249), "k": (4, 5), "n_total": (252.0, 300)},
        ),
        FigureChange(
            "by_group",
            "By group",
            {"design": "trial", "since": dt.date(2020, 1, 2)},
            {"k": (None, 1)},
        ),
        FigureChange("other", "Other", {}, {}, "Binder Error: no such column"),
    ),
    claims=(
        ClaimChange(
            "mean", "weighted mean", "5.66", "incomplete", "reproduced", "5.1113", "5.6612"
        ),
        ClaimChange("new", "a new one", "8", None, "differs", "", "9"),
    ),
    version=VersionChange("minor", ("1 study added",), "0.1.0", "0.2.0", "0.1.0"),
    changelog="## 0.2.0\n\n- Adds zz2020.\n",
)

RULES = {
    "RD201": Rule("RD201", "mean-outside-scale", "rows", "error", "", "Because.", "Mend it."),
    "RD202": Rule("RD202", "sd-above-bound", "rows", "error", "", "Spread.", "Mend the SD."),
    "RD203": Rule("RD203", "score-type", "rows", "warning", "", "Types.", "Mend the type."),
    "RD901": Rule("RD901", "rule-broken", "run", "error", "", "It broke.", "Mend the rule."),
    "RD904": Rule("RD904", "not-applied", "run", "warning", "", "Code.", "Ask a maintainer."),
}


def finding(code: str = "RD201", **place: Any) -> Finding:
    """Return a finding of one of RULES, at a row unless the place is another."""
    rule = RULES[code]
    given = Finding(
        code=code,
        rule=rule.name,
        level=rule.level,
        message="mean 9.2 lies outside the scale 1 to 7",
        table="measures",
        path="data/measures.csv",
        line=12,
        row=12,
        key={"measure_id": "zz2020-wais"},
        field="mean",
        field_number=4,
        value="9.2",
        fix=rule.fix,
        origin=Origin("pandera", "0.35.0"),
    )
    return replace(given, **place)


def saved_run(
    *findings: Finding,
    runs: tuple[Run, ...] = (Run("rows", "RD201", "fail", None, 7), Run("rows", "RD202", "pass")),
    since: str | None = None,
    diff: Diff | None = None,
    title: str = "A synthetic review",
    folder: str = "",
) -> SavedRun:
    """Return a run with these findings, each waived one with its waiver."""
    waivers = tuple(
        Waiver(f.code, "as printed", "the editors", f.table, f.key, f.field, f.value)
        for f in findings
        if f.waived
    )
    return SavedRun(
        Validation(runs, findings, since=since, diff=diff),
        RULES,
        waivers,
        Review("synthetic", title, "0.1.0", folder),
        Origin("reviewdata", "0.0.0"),
    )
