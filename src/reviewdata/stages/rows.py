"""The rows stage: is each row plausible, by its schema, the review's rules, its statistics.

Three sources of checks, all run through pandera on typed frames, chunk by chunk: the schema
derived from each Table Schema, the review's own `validations/TABLE.py`, and the rules on
declared statistics, whose arithmetic stands in `plausibility`.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrorReason, SchemaErrors

from reviewdata.frames import read_frames
from reviewdata.model import Finding, Origin, Run, StageResult
from reviewdata.places import find_places
from reviewdata.rules import PREFIX, make_finding
from reviewdata.stages.broken import tell_broken
from reviewdata.stages.schemas import derive_schema, read_own_schemas
from reviewdata.stages.statistics import check_statistics
from reviewdata.stages.tally import Tally
from reviewdata.stages.wording import suggest
from reviewdata.tables import Tables
from reviewdata.tableschema import list_values


def check(tables: Tables) -> StageResult:
    """Return what the row rules find in every loaded table."""
    package = tables.package
    tallies = {code: Tally() for code in package.rules_of("rows")}
    for name in tables.columns:
        resource = package.resources[name]
        _check_schema(tables, name, derive_schema(resource), tallies, "RD200")
        check_statistics(tables, resource, tallies)
    broken, checked = _check_own(tables, tallies)
    for code, tally in tallies.items():
        if not broken and not code.startswith(PREFIX) and code not in checked:
            tally.broken = f"no check of validations/*.py has the name {code}"
    runs, findings = [], []
    for code, tally in tallies.items():
        run = tally.run("rows", code)
        findings += tally.findings
        if run.status == "broken":
            subject = f"the rule {code}"
            run, finding = tell_broken(package, "rows", code, subject, str(run.why))
            findings.append(finding)
        runs.append(run)
    runs += [run for run, _ in broken]
    findings += [finding for _, finding in broken]
    return StageResult(tuple(runs), tuple(findings))


def _check_own(
    tables: Tables, tallies: Mapping[str, Tally]
) -> tuple[list[tuple[Run, Finding]], set[str]]:
    """Run the review's own schemas; return those that broke, and the codes of the others."""
    broken, checked = [], set()
    for path, table, schema in read_own_schemas(tables.package.root / "validations"):
        subject = f"{path.parent.name}/{path.name}"
        problem = schema if isinstance(schema, str) else None
        if table not in tables.package.resources:
            problem = f"there is no table {table}"
        elif not isinstance(schema, str):
            checked |= _names(schema)
            if table in tables.columns:
                problem = _check_schema(tables, table, schema, tallies, None)
        if problem:
            broken.append(
                tell_broken(tables.package, "rows", "RD901", subject, problem, path=subject)
            )
    return broken, checked


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
    # The review's own checks may read any column; the derived ones, only their own.
    read = [str(c) for c, column in schema.columns.items() if column.checks] if code else None
    if read == []:
        return None
    for frame in read_frames(tables, name, read):
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
    rows = rows[: tally.admit(len(rows))]
    places = find_places(tables, name, rows)
    origin = Origin("pandera", version("pandera"))
    for row in rows:
        place = places[row]
        at = column or rule.column
        cell = place.cells.get(at or "", "")
        said = str(getattr(error.check, "error", None) or code)
        if code == "RD200":
            field = tables.package.resources[name].fields.get(str(at), {})
            meant = suggest(cell, list_values(field.get("categories", ())))
            said += f"; did you mean {meant}?" if meant else ""
        values = {**dict.fromkeys(tables.columns[name], ""), **place.cells}
        values |= {"field": str(at), "cell": cell, "check": said}
        tally.findings.append(make_finding(rule, values, origin=origin, **place.at(at)))
