"""How often each rule cries wolf, and what it finds: `python benchmarks/power.py [ROWS]`.

Writes benchmarks/power.json, from which docs/power.md is generated. A million rows of each kind
of statistic are reported correctly under each practice; then single mistakes are seeded into rows
that are correct.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from mistakes import MISTAKES
from numpy.typing import NDArray
from reported import write_studies
from simulate import PRACTICES, SIMULATIONS, Reporter, Roles

from reviewdata.plausibility.checks import CHECKS
from reviewdata.plausibility.columns import ERROR, NOTE, WARNING, Columns
from reviewdata.statistics import KINDS, NO_WORD
from reviewdata.validation import validate

CHUNK = 50_000
SEEDED = 50_000
"""Rows into which each mistake is seeded."""

FEWEST = 0.01
"""Share of rows that a mistake must change, to say anything of what is found."""

RESULT = Path(__file__).with_name("power.json")
LEVELS = {NOTE: "note", WARNING: "warning", ERROR: "error"}


def judge(kind: str, roles: Roles) -> dict[str, tuple[int, NDArray[np.int8]]]:
    """Return for each rule how many rows it judged, and the level of each row."""
    words = KINDS[kind].words
    size = len(next(iter(roles.values())))
    arrays = {
        role: _codes(values, words[role]) if role in words else values
        for role, values in roles.items()
    }
    columns = Columns(size, arrays, words)
    found: dict[str, tuple[int, NDArray[np.int8]]] = {}
    for check in CHECKS:
        if check.kind != kind or not {check.role, *check.needs} <= arrays.keys():
            continue
        outcome = check.run(columns)
        judged, levels = found.get(check.code, (0, np.zeros(size, dtype=np.int8)))
        judged += int(outcome.judged.sum())
        found[check.code] = (judged, np.maximum(levels, outcome.levels))
    return found


def _codes(values: NDArray[Any], vocabulary: tuple[str, ...]) -> NDArray[np.int8]:
    codes = np.full(len(values), NO_WORD, dtype=np.int8)
    for number, word in enumerate(vocabulary):
        codes[values == word] = number
    return codes


def false_alarms(rows: int) -> dict[str, Any]:
    """Return for each rule and practice the rows judged, and the alarms at each level."""
    table: dict[str, Any] = defaultdict(dict)
    for practice in PRACTICES:
        for name, (kind, simulate) in SIMULATIONS.items():
            seed = [PRACTICES.index(practice), list(SIMULATIONS).index(name)]
            report = Reporter(np.random.default_rng(seed), practice)
            for start in range(0, rows, CHUNK):
                found = judge(kind, simulate(report, min(CHUNK, rows - start)))
                for code, (judged, levels) in found.items():
                    entry = table[code].setdefault(
                        practice, {"judged": 0, "error": 0, "warning": 0, "note": 0}
                    )
                    entry["judged"] += judged
                    for level, word in LEVELS.items():
                        entry[word] += int((levels == level).sum())
    return dict(sorted(table.items()))


def copied_by_chance(rows: int) -> dict[str, int]:
    """Return how many rows of different studies share all their numbers, though none is copied."""
    with tempfile.TemporaryDirectory() as folder:
        found = validate(write_studies(Path(folder), rows), stages=["relations"], select=["RD301"])
    levels = [finding.level for finding in found.findings]
    return {"judged": rows, **{level: levels.count(level) for level in ("warning", "note")}}


def power(rows: int) -> list[dict[str, Any]]:
    """Return for each mistake in each kind the share of rows found, and by which rules."""
    table: list[dict[str, Any]] = []
    for name, (kind, simulate) in SIMULATIONS.items():
        for mistake, seed in MISTAKES.items():
            rng = np.random.default_rng([7, len(table)])
            roles = simulate(Reporter(rng), rows)
            seeded, changed = seed(roles, kind, rng)
            if changed.mean() < FEWEST:
                continue
            found = {c: levels[changed] for c, (_, levels) in judge(kind, seeded).items()}
            worst = np.maximum.reduce(list(found.values()))
            shares = {c: float((levels > 0).mean()) for c, levels in found.items()}
            table.append(
                {
                    "statistic": name,
                    "mistake": mistake,
                    "rows": int(changed.sum()),
                    "error": float((worst == ERROR).mean()),
                    "warning": float((worst >= WARNING).mean()),
                    "note": float((worst >= NOTE).mean()),
                    "rules": {c: s for c, s in sorted(shares.items()) if s >= 0.005},
                }
            )
    return table


def broken_promises(table: dict[str, Any]) -> list[str]:
    """Return what is beyond the bounds: no false error, at most 1 warning in 10,000 rows."""
    promises = []
    for code, practices in table.items():
        for practice, entry in practices.items():
            if entry["error"]:
                promises.append(f"{code}, {practice}: {entry['error']} false errors")
            if entry["warning"] > max(entry["judged"], 1) / 10_000:
                promises.append(f"{code}, {practice}: {entry['warning']} of {entry['judged']}")
    return promises


def main(rows: int) -> bool:
    """Measure, write the result, and return whether no bound is broken."""
    start = time.perf_counter()
    alarms = false_alarms(rows)
    result = {"rows": rows, "false_alarms": alarms, "copied_by_chance": copied_by_chance(rows)}
    result["power"] = power(min(rows, SEEDED))
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    for promise in broken_promises(alarms):
        print("MISSED ", promise)
    print(f"{rows} rows of each statistic under each practice, {time.perf_counter() - start:.0f} s")
    return not broken_promises(alarms)


if __name__ == "__main__":
    sys.exit(not main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
