"""The difference of two tables of a million rows: `python benchmarks/differing.py [ROWS] [RUNS]`.

A thousand rows differ: some gone, some new, some with another cell, some with another key. The
base lies in git, under a history of a thousand commits. The peer is csv-diff (the extra
`benchmarks`), which matches rows by key and knows no renamed one, no schema and no summary.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from measure import compile_environment, ratios, run_in_turn, show, verdict

CHANGES = 1_000
COMMITS = 1_000
NAMES = ("id", "study", "label", *(f"x{number}" for number in range(7)))


def write_row(number: int, chance: random.Random) -> list[str]:
    numbers = [f"{chance.random() * 100:.5f}" for _ in range(7)]
    return [f"r{number:08d}", f"study {number % 5000}", "a label of words", *numbers]


def change_row(number: int, row: list[str]) -> Iterator[list[str]]:
    match number % 4:
        case 0:
            return
        case 1:
            yield [*row[:5], "9.99", *row[6:]]
        case 2:
            yield [f"{row[0]}x", *row[1:]]
        case _:
            yield row
            yield [f"{row[0]}n", *row[1:3], *"1234567"]


def write_packages(folder: Path, rows: int) -> None:
    """Write a review with a table into `folder`, as a commit, and another state beside it."""
    chance = random.Random(1)
    changed = set(chance.sample(range(rows), CHANGES))
    fields = [{"name": n, "type": "number" if n.startswith("x") else "string"} for n in NAMES]
    schema = {"fields": fields, "primaryKey": ["id"]}
    resource = {"name": "t", "path": "data/t.csv", "schema": schema}
    content = json.dumps({"name": "synthetic", "resources": [resource]})
    for name in ("base", "head"):
        (folder / name / "data").mkdir(parents=True)
        (folder / name / "datapackage.json").write_text(content)
    with (
        (folder / "base/data/t.csv").open("w") as base,
        (folder / "head/data/t.csv").open("w") as head,
    ):
        for file in (base, head):
            file.write(",".join(NAMES) + "\n")
        for number in range(rows):
            row = write_row(number, chance)
            base.write(",".join(row) + "\n")
            for other in change_row(number, row) if number in changed else [row]:
                head.write(",".join(other) + "\n")


def write_history(folder: Path, commits: int) -> None:
    """Commit the review in `folder`, and then so many commits of something else."""
    start = ["git", "init", "--quiet", "--initial-branch=main"]
    subprocess.run(start, cwd=folder, check=True)
    subprocess.run(["git", "add", "."], cwd=folder, check=True)
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", *who, "commit", "--quiet", "-m", "base"], cwd=folder, check=True)
    subprocess.run(["git", "tag", "base"], cwd=folder, check=True)
    first = "from refs/heads/main^0\n"
    stream = "".join(
        f"commit refs/heads/main\ncommitter a <a@example.org> {number} +0000\ndata 1\nx\n"
        f"{'' if number else first}M 100644 inline notes.txt\ndata {len(str(number))}\n{number}\n\n"
        for number in range(commits)
    )
    command = ["git", "fast-import", "--quiet"]
    subprocess.run(command, cwd=folder, input=stream.encode(), check=True)


def main(rows: int, runs: int) -> bool:
    """Print the timings and the targets; return whether all are met."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    compile_environment()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_packages(folder, rows)
        size = (folder / "base/data/t.csv").stat().st_size / 1024**2
        print(f"{rows:,} rows, {size:.0f} MiB, {CHANGES:,} changes")
        tool = (sys.executable, "-m", "reviewdata", "diff")
        tables = ("base/data/t.csv", "head/data/t.csv")
        commands = {
            "diff of folders": (*tool, "./base", "--project", "head"),
            "csv-diff": (str(Path(sys.executable).with_name("csv-diff")), *tables, "--key=id"),
        }
        timings = run_in_turn(commands, runs, cwd=folder, warm=False)
        repository = folder / "head"
        (folder / "base/data/t.csv").rename(folder / "head.csv")
        (folder / "head/data/t.csv").rename(folder / "base/data/t.csv")
        (folder / "head.csv").rename(folder / "head/data/t.csv")
        write_history(repository, COMMITS)
        (folder / "base/data/t.csv").rename(folder / "head/data/t.csv")
        history = {"diff of a commit": (*tool, "base", "--project", "head")}
        timings |= run_in_turn(history, runs, cwd=folder, warm=False)
        show(timings)
        ours, commit = timings["diff of folders"], timings["diff of a commit"]
        met = [
            verdict("time of a diff", ours.median, 15, "s"),
            verdict("peak memory", ours.peak, 1536, "MiB"),
            verdict("time over csv-diff's", ratios(ours, timings["csv-diff"]), 1, "times"),
            verdict("time of a diff under a history", commit.median, 15, "s"),
        ]
    return all(met)


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    sys.exit(not main(*(numbers + [1_000_000, 3][len(numbers) :])))
