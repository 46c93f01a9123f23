"""The dataset stage: is the whole as expected, by the review's Great Expectations suites.

The suites run in a process of their own, started before anything else and read at the end.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from reviewdata.model import Finding, Origin, Run, StageResult
from reviewdata.package import Package
from reviewdata.rules import make_finding

FOLDER = "validations/expectations"


def start_dataset(root: Path) -> subprocess.Popen[bytes] | None:
    """Start the process that runs the suites; None where the package has none."""
    if not any((root / FOLDER).glob("*.json")):
        return None
    command = [sys.executable, "-m", "reviewdata.stages.expectations", str(root)]
    environment = {**os.environ, "TQDM_DISABLE": "1"}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    )


def collect_dataset(package: Package, process: subprocess.Popen[bytes] | None) -> StageResult:
    """Wait for the suites and return what they found."""
    rules = {c: r for c, r in package.rules.items() if r.stage == "dataset"}
    if process is None:
        return StageResult((Run("dataset", "RD401", "skipped", "the package has no suites"),), ())
    out, error = process.communicate()
    if process.returncode:
        last = error.decode("utf-8", "replace").strip().splitlines()[-1:]
        return _all_broken(package, f"its process ended with {process.returncode}: {last}")
    runs: dict[str, list[dict[str, Any]]] = {}
    for result in json.loads(out):
        runs.setdefault(result["code"], []).append(result)
    findings = [f for results in runs.values() for r in results if (f := _finding(package, r))]
    ended = [_run(code, results) for code, results in sorted(runs.items())]
    for code in sorted(set(rules) - set(runs) - {"RD401"}):
        ended.append(Run("dataset", code, "broken", f"no suite has an expectation with {code}"))
    return StageResult(tuple(ended), tuple(findings))


def _run(code: str, results: list[dict[str, Any]]) -> Run:
    for status in ("broken", "skipped"):
        told = [r[status] for r in results if status in r]
        if told:
            return Run("dataset", code, "broken" if status == "broken" else "skipped", told[0])
    rows = max(r["rows"] for r in results)
    passed = all(r["success"] for r in results)
    return Run("dataset", code, "pass" if passed else "fail", None, rows)


def _finding(package: Package, result: dict[str, Any]) -> Finding | None:
    origin = Origin("great_expectations", version("great_expectations"))
    subject = f"{result['suite']}: {result.get('expectation') or 'suite'}"
    rule = package.rules.get(result["code"])
    broken = result.get("broken")
    if rule is None or rule.stage != "dataset":
        broken = broken or f"{result['code']} is no rule of stage dataset in rules.toml"
    if broken:
        values = {"subject": subject, "why": broken}
        return make_finding(package.rules["RD901"], values, path=result["suite"], origin=origin)
    if result.get("success", True) or rule is None:
        return None
    table = result["table"] if result["table"] in package.resources else None
    path = package.resources[table].path if table else result["suite"]
    values = {**result, "column": result["column"] or ""}
    return make_finding(
        rule,
        values,
        origin=origin,
        table=table,
        path=path,
        field=result["column"],
        value=result["observed"],
        expected=result["expected"],
    )


def _all_broken(package: Package, why: str) -> StageResult:
    values = {"subject": FOLDER, "why": why}
    finding = make_finding(package.rules["RD901"], values, path=FOLDER)
    return StageResult((Run("dataset", "RD901", "broken", why),), (finding,))
