"""The rows stage on a wide table with six statistics: `python benchmarks/rows.py [ROWS] [RUNS]`.

The peer is frictionless validating the structure alone of the same package, in the same run.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from measure import compile_environment, ratios, run, run_in_turn, show, verdict
from reported import write_package

LARGE = 10_000_000


def main(rows: int, runs: int) -> bool:
    """Print the timings and the targets; return whether all are met."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    compile_environment()
    tool = (sys.executable, "-m", "reviewdata", "validate", "--stage", "rows")
    peer = (sys.executable, "-m", "frictionless", "validate", "datapackage.json")
    with tempfile.TemporaryDirectory() as folder:
        package = write_package(Path(folder) / "package", rows)
        size = (package / "reported.csv").stat().st_size / 1024**2
        print(f"{rows:,} rows, {size:.0f} MiB")
        timings = run_in_turn(
            {"validate --stage rows": tool, "frictionless": peer}, runs, cwd=package, warm=False
        )
        show(timings)
        ours, theirs = timings["validate --stage rows"], timings["frictionless"]
        met = [
            verdict("time over frictionless's structure", ratios(ours, theirs), 1 / 6, "times"),
            verdict("peak memory", ours.peak, 450, "MiB"),
        ]
        (package / "reported.csv").unlink()
        if rows < LARGE:
            large = run(tool, cwd=write_package(Path(folder) / "large", LARGE))
            share = large.seconds[0] / ours.median / (LARGE / rows)
            print(f"{LARGE:,} rows  {large.seconds[0]:6.2f} s  {large.peak:5.0f} MiB")
            met.append(verdict("time a row at 10 million, to this", share, 1.25, "times"))
    return all(met)


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    sys.exit(not main(*(numbers + [1_000_000, 3][len(numbers) :])))
