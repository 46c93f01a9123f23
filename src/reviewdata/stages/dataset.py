"""The dataset stage: is the whole as expected, by the review's Great Expectations suites.

The suites run in a process of their own, started before anything else and read at the end.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from reviewdata.model import Finding, Origin, Run, StageResult
from reviewdata.package import Package
from reviewdata.rules import make_finding

FOLDER = "validations/expectations"


@dataclass
class Suites:
    """The running suites of a package; without a process there are none."""

    package: Package
    process: subprocess.Popen[bytes] | None

    def collect(self) -> StageResult:
        """Wait for the suites and return what they found."""
        if self.process is None:
            run = Run("dataset", "RD401", "skipped", "the review has no expectation suites")
            return StageResult((run,), ())
        out, error = self.process.communicate()
        if self.process.returncode:
            last = error.decode("utf-8", "replace").strip().splitlines()[-1:]
            why = f"its process ended with {self.process.returncode}: {''.join(last)}"
            return _all_broken(self.package, why)
        return _judge(self.package, json.loads(out))

    def stop(self) -> None:
        """End the process if it still runs."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


def start_suites(package: Package) -> Suites:
    """Start the process that runs the suites of a package."""
    if not any((package.root / FOLDER).glob("*.json")):
        return Suites(package, None)
    command = [sys.executable, "-m", "reviewdata.stages.expectations", str(package.root)]
    environment = {**os.environ, "TQDM_DISABLE": "1"}
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdout=pipe, stderr=pipe, env=environment)
    return Suites(package, process)


def _judge(package: Package, results: list[dict[str, Any]]) -> StageResult:
    """Return the findings and runs of what the suites observed."""
    by_code: dict[str, list[dict[str, Any]]] = {}
    for result in results:
        by_code.setdefault(result["code"], []).append(result)
    findings = [f for listed in by_code.values() for r in listed if (f := _finding(package, r))]
    runs = [_run(code, listed) for code, listed in sorted(by_code.items())]
    known = {code for code, rule in package.rules.items() if rule.stage == "dataset"}
    for code in sorted(known - set(by_code) - {"RD401"}):
        runs.append(Run("dataset", code, "broken", f"no suite has an expectation with {code}"))
    return StageResult(tuple(runs), tuple(findings))


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
