"""The declared statistics as metafor reads them: a CSV of each, and an R script that pools them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reviewdata.attribution import study_sql
from reviewdata.cells import LineWriter
from reviewdata.columns import quote_name, quote_text
from reviewdata.exporting.rscript import Dataset, write_script
from reviewdata.exporting.whole import file_names, list_rows, text_columns
from reviewdata.measures import MEASURES, measures_sql
from reviewdata.model import ReviewdataError
from reviewdata.output import open_output, write_output
from reviewdata.package import Resource
from reviewdata.records import Dialect
from reviewdata.statistics import Statistic, bind_statistics
from reviewdata.tables import Tables

SCRIPT = "analysis.R"

RAW: Mapping[str, Mapping[str, str]] = {
    "sample-mean": {"mi": "mean", "sdi": "sd", "ni": "n"},
    "mean-difference": {
        "m1i": "mean1",
        "sd1i": "sd1",
        "n1i": "n1",
        "m2i": "mean2",
        "sd2i": "sd2",
        "n2i": "n2",
    },
    "two-by-two": {"ai": "events1", "n1i": "n1", "ci": "events2", "n2i": "n2"},
    "proportion": {"xi": "count", "ni": "n"},
    "correlation": {"ri": "r", "ni": "n"},
}
"""metafor's name of each number of a kind that escalc() computes an effect of, and its role."""

_PLAIN = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
_NAMED = (
    "CASE WHEN min(s._study) OVER (PARTITION BY s._label) = max(s._study) OVER"
    " (PARTITION BY s._label) THEN s._label ELSE s._label || ' (' || s._study || ')' END"
)
"""SQL for what a study is called: its label, with its key where two have the same one."""

_GROUPS = {"n1": ("events1", "nonevents1"), "n2": ("events2", "nonevents2")}


@dataclass(frozen=True)
class _Rows:
    """What is written of one statistic: its columns, and the SELECT that gives their texts."""

    columns: tuple[str, ...]
    sql: str


def write_metafor(tables: Tables, folder: Path, notes: list[str]) -> Iterator[Path]:
    """Write `TABLE-NUMBER-KIND.csv` of each declared statistic, and `analysis.R`; yield the paths.

    What must be known of them is put into `notes`. Raises ReviewdataError where no statistic is
    declared that gives an effect size.
    """
    package = tables.package
    statistics: list[Statistic] = []
    for resource in package.resources.values():
        for statistic in bind_statistics(package, resource):
            if not isinstance(statistic, Statistic):
                raise ReviewdataError(f"{resource.name}: {statistic}")
            if statistic.kind in MEASURES:
                statistics.append(statistic)
            else:
                notes.append(
                    f"not exported: {resource.name}, statistic {statistic.number}:"
                    f" {statistic.kind} gives no effect size"
                )
    if not statistics:
        raise ReviewdataError("no statistic is declared that gives an effect size")
    plain = file_names(tables.columns)
    sets = []
    for statistic in statistics:
        path = folder / f"{plain[statistic.table]}-{statistic.number}-{statistic.kind}.csv"
        left = _write_rows(tables, _rows(tables, statistic), path)
        if left:
            notes.append(
                f"{path.name}: {left} row{'s' * (left != 1)} without an effect, though numbers are"
                " there: reviewdata stats says which, reviewdata validate why"
            )
        sets.append(_dataset(statistic, path.name))
        yield path
    title = str(package.descriptor.get("title") or package.descriptor.get("name") or "")
    write_output(folder / SCRIPT, write_script(title, sets))
    yield folder / SCRIPT


def _dataset(statistic: Statistic, file: str) -> Dataset:
    measure = MEASURES[statistic.kind][0]
    raw = tuple(RAW.get(statistic.kind, ()))
    others = tuple(m.name for m in MEASURES[statistic.kind][1:] if raw)
    return Dataset(file, measure.name, measure.title, raw, others)


