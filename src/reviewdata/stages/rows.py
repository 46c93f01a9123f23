"""The rows stage: is each row plausible, by its schema, the review's rules, its statistics.

Three sources of checks, all run through pandera on typed frames, chunk by chunk: the schema
derived from each Table Schema, the review's own `validations/TABLE.py`, and the rules on
declared statistics, whose arithmetic stands in `plausibility`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrorReason, SchemaErrors

from reviewdata.frames import read_frames
from reviewdata.model import Finding, Level, Origin, ReviewdataError, Rule, Run, StageResult
from reviewdata.places import find_places
from reviewdata.plausibility import CHECKS, LEVEL_NAMES, SILENT, Check, Columns, Outcome
from reviewdata.rules import make_finding
from reviewdata.stages.schemas import derive_schema, read_own_schemas
from reviewdata.statistics import Statistic, bind_statistics
from reviewdata.tables import Tables


@dataclass
class Tally:
    """What has been seen of one rule so far, over all tables and chunks."""

    judged: int = 0
    skipped: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    findings: list[Finding] = field(default_factory=list)
    broken: str | None = None

    def run(self, code: str) -> Run:
        """Return how the rule ended."""
        why = "; ".join(f"{n} rows {reason}" for reason, n in self.skipped.items() if n) or None
        if self.broken is not None:
            return Run("rows", code, "broken", self.broken, self.judged)
        if self.findings:
            return Run("rows", code, "fail", why, self.judged)
        if not self.judged:
            return Run("rows", code, "skipped", why or "nothing it applies to", 0)
        return Run("rows", code, "pass", why, self.judged)


def check(tables: Tables) -> StageResult:
    """Return what the row rules find in every loaded table."""
    package = tables.package
    tallies = {code: Tally() for code, rule in package.rules.items() if rule.stage == "rows"}
    for name in tables.columns:
        resource = package.resources[name]
        _check_schema(tables, name, derive_schema(resource), tallies, "RD200")
        for statistic in bind_statistics(package, resource):
            if isinstance(statistic, Statistic):
                _check_statistic(tables, statistic, tallies)
    broken = []
    for path, table, schema in read_own_schemas(package.root / "validations"):
        problem = schema if isinstance(schema, str) else None
        if table not in package.resources:
            problem = f"there is no table {table}"
        elif not isinstance(schema, str) and table in tables.columns:
            problem = _check_schema(tables, table, schema, tallies, None)
        if problem:
            broken.append(_broken(tables, f"{path.parent.name}/{path.name}", problem))
    runs = [tally.run(code) for code, tally in tallies.items()]
    runs += [Run("rows", "RD901", "broken", finding.message) for finding in broken]
    findings = [finding for tally in tallies.values() for finding in tally.findings]
    return StageResult(tuple(runs), (*findings, *broken))


def _broken(tables: Tables, subject: str, why: str) -> Finding:
    return make_finding(
        tables.package.rules["RD901"], {"subject": subject, "why": why}, path=subject
    )


def _check_schema(
    tables: Tables,
    name: str,
    schema: pa.DataFrameSchema,
    tallies: Mapping[str, Tally],
    code: str | None,
) -> str | None:
    """Run a schema over a table; `code` is that of all its checks, else each check's name.

    Returns what broke, or None.
    """
    codes = [code] if code else sorted(_names(schema))
    for known in codes:
        if known not in tallies:
            return f"the check {known} has no rule of stage rows in rules.toml"
    for frame in read_frames(tables, name):
        for known in codes:
            tallies[known].judged += len(frame)
        try:
            schema.validate(frame, lazy=True)
        except SchemaErrors as errors:
            for error in errors.schema_errors:
                check = getattr(error, "check", None)
                found = code or str(getattr(check, "name", ""))
                what = None
                if error.reason_code is SchemaErrorReason.CHECK_ERROR or found not in tallies:
                    what = str(error).splitlines()[0]
                elif not isinstance(error.failure_cases, pd.DataFrame):
                    what = "it gives one verdict on the whole table, not one for each row"
                if what is not None:
                    if found in tallies:
                        tallies[found].broken = what
                    return f"the check {found}: {what}"
                _collect(tables, name, frame, error, tallies[found], found)
    return None


def _names(schema: pa.DataFrameSchema) -> set[str]:
    checks = [*schema.checks, *(c for column in schema.columns.values() for c in column.checks)]
    return {str(check.name) for check in checks}


def _collect(
    tables: Tables, name: str, frame: pd.DataFrame, error: Any, tally: Tally, code: str
) -> None:
    rule = tables.package.rules[code]
    column = getattr(error.schema, "name", None) if error.schema.name in frame.columns else None
    rows = sorted({int(i) for i in error.failure_cases["index"].dropna()})
    places = find_places(tables, name, rows)
    origin = Origin("pandera", version("pandera"))
    for row in rows:
        place = places[row]
        at = column or rule.column
        values = {
            **dict.fromkeys(tables.columns[name], ""),
            **place.cells,
            "field": at,
            "cell": place.cells.get(at or "", ""),
            "check": getattr(error.check, "error", None) or code,
        }
        tally.findings.append(make_finding(rule, values, origin=origin, **place.at(at)))


def _check_statistic(tables: Tables, statistic: Statistic, tallies: Mapping[str, Tally]) -> None:
    checks = [c for c in CHECKS if c.kind == statistic.kind and c.role in statistic.bindings]
    if not checks:
        return
    failing: list[tuple[Check, pd.DataFrame, Outcome, np.ndarray]] = []
    try:
        for frame in tables.frames(statistic.sql):
            failing += _judge_frame(frame, checks, tallies)
    except ReviewdataError as error:  # the `where` of the declaration is the review's SQL
        for check in checks:
            tallies[
                check.code
            ].broken = f"statistic {statistic.number} of {statistic.table}: {error}"
        return
    for check, readable, outcome, positions in failing:
        _collect_statistic(tables, statistic, check, readable, outcome, positions, tallies)


def _judge_frame(
    frame: pd.DataFrame, checks: Sequence[Check], tallies: Mapping[str, Tally]
) -> Iterator[tuple[Check, pd.DataFrame, Outcome, np.ndarray]]:
    """Count what each check judged in a frame, and yield those that fail, with the rows."""
    unread = frame["_unreadable"].to_numpy(dtype=bool)
    readable = frame.loc[~unread]
    columns = Columns(len(readable), {c: readable[c].to_numpy() for c in readable.columns})
    outcomes = {check.code: check.judge(columns) for check in checks}
    fails = _through_pandera(outcomes)
    for check in checks:
        tally, outcome = tallies[check.code], outcomes[check.code]
        tally.judged += int(outcome.judged.sum())
        tally.skipped["without the values it needs"] += int((~outcome.judged).sum())
        tally.skipped["unreadable"] += int(unread.sum())
        if len(fails[check.code]):
            yield check, readable, outcome, fails[check.code]


def _through_pandera(outcomes: Mapping[str, Outcome]) -> dict[str, np.ndarray]:
    """Return the positions of failing rows by code, as pandera's failure cases say.

    Each rule is a column of its outcomes with the check that it is silent: a check on a
    whole frame would list every column of every failing row.
    """
    verdicts = pd.DataFrame({code: outcome.levels for code, outcome in outcomes.items()})
    schema = pa.DataFrameSchema(
        {code: pa.Column("int8", pa.Check.eq(SILENT, name=code)) for code in outcomes}
    )
    fails = {code: np.empty(0, dtype=np.int64) for code in outcomes}
    try:
        schema.validate(verdicts, lazy=True)
    except SchemaErrors as errors:
        for error in errors.schema_errors:
            fails[str(error.check.name)] = error.failure_cases["index"].to_numpy(dtype=np.int64)
    return fails


def _collect_statistic(
    tables: Tables,
    statistic: Statistic,
    check: Check,
    readable: pd.DataFrame,
    outcome: Outcome,
    positions: np.ndarray,
    tallies: Mapping[str, Tally],
) -> None:
    rule = tables.package.rules[check.code]
    rows = readable["_row"].to_numpy()[positions]
    places = find_places(tables, statistic.table, (int(row) for row in rows))
    origin = Origin("pandera", version("pandera"))
    for position, row in zip(positions, rows, strict=True):
        record = readable.iloc[int(position)]
        values = _values(rule, statistic, record, outcome, int(position))
        reason = str(outcome.reasons[position])
        template = rule.message if reason == "message" else rule.messages[reason]
        level: Level = LEVEL_NAMES[int(outcome.levels[position])]
        field = statistic.field(check.role)
        tallies[check.code].findings.append(
            make_finding(
                rule,
                values,
                origin=origin,
                level=level,
                message=template,
                **places[int(row)].at(field),
            )
        )


def _values(
    rule: Rule, statistic: Statistic, record: Any, outcome: Outcome, position: int
) -> dict[str, Any]:
    """Return what a message may name: the printed roles, and what the rule computed."""
    values: dict[str, Any] = {
        role: record[f"{role}__printed"]
        for role in statistic.bindings
        if isinstance(record[f"{role}__printed"], str)
    }
    values |= {name: f"{array[position]:.3g}" for name, array in outcome.facts.items()}
    values["operator"] = values.get("p_operator", "=")
    dfs = [values[r] for r in ("df1", "df2") if r in values]
    if values.get("test") != "F":
        dfs = [values[r] for r in ("df",) if r in values]
    values["dfs"] = f"({', '.join(dfs)})" if dfs else ""
    return values
