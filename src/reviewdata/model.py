"""The nouns that every other module speaks of: rules, findings, results, claims.

Nothing here reads a file or imports another module of the project.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from dataclasses import field as field_of
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from reviewdata.changes import Diff

FORMAT_VERSION = "1"
"""Version of the JSON that `validate`, `query` and `reproduce` print."""

Stage = Literal["package", "structure", "rows", "relations", "dataset", "claims", "release", "run"]
Level = Literal["error", "warning", "note"]
Status = Literal["pass", "fail", "skipped", "broken"]
Verdict = Literal["pass", "fail", "unchecked"]
ClaimVerdict = Literal["reproduced", "differs", "incomplete", "broken", "not computable"]

STAGES: tuple[Stage, ...] = ("package", "structure", "rows", "relations", "dataset", "claims")
"""The stages of `validate`, in the order in which their results are shown."""

LEVELS: tuple[Level, ...] = ("error", "warning", "note")
"""Error: impossible. Warning: implausible. Note: worth a look."""


NOT_DECLARED = "nothing it applies to"
"""Why a rule was skipped that no table of a review gives occasion to."""


CUT = "are listed"
"""In the `why` of a run: that it has found more than the findings say one by one."""


def tell_cut(found: int, listed: int) -> str:
    """Return the `why` of a run that has found more than is listed."""
    return f"{found} findings, of which {listed} {CUT}"


def count_unlisted(why: str | None) -> int:
    """Return how many findings the `why` of a run tells of that are not listed."""
    told = re.search(rf"(\d+) findings, of which (\d+) {CUT}", why or "")
    return int(told[1]) - int(told[2]) if told else 0


class ReviewdataError(Exception):
    """Misuse: the command cannot do what it was asked to; the text is one clear line."""


@dataclass(frozen=True, slots=True)
class Example:
    """A record that shows what a rule does: `pass`, `near-miss` (passes) or `fail`."""

    kind: Literal["pass", "near-miss", "fail"]
    says: str
    given: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rule:
    """What a code means, in words; the page that `reviewdata rule CODE` prints.

    `message` is a template filled from the fields of the failing record; `messages` are
    those of milder outcomes. `review` is what the examples change in the JSON files of the
    example review, beside what each changes itself. `table` and `column` are set for a
    review's own rules only.
    """

    code: str
    name: str
    stage: Stage
    level: Level
    message: str
    why: str
    fix: str
    formula: str = ""
    source: str = ""
    table: str | None = None
    column: str | None = None
    messages: Mapping[str, str] = field_of(default_factory=dict)
    review: Mapping[str, Any] = field_of(default_factory=dict)
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True, slots=True)
class Origin:
    """The engine that came to a finding, and its version."""

    engine: str
    version: str


@dataclass(frozen=True, slots=True)
class Read:
    """Cells that a rule read to come to a finding, of one table.

    One record or, with `row` None, all of them; one field or, with `field` None, all of them.
    With `naming`, only the records that hold one of these texts in a cell; one that is new
    among them changes nothing that was read before.
    """

    table: str
    row: int | None = None
    field: str | None = None
    naming: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a rule found, with the place to mend it.

    `line` is the physical line of the file on which the record starts, `row` the number
    of the record as frictionless counts (the header is 1), `field_number` counts from 1.
    `key` maps the primary-key fields to their text. A place that does not apply is None.
    `old` says that the base of a change has the finding too; `reads` is what decides that, and
    is not part of the result.
    """

    code: str
    rule: str
    level: Level
    message: str
    table: str | None = None
    path: str | None = None
    line: int | None = None
    column: int | None = None
    row: int | None = None
    key: Mapping[str, str] = field_of(default_factory=dict)
    field: str | None = None
    field_number: int | None = None
    value: str | None = None
    expected: str | None = None
    fix: str = ""
    type: str | None = None
    waived: bool = False
    origin: Origin | None = None
    old: bool = False
    reads: tuple[Read, ...] = field_of(default=(), compare=False, repr=False)

    @property
    def counts(self) -> bool:
        """Whether the finding counts for the verdict: not waived, and not older than the change."""
        return not (self.waived or self.old)

    def to_dict(self, *, since: bool = False) -> dict[str, Any]:
        """Return the finding as plain JSON types, all fields present; `old` where asked."""
        content = {name: getattr(self, name) for name in _FINDING_FIELDS}
        content["key"] = dict(self.key)
        content["origin"] = asdict(self.origin) if self.origin else None
        return content | ({"old": self.old} if since else {})


_FINDING_FIELDS = tuple(f.name for f in fields(Finding) if f.name not in ("old", "reads"))


@dataclass(frozen=True, slots=True)
class Waiver:
    """One finding that may stand: of this code, at this cell, while it has this value.

    What the finding has none of (a file has no key, a table no field), the waiver has none of.
    """

    code: str
    reason: str
    who: str
    table: str | None = None
    key: Mapping[str, str] = field_of(default_factory=dict)
    field: str | None = None
    value: str | None = None
    until: dt.date | None = None

    def covers(self, finding: Finding) -> bool:
        """Whether a finding is the one that this waiver is about."""
        return (
            finding.code == self.code
            and finding.table == self.table
            and dict(finding.key) == dict(self.key)
            and finding.field == self.field
            and finding.value == self.value
        )

    def __str__(self) -> str:
        """Return what is waived: `RD201 at results R1`."""
        place = " ".join(filter(None, (self.table, ", ".join(self.key.values()))))
        return f"{self.code} at {place}" if place else self.code


