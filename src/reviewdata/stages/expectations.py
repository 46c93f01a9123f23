"""Great Expectations suites, run in a process of its own: `python -m` this, which is then asked.

Importing Great Expectations takes seconds; the other stages run meanwhile. For each line of its
input, the path of a project in JSON, the process reads the same package, runs each suite on its
table or query, and prints a line of JSON.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

FOLDER = "validations/expectations"


def run_suites(project: str) -> list[dict[str, Any]]:
    """Return for each expectation of each suite what it observed, or how it broke.

    An entry has suite, table, code, expectation, column, success, observed, expected, rows;
    or suite, code and broken (a text), or suite, code and skipped (a text).
    """
    import great_expectations as gx  # seconds: nothing before it may wait for it

    from reviewdata.package import open_package
    from reviewdata.tables import load_tables

    package = open_package(project)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    results: list[dict[str, Any]] = []
    with load_tables(package) as tables:
        for path in sorted((package.root / FOLDER).glob("*.json")):
            results += _run_suite(gx, context, tables, path)
    return results


def _run_suite(gx: Any, context: Any, tables: Any, path: Path) -> list[dict[str, Any]]:
    from reviewdata.model import ReviewdataError

    where = f"{FOLDER}/{path.name}"
    try:
        content = json.loads(path.read_text("utf-8"))
        listed = [_parse(entry) for entry in content["expectations"]]
        source, frame = _read_data(tables, content.get("meta", {}))
    except ReviewdataError as error:
        return [{"suite": where, "code": "RD901", "broken": str(error)}]
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        why = f"it is no suite, an object with expectations and meta: {_one_line(error)}"
        return [{"suite": where, "code": "RD901", "broken": why}]
    if frame is None:
        codes = {entry["meta"].get("code", "RD401") for entry in listed}
        why = f"the table {source} could not be read"
        return [{"suite": where, "code": code, "skipped": why} for code in sorted(codes)]
    data = context.data_sources.add_pandas(where).add_dataframe_asset(source)
    batch = data.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
    return _run_expectations(gx, batch, where, source, len(frame), listed)


def _parse(entry: Any) -> dict[str, Any]:
    """Return an expectation as it stands in a suite. Raises ValueError for anything else."""
    if not isinstance(entry, dict):
        raise ValueError(f"{entry!r} is no expectation")
    parsed = {**entry, "kwargs": entry.get("kwargs", {}), "meta": entry.get("meta", {})}
    if not isinstance(parsed["kwargs"], dict) or not isinstance(parsed["meta"], dict):
        raise ValueError(f"kwargs and meta of {entry.get('type')} are objects")
    if not isinstance(parsed["meta"].get("code", ""), str):
        raise ValueError(f"the code {parsed['meta']['code']!r} is no text")
    return parsed


def _read_data(tables: Any, meta: dict[str, Any]) -> tuple[str, Any]:
    """Return the name and the frame that a suite is about: a table, or a query's result."""
    import pandas as pd

    from reviewdata.frames import read_frames
    from reviewdata.model import ReviewdataError
    from reviewdata.queries import find_query, run_query

    if "query" in meta:
        query = find_query(tables.package, meta["query"])
        if tables.unread(query.sql):
            return tables.unread(query.sql)[0], None
        result = run_query(tables, query)
        return query.name, pd.DataFrame(result.records(), columns=[c for c, _ in result.columns])
    name = str(meta.get("table", ""))
    if name not in tables.package.resources:
        raise ReviewdataError(f'meta needs "table" or "query"; there is no table {name}')
    if name not in tables.columns:
        return name, None
    frames = list(read_frames(tables, name))
    if not frames:
        return name, pd.DataFrame(columns=list(tables.columns[name]))
    return name, pd.concat(frames)


