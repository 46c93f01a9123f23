"""The dataset stage: is the whole as expected, by the review's Great Expectations suites.

The suites run in a process of their own, asked before anything else and read at the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from reviewdata.model import Finding, Origin, ReviewdataError, Rule, Run, StageResult, Status
from reviewdata.package import Package
from reviewdata.rules import make_finding
from reviewdata.stages.broken import tell_broken
from reviewdata.stages.runners import Runner, RunnerError, take_runner

FOLDER = "validations/expectations"


@dataclass
class Suites:
    """The running suites of a package; without a runner there are none."""

    package: Package
    runner: Runner | None

    def collect(self) -> StageResult:
        """Wait for the suites and return what they found."""
        if self.runner is None:
            run = Run("dataset", "RD401", "skipped", "the review has no expectation suites")
            return StageResult((run,), ())
        try:
            results = self.runner.answer()
        except RunnerError as error:
            why = f"its process ended with {error}"
            run, finding = tell_broken(self.package, "dataset", "RD901", FOLDER, why, path=FOLDER)
            return StageResult((run,), (finding,))
        self.runner = None  # it may be asked by others now
        return _judge(self.package, results)

    def stop(self) -> None:
        """End the process if it has not answered."""
        if self.runner is not None:
            self.runner.stop()


def start_suites(package: Package, project: Path | str) -> Suites:
    """Ask for what the suites of a package observe; their process opens it anew at `project`."""
    if not any((package.root / FOLDER).glob("*.json")):
        return Suites(package, None)
    runner = take_runner()
    runner.ask(project)
    return Suites(package, runner)


def _judge(package: Package, results: list[dict[str, Any]]) -> StageResult:
    """Return the findings and runs of what the suites observed."""
    by_code: dict[str, list[dict[str, Any]]] = {}
    for result in results:
        by_code.setdefault(result["code"], []).append(result)
    runs, findings = [], []
    for code, listed in sorted(by_code.items()):
        found = [_judge_result(package, code, result) for result in listed]
        findings += [finding for _, finding in found if finding is not None]
        runs.append(_worst([run for run, _ in found]))
    known = set(package.rules_of("dataset")) - {"RD401"}
    for code in sorted(known - set(by_code)) if "RD901" not in by_code else ():
        why = f"no suite of {FOLDER} has an expectation with {code}"
        run, finding = tell_broken(package, "dataset", code, f"the rule {code}", why)
        runs.append(run)
        findings.append(finding)
    if not runs:
        runs.append(Run("dataset", "RD401", "skipped", "the suites have no expectations"))
    return StageResult(tuple(runs), tuple(findings))


def _worst(runs: list[Run]) -> Run:
    """Return the run of a code from those of its expectations: the gravest of them."""
    order = ("broken", "fail", "skipped", "pass")
    return min(runs, key=lambda run: order.index(run.status))


def _judge_result(
    package: Package, code: str, result: dict[str, Any]
) -> tuple[Run, Finding | None]:
    """Return how one expectation ended, and the finding where it is not met or broke."""
    if "skipped" in result:
        return Run("dataset", code, "skipped", result["skipped"]), None
    broken, rule = result.get("broken"), package.rules.get(code)
    if broken is None and (rule is None or rule.stage != "dataset"):
        broken = f"{code} is no rule of stage dataset in rules.toml"
    finding = None
    if broken is None and rule is not None:
        try:
            finding = None if result["success"] else _finding(package, rule, result)
        except ReviewdataError as error:  # a message that names what is not there
            broken = str(error)
    if broken is not None:
        subject = f"{result['suite']}: {result.get('expectation') or 'suite'}"
        return tell_broken(package, "dataset", code, subject, broken, path=result["suite"])
    status: Status = "fail" if finding else "pass"
    return Run("dataset", code, status, None, result["rows"]), finding


def _finding(package: Package, rule: Rule, result: dict[str, Any]) -> Finding:
    table = result["table"] if result["table"] in package.resources else None
    return make_finding(
        rule,
        {**result, "column": result["column"] or ""},
        origin=Origin("great_expectations", version("great_expectations")),
        table=table,
        path=package.resources[table].path if table else result["suite"],
        field=result["column"],
        value=result["observed"],
        expected=result["expected"],
    )
