"""The rules on declared statistics, in order of code."""

from __future__ import annotations

from reviewdata.plausibility import (
    counts,
    differences,
    estimates,
    granularity,
    medians,
    scales,
    shares,
    significance,
    spread,
    tables2x2,
)
from reviewdata.plausibility.columns import Check

CHECKS: tuple[Check, ...] = tuple(
    sorted(
        (
            *counts.CHECKS,
            *differences.CHECKS,
            *estimates.CHECKS,
            *granularity.CHECKS,
            *medians.CHECKS,
            *scales.CHECKS,
            *shares.CHECKS,
            *significance.CHECKS,
            *spread.CHECKS,
            *tables2x2.CHECKS,
        ),
        key=lambda check: check.code,
    )
)
