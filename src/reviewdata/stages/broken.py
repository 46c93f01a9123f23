"""A rule that could not be run: it has judged nothing, and everybody is told why."""

from __future__ import annotations

from typing import Any

from reviewdata.model import Finding, Run, Stage
from reviewdata.package import Package
from reviewdata.rules import make_finding


def tell_broken(
    package: Package, stage: Stage, code: str, subject: str, why: str, **place: Any
) -> tuple[Run, Finding]:
    """Return the run of a rule that broke, and the finding that says so.

    `subject` is what could not be run: a file of the review, a rule, a statistic.
    """
    values = {"subject": subject, "why": why}
    return Run(stage, code, "broken", why), make_finding(package.rules["RD901"], values, **place)
