"""A validation as Markdown: the summary of a step, or one comment on a pull request."""

from __future__ import annotations

from collections.abc import Sequence

from reviewdata.model import LEVELS, NOT_DECLARED, Finding, Validation
from reviewdata.render.diff import change_parts, change_words
from reviewdata.render.markdown import Part, code_text, fitted, markdown_text, short_text
from reviewdata.render.values import plural, shortened
from reviewdata.saved import SavedRun

MARKER = "<!-- reviewdata:validate -->"
"""By its first line a comment is found again, to be written anew in its place."""

NOT_APPLIED = "RD904"
"""The code of what a contribution changes and only a maintainer may."""

ROWS = 25
"""Findings, rules and files that are shown; the page of a check has room for them all."""

ALL = 1000
"""Findings that are shown where all are asked for; more do not fit."""

_SIGNS = {"error": "✗ error", "warning": "warning", "note": "note"}


def validation_markdown(
    run: SavedRun, *, ignore: Sequence[str] = (), show_all: bool = False
) -> str:
    """Return verdict, counts, the findings that count and how to mend them, and the change.

    Shorter than a comment may be, whatever the review holds: parts that the reader would have
    to open are cut first, then the table of findings, and what is left out is counted. `ignore`
    hides codes; `show_all` lists waived and older findings too, as far as there is room.
    """
    validation = run.validation
    visible = [f for f in validation.findings if not f.code.startswith(tuple(ignore))]
    listed = [f for f in visible if show_all or f.counts]
    listed.sort(key=lambda finding: LEVELS.index(finding.level))
    refused = [f for f in listed if f.code == NOT_APPLIED]
    others = [f for f in listed if f.code != NOT_APPLIED]
    hidden = len(validation.findings) - len(visible)
    grave = [f for f in others if f.level != "note"]
    notes = [f for f in others if f.level == "note"]
    limit = ALL if show_all else ROWS
    parts = [
        _refused(refused),
        _findings(grave, limit),
        _findings(notes, limit, f"Worth a look ({plural(len(notes), 'note')})"),
        _mending(run, others),
    ]
    parts += change_parts(validation.diff) if validation.diff else []
    before = [MARKER, f"### {_heading(validation)}", "", *_lead(run, hidden)]
    against = f" against {code_text(validation.since)}" if validation.since else ""
    checked = f"Checked with {short_text(run.tool.engine)} {short_text(run.tool.version)}{against}."
    return fitted(before, parts, [*_aside(validation), checked])


def _heading(validation: Validation) -> str:
    counts = validation.counts
    match validation.verdict:
        case "pass":
            looks = f", {plural(counts['warning'], 'warning')} to look at"
            return f"✓ Ready{looks if counts['warning'] else ''}"
        case "fail":
            when = " before merging" if validation.since is not None else ""
            return f"✗ {plural(counts['error'], 'error')} to fix{when}"
        case _:
            return "✗ Could not be checked"


def _lead(run: SavedRun, hidden: int) -> list[str]:
    """Return which review it is, what the change does to it, and the counts."""
    validation = run.validation
    named = " ".join(filter(None, (run.review.title, run.review.version)))
    folder = f" in {code_text(run.review.folder)}" if run.review.folder else ""
    lines = [f"Review: {short_text(named)}{folder}"] if named else []
    words = change_words(validation.diff) if validation.diff else ""
    lines += [f"This {words}."] if words else []
    broken = [f"{run.stage} {run.code}" for run in validation.runs if run.status == "broken"]
    if broken:
        listed = ", ".join(list(dict.fromkeys(broken))[:ROWS])
        lines.append(f"{listed} could not be run, so what else holds is not known.")
    lines.append(" · ".join(_counts(validation)))
    if hidden:
        lines.append(f"{plural(hidden, 'finding')} not shown; the verdict counts them.")
    return [line for text in lines for line in (text, "")]


def _counts(validation: Validation) -> list[str]:
    counts = validation.counts
    failed = {f.code for f in validation.findings if f.level == "error" and f.counts}
    judged = [run for run in validation.runs if run.status in ("pass", "fail")]
    held = sum(run.code not in failed for run in judged)
    skipped = sum(run.status == "skipped" and run.why != NOT_DECLARED for run in validation.runs)
    parts = [plural(counts[level], level) for level in LEVELS if counts[level]]
    if counts["error"]:
        parts[0] = f"**{parts[0]}**"
    parts.append(f"{plural(held, 'rule')} {'holds' if held == 1 else 'hold'}")
    return parts + ([f"{skipped} skipped"] if skipped else [])


def _refused(findings: Sequence[Finding]) -> Part:
    rows = [
        f"- {code_text(f.path or f.table or '-')}: {short_text(f.message)}" for f in findings[:ROWS]
    ]
    title = "**Not applied: needs a maintainer.** The check used these as they were before."
    left = max(0, len(findings) - ROWS)
    return Part(title, rows, "file", rank=8, folded=False, more=left)


def _findings(findings: Sequence[Finding], limit: int, title: str = "") -> Part:
    """Return findings as a table; that of a title is to be opened, and cut before the other."""
    return Part(
        title,
        [_row(finding) for finding in findings[:limit]],
        "finding",
        rank=4 if title else 7,
        head=("| | where | record | problem |", "|---|---|---|---|"),
        folded=bool(title),
        more=max(0, len(findings) - limit),
    )


def _row(finding: Finding) -> str:
    place = ":".join(str(part) for part in (finding.path, finding.line) if part)
    field = f" {short_text(finding.field)}" if finding.field else ""
    record = short_text(", ".join(finding.key.values()))
    problem = f"{markdown_text(shortened(finding.message, 400))} <sub>{finding.code}</sub>"
    state = " (waived)" if finding.waived else " (older)" if finding.old else ""
    level = f"{_SIGNS[finding.level]}{state}"
    return f"| {level} | {code_text(place)}{field} | {record} | {problem} |"


def _mending(run: SavedRun, findings: Sequence[Finding]) -> Part:
    by_code: dict[str, set[str]] = {}
    for finding in findings:
        by_code.setdefault(finding.code, set()).add(finding.fix)
    rows = []
    for code, fixes in list(by_code.items())[:ROWS]:
        rule = run.rules[code]
        why = markdown_text(shortened(rule.why, 600))
        fix = markdown_text(shortened(fixes.pop() if len(fixes) == 1 else rule.fix, 600))
        rows.append(f"- {code} ({short_text(rule.name)}): {why} **Mend:** {fix}")
    return Part("How to mend", rows, "rule", rank=3, more=max(0, len(by_code) - ROWS))


def _aside(validation: Validation) -> list[str]:
    """Return what does not count: findings of before the change, and waived ones."""
    counts = validation.counts
    said = []
    if counts.get("old"):
        base = code_text(validation.since or "")
        said.append(f"Findings already in {base}: {counts['old']} (not of this change).")
    if counts["waived"]:
        said.append(f"Waived: {counts['waived']}.")
    return [" ".join(said), ""] if said else []
