"""A validation as it is saved, one JSON object a line: all that a format needs, and a reader.

The reader trusts nothing: on a server the file comes from whoever contributes. It takes only
the types and words that a validation has, within bounds, and computes the verdict and the
counts anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from math import isfinite
from pathlib import Path
from typing import Any

from reviewdata.changes import Diff
from reviewdata.decoding import Mismatch, decode
from reviewdata.model import (
    FORMAT_VERSION,
    Finding,
    Level,
    Origin,
    Review,
    ReviewdataError,
    Rule,
    Run,
    Stage,
    TableRead,
    Validation,
    Waiver,
)
from reviewdata.rules import CODE
from reviewdata.waivers import find_reasons

MAX_BYTES = 20_000_000
MAX_LINES = 200_000
MAX_DIGITS = 100
"""Bounds of a saved run: of the file, and of one number in it."""


@dataclass(frozen=True, slots=True)
class Words:
    """What a rule says; of a rule that found nothing, no more than its name."""

    code: str
    name: str
    stage: Stage
    level: Level
    message: str = ""
    why: str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Summary:
    """The first record of a saved run; the verdict and the counts in it are for other readers."""

    version: str
    review: Review
    tool: Origin
    rules: tuple[Words, ...]
    waivers: tuple[Waiver, ...]
    since: str | None = None
    tables: tuple[TableRead, ...] = ()


@dataclass(frozen=True, slots=True)
class SavedRun:
    """A validation with the words of its rules and waivers, which every format can be made from.

    `rules` has each code that was run or found; `waivers` those that waive a finding.
    """

    validation: Validation
    rules: Mapping[str, Rule]
    waivers: tuple[Waiver, ...]
    review: Review
    tool: Origin


def gather_run(validation: Validation, project: Path) -> SavedRun:
    """Return a validation with all that is said of it; `project` is where the review lies."""
    from reviewdata import __version__

    review = replace(validation.review, folder=find_folder(project))
    codes = {run.code for run in validation.runs} | {f.code for f in validation.findings}
    rules = {code: validation.rules[code] for code in sorted(codes)}
    reasons = find_reasons(validation.waivers)
    used = {id(w) for f in validation.findings if f.waived for w in reasons(f)}
    kept = tuple(waiver for waiver in validation.waivers if id(waiver) in used)
    return SavedRun(validation, rules, kept, review, Origin("reviewdata", __version__))


def find_folder(project: Path) -> str:
    """Return where a review lies in its repository, or else beneath the current folder."""
    root = (project if project.is_dir() else project.parent).resolve()
    above = (folder for folder in (root, *root.parents) if (folder / ".git").exists())
    top = next(above, Path.cwd())
    if root == top or not root.is_relative_to(top):
        return ""
    return root.relative_to(top).as_posix().encode("utf-8", "replace").decode("utf-8")


def list_records(run: SavedRun) -> Iterator[dict[str, Any]]:
    """Yield the records of a run: the summary, the diff if there is one, the runs, the findings."""
    content = run.validation.to_dict()
    runs, findings, diff = content.pop("runs"), content.pop("findings"), content.pop("diff", None)
    found = {finding.code for finding in run.validation.findings}
    words = [_words(rule, rule.code in found) for rule in run.rules.values()]
    yield {
        "record": "summary",
        **content,
        "review": asdict(run.review),
        "tool": asdict(run.tool),
        "rules": words,
        "waivers": [asdict(waiver) for waiver in run.waivers],
    }
    if diff is not None:
        yield {"record": "diff", **diff}
    for record, listed in (("run", runs), ("finding", findings)):
        for entry in listed:
            yield {"record": record, **entry}


def _words(rule: Rule, found: bool) -> dict[str, str]:
    names = ("code", "name", "stage", "level", *(("message", "why", "fix") if found else ()))
    return {name: getattr(rule, name) for name in names}


@dataclass
class _Records:
    """What was read so far."""

    summary: Summary | None = None
    counts: Any = None
    diff: Diff | None = None
    runs: list[Run] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def add(self, content: Any) -> None:
        """Take one record. Raises Mismatch where it is not of the form that is written."""
        kind = content.get("record") if isinstance(content, dict) else None
        if not isinstance(kind, str) or kind not in ("summary", "diff", "run", "finding"):
            raise Mismatch("it is no summary, diff, run or finding")
        if (self.summary is None) != (kind == "summary"):
            raise Mismatch("the summary stands first, and once")
        if kind == "summary":
            if content.get("version") != FORMAT_VERSION:
                raise Mismatch(f'its version is not "{FORMAT_VERSION}"')
            self.summary = decode(Summary, content)
            self.counts = content.get("counts")
            for words in self.summary.rules:
                _check_code(words.code)
            for waiver in self.summary.waivers:
                _check_code(waiver.code)
        elif kind == "diff":
            if self.diff is not None:
                raise Mismatch("there is a diff already")
            self.diff = decode(Diff, content)
        else:
            self._add_result(kind, content)

    def _add_result(self, kind: str, content: Any) -> None:
        assert self.summary is not None
        entry: Run | Finding
        if kind == "run":
            self.runs.append(entry := decode(Run, content))
        else:
            self.findings.append(entry := decode(Finding, content, leave=("reads",)))
            if entry.old and self.summary.since is None:
                raise Mismatch("the finding is older than a change, and there is no change")
        _check_code(entry.code)


def _check_code(code: str) -> None:
    if not CODE.fullmatch(code):
        raise Mismatch("its code is not a code such as TA301")


def read_saved(path: Path) -> SavedRun:
    """Return the run that `validate --format jsonl` has saved in a file.

    The verdict and the counts follow from the runs and findings; a file whose summary counts
    otherwise has lost lines. Entries that are not known are left aside. Raises ReviewdataError,
    with the line, for a file that is too long, is not JSON in UTF-8, or does not have the form
    that is written.
    """
    records = _Records()
    for number, line in enumerate(_read_lines(path), 1):
        try:
            records.add(_parse(line))
        except (Mismatch, RecursionError) as error:
            why = "it is nested too deeply" if isinstance(error, RecursionError) else error
            raise ReviewdataError(f"{path}, line {number}: {why}") from error
    summary = records.summary
    if summary is None:
        raise ReviewdataError(f"{path} is empty; validate --format jsonl writes a run to read")
    rules = {words.code: Rule(**asdict(words)) for words in summary.rules}
    codes = [*(f.code for f in records.findings), *(run.code for run in records.runs)]
    for code in codes:
        if code not in rules:
            raise ReviewdataError(f"{path}: the summary does not say what {code} is")
    validation = Validation(
        tuple(records.runs),
        tuple(records.findings),
        since=summary.since,
        diff=records.diff,
        tables=summary.tables,
    )
    if records.counts not in (None, validation.counts):
        raise ReviewdataError(f"{path}: its counts are not those of its findings; is it whole?")
    return SavedRun(validation, rules, summary.waivers, summary.review, summary.tool)


def _read_lines(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise ReviewdataError(f"{path} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        if len(data) <= MAX_BYTES:
            raise ReviewdataError(f"{path} is not UTF-8: {error}") from error
    if len(data) > MAX_BYTES:
        raise ReviewdataError(f"{path} is longer than {MAX_BYTES:,} bytes, the most that is read")
    lines = text.removesuffix("\n").split("\n") if text else []
    if len(lines) > MAX_LINES:
        raise ReviewdataError(f"{path} has more than {MAX_LINES:,} lines, the most that is read")
    return lines


def _parse(line: str) -> Any:
    try:
        return json.loads(
            line, parse_int=_integer, parse_float=_fraction, parse_constant=_refuse_constant
        )
    except json.JSONDecodeError as error:
        raise Mismatch(f"it is not JSON: {error.msg} at character {error.pos + 1}") from error


def _refuse_constant(text: str) -> None:
    raise Mismatch(f"{text} is no number of JSON")


def _integer(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise Mismatch(f"a number has more than {MAX_DIGITS} digits")
    return int(text)


def _fraction(text: str) -> Any:
    """Return a float, or a decimal where only that is printed with the same digits again."""
    from decimal import Decimal

    number = float(text)
    if len(text) > MAX_DIGITS or not isfinite(number):
        raise Mismatch(f"a number has more than {MAX_DIGITS} digits, or is too large")
    is_float = repr(number) == text or not re.fullmatch(r"-?\d+\.\d+", text)
    return number if is_float else Decimal(text)
