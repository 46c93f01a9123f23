"""Which findings a change brings, and which its base has too.

A finding is old only if the base has the same finding, and no cell that its rule read is
changed: one that stays for another reason is new. Where a stage does not say what it read, that
is the whole record, or the whole table where the finding is about no record.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from reviewdata.difference import Difference
from reviewdata.model import Finding, Read, Rule, Stage

NEVER_OLD = ("RD901", "RD904")
"""What is said of this run alone: a rule that broke, a file that was not applied."""

Identity = tuple[object, ...]


class Change:
    """What a difference says of the cells that a finding rests on."""

    def __init__(self, difference: Difference, findings: Iterable[Finding]) -> None:
        self.difference = difference
        rows: dict[str, set[int]] = defaultdict(set)
        for finding in findings:
            for read in (*finding.reads, Read(finding.table or "", finding.row)):
                if read.row is not None:
                    rows[read.table].add(read.row)
        self.places = {
            name: comparison.find_base(rows[name])
            for name, comparison in difference.comparisons.items()
        }

    def find_base(self, table: str, row: int) -> int | None:
        """Return the number that a record of the head has in the base, None for a new record."""
        if table in self.difference.same:
            return row
        place = self.places.get(table, {}).get(row)
        return place[0] if place else None

    def is_unchanged(self, read: Read) -> bool:
        """Whether the base has the same in every cell that was read."""
        if read.table in self.difference.same:
            return True
        comparison = self.difference.comparisons.get(read.table)
        if comparison is None:  # new, gone, or not to be read on one side
            return False
        if read.row is not None:
            place = self.places[read.table].get(read.row)
            return place is not None and not _touches(place[1], read.field)
        if not read.naming:
            return comparison.is_same or not _touches(comparison.touched, read.field)
        named = comparison.named
        if named is None:
            return False
        return not any(_touches(named.get(text, frozenset()), read.field) for text in read.naming)


def _touches(fields: frozenset[str], field: str | None) -> bool:
    return bool(fields) if field is None else field in fields


def find_candidates(
    findings: Sequence[Finding],
    change: Change,
    rules: Mapping[str, Rule],
    cut: Collection[str] = (),
) -> list[int]:
    """Return the positions of the findings that rest on nothing that is changed.

    Of the codes in `cut`, not all findings are listed, so that none is known to be old.
    """
    return [
        position
        for position, finding in enumerate(findings)
        if finding.code not in NEVER_OLD
        and finding.code not in cut
        and not _is_of_a_changed_file(finding, change)
        and all(change.is_unchanged(read) for read in _reads(finding, rules, change))
    ]


def _is_of_a_changed_file(finding: Finding, change: Change) -> bool:
    """Whether a finding is an error of a table as a whole, and the table is another.

    What makes a file unreadable, or a conflict in it, may be another thing in the same words.
    """
    whole = finding.row is None and finding.table is not None and finding.field is None
    return whole and finding.level == "error" and finding.table not in change.difference.same


def mark_old(
    findings: Sequence[Finding], candidates: Sequence[int], base: Iterable[Finding], change: Change
) -> tuple[Finding, ...]:
    """Return the findings, those of the candidates that the base has too marked as old."""
    known = Counter(_identity(finding, finding.row) for finding in base)
    marked = list(findings)
    for position in candidates:
        finding = findings[position]
        row = finding.row
        if row is not None and finding.table is not None and not _is_blank(finding):
            row = change.find_base(finding.table, row)
        identity = _identity(finding, row)
        if known[identity] > 0:
            known[identity] -= 1
            marked[position] = replace(finding, old=True)
    return tuple(marked)


def list_stages(
    findings: Sequence[Finding], candidates: Sequence[int], rules: Mapping[str, Rule]
) -> set[Stage]:
    """Return the stages that made the candidates; `run` stands for all of them."""
    return {rules[findings[position].code].stage for position in candidates}


def _identity(finding: Finding, row: int | None) -> Identity:
    """Return what makes two findings the same one; records are counted as in the base.

    The message has what a rule has read of other records, or the figure that a query gives; only
    that of a structure error may name others by their number, which moves. What was waived was
    let stand for a reason, so it is another finding than one that is not.
    """
    where = (
        *(finding.code, finding.level, finding.waived),
        *(finding.table, finding.field, finding.value),
    )
    if _is_blank(finding):
        return where
    numbered = row is not None and finding.type is not None
    return (*where, row, finding.type if numbered else finding.message)


def _is_blank(finding: Finding) -> bool:
    """Whether a finding is about a record without cells, which cannot be found again."""
    return finding.type == "blank-row"


def _reads(finding: Finding, rules: Mapping[str, Rule], change: Change) -> tuple[Read, ...]:
    if finding.reads:
        return finding.reads
    stage = rules[finding.code].stage
    if finding.row is not None and finding.table is not None:
        if _is_blank(finding):
            return ()
        field = finding.field if stage == "structure" or finding.code == "RD200" else None
        return (Read(finding.table, finding.row, field),)
    if stage == "dataset":  # a suite without a table reads a query, which may read any
        every = change.difference.head.package.resources
        if finding.table is None:
            return tuple(Read(table) for table in every)
        return (Read(finding.table, field=finding.field),)
    return ()  # a file or a declaration, which only the base's finding can tell
