"""The structure stage beside frictionless: `python benchmarks/structure.py [ROWS] [LARGE]`.

A synthetic table of outcomes (ten columns, a composite primary key, a foreign key, 2 % missing) of
ROWS (1,000,000) rows: clean, with 20 seeded errors of ten kinds, and these in a file with cells of
several lines and blank lines; of LARGE (10,000,000) rows beside DuckDB's count of every column; a
file of nothing but bad rows; and a package of 25 rows. Whole processes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from measure import Timing, compile_environment, ratios, run_in_turn, show, verdict

STUDIES = 1_000
SCHEMA: dict[str, Any] = {
    "fields": [
        {"name": "study_id", "type": "string", "constraints": {"required": True}},
        {"name": "outcome_id", "type": "string", "constraints": {"required": True}},
        {"name": "kind", "type": "string", "constraints": {"enum": ["mean", "change", "rate"]}},
        {"name": "n", "type": "integer"},
        {"name": "score", "type": "number", "constraints": {"minimum": 1, "maximum": 7}},
        {"name": "sd", "type": "number", "constraints": {"exclusiveMinimum": 0}},
        {"name": "p", "type": "number", "constraints": {"minimum": 0, "maximum": 1}},
        {"name": "blinded", "type": "boolean"},
        {"name": "collected", "type": "date"},
        {"name": "url", "type": "string", "constraints": {"pattern": "https://[a-z.]+/[0-9]+"}},
    ],
    "primaryKey": ["study_id", "outcome_id"],
    "foreignKeys": [
        {"fields": ["study_id"], "reference": {"resource": "studies", "fields": ["study_id"]}}
    ],
}
CELLS = {
    "study_id": f"'s' || (i % {STUDIES})",
    "outcome_id": "'o' || i",
    "kind": "['mean', 'change', 'rate'][i % 3 + 1]",
    "n": "10 + i % 490",
    "score": "round(1 + (hash(i) % 6000) / 1000.0, 2)",
    "sd": "round(0.1 + (hash(i + 1) % 3000) / 1000.0, 2)",
    "p": "round((hash(i + 2) % 10000) / 10000.0, 4)",
    "blinded": "['true', 'false'][i % 2 + 1]",
    "collected": "CAST(DATE '2001-01-01' + CAST(i % 8000 AS INTEGER) AS VARCHAR)",
    "url": "'https://example.org/' || i",
}
ERRORS = {
    "study_id": ("nowhere", ""),
    "outcome_id": ("", "o0"),  # the second with the study of record 2: a key that is taken
    "kind": ("median", "Mean"),
    "n": ("1.5", "many"),
    "score": ("7.01", "0.99"),
    "sd": ("0", "-1"),
    "p": ("1.0001", "<.05"),
    "blinded": ("perhaps", "2"),
    "collected": ("2021-02-30", "1.2.2021"),
    "url": ("http://example.org/1", "https://example.org/x"),
}


def write_package(folder: Path, rows: int, *, errors: str = "none", lines: bool = False) -> None:
    """Write the review; `errors` are none, some (twenty) or all (a bad cell in each row).

    With `lines`, some cells have line breaks, and some lines are blank.
    """
    import duckdb

    (folder / "data").mkdir(parents=True)
    resources = [
        {"name": "studies", "path": "data/studies.csv", "schema": {"fields": SCHEMA["fields"][:1]}},
        {"name": "outcomes", "path": "data/outcomes.csv", "schema": SCHEMA},
    ]
    content = {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": "synthetic",
        "licenses": [{"name": "CC0-1.0"}],
        "resources": resources,
    }
    (folder / "datapackage.json").write_text(json.dumps(content))
    listed = "".join(f"s{number}\n" for number in range(STUDIES))
    (folder / "data/studies.csv").write_text(f"study_id\n{listed}")
    spots = {
        (number * rows) // 21: (name, cell)
        for number, (name, cell) in enumerate(
            ((n, c) for n, pair in ERRORS.items() for c in pair), start=1
        )
    }
    cells = []
    for place, (name, sql) in enumerate(CELLS.items()):
        if place > 2:
            sql = f"CASE WHEN hash(i * 10 + {place}) % 50 > 0 THEN {sql} END"
        cases = "".join(
            f" WHEN {i} THEN '{cell}'"
            for i, (wrong, cell) in spots.items()
            if wrong == name and errors == "some"
        )
        if name == "study_id" and errors == "some":  # of the record whose key is taken
            cases += f" WHEN {next(i for i, s in spots.items() if s[1] == 'o0')} THEN 's0'"
        if name == "score" and errors == "all":
            sql = "99.5"
        cells.append(
            f"CASE i{cases} ELSE CAST({sql} AS VARCHAR) END AS {name}"
            if cases
            else f"CAST({sql} AS VARCHAR) AS {name}"
        )
    if lines:
        cells[1] = (
            "CASE WHEN i % 1000 = 7 THEN 'o' || i || chr(10) || 'second line' ELSE "
            f"{cells[1].removesuffix(' AS outcome_id')} END AS outcome_id"
        )
    table = folder / "data/outcomes.csv"
    duckdb.execute(
        f"COPY (SELECT {', '.join(cells)} FROM range({rows}) AS r(i)) TO '{table}' (HEADER)"
    )
    if lines:
        plain = folder / "data/plain.csv"
        table.rename(plain)
        with plain.open() as given, table.open("w") as out:
            for number, line in enumerate(given):
                out.write(line)
                if number % 100_000 == 50_000 and line.startswith("s"):
                    out.write("\n")
        plain.unlink()


def tool(*rest: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "reviewdata", "validate", "--stage", "structure", *rest)


def peer(folder: str) -> tuple[str, ...]:
    code = "import sys, frictionless; print(frictionless.Package(sys.argv[1]).validate().valid)"
    return (sys.executable, "-W", "ignore", "-c", code, f"{folder}/datapackage.json")


def count(folder: str) -> tuple[str, ...]:
    columns = ", ".join(f"count({name})" for name in CELLS)
    types = ", ".join(f"'{name}': 'VARCHAR'" for name in CELLS)
    code = (
        f"import duckdb; duckdb.sql(\"SELECT {columns} FROM read_csv('{folder}/data/outcomes.csv',"
        f' header = true, auto_detect = false, columns = {{{types}}})").fetchall()'
    )
    return (sys.executable, "-c", code)


def check_lines(folder: Path, name: str) -> None:
    """Raise SystemExit unless each of the twenty errors is found at its line, and no other."""
    command = [*tool(name, "--no-cache", "--format", "json")]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    found = {
        (f["line"], f["field"])
        for f in json.loads(ended.stdout)["findings"]
        if f["level"] == "error" and f["code"] != "RD115"
    }
    seeded = set()
    wanted = {(field, cell) for field, pair in ERRORS.items() for cell in pair}
    with (folder / name / "data/outcomes.csv").open() as file:
        line, start, record = 0, 1, ""
        for line, text in enumerate(file, start=1):
            record += text
            if record.count('"') % 2:
                continue
            cells = record.rstrip("\n").split(",")
            for field, cell in zip(CELLS, cells, strict=False):
                if cell and (field, cell) in wanted and (field, cell) != ("outcome_id", "o0"):
                    seeded.add((start, field))
            start, record = line + 1, ""
    missing = seeded - found
    if missing or len(found) < 18:
        raise SystemExit(f"{name}: {len(found)} found, not found: {sorted(missing)}")


def compare(folder: Path, names: Mapping[str, Sequence[str]], runs: int) -> dict[str, Timing]:
    return run_in_turn(names, runs, cwd=folder, expect=(0, 1), warm=False)


def main(rows: int, large: int) -> bool:
    """Print the timings and the targets; return whether all are met."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    compile_environment()
    met = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_package(folder / "clean", rows)
        write_package(folder / "errors", rows, errors="some")
        write_package(folder / "lines", rows, errors="some", lines=True)
        write_package(folder / "bad", rows, errors="all")
        write_package(folder / "small", 25)
        check_lines(folder, "errors")
        check_lines(folder, "lines")
        print(f"{rows:,} rows")
        timings = compare(
            folder,
            {kind: tool(kind, "--no-cache") for kind in ("clean", "errors", "lines", "bad")}
            | {f"frictionless, {kind}": peer(kind) for kind in ("clean", "errors", "lines")},
            3 if rows <= 100_000 else 1,
        )
        show(timings)
        for kind, times in (("clean", 22), ("errors", 12), ("lines", 8)):
            ratio = ratios(timings[kind], timings[f"frictionless, {kind}"])
            met.append(verdict(f"{kind} over frictionless", ratio, 1 / times, "times"))
        met.append(verdict("peak memory, clean", timings["clean"].peak, 250, "MiB"))
        bad = ratios(timings["bad"], timings["clean"])
        met.append(verdict("nothing but bad rows over clean", bad, 3, "times"))
        small = run_in_turn(
            {
                "25 rows": tool("small", "--no-cache"),
                "frictionless, 25 rows": peer("small"),
                "25 rows again": tool("small"),
            },
            9,
            cwd=folder,
        )
        show(small)
        ratio = ratios(small["25 rows"], small["frictionless, 25 rows"])
        met.append(verdict("25 rows over frictionless", ratio, 0.5, "times"))
        met.append(verdict("a second run", small["25 rows again"].median, 0.6, "s"))
        if large:
            write_package(folder / "large", large)
            write_package(folder / "large errors", large, errors="some")
            print(f"{large:,} rows")
            timings = compare(
                folder,
                {
                    "large": tool("large", "--no-cache"),
                    "large errors": tool("large errors", "--no-cache"),
                    "DuckDB's count": count("large"),
                },
                3,
            )
            show(timings)
            ratio = ratios(timings["large"], timings["DuckDB's count"])
            met.append(verdict("large over a count of every column", ratio, 4.5, "times"))
            met.append(verdict("peak memory, large", timings["large"].peak, 700, "MiB"))
            peak = timings["large errors"].peak
            met.append(verdict("peak memory, large with errors", peak, 900, "MiB"))
    return all(met)


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    sys.exit(not main(*(numbers + [1_000_000, 10_000_000][len(numbers) :])))