def _rows(tables: Tables, statistic: Statistic) -> _Rows:
    """Return the columns: study, row, metafor's, then each of the table under its own name."""
    resource = tables.package.resources[statistic.table]
    measure = MEASURES[statistic.kind][0].name
    raw = RAW.get(statistic.kind, {})
    joined = (
        f"FROM ({_numbers(statistic, raw)}) AS x"
        f" JOIN ({measures_sql(statistic)}) AS m USING (_row)"
        f" JOIN ({study_sql(tables.package, statistic)}) AS s USING (_row)"
        f" JOIN raw.{quote_name(resource.name)} AS r USING (_row)"
    )
    effect = f"m.{quote_name(measure)}"
    # Where the effect is not of these numbers, escalc must not compute another from them.
    given = " AND ".join(f"x.{quote_name(name)} IS NOT NULL" for name in raw) or "false"
    own = f"{effect} IS NOT NULL AND {given}"
    columns = ["study", "row", *raw, "yi", "vi"]
    values = [_NAMED, _key(resource)]
    values += [f"CASE WHEN {own} THEN x.{quote_name(name)} END" for name in raw]
    values += [
        f"CASE WHEN NOT ({own}) THEN CAST({effect}.{part} AS VARCHAR) END" for part in ("yi", "vi")
    ]
    names = text_columns(tables, resource.name)
    taken = {column.lower() for column in columns}
    for name in names:
        chosen = name
        while chosen.lower() in taken:
            chosen += ".own"
        taken.add(chosen.lower())
        columns.append(chosen)
        values.append(f"r.{quote_name(name)}")
    bound = [quote_name(f"_has_{role}") for role in statistic.bindings if role in _main(statistic)]
    some = " AND ".join(f"m.{name}" for name in bound) or "false"
    values.append(f"CASE WHEN {effect} IS NULL AND {some} THEN '1' END")
    return _Rows(tuple(columns), f"SELECT {', '.join(values)} {joined} ORDER BY _row")


def _main(statistic: Statistic) -> Sequence[str]:
    """Return the roles whose numbers make a row one that should have an effect."""
    first = MEASURES[statistic.kind][0].ways[0].roles
    return [role for role in first if role in statistic.bindings]


def _key(resource: Resource) -> str:
    """Return SQL for what tells a row from the others: its primary key, else its number."""
    parts = [f"r.{quote_name(name)}" for name in resource.primary_key if name in resource.fields]
    if not parts:
        return "CAST(_row AS VARCHAR)"
    return f"concat_ws(' ', {', '.join(parts)})"


def _numbers(statistic: Statistic, raw: Mapping[str, str]) -> str:
    """Return a SELECT of metafor's numbers, as printed where that is a number for R."""
    listed = ["t._row AS _row"]
    paired = "false"
    if "method" in statistic.bindings and statistic.kind == "mean-difference":
        paired = f"coalesce({statistic.bindings['method'].value}, '') = 'paired'"
    for name, role in raw.items():
        value = _number(statistic, role)
        if role in _GROUPS:  # a group is its two parts, where it is not printed itself
            parts = [statistic.bindings.get(part) for part in _GROUPS[role]]
            if statistic.kind == "two-by-two" and all(parts):
                total = " + ".join(f"({part.value})" for part in parts if part)
                value = f"coalesce({value}, CAST(CAST({total} AS BIGINT) AS VARCHAR))"
        listed.append(f"CASE WHEN NOT ({paired}) THEN {value} END AS {quote_name(name)}")
    return f"SELECT {', '.join(listed)} {statistic.source}"


def _number(statistic: Statistic, role: str) -> str:
    binding = statistic.bindings.get(role)
    if binding is None:
        return "CAST(NULL AS VARCHAR)"
    text = f"trim({binding.text})"
    return (
        f"CASE WHEN ({binding.value}) IS NOT NULL THEN CASE WHEN"
        f" regexp_full_match({text}, {quote_text(_PLAIN)}) THEN {text}"
        f" ELSE CAST({binding.value} AS VARCHAR) END END"
    )


def _write_rows(tables: Tables, rows: _Rows, path: Path) -> int:
    """Write the rows; return how many have no effect though their numbers are there."""
    writer = LineWriter(Dialect())
    left = 0
    with open_output(path) as out:
        out.write((writer.line(rows.columns, first=True) + "\n").encode())
        for row in list_rows(tables, rows.sql):
            *cells, without = row
            left += without is not None
            out.write((writer.line([_text(cell) for cell in cells]) + "\n").encode())
    return left


def _text(cell: Any) -> str:
    return "" if cell is None else str(cell)
