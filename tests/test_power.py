"""The rules do not cry wolf, and find what they are made for: the simulation, in small."""

from __future__ import annotations

import json
import sys
from functools import cache
from typing import Any

import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))

import power


def test_no_practice_of_reporting_gives_a_false_error_or_more_than_a_rare_warning() -> None:
    alarms = power.false_alarms(20_000)
    assert not power.broken_promises(alarms)
    assert all(entry["judged"] for code in ("RD201", "RD251") for entry in alarms[code].values())


def test_the_published_table_keeps_its_bounds() -> None:
    measured = json.loads(power.RESULT.read_text("utf-8"))
    assert measured["rows"] >= 1_000_000
    assert not power.broken_promises(measured["false_alarms"])
    chance = measured["copied_by_chance"]
    assert chance["warning"] <= chance["judged"] / 10_000


def test_rows_of_six_numbers_are_not_shared_by_chance() -> None:
    assert power.copied_by_chance(20_000) == {"judged": 20_000, "warning": 0, "note": 0}


@cache
def find_mistakes() -> list[dict[str, Any]]:
    return power.power(2_000)


@pytest.mark.parametrize("mistake", ["row shifted by a column", "decimal shifted", "SE for SD"])
def test_a_mistake_in_a_mean_is_mostly_found(mistake: str) -> None:
    [entry] = [
        entry
        for entry in find_mistakes()
        if (entry["statistic"], entry["mistake"]) == ("sample-mean", mistake)
    ]
    assert entry["note"] > 0.9
