"""A validation as JUnit XML, the form of a test report that most servers show.

There is no standard; this keeps to the schema of Jenkins' xUnit plugin.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

from reviewdata.model import STAGES, Finding, Run
from reviewdata.render.findings import finding_line
from reviewdata.render.values import defused, plain, plural
from reviewdata.saved import SavedRun


def validation_junit(run: SavedRun, *, ignore: Sequence[str] = ()) -> str:
    """Return one suite a stage and one case a rule: it fails by the errors that count.

    What does not count for the verdict stands in the output of the case. `ignore` hides codes.
    """
    validation = run.validation
    by_code: dict[str, list[Finding]] = {}
    for finding in validation.findings:
        by_code.setdefault(finding.code, []).append(finding)
    runs = [r for r in validation.runs if not r.code.startswith(tuple(ignore))]
    told = {r.code for r in validation.runs}
    for code in by_code:
        if code not in told and not code.startswith(tuple(ignore)):
            runs.append(Run(run.rules[code].stage, code, "fail"))
    suites: list[str] = []
    ended: list[str] = []
    for stage in (*STAGES, "release", "run"):
        # of two runs of a rule, the first has its findings
        listed = [(r, by_code.pop(r.code, [])) for r in runs if r.stage == stage]
        if listed:
            outcomes = [_outcome(judged, findings) for judged, findings in listed]
            suites.append(f"  <testsuite{_attributes({'name': stage} | _counts(outcomes))}>")
            for (judged, findings), outcome in zip(listed, outcomes, strict=True):
                name = f"{judged.code} {run.rules[judged.code].name}"
                suites.append(_case(judged, name, findings, outcome))
            suites.append("  </testsuite>")
            ended += outcomes
    total = {name: number for name, number in _counts(ended).items() if name != "skipped"}
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f"<testsuites{_attributes({'name': 'reviewdata'} | total)}>",
        *suites,
        "</testsuites>",
    ]
    return "".join(line + "\n" for line in lines)


def _outcome(run: Run, findings: Sequence[Finding]) -> str:
    if run.status == "broken":
        return "errors"
    if any(_fails(finding) for finding in findings):
        return "failures"
    return "skipped" if run.status == "skipped" else "passed"


def _fails(finding: Finding) -> bool:
    return finding.level == "error" and finding.counts


def _counts(outcomes: Sequence[str]) -> dict[str, str]:
    kinds = ("failures", "errors", "skipped")
    return {"tests": str(len(outcomes))} | {kind: str(outcomes.count(kind)) for kind in kinds}


def _case(run: Run, name: str, findings: Sequence[Finding], outcome: str) -> str:
    lines = []
    told = findings
    if outcome == "errors":
        lines.append(_element("error", run.why or "it could not be run", run.code))
    elif outcome == "skipped":
        lines.append(_element("skipped", run.why or "it was not run"))
    elif outcome == "failures":
        grave = [finding for finding in findings if _fails(finding)]
        lines.append(_element("failure", plural(len(grave), "error"), run.code, _list(grave)))
        told = [finding for finding in findings if not _fails(finding)]
    if told:
        lines.append(f"      <system-out>{_text(_list(told))}</system-out>")
    head = f"    <testcase{_attributes({'classname': f'reviewdata.{run.stage}', 'name': name})}"
    return "\n".join([f"{head}>", *lines, "    </testcase>"]) if lines else f"{head}/>"


def _list(findings: Sequence[Finding]) -> str:
    return "\n".join(finding_line(finding) for finding in findings)


def _element(tag: str, message: str, type_: str | None = None, text: str = "") -> str:
    given = {"message": message} | ({"type": type_} if type_ else {})
    head = f"      <{tag}{_attributes(given)}"
    return f"{head}>{_text(text)}</{tag}>" if text else f"{head}/>"


def _attributes(given: dict[str, str]) -> str:
    """Return attributes; `plain` leaves only characters that XML may have."""
    return "".join(f' {name}="{_text(plain(text))}"' for name, text in given.items())


def _text(text: str) -> str:
    """Escape for XML, and what a runner of GitHub Actions would read as a command."""
    return defused(escape(text, {'"': "&quot;"}), "&#{};")
