"""What can be computed of each study, in words."""

from __future__ import annotations

from reviewdata.computable import Stats, rank_missing
from reviewdata.model import QueryResult
from reviewdata.render.json import json_text
from reviewdata.render.results import result_markdown, result_table
from reviewdata.render.values import plain

SHOWN = 20
"""Missing numbers, and rows, that are told unless all are asked for."""


def stats_json(stats: Stats) -> str:
    """Return all of it as JSON."""
    return json_text(stats.to_dict())


def stats_text(stats: Stats, *, markdown: bool = False, show_all: bool = False) -> str:
    """Return the studies, the numbers that would give an effect size, and what is odd."""
    table = result_markdown if markdown else result_table
    parts = ["What can be computed", "", table(_studies(stats))]
    if stats.titles:
        parts.append("; ".join(f"{name}: {title}" for name, title in stats.titles.items()) + "\n")
    missing = rank_missing(stats)
    if missing:
        shown = missing if show_all else missing[:SHOWN]
        rows = tuple(
            (m.study, m.table, m.key, m.column, ", ".join(m.measures), len(m.rows)) for m in shown
        )
        names = ("study", "table", "record", "column", "gives", "rows")
        columns = tuple((name, "BIGINT" if name == "rows" else "VARCHAR") for name in names)
        parts += ["One number that would give an effect size", ""]
        parts.append(table(QueryResult("", columns, rows)))
        if len(missing) > len(shown):
            parts.append(f"... and {len(missing) - len(shown):,} more (--all)\n")
    if stats.impossible:
        found = {(e.table, e.key): None for e in stats.impossible}
        shown_rows = [f"{plain(t)} {plain(k)}" for t, k in found][: None if show_all else SHOWN]
        more = len(found) - len(shown_rows)
        parts.append(
            "Numbers that are there, and give no effect size (reviewdata validate may say why): "
            + ", ".join(shown_rows)
            + (f" and {more:,} more (--all)" if more else "")
            + "\n"
        )
    if stats.without:
        parts.append(f"No effect size is known of: {plain('; '.join(stats.without))}\n")
    parts += [f"Not read: {plain(fault)}\n" for fault in stats.faults]
    return "\n".join(parts)


def _studies(stats: Stats) -> QueryResult:
    columns = (
        *(("study", "VARCHAR"), ("rows", "BIGINT"), ("effect sizes", "VARCHAR")),
        *(("rows without", "BIGINT"), ("one number short", "BIGINT")),
    )
    rows = tuple(
        (
            study.label or "(no study)",
            study.rows,
            ", ".join(f"{name} {count}" for name, count in study.measures.items()),
            study.bare,
            study.short,
        )
        for study in stats.studies.values()
    )
    return QueryResult("", columns, rows)