def _run_expectations(
    gx: Any, batch: Any, suite: str, source: str, rows: int, listed: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return what each expectation observed; those that cannot be made are broken.

    All are judged together, since Great Expectations then computes each figure once.
    """
    results: list[dict[str, Any]] = []
    made = []
    for number, entry in enumerate(listed):
        kwargs = entry["kwargs"]
        about = {
            "suite": suite,
            "table": source,
            "code": entry["meta"].get("code", "RD401"),
            "expectation": entry.get("type"),
            "column": kwargs.get("column"),
            "rows": rows,
        }
        try:
            made.append(_make(gx, entry, kwargs | {"meta": {"number": number}}))
            about["expected"] = _expected(kwargs)
        except Exception as error:  # the runner of rules: what a suite raises is not ours
            about["broken"] = _one_line(error)
        results.append(about)
    judged = batch.validate(gx.ExpectationSuite(suite, expectations=made), result_format="SUMMARY")
    for result in judged.results:
        found = result.to_json_dict()
        about = results[found["expectation_config"]["meta"]["number"]]
        raised = found.get("exception_info") or {}
        told = [i for i in (raised, *raised.values()) if isinstance(i, dict)]
        broken = [i["exception_message"] for i in told if i.get("raised_exception")]
        if broken:
            about["broken"] = _one_line(broken[0])
        else:
            about["success"] = bool(found["success"])
            about["observed"] = _observed(found.get("result", {}))
    return results


def _make(gx: Any, entry: dict[str, Any], kwargs: dict[str, Any]) -> Any:
    if "row_condition" in kwargs and kwargs.get("condition_parser") != "great_expectations":
        # The pandas parser, which is the default, evaluates the text as Python.
        raise ValueError('row_condition needs "condition_parser": "great_expectations"')
    kind = gx.expectations.core.__dict__.get(_class_name(str(entry.get("type"))))
    if kind is None:
        raise ValueError(f"there is no expectation {entry.get('type')}")
    return kind(**kwargs)


def _one_line(error: object) -> str:
    return " ".join(str(error).split())[:500]


def _class_name(kind: str) -> str:
    return "".join(word.capitalize() for word in kind.split("_"))


def _observed(result: dict[str, Any]) -> str:
    value = result.get("observed_value")
    if value is not None:
        return f"{value:.6g}" if isinstance(value, float) else str(value)
    # What is empty is judged by the expectations on emptiness only.
    count = (result.get("element_count") or 0) - (result.get("missing_count") or 0)
    bad = result.get("unexpected_count") or 0
    if not count:
        return "no values"
    share = f"{count - bad} of {count} ({100 * (count - bad) / count:.0f} %)"
    examples = [e for e in result.get("partial_unexpected_list") or () if e is not None]
    return share + (f", not {examples[0]}" if examples else "")


def _expected(kwargs: dict[str, Any]) -> str:
    parts = []
    low, high = kwargs.get("min_value"), kwargs.get("max_value")
    if low is not None and high is not None:
        parts.append(f"{low} to {high}")
    elif low is not None:
        parts.append(f"at least {low}")
    elif high is not None:
        parts.append(f"at most {high}")
    if "value" in kwargs:
        parts.append(str(kwargs["value"]))
    if "value_set" in kwargs:
        parts.append("one of " + ", ".join(map(str, kwargs["value_set"])))
    if "mostly" in kwargs:
        parts.append(f"in at least {100 * kwargs['mostly']:.0f} % of rows")
    return ", ".join(parts) or "all rows"


def answer_questions() -> None:
    """Answer each line of standard input on standard output, until its end.

    What a library prints is no answer: it goes where errors go.
    """
    with os.fdopen(os.dup(1), "w", encoding="ascii") as answers:
        os.dup2(2, 1)
        for question in sys.stdin:
            results = run_suites(json.loads(question))
            answers.write(json.dumps(results, default=str) + "\n")
            answers.flush()


if __name__ == "__main__":
    answer_questions()
    os._exit(0)  # taking Great Expectations' modules apart would cost a third of a second
