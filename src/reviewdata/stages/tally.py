"""What has been seen of one rule so far, over all tables and chunks."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from reviewdata.model import NOT_DECLARED, Finding, Run, Stage, tell_cut

LIMIT = 10_000
"""Findings of one rule that are listed; those above it are counted."""


@dataclass
class Tally:
    """The rows that a rule judged, those it skipped and why, its findings and their number."""

    judged: int = 0
    skipped: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    findings: list[Finding] = field(default_factory=list)
    found: int = 0
    listed: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    broken: str | None = None

    def admit(self, number: int, level: int = 0) -> int:
        """Count so many more findings of a level, and return how many of them are to be listed.

        Each level has a limit of its own: no number of notes keeps an error from being told.
        """
        self.found += number
        listed = max(min(number, LIMIT - self.listed[level]), 0)
        self.listed[level] += listed
        return listed

    @property
    def cut(self) -> str | None:
        """How many were found, and how many of them are listed, where it is fewer."""
        listed = sum(self.listed.values())
        return tell_cut(self.found, listed) if self.found > listed else None

    def run(self, stage: Stage, code: str) -> Run:
        """Return how the rule ended."""
        if self.broken is not None:
            return Run(stage, code, "broken", self.broken, self.judged)
        told = [
            f"{n} row{'s' if n > 1 else ''} {reason}" for reason, n in self.skipped.items() if n
        ]
        why = "; ".join([self.cut, *told] if self.cut else told) or None
        if self.found:
            return Run(stage, code, "fail", why, self.judged)
        if not self.judged:
            return Run(stage, code, "skipped", why or NOT_DECLARED, 0)
        return Run(stage, code, "pass", why, self.judged)
