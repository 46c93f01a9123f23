"""Synthetic rows of reported statistics, each computed from data it never shows, as a table would.

Every number is drawn at full precision and then printed, so that what belongs together agrees
within rounding; what is not printed is an empty cell. No study of these exists.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

Texts = NDArray[np.str_]
Numbers = NDArray[np.float64]
Columns = Mapping[str, Texts]

SCALE = (1.0, 7.0)
ITEMS = 12


def printed(values: Numbers, decimals: int) -> Texts:
    """Return numbers rounded half to even and printed with so many decimals."""
    return np.char.mod(f"%.{decimals}f", np.round(values, decimals))


def printed_p(p: Numbers) -> tuple[Texts, Texts]:
    """Return p values with three decimals and their operators: `< 0.001` for the smallest."""
    small = p < 0.001
    return np.where(small, "0.001", printed(p, 3)), np.where(small, "<", "=")


def whole(values: Numbers) -> Texts:
    """Return whole numbers as text."""
    return np.char.mod("%d", values.astype(np.int64))


def sample_means(rng: np.random.Generator, size: int) -> dict[str, Texts]:
    """Return means of item means on 1 to 7, with SD, SE, interval and n."""
    n = rng.integers(8, 400, size).astype(np.float64)
    low, high = SCALE
    mean = low + (high - low) * rng.beta(6, 4, size)
    sd = np.minimum(rng.lognormal(-0.05, 0.22, size), 0.9 * np.sqrt((mean - low) * (high - mean)))
    se = sd / np.sqrt(n)
    half = special.stdtrit(n - 1, 0.975) * se
    return {
        "m": printed(mean, 2),
        "sd": printed(sd, 2),
        "n": whole(n),
        "se": printed(se, 3),
        "m_lower": printed(mean - half, 2),
        "m_upper": printed(mean + half, 2),
    }


def correlations(rng: np.random.Generator, size: int) -> dict[str, Texts]:
    """Return correlations with n and two-sided p."""
    n = rng.integers(10, 400, size).astype(np.float64)
    r = np.tanh(rng.normal(0, 0.3, size))
    t = np.abs(r) * np.sqrt((n - 2) / (1 - r * r))
    p, operator = printed_p(2 * special.stdtr(n - 2, -t))
    return {"r": printed(r, 2), "r_n": whole(n), "r_op": operator, "r_p": p}


def tests(rng: np.random.Generator, size: int) -> dict[str, Texts]:
    """Return t tests with their degrees of freedom and two-sided p."""
    df = rng.integers(8, 400, size).astype(np.float64)
    t = rng.normal(0.8, 1.5, size)
    p, operator = printed_p(2 * special.stdtr(df, -np.abs(t)))
    return {"t": printed(t, 2), "df": whole(df), "t_op": operator, "t_p": p}


def proportions(rng: np.random.Generator, size: int) -> dict[str, Texts]:
    """Return counts, totals and percents."""
    n = rng.integers(8, 400, size).astype(np.float64)
    count = rng.binomial(n.astype(np.int64), rng.uniform(0.05, 0.95, size)).astype(np.float64)
    return {"count": whole(count), "total": whole(n), "percent": printed(100 * count / n, 1)}


def estimates(rng: np.random.Generator, size: int) -> dict[str, Texts]:
    """Return ratios with their intervals and the standard error of their logarithm."""
    log, se = rng.normal(0, 0.5, size), rng.uniform(0.05, 0.4, size)
    z = special.ndtri(0.975)
    return {
        "ratio": printed(np.exp(log), 2),
        "log_se": printed(se, 3),
        "ratio_lower": printed(np.exp(log - z * se), 2),
        "ratio_upper": printed(np.exp(log + z * se), 2),
    }


def two_by_twos(rng: np.random.Generator, size: int) -> dict[str, Texts]:
    """Return events in two arms, and the risk ratio."""
    n1, n2 = (rng.integers(20, 400, size).astype(np.float64) for _ in range(2))
    e1, e2 = (
        np.maximum(rng.binomial(n.astype(np.int64), rng.uniform(0.05, 0.6, size)), 1)
        for n in (n1, n2)
    )
    ratio = (e1 / n1) / (e2 / n2)
    return {
        "e1": whole(e1.astype(np.float64)),
        "n1": whole(n1),
        "e2": whole(e2.astype(np.float64)),
        "n2": whole(n2),
        "rr": printed(ratio, 2),
    }


PARTS: tuple[Callable[[np.random.Generator, int], dict[str, Texts]], ...] = (
    sample_means,
    correlations,
    tests,
    proportions,
    estimates,
    two_by_twos,
)

STATISTICS: list[dict[str, Any]] = [
    {
        "kind": "sample-mean",
        "mean": "m",
        "sd": "sd",
        "n": "n",
        "se": "se",
        "ci_lower": "m_lower",
        "ci_upper": "m_upper",
        "min": 1,
        "max": 7,
        "items": ITEMS,
        "score_type": {"value": "item-mean"},
        "mean_type": {"value": "observed"},
        "group": "form",
    },
    {"kind": "correlation", "r": "r", "n": "r_n", "p": "r_p", "p_operator": "r_op"},
    {
        "kind": "test",
        "test": {"value": "t"},
        "value": "t",
        "df": "df",
        "sides": 2,
        "p": "t_p",
        "p_operator": "t_op",
    },
    {"kind": "proportion", "count": "count", "n": "total", "percent": "percent"},
    {
        "kind": "estimate",
        "estimate": "ratio",
        "se": "log_se",
        "scale": {"value": "log"},
        "ci_lower": "ratio_lower",
        "ci_upper": "ratio_upper",
    },
    {"kind": "two-by-two", "events1": "e1", "n1": "n1", "events2": "e2", "n2": "n2", "rr": "rr"},
]
"""Six statistics in one wide table."""

INTEGERS = {"n", "r_n", "df", "count", "total", "e1", "n1", "e2", "n2"}


def write_package(folder: Path, rows: int, seed: int = 1) -> Path:
    """Write a package of one table with so many correct rows, and return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    chunk = 100_000
    with (folder / "reported.csv").open("w", encoding="utf-8") as out:
        for start in range(0, rows, chunk):
            size = min(chunk, rows - start)
            columns: dict[str, Texts] = {
                "id": np.char.mod("R%d", np.arange(start, start + size)),
                "form": np.char.mod("form-%d", rng.integers(0, 20, size)),
            }
            for part in PARTS:
                columns |= part(rng, size)
            if not start:
                out.write(",".join(columns) + "\n")
            out.writelines(",".join(row) + "\n" for row in zip(*columns.values(), strict=True))
    types = dict.fromkeys(("id", "form", "r_op", "t_op"), "string")
    types |= dict.fromkeys(INTEGERS, "integer")
    fields = [{"name": name, "type": types.get(name, "number")} for name in columns]
    resource = {
        "name": "reported",
        "type": "table",
        "path": "reported.csv",
        "schema": {"fields": fields, "statistics": STATISTICS},
    }
    licences = [{"name": "CC0-1.0"}]
    descriptor = {"name": "synthetic", "licenses": licences, "resources": [resource]}
    (folder / "datapackage.json").write_text(json.dumps(descriptor))
    return folder
