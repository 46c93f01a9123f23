"""A validation as lines of text: one finding a line, `path:line:field` first."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from reviewdata.model import (
    LEVELS,
    NOT_DECLARED,
    STAGES,
    Finding,
    Rule,
    Run,
    Validation,
    Waiver,
    count_unlisted,
)
from reviewdata.render.values import Paint, plain, plural, unpainted
from reviewdata.waivers import find_reasons

PLACES = 5
"""Findings of one rule that are shown unless all are asked for."""

STYLES = {"error": "bold red", "warning": "yellow", "note": "cyan"}


def validation_text(
    validation: Validation,
    rules: Mapping[str, Rule],
    *,
    ignore: Sequence[str] = (),
    show_all: bool = False,
    waivers: Iterable[Waiver] = (),
    where: str = "",
    verbose: bool = False,
    paint: Paint = unpainted,
) -> str:
    """Return the findings by rule, each rule's why and mend once, and the totals last.

    `ignore` hides the codes that start with one of its texts. At most PLACES findings of a rule
    are shown, and waived or older ones not at all, unless `show_all`; `waivers` say why. `where`
    is the option that names the review, for the commands that are told. `verbose` adds why
    rules were skipped.
    """
    visible = [f for f in validation.findings if not f.code.startswith(tuple(ignore))]
    listed = [f for f in visible if show_all or f.counts]
    reasons = find_reasons(waivers)
    unlisted = {run.code: count_unlisted(run.why) for run in validation.runs}
    lines: list[str] = []
    for (_, code), group in groupby(listed, key=lambda f: (f.level, f.code)):
        findings = list(group)
        shown = findings if show_all else findings[:PLACES]
        for finding in shown:
            lines.append(finding_line(finding, paint))
            lines += [_reason(waiver) for waiver in reasons(finding)]
        hidden = len(findings) - len(shown)
        if more := unlisted.pop(code, 0):
            lines.append(f"  ... and {hidden + more:,} more, of which --all shows {hidden:,}")
        elif hidden:
            lines.append(f"  ... and {hidden:,} more (--all)")
        lines.append(paint(f"  why: {plain(rules[code].why)}", "dim"))
        fixes = {finding.fix for finding in findings}
        fix = fixes.pop() if len(fixes) == 1 else rules[code].fix
        page = f"reviewdata rule {code}{where}"
        lines.append(paint(f"  fix: {plain(fix)}   more: {page}", "dim"))
    if lines:
        lines.append("")
    if verbose:
        lines += [
            f"{r.code} skipped: {plain(r.why)}" for r in validation.runs if r.status == "skipped"
        ]
    lines.append(stage_line(validation, paint))
    lines += rows_line(validation, verbose=verbose)
    lines.append(verdict_line(validation, paint))
    if len(visible) < len(validation.findings):
        hidden = len(validation.findings) - len(visible)
        lines.append(f"{plural(hidden, 'finding')} not shown (--ignore); the verdict counts them")
    return "".join(line + "\n" for line in lines)


def project_hint(project: Path, option: str = "--project ") -> str:
    """Return ` --project FOLDER` for a command about a review; blank for the current folder."""
    if project.resolve() == Path.cwd():
        return ""
    return f" {option}{plain(shlex.quote(str(project)))}"


def validation_concise(validation: Validation, *, ignore: Sequence[str] = ()) -> str:
    """Return every finding that counts, one a line, and nothing else."""
    return "".join(
        finding_line(finding) + "\n"
        for finding in validation.findings
        if finding.counts and not finding.code.startswith(tuple(ignore))
    )


def finding_line(finding: Finding, paint: Paint = unpainted) -> str:
    """Return `path:line:field  level CODE  message  (key)`."""
    parts = [finding.path or "-", finding.line, finding.field]
    place = ":".join(plain(part) for part in parts if part not in (None, ""))
    level = finding.level + (" (waived)" if finding.waived else " (older)" if finding.old else "")
    key = ", ".join(plain(part) for part in finding.key.values())
    said = f"{paint(place, 'bold')}  {paint(level, STYLES[finding.level])} {finding.code}"
    return f"{said}  {plain(finding.message)}" + (f"  ({key})" if key else "")


def _reason(waiver: Waiver) -> str:
    return f"  waived: {plain(waiver.reason)} ({plain(waiver.who)})"


def stage_line(validation: Validation, paint: Paint = unpainted) -> str:
    """Return each stage that ran with the rules that hold: `rows ok 6   relations FAIL 3/4`."""
    failed = {f.code for f in validation.findings if f.level == "error" and f.counts}
    parts = []
    for stage in (*STAGES, "release"):
        runs = [run for run in validation.runs if run.stage == stage]
        if runs:
            parts.append(_stage(stage, runs, failed, paint))
    return "   ".join(parts)


def rows_line(validation: Validation, *, verbose: bool = False) -> list[str]:
    """Return how many records were read and how many were refused; of each table if `verbose`."""
    known = [table for table in validation.tables if table.rows is not None]
    if not known:
        return []
    lines = [f"{plain(t.table)}: {_rows(t.rows, t.refused)}" for t in known] if verbose else []
    total = _rows(sum(t.rows or 0 for t in known), sum(t.refused or 0 for t in known))
    unread = len(validation.tables) - len(known)
    return [*lines, total + (f"; {plural(unread, 'table')} could not be read" if unread else "")]


def _rows(rows: int | None, refused: int | None) -> str:
    return f"{rows:,} row{'' if rows == 1 else 's'} read, {refused:,} blank and refused"


def _stage(stage: str, runs: list[Run], failed: set[str], paint: Paint) -> str:
    judged = [run for run in runs if run.status in ("pass", "fail")]
    held = [run for run in judged if run.code not in failed]
    # A rule on what the review does not have is no news; --verbose lists those too.
    skipped = sum(run.status == "skipped" and run.why != NOT_DECLARED for run in runs)
    broken = sum(run.status == "broken" for run in runs)
    if broken:
        text = paint(f"{stage} BROKEN {len(held)}/{len(judged) + broken}", STYLES["error"])
    elif len(held) < len(judged):
        text = paint(f"{stage} FAIL {len(held)}/{len(judged)}", STYLES["error"])
    else:
        text = f"{stage} {paint('ok', 'green')} {len(held)}"
    return text + (f", {skipped} skipped" if skipped else "")


def verdict_line(
    validation: Validation, paint: Paint = unpainted, *, failed: Sequence[str] = ()
) -> str:
    """Return the verdict in words: `FAIL: 2 errors in 1 rule, 1 warning, 2 waived`.

    `failed` are queries that could not be run.
    """
    counts = validation.counts
    codes = {f.code for f in validation.findings if f.level == "error" and f.counts}
    parts = [plural(counts[level], level) for level in LEVELS if counts[level]]
    if codes:
        parts[0] += f" in {plural(len(codes), 'rule')}"
    if counts["waived"]:
        parts.append(f"{counts['waived']} waived")
    if counts.get("old"):
        parts.append(f"{counts['old']} in {plain(validation.since)} already")
    if unlisted := sum(count_unlisted(run.why) for run in validation.runs):
        parts.append(f"{unlisted:,} more that are not listed")
    words = ", ".join(parts) or "nothing found"
    match "unchecked" if failed else validation.verdict:
        case "pass":
            return f"{paint('pass', 'bold green')}: {words}"
        case "fail":
            return f"{paint('FAIL', STYLES['error'])}: {words}"
        case _:
            broken = [f"{r.stage} {r.code}" for r in validation.runs if r.status == "broken"]
            broken += [f"query {plain(name)}" for name in failed]
            told = f"{', '.join(dict.fromkeys(broken))} could not be run"
            return f"{paint('UNCHECKED', STYLES['error'])}: {told}; {words}"
