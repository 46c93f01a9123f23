"""The arithmetic of the rules on declared statistics, on single rows of printed numbers."""

from __future__ import annotations

import numpy as np
import pytest

from reviewdata.plausibility.checks import CHECKS
from reviewdata.plausibility.columns import ERROR, NOTE, SILENT, WARNING, Columns
from reviewdata.statistics import KINDS, UNKNOWN_WORD


def columns(kind: str, cells: dict[str, str]) -> Columns:
    """Return one row of columns from the printed texts of its roles."""
    arrays: dict[str, np.ndarray] = {}
    for role, text in cells.items():
        if role in KINDS[kind].words:
            words = KINDS[kind].words[role]
            code = words.index(text) if text in words else UNKNOWN_WORD
            arrays[role] = np.array([code], dtype=np.int8)
        else:
            arrays[role] = np.array([float(text)])
            arrays[f"{role}__decimals"] = np.array([len(text.partition(".")[2])])
    return Columns(1, arrays, KINDS[kind].words)


def level(code: str, kind: str, cells: dict[str, str]) -> int:
    """Return the gravest level at which a rule fires on one row."""
    checks = [c for c in CHECKS if c.code == code and c.kind == kind and c.role in cells]
    assert checks
    return max(int(check.run(columns(kind, cells)).levels[0]) for check in checks)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"r": "0.33", "n": "34", "p_operator": "=", "p": "0.04"}, WARNING),  # Herbst 2016
        ({"r": "0.40", "n": "38", "p_operator": "=", "p": "0.014"}, SILENT),  # Jasper 2014
        ({"r": "0.33", "n": "34", "p_operator": "=", "p": "0.03"}, NOTE),  # one-sided
        ({"r": "0.33", "n": "34", "p_operator": "=", "p": "0.09"}, NOTE),  # pairs missing
        ({"r": "0.33", "n": "34", "p_operator": "<", "p": "0.001"}, WARNING),
        ({"r": "0.33", "n": "34", "p_operator": ">", "p": "0.05"}, SILENT),
        ({"r": "0.33", "n": "2", "p_operator": "=", "p": "0.04"}, SILENT),
    ],
)
def test_p_against_r(cells: dict[str, str], expected: int) -> None:
    assert level("RD231", "correlation", cells) == expected


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"test": "F", "value": "13.10", "df1": "1", "df2": "80", "p": "0.01"}, ERROR),
        ({"test": "t", "value": "2.21", "df": "79", "p": "0.03"}, SILENT),
        ({"test": "t", "value": "2.21", "df": "79", "p": "0.02"}, NOTE),  # one-sided .015
        ({"test": "t", "value": "2.21", "df": "79", "p": "0.01", "sides": "2"}, ERROR),
        ({"test": "t", "value": "2.21", "df": "79", "p": "0.015", "sides": "1"}, SILENT),
        ({"test": "F", "value": "13.10", "df1": "1", "df2": "80", "p": "0.001"}, SILENT),
        ({"test": "F", "value": "93.85", "p": "0.5"}, SILENT),  # without df
        ({"test": "chi2", "value": "3.84", "df": "1", "p": "0.05"}, SILENT),
        ({"test": "z", "value": "1.96", "p": "0.05"}, SILENT),
        ({"test": "z", "value": "1.96", "p": "0.20"}, ERROR),
        ({"test": "Q", "value": "1.96", "p": "0.20"}, SILENT),  # a word that is not known
    ],
)
def test_p_against_test(cells: dict[str, str], expected: int) -> None:
    assert level("RD241", "test", cells) == expected


MEANS = {"n1": "8", "mean1": "5.0", "sd1": "2.0", "n2": "8", "mean2": "4.0", "sd2": "2.0"}
COUNTS = {"events1": "10", "n1": "100", "events2": "20", "n2": "100"}


@pytest.mark.parametrize(
    ("code", "kind", "cells", "expected"),
    [
        # Welch's 5.4 degrees of freedom printed as 5.
        ("RD241", "test", {"test": "t", "value": "2.57", "df": "5", "p": "0.047"}, NOTE),
        ("RD241", "test", {"test": "t", "value": "2.57", "df": "5", "p": "0.20"}, ERROR),
        ("RD241", "test", {"test": "t", "value": "2.57", "df": "0", "p": "0.20"}, SILENT),
        # A mixed model has more degrees of freedom than people.
        ("RD248", "coefficient", {"estimate": "1", "df": "480", "n": "50"}, WARNING),
        ("RD248", "coefficient", {"estimate": "1", "df": "19", "n": "20"}, SILENT),
        # Rounding keeps the order, so whole numbers turned round were so before.
        ("RD221", "sample-median", {"median": "5", "q1": "6", "n": "40"}, ERROR),
        ("RD221", "sample-median", {"median": "5.0", "q1": "5", "n": "40"}, SILENT),
        # One decimal: any SD below 0.05.
        ("RD205", "sample-mean", {"mean": "0.1", "sd": "0.0", "n": "20"}, NOTE),
        ("RD204", "mean-difference", {**MEANS, "se": "-0.32"}, ERROR),
        # The pooled SD over N instead of N - 2, from the raw means.
        ("RD251", "mean-difference", {**MEANS, "d": "0.53", "method": "raw-means"}, SILENT),
        # Two measures share the columns of one interval: it is nobody's for certain.
        (
            "RD212",
            "two-by-two",
            {**COUNTS, "rr": "0.50", "ci_lower": "0.25", "ci_upper": "1.01", "rd": "-0.10"},
            SILENT,
        ),
        (
            "RD212",
            "two-by-two",
            {**COUNTS, "rd": "-0.10", "ci_lower": "0.25", "ci_upper": "1.01"},
            ERROR,
        ),
        ("RD263", "two-by-two", {**COUNTS, "rd": "-10.0", "method": "raw-counts"}, NOTE),
        (
            "RD232",
            "correlation",
            {"r": "0.30", "n": "100", "ci_lower": "0.14", "ci_upper": "0.44"},
            NOTE,
        ),
        (
            "RD232",
            "correlation",
            {"r": "0.30", "n": "100", "ci_lower": "0.14", "ci_upper": "0.44", "ci_level": "90"},
            SILENT,
        ),
    ],
)
def test_what_honest_practice_explains(
    code: str, kind: str, cells: dict[str, str], expected: int
) -> None:
    assert level(code, kind, cells) == expected
