"""Meta-analyses in SQL beside the loops of others: `python benchmarks/synthesis.py [SETS] [PEER]`.

SETS (100,000) synthetic sets of 20 studies are pooled in one statement; the peers pool the first
PEER (1,000) of them one by one, and their time is scaled. Each gives an estimate with its interval
and the heterogeneity; PyMARE, statsmodels (both in the extra `dev`) and R's metafor, where it is
installed. Then one set of ten million studies, and `query` from start to end. Times of the sets
begin after the imports; each job is a process of its own.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from measure import compile_environment, run_in_turn, show, verdict

STUDIES = 20
LARGE = 10_000_000
RUNS = 3
METAFOR = """
library(metafor); given <- read.csv(commandArgs(TRUE)[1]); sets <- split(given, given$g)
start <- proc.time()[["elapsed"]]
for (s in sets) try(predict(rma(yi, vi, data = s)), silent = TRUE)
cat(proc.time()[["elapsed"]] - start)
"""


def pool_in_sql(folder: Path, method: str, _: int) -> float:
    """Pool all sets in one statement, every field of the result kept."""
    import duckdb

    import reviewdata.synthesis

    with duckdb.connect() as con:
        reviewdata.synthesis.install(con)
        start = time.perf_counter()
        con.execute(
            f"CREATE TABLE pooled AS SELECT g, pool(yi, vi, method := '{method}') AS p"
            f" FROM '{folder}/sets.parquet' GROUP BY g"
        ).fetchall()
        seconds = time.perf_counter() - start
        left = con.execute("SELECT count(*) FROM pooled WHERE NOT p.converged").fetchall()
    if left != [(0,)]:
        raise SystemExit(f"{left[0][0]} of the sets did not converge")
    return seconds


def loop(folder: Path, peer: int, one: Callable[[Any, Any], object]) -> float:
    import duckdb
    import numpy as np

    rows = duckdb.execute(
        f"SELECT yi, vi FROM '{folder}/sets.parquet' WHERE g < {peer} ORDER BY g"
    ).fetchnumpy()
    sets = [np.reshape(rows[name], (peer, STUDIES)) for name in ("yi", "vi")]
    warnings.simplefilter("ignore")
    start = time.perf_counter()
    for yi, vi in zip(*sets, strict=True):
        one(yi, vi)
    return time.perf_counter() - start


def pool_by_pymare(folder: Path, method: str, peer: int) -> float:
    """Fit, and the statistics of the fixed effect and of the heterogeneity."""
    import numpy as np
    from pymare.estimators import VarianceBasedLikelihoodEstimator

    ones = np.ones((STUDIES, 1))

    def one(yi: Any, vi: Any) -> object:
        fit = VarianceBasedLikelihoodEstimator(method=method)
        summary = fit.fit(y=yi[:, None], v=vi[:, None], X=ones).summary()
        return summary.get_fe_stats(), summary.tau2

    return loop(folder, peer, one)


def pool_by_statsmodels(folder: Path, method: str, peer: int) -> float:
    """Estimate and heterogeneity, with the interval and the test that pool has too."""
    from statsmodels.stats.meta_analysis import combine_effects

    def one(yi: Any, vi: Any) -> object:
        found = combine_effects(yi, vi, method_re=method)
        return found.conf_int(use_t=False), found.test_homogeneity(), found.i2

    return loop(folder, peer, one)


def combine_by_statsmodels(folder: Path, method: str, peer: int) -> float:
    """Estimate and heterogeneity alone, without interval and test."""
    from statsmodels.stats.meta_analysis import combine_effects

    return loop(folder, peer, lambda yi, vi: combine_effects(yi, vi, method_re=method))


def pool_by_metafor(folder: Path, _: str, __: int) -> float:
    """Loop over `rma` and `predict` in R."""
    command = ["Rscript", "-e", METAFOR, str(folder / "sets.csv")]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def pool_large(folder: Path, what: str, _: int) -> float:
    """Run one statement over the large set, in memory, the best of three."""
    import duckdb

    import reviewdata.synthesis

    statement = {
        "sum": "SELECT sum(yi / vi) / sum(1 / vi) FROM large",
        "pool": "SELECT unnest(pool(yi, vi, method := 'DL')) FROM large",
        "unit": "SELECT unnest(pool(yi, vi, method := 'DL', unit := g)) FROM large",
    }[what.removesuffix(" of a file")]
    with duckdb.connect() as con:
        reviewdata.synthesis.install(con)
        kind = "VIEW" if what.endswith(" of a file") else "TABLE"
        con.execute(f"CREATE {kind} large AS FROM '{folder}/large.parquet'")
        times = []
        for _ in range(RUNS):
            start = time.perf_counter()
            con.execute(statement).fetchall()
            times.append(time.perf_counter() - start)
    return min(times)


JOBS = {
    job.__name__: job
    for job in (
        *(pool_in_sql, pool_by_pymare, pool_by_statsmodels, combine_by_statsmodels),
        *(pool_by_metafor, pool_large),
    )
}


def measure(job: str, folder: Path, what: str, peer: int = 0) -> tuple[float, float]:
    """Return the seconds of a job and the peak of its process in MiB, medians of the runs."""
    found = []
    for _ in range(1 if job == "pool_by_metafor" else RUNS):
        command = [sys.executable, __file__, job, str(folder), what, str(peer)]
        ended = subprocess.run(command, check=True, capture_output=True, text=True)
        found.append(json.loads(ended.stdout))
    return tuple(statistics.median(column) for column in zip(*found, strict=True))


def write_sets(folder: Path, sets: int, peer: int) -> None:
    """Write the synthetic sets: true effects that differ or not, variances from 0.02 to 0.32."""
    import duckdb

    uniform = "(hash(i, {}) % 1000000) / 1e6"
    spread = f"(g % 5) * 0.2 * ({uniform.format(1)} + {uniform.format(2)} - 1)"
    noise = f"sqrt(12 * vi) * ({uniform.format(3)} - 0.5)"
    with duckdb.connect() as con:
        for name, rows, group in (
            ("sets", sets * STUDIES, f"i // {STUDIES}"),
            ("large", LARGE, "i"),
        ):
            con.execute(
                f"COPY (SELECT g, 0.3 + {spread} + {noise} AS yi, vi FROM (SELECT i, {group} AS g,"
                f" 0.02 + 0.3 * {uniform.format(4)} AS vi FROM range({rows}) AS r(i)))"
                f" TO '{folder}/{name}.parquet'"
            )
        con.execute(f"COPY (FROM '{folder}/sets.parquet' WHERE g < {peer}) TO '{folder}/sets.csv'")


def main(sets: int, peer: int) -> bool:
    """Print the timings and the targets; return whether all are met."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    compile_environment()
    met, scale = [], sets / peer
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_sets(folder, sets, peer)
        print(f"{sets:,} sets of {STUDIES} studies; the peers' {peer:,} scaled")
        ours = {}
        for method in ("EE", "DL", "PM", "ML", "REML"):
            seconds, peak = measure("pool_in_sql", folder, method)
            ours[method] = seconds
            print(f"{f'pool, {method}':32} {seconds:8.2f} s  {peak:5.0f} MiB")
            if method == "REML":
                met.append(verdict("peak memory of REML", peak, 300, "MiB"))
        for job, method, theirs, least in (
            ("pool_by_pymare", "REML", "REML", 80),
            ("pool_by_statsmodels", "DL", "dl", 20),
            ("pool_by_statsmodels", "PM", "iterated", 20),
            ("combine_by_statsmodels", "DL", "dl", 0),
            ("combine_by_statsmodels", "PM", "iterated", 0),
            ("pool_by_metafor", "REML", "REML", 0),
        ):
            if job == "pool_by_metafor" and not shutil.which("Rscript"):
                print("R is not installed: metafor is not measured")
                continue
            seconds = measure(job, folder, theirs, peer)[0] * scale
            ratio = seconds / ours[method]
            print(f"{f'{job}, {theirs}':32} {seconds:8.2f} s  {ratio:5.0f} times pool, {method}")
            if least:
                met.append(verdict(f"pool over {job}, {method}", 1 / ratio, 1 / least, "times"))
        print(f"one set of {LARGE:,} studies")
        for place in ("", " of a file"):
            plain, pooled, unit = (
                measure("pool_large", folder, what + place)[0] for what in ("sum", "pool", "unit")
            )
            print(f"sum{place} {plain:.3f} s, DL {pooled:.2f} s, DL with unit {unit:.2f} s")
            met.append(verdict(f"DL{place} over the plain sum", pooled / plain, 15, "times"))
    tool = (sys.executable, "-m", "reviewdata", "query", "pooled_correlation")
    timings = run_in_turn({"query": (*tool, "--param", "include_unconfirmed=true")}, 9)
    show(timings)
    met.append(verdict("query with a pool", timings["query"].median, 0.65, "s"))
    return all(met)


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in JOBS:
        job, folder, what, peer = sys.argv[1:]
        found = JOBS[job](Path(folder), what, int(peer))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps([found, peak]))
    else:
        numbers = [int(argument) for argument in sys.argv[1:]]
        sys.exit(not main(*(numbers + [100_000, 1_000][len(numbers) :])))
