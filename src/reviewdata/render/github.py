"""A validation for a log of GitHub Actions: notes at the lines of the files, then the text.

https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from reviewdata.changes import Diff
from reviewdata.model import LEVELS, Finding
from reviewdata.render.diff import effect_lines
from reviewdata.render.findings import validation_text
from reviewdata.render.values import defused, plain, plural, shortened
from reviewdata.saved import SavedRun

ANNOTATIONS = 10
"""GitHub shows ten errors and ten warnings of a step, and drops the others without a word."""

_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def validation_github(
    run: SavedRun,
    token: str,
    *,
    ignore: Sequence[str] = (),
    show_all: bool = False,
    verbose: bool = False,
    where: str = "",
) -> str:
    """Return the worst findings that count as annotations, then the text for people.

    Those at the lines of the change come first among equals. Between the two lines with
    `token`, which nobody may guess, the runner obeys nothing that it reads.
    """
    validation = run.validation
    is_changed = _find_changed(validation.diff)
    listed = [f for f in validation.findings if f.counts and not f.code.startswith(tuple(ignore))]
    listed.sort(key=lambda finding: (LEVELS.index(finding.level), not is_changed(finding)))
    lines = [_annotation(finding, run.review.folder) for finding in listed[:ANNOTATIONS]]
    if len(listed) > ANNOTATIONS:
        left = plural(len(listed) - ANNOTATIONS, "finding")
        lines.append(f"{left} more without an annotation: below, all of them with --all")
    text = validation_text(
        validation,
        run.rules,
        ignore=ignore,
        show_all=show_all,
        waivers=run.waivers,
        where=where,
        verbose=verbose,
    )
    effect = effect_lines(validation.diff) if validation.diff else []
    told = text + "".join(f"{line}\n" for line in (["", *effect] if effect else []))
    lines += [f"::stop-commands::{token}", defused(told).rstrip("\n"), f"::{token}::"]
    return "".join(line + "\n" for line in lines)


def _annotation(finding: Finding, folder: str) -> str:
    place = {}
    if finding.path:
        place["file"] = "/".join(filter(None, (folder, finding.path)))
        place |= {"line": str(finding.line)} if finding.line else {}
        place |= {"col": str(finding.column)} if finding.line and finding.column else {}
    place["title"] = f"{finding.code} {finding.rule}"
    said = ",".join(f"{name}={_property(text)}" for name, text in place.items())
    key = ", ".join(finding.key.values())
    message = finding.message + (f" ({key})" if key else "")
    return f"::{_COMMANDS[finding.level]} {said}::{_data(shortened(message, 2000))}"


def _data(text: str) -> str:
    """Escape as the toolkit of GitHub Actions does; `plain` leaves no line break."""
    return defused(plain(text)).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _find_changed(diff: Diff | None) -> Callable[[Finding], bool]:
    """Return whether a finding is at a record that the change has written, by key or line."""
    rows = [(t.table, r) for t in (diff.tables if diff else ()) for r in t.rows]
    written = [(table, row) for table, row in rows if row.kind != "removed"]
    lines = {(table, row.line) for table, row in written if row.line}
    keys = {(table, frozenset(row.key.items())) for table, row in written if row.key}

    def is_changed(finding: Finding) -> bool:
        at = (finding.table, frozenset(finding.key.items()))
        return (finding.table, finding.line) in lines or at in keys

    return is_changed
