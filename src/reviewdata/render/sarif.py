"""A validation as SARIF 2.1.0, which code scanning and editors read.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from reviewdata.model import Finding, Rule, Run, Waiver
from reviewdata.package import DESCRIPTOR
from reviewdata.render.json import json_text
from reviewdata.saved import SavedRun
from reviewdata.waivers import find_reasons

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
FINGERPRINT = "reviewdataFinding/v1"


def validation_sarif(run: SavedRun, *, ignore: Sequence[str] = ()) -> str:
    """Return the findings as results of one SARIF run, waived ones as suppressed.

    Under `since` each is `new` or `unchanged`. The fingerprint of a finding is that of its
    record, wherever in the file that stands. `ignore` hides codes.
    """
    validation = run.validation
    findings = [f for f in validation.findings if not f.code.startswith(tuple(ignore))]
    broken = [r for r in validation.runs if r.status == "broken"]
    codes = sorted({f.code for f in findings} | {r.code for r in broken})
    numbers = {code: number for number, code in enumerate(codes)}
    reasons = find_reasons(run.waivers)
    driver = {
        "name": run.tool.engine,
        "version": run.tool.version,
        "rules": [_rule(run.rules[code]) for code in codes],
    }
    results = []
    seen: dict[str, int] = {}
    for finding in findings:
        result = _result(finding, numbers, run.review.folder, reasons)
        print_ = _fingerprint(finding, seen)
        state = {"baselineState": "unchanged" if finding.old else "new"}
        result |= {"partialFingerprints": {FINGERPRINT: print_}}
        results.append(result | (state if validation.since is not None else {}))
    invocation = {
        "executionSuccessful": not broken,
        "toolExecutionNotifications": [_notification(r, numbers) for r in broken],
    }
    content = {
        "tool": {"driver": driver},
        "invocations": [invocation],
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [content]}
    return json_text(log) + "\n"


def _rule(rule: Rule) -> dict[str, Any]:
    words = {
        "shortDescription": rule.name.replace("-", " "),
        "fullDescription": rule.why,
        "help": rule.fix,
    }
    return {
        "id": rule.code,
        "name": rule.name,
        **{name: _message(text) for name, text in words.items() if text},
        "defaultConfiguration": {"level": rule.level},
    }


def _result(
    finding: Finding,
    numbers: Mapping[str, int],
    folder: str,
    reasons: Callable[[Finding], Iterable[Waiver]],
) -> dict[str, Any]:
    path = "/".join(filter(None, (folder, finding.path or DESCRIPTOR)))
    place: dict[str, Any] = {
        "artifactLocation": {"uri": quote(path, errors="replace"), "uriBaseId": "%SRCROOT%"}
    }
    if finding.line:
        column = {"startColumn": finding.column} if finding.column else {}
        place["region"] = {"startLine": finding.line} | column
    location: dict[str, Any] = {"physicalLocation": place}
    names = [part for part in (finding.table, *finding.key.values(), finding.field) if part]
    if names:
        named = {"name": names[-1], "fullyQualifiedName": "/".join(names)}
        location["logicalLocations"] = [named]
    facts = {
        "table": finding.table,
        "key": dict(finding.key) or None,
        "field": finding.field,
        "value": finding.value,
        "expected": finding.expected,
        "fix": finding.fix or None,
    }
    result = {
        "ruleId": finding.code,
        "ruleIndex": numbers[finding.code],
        "level": finding.level,
        "message": _message(finding.message or finding.rule or finding.code),
        "locations": [location],
        "properties": {name: fact for name, fact in facts.items() if fact is not None},
    }
    if finding.waived:
        said = [f"{waiver.reason} ({waiver.who})" for waiver in reasons(finding)]
        why = {"justification": "; ".join(said)} if said else {}
        result["suppressions"] = [{"kind": "external", "status": "accepted"} | why]
    return result


def _message(text: str) -> dict[str, str]:
    """Return a message in which a reader finds no placeholder (§3.11.5) and no link (§3.11.6).

    How brackets that look like a link are told from one, SARIF says from version 2.2 on.
    """
    if "](" in text:
        text = re.sub(r"[\[\]\\]", r"\\\g<0>", text)
    return {"text": text.replace("{", "{{").replace("}", "}}")}


def _fingerprint(finding: Finding, seen: dict[str, int]) -> str:
    """Return what stays while rows move; of findings that say the same, each another."""
    at = [finding.table, *(f"{k}={v}" for k, v in sorted(finding.key.items())), finding.field]
    told = [finding.value] if finding.key else [finding.path, finding.message]
    text = json_text([finding.code, at, told], None)
    digest = hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:32]
    seen[digest] = seen.get(digest, 0) + 1
    return f"{digest}:{seen[digest]}"


def _notification(run: Run, numbers: Mapping[str, int]) -> dict[str, Any]:
    rule = {"id": run.code, "index": numbers[run.code]}
    said = f"{run.stage} {run.code} could not be run" + (f": {run.why}" if run.why else "")
    return {"level": "error", "message": _message(said), "associatedRule": rule}