@dataclass(frozen=True, slots=True)
class Run:
    """How one rule ended: its status, why it was skipped or broke, and the rows it judged."""

    stage: Stage
    code: str
    status: Status
    why: str | None = None
    rows: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the run as plain JSON types."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Claim:
    """A published figure and what the queries give for it today.

    `decimals` are those of the printed figure, below zero for one such as 1.5e3;
    `difference` is computed minus published; `k` and `k_required` count studies.
    """

    claim_id: str
    statement: str
    published: str
    decimals: int | None
    computed: float | None
    difference: float | None
    verdict: ClaimVerdict
    k: int | None
    k_required: int | None
    query: str | None
    column: str | None
    source_id: str | None
    locator: str | None
    why: str | None

    @property
    def computed_text(self) -> str:
        """The computed figure with two more decimals than the published one; blank for none."""
        if self.computed is None:
            return ""
        decimals = max(0, self.decimals or 0)
        return f"{self.computed:.{decimals + 2 if decimals else 0}f}"

    def to_dict(self) -> dict[str, Any]:
        """Return the claim as plain JSON types."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class StageResult:
    """What a stage returns: one run for each rule that it knows, and the findings.

    The claims stage also returns the claims that it judged.
    """

    runs: tuple[Run, ...]
    findings: tuple[Finding, ...]
    claims: tuple[Claim, ...] = ()


@dataclass(frozen=True, slots=True)
class TableRead:
    """How much of a table was read: `rows` that hold something, and blank ones that are `refused`.

    Together they are the records of the file below its header. Of a table that could not be read
    neither is known, and `why` says why.
    """

    table: str
    rows: int | None
    refused: int | None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Review:
    """Which review was judged; `folder` is its place in the repository, blank for the root."""

    name: str
    title: str
    version: str
    folder: str


@dataclass(frozen=True, slots=True)
class Validation:
    """The result of `validate`: everything that was run and everything that was found.

    `claims` are those that the claims stage judged, for `run`; the JSON has `reproduce`'s.
    `since` is the revision, as given, against which a change was judged, `diff` the change.
    `rules` and `waivers` are those that were applied: the words for what was found. `review` is
    what was judged, `tables` how much of each table was read.
    """

    runs: tuple[Run, ...]
    findings: tuple[Finding, ...]
    claims: tuple[Claim, ...] = ()
    since: str | None = None
    diff: Diff | None = None
    rules: Mapping[str, Rule] = field_of(default_factory=dict, repr=False)
    waivers: tuple[Waiver, ...] = ()
    review: Review = Review("", "", "", "")
    tables: tuple[TableRead, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """`unchecked` where a rule broke, else `fail` on an error that counts, else `pass`."""
        if any(run.status == "broken" for run in self.runs):
            return "unchecked"
        if any(f.level == "error" and f.counts for f in self.findings):
            return "fail"
        return "pass"

    @property
    def counts(self) -> dict[str, int]:
        """Findings that count, by level, and the number of waived ones; of older ones too."""
        old = ("old",) if self.since is not None else ()
        counts = dict.fromkeys((*LEVELS, "waived", *old), 0)
        for finding in self.findings:
            kind = "waived" if finding.waived else "old" if finding.old else finding.level
            counts[kind] += 1
        return counts

    def to_dict(self) -> dict[str, Any]:
        """Return the contract of `validate --format json`; `since` and `diff` where given."""
        since = self.since is not None
        content: dict[str, Any] = {
            "version": FORMAT_VERSION,
            "verdict": self.verdict,
            "counts": self.counts,
            "tables": [asdict(table) for table in self.tables],
            "runs": [run.to_dict() for run in self.runs],
            "findings": [finding.to_dict(since=since) for finding in self.findings],
        }
        if since:
            content |= {"since": self.since, "diff": self.diff.to_dict() if self.diff else None}
        return content


EXIT_CODES: Mapping[Verdict, int] = {"pass": 0, "fail": 1, "unchecked": 2}


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The rows of a query: Python values, with DuckDB's column names and types."""

    query: str
    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[Any, ...], ...]
    title: str = ""
    findings: tuple[Finding, ...] = ()

    def records(self) -> list[dict[str, Any]]:
        """Return the rows as dictionaries by column name."""
        names = [name for name, _ in self.columns]
        return [dict(zip(names, row, strict=True)) for row in self.rows]


def count_claims(claims: Iterable[Claim]) -> dict[str, int]:
    """Return how many claims have each verdict, every verdict named."""
    verdicts: Sequence[ClaimVerdict] = (
        "reproduced",
        "differs",
        "incomplete",
        "broken",
        "not computable",
    )
    counts = dict.fromkeys(verdicts, 0)
    for claim in claims:
        counts[claim.verdict] += 1
    return {str(verdict): number for verdict, number in counts.items()}
