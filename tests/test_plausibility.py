"""The arithmetic of the rules on declared statistics, on single rows."""

from __future__ import annotations

import numpy as np
import pytest

from reviewdata import plausibility as rules
from reviewdata.plausibility import ERROR, NOTE, SILENT, WARNING, Columns


def columns(**cells: str | float | None) -> Columns:
    """Return one row of columns from printed texts (numbers) and words."""
    arrays: dict[str, np.ndarray] = {}
    for role, text in cells.items():
        if role in ("test", "p_operator", "score_type", "mean_type"):
            arrays[role] = np.array([text], dtype=object)
            continue
        value = np.nan if text is None else float(text)
        decimals = len(str(text).partition(".")[2])
        arrays[role] = np.array([value])
        arrays[f"{role}__printed"] = np.array([text], dtype=object)
        arrays[f"{role}__half"] = np.array([0.5 * 10.0**-decimals])
    return Columns(1, arrays)


@pytest.mark.parametrize(
    ("cells", "level"),
    [
        ({"r": "0.33", "n": "34", "p_operator": "=", "p": "0.04"}, WARNING),  # Herbst 2016
        ({"r": "0.40", "n": "38", "p_operator": "=", "p": "0.014"}, SILENT),  # Jasper 2014
        ({"r": "0.33", "n": "34", "p_operator": "=", "p": "0.03"}, NOTE),  # one-sided
        ({"r": "0.33", "n": "34", "p_operator": "=", "p": "0.09"}, NOTE),  # pairs missing
        ({"r": "0.33", "n": "34", "p_operator": "<", "p": "0.001"}, WARNING),
        ({"r": "0.33", "n": "34", "p_operator": ">", "p": "0.05"}, SILENT),
        ({"r": "0.33", "n": None, "p_operator": "=", "p": "0.04"}, SILENT),
    ],
)
def test_p_against_r(cells: dict[str, str], level: int) -> None:
    assert rules.p_against_r(columns(**cells)).levels[0] == level


@pytest.mark.parametrize(
    ("cells", "level"),
    [
        ({"test": "F", "value": "13.10", "df1": "1", "df2": "80", "p": "0.01"}, ERROR),
        ({"test": "t", "value": "2.21", "df": "79", "p": "0.03"}, SILENT),
        ({"test": "t", "value": "2.21", "df": "79", "p": "0.02"}, NOTE),  # one-sided .015
        ({"test": "F", "value": "13.10", "df1": "1", "df2": "80", "p": "0.001"}, SILENT),
        ({"test": "F", "value": "93.85", "df1": None, "df2": None, "p": "0.5"}, SILENT),
        ({"test": "chi2", "value": "3.84", "df": "1", "p": "0.05"}, SILENT),
        ({"test": "z", "value": "1.96", "p": "0.05"}, SILENT),
        ({"test": "z", "value": "1.96", "p": "0.20"}, ERROR),
    ],
)
def test_p_against_test(cells: dict[str, str], level: int) -> None:
    assert rules.p_against_test(columns(**cells)).levels[0] == level
