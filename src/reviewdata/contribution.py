"""A validation of what somebody contributes: under the base's rules, against the base's state."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from reviewdata.changes import FileChange
from reviewdata.difference import compare
from reviewdata.git import STAGED
from reviewdata.model import CUT, Finding, Run, Validation
from reviewdata.package import open_package
from reviewdata.revisions import WORKING_TREE, Revision, find_folder, open_revision
from reviewdata.rules import builtin_rules, make_finding
from reviewdata.since import Change, find_candidates, list_stages, mark_old
from reviewdata.trust import overlay
from reviewdata.validation import Step, Trace, sort_findings, validate


@dataclass(frozen=True)
class Head:
    """The folder to be validated, by its name, and what of the contribution is left out."""

    name: str
    root: Path
    not_applied: tuple[FileChange, ...] = ()


def validate_change(
    project: Path | str,
    *,
    since: str | None = None,
    rules_from: str | None = None,
    staged: bool = False,
    stages: Sequence[str] = (),
    select: Sequence[str] = (),
    today: dt.date | None = None,
    trace: Trace | None = None,
    step: Step | None = None,
    kept: bool = True,
) -> Validation:
    """Return what the stages find in a contribution.

    `since` names the revision whose findings are old; the result then has the difference.
    `rules_from` names the revision from which all but the tables comes. `staged` takes what is
    staged in git instead of the files. Raises ReviewdataError as `validate` and
    `reviewdata.revisions.open_revision` do.
    """
    with open_head(project, rules_from=rules_from, staged=staged) as head:
        asked: dict[str, Any] = {"today": today, "kept": kept}
        told: dict[str, Any] = {"trace": trace, "step": step}
        validation = validate(head.root, stages=stages, select=select, **told, **asked)
        validation = _tell_not_applied(validation, head.not_applied)
        if since is None:
            return validation
        with open_revision(since, project) as base:
            return _judge(validation, head, base, stages, select, asked)


@contextmanager
def open_head(
    project: Path | str, *, rules_from: str | None = None, staged: bool = False
) -> Iterator[Head]:
    """Yield the folder to be validated: the files, what is staged, or an overlay of these."""
    with ExitStack() as stack:
        root, name = find_folder(project), WORKING_TREE
        if staged:
            opened = stack.enter_context(open_revision(STAGED, project))
            root, name = opened.root, "staged"
        if rules_from is None:
            yield Head(name, root)
            return
        base = stack.enter_context(open_revision(rules_from, project))
        laid = stack.enter_context(overlay(root.resolve(), base.root))
        yield Head(name, laid.root, laid.not_applied)


def _tell_not_applied(validation: Validation, left: Sequence[FileChange]) -> Validation:
    """Return the validation with a finding for each file that was left out."""
    if not left:
        return validation
    rule = builtin_rules()["RD904"]
    told = [
        make_finding(rule, {"path": file.path, "kind": file.kind}, path=file.path) for file in left
    ]
    findings = sort_findings([*validation.findings, *told])
    run = Run("run", rule.code, "fail", None, None)
    return replace(validation, findings=findings, runs=(*validation.runs, run))


def _judge(
    validation: Validation,
    head: Head,
    base: Revision,
    stages: Sequence[str],
    select: Sequence[str],
    asked: Mapping[str, Any],
) -> Validation:
    with compare(base, Revision(head.name, head.root)) as difference:
        rules = validation.rules
        findings = validation.findings
        change = Change(difference, findings)
        cut = {run.code for run in validation.runs if CUT in (run.why or "")}
        candidates = find_candidates(findings, change, rules, cut)
        needed = list_stages(findings, candidates, rules)
        known: tuple[Finding, ...] = ()
        if needed:
            listed = stages if "run" in needed else sorted(needed)
            codes = [code for code in select if _is_known(base.root, code)]
            if codes or not select:
                known = validate(base.root, stages=listed, select=codes, **asked).findings
        marked = mark_old(findings, candidates, known, change)
        return replace(validation, findings=marked, since=base.name, diff=difference.diff)


def _is_known(root: Path, code: str) -> bool:
    return any(known.startswith(code) for known in open_package(root).rules)
