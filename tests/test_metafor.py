"""Pooling as R's metafor has it: the values that tests/oracles/rma.R keeps, to one in a million."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest
from macros import connect

ORACLES = Path(__file__).parent / "oracles"

CALLS: dict[str, dict[int, dict[str, float]]] = defaultdict(dict)
with (ORACLES / "rma.csv").open(encoding="utf-8", newline="") as _file:
    for _row in csv.DictReader(_file):
        _values = (entry.partition("=") for entry in _row["values"].split())
        CALLS[_row["call"]][int(_row["set"])] = {name: float(text) for name, _, text in _values}

CON = connect()
CON.execute(f"CREATE TEMP TABLE sets AS FROM read_csv('{ORACLES / 'rma_sets.csv'}')")


def test_the_kept_values_are_many_and_of_every_macro_that_pools() -> None:
    assert sum(len(values) for sets in CALLS.values() for values in sets.values()) > 5_000
    macros = {call.partition("(")[0] for call in CALLS}
    assert macros == {"pool", "confint_tau2", "pool_mh", "regress", "egger", "leave_one_out"}


@pytest.mark.parametrize("call", CALLS)
def test_a_call_gives_what_metafor_gives(call: str) -> None:
    rows = dict(CON.execute(f'SELECT "set", {call} FROM sets GROUP BY "set"').fetchall())
    for number, values in CALLS[call].items():
        found = {field: rows[number][field] for field in values}
        assert found == pytest.approx(values, rel=1e-6, abs=1e-6), f"set {number}"


@pytest.mark.contract
@pytest.mark.parametrize("script", ["rma", "escalc"])
def test_metafor_still_gives_the_kept_values(script: str, tmp_path: Path) -> None:
    """Needs R with metafor: `apt install r-cran-metafor` on Debian."""
    rscript = shutil.which("Rscript")
    if rscript is None:
        pytest.skip("R IS NOT INSTALLED: the values of metafor were not computed anew")
    known = subprocess.run([rscript, "-e", "library(metafor)"], capture_output=True, check=False)
    if known.returncode:
        pytest.skip("METAFOR IS NOT INSTALLED: its values were not computed anew")
    copy = tmp_path / f"{script}.R"
    shutil.copy(ORACLES / copy.name, copy)
    subprocess.run([rscript, str(copy)], check=True, capture_output=True)
    for made in tmp_path.glob("*.csv"):
        kept = (ORACLES / made.name).read_text("utf-8").splitlines()
        again = made.read_text("utf-8").splitlines()
        assert [NUMBER.sub("0", line) for line in again] == [NUMBER.sub("0", li) for li in kept]
        assert numbers(again) == pytest.approx(numbers(kept), rel=1e-9, abs=1e-9)


NUMBER = re.compile(r"-?\d+(\.\d+)?(e[-+]\d+)?")


def numbers(lines: list[str]) -> list[float]:
    return [float(match[0]) for line in lines for match in NUMBER.finditer(line)]
