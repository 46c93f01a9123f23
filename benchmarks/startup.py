"""Small jobs on the shipped review, whole processes: `python benchmarks/startup.py [RUNS]`."""

from __future__ import annotations

import os
import sys

from measure import compile_environment, ratios, run_in_turn, show, verdict


def main(runs: int) -> bool:
    """Print the timings and the targets; return whether all are met."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    compile_environment()
    tool = (sys.executable, "-m", "reviewdata")
    stages = [f"--stage={s}" for s in ("package", "structure", "rows", "relations", "claims")]
    timings = run_in_turn(
        {
            "--help": (*tool, "--help"),
            "query NAME": (*tool, "query", "pooled_alliance"),
            "validate, without the dataset stage": (*tool, "validate", *stages),
            "import great_expectations": (sys.executable, "-c", "import great_expectations"),
            "validate": (*tool, "validate"),
            "run": (*tool, "run"),
        },
        runs,
    )
    show(timings)
    whole = ratios(timings["validate"], timings["import great_expectations"])
    without = timings["validate, without the dataset stage"].median
    return all(
        [
            verdict("--help", timings["--help"].median, 0.3, "s"),
            verdict("query NAME", timings["query NAME"].median, 0.65, "s"),
            verdict("validate without the dataset stage", without, 2.5, "s"),
            verdict("validate over import great_expectations", whole, 1.3, "times"),
        ]
    )


if __name__ == "__main__":
    sys.exit(not main(int(sys.argv[1]) if len(sys.argv) > 1 else 9))
