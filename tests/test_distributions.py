"""The distributions in SQL against scipy and mpmath, to 1e-12 where the result is not tiny."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import product
from typing import Any

import mpmath
import numpy as np
import pytest
from macros import connect, evaluate, literal
from scipy import special, stats

CON = connect()

SIZES = (0.0, 1e-9, 0.03, 0.5, 0.99, 1.0, 1.7, 2.3, 4.0, 9.5, 33.0)
DEGREES = (0.5, 1, 2, 3, 7, 12.5, 30, 199, 200, 1000, 123_456)
TAILS = (1e-250, 1e-40, 1e-9, 0.001, 0.025, 0.2, 0.4999, 0.5, 0.5001, 0.8, 0.975, 1 - 1e-9)


def worst(macro: str, peer: Callable[..., Any], grid: Iterable[Sequence[float]]) -> float:
    """Return the largest relative error over a grid, of results that are not tiny."""
    listed = list(grid)
    body = ", ".join(f"({', '.join(map(literal, map(float, row)))})" for row in listed)
    names = "abc"[: len(listed[0])]
    found = CON.execute(
        f"SELECT {macro}({', '.join(names)}) FROM (VALUES {body}) AS t({', '.join(names)})"
    ).fetchall()
    expected = np.array([float(peer(*row)) for row in listed])
    values = np.array([float("nan") if value is None else value for (value,) in found])
    kept = np.abs(expected) > 1e-290
    assert kept.sum() > len(listed) / 2
    return float(np.max(np.abs(values[kept] - expected[kept]) / np.abs(expected[kept])))


def test_the_normal_tails() -> None:
    grid = [(s * z,) for z in SIZES for s in (-1, 1)]
    assert worst("norm_sf", stats.norm.sf, grid) < 1e-12
    assert worst("norm_cdf", stats.norm.cdf, grid) < 1e-12


def test_the_normal_quantile() -> None:
    grid = [(p,) for p in TAILS if p != 0.5]
    assert worst("norm_ppf", special.ndtri, grid) < 1e-12
    assert evaluate(CON, "norm_ppf(0.5)") == [0.0]


def test_the_upper_tail_of_chi_square() -> None:
    grid = [(f * df, df) for f, df in product((0.01, 0.4, 0.9, 1.0, 1.1, 2.0, 6.0), DEGREES)]
    assert worst("chi2_sf", lambda x, df: special.chdtrc(df, x), grid) < 1e-12


def test_the_quantile_of_chi_square() -> None:
    grid = list(product((1e-9, 0.001, 0.025, 0.3, 0.5, 0.8, 0.975, 0.999999), DEGREES))
    assert worst("chi2_ppf", lambda p, df: stats.chi2.ppf(p, df), grid) < 1e-12


def both_tails(t: float, df: float) -> float:
    """Return P(|T| > |t|) in many digits: scipy's stdtr has nine near t = 0."""
    with mpmath.workdps(40):
        x = mpmath.mpf(df) / (df + mpmath.mpf(t) ** 2)
        return float(mpmath.betainc(mpmath.mpf(df) / 2, 0.5, 0, x, regularized=True))


def test_the_tails_of_t() -> None:
    grid = [(s * t, df) for t, df, s in product(SIZES, DEGREES, (1, -1))]
    assert worst("t_sf2", both_tails, grid) < 1e-12
    upper = [(t, df) for t, df in grid if t >= 0]
    assert worst("t_sf", lambda t, df: both_tails(t, df) / 2, upper) < 1e-12
    lower = [(t, df) for t, df in grid if t < 0]
    assert worst("t_sf", lambda t, df: 1 - both_tails(t, df) / 2, lower) < 1e-12


def test_the_quantile_of_t() -> None:
    grid = [(p, df) for p, df in product(TAILS[2:], DEGREES) if p != 0.5 and df >= 1]
    assert worst("t_ppf", lambda p, df: special.stdtrit(df, p), grid) < 1e-12
    assert evaluate(CON, "t_ppf(0.5, 7)") == [0.0]


@pytest.mark.parametrize("df", [1, 2, 3, 10, 49, 300, 5000])
def test_what_pool_uses_of_t_is_the_same_for_whole_degrees(df: int) -> None:
    for size in SIZES:
        [found] = evaluate(CON, f"_t_tails({literal(size)}, {df})")
        assert found == pytest.approx(both_tails(size, df), rel=1e-12)
    for alpha in (0.5, 0.1, 0.05, 0.001):
        z = literal(float(-special.ndtri(alpha / 2)))
        [found] = evaluate(CON, f"_t_point({alpha}, {df}, {z})")
        assert found == pytest.approx(-special.stdtrit(df, alpha / 2), rel=1e-10)


def test_the_upper_tail_of_f() -> None:
    grid = list(product((0.01, 0.5, 1.0, 1.5, 4.0, 30.0), (1, 2, 5, 40), (1, 3, 12, 200)))
    assert worst("f_sf", lambda f, a, b: special.fdtrc(a, b, f), grid) < 1e-12


@pytest.mark.parametrize(
    "call",
    [
        *("norm_sf(NULL)", "norm_sf('nan'::DOUBLE)", "norm_ppf(0)", "norm_ppf(1)", "norm_ppf(-1)"),
        *("norm_ppf(NULL)", "norm_ppf('nan'::DOUBLE)", "chi2_sf(-1, 3)", "chi2_sf(1, 0)"),
        *("chi2_sf(NULL, 3)", "chi2_sf(1, NULL)", "chi2_sf('nan'::DOUBLE, 3)", "chi2_sf(1, -2)"),
        *("chi2_ppf(0, 3)", "chi2_ppf(1, 3)", "chi2_ppf(0.5, 0)", "chi2_ppf(NULL, 3)"),
        *("t_sf(1, 0)", "t_sf(NULL, 3)", "t_sf('nan'::DOUBLE, 3)", "t_sf(1, 'inf'::DOUBLE)"),
        *("t_ppf(0, 3)", "t_ppf(1, 3)", "t_ppf(0.9, 0.5)", "t_ppf(NULL, 3)", "t_sf2(1, -1)"),
        *("f_sf(-1, 2, 3)", "f_sf(1, 0, 3)", "f_sf(1, 2, 0)", "f_sf(NULL, 2, 3)"),
    ],
)
def test_outside_of_its_domain_a_distribution_is_null(call: str) -> None:
    assert evaluate(CON, call) == [None]


@pytest.mark.parametrize(
    ("call", "value"),
    [
        *(("norm_sf('inf'::DOUBLE)", 0), ("norm_sf('-inf'::DOUBLE)", 1), ("norm_sf(0)", 0.5)),
        *(("chi2_sf(0, 3)", 1), ("chi2_sf('inf'::DOUBLE, 3)", 0), ("t_sf2(0, 5)", 1)),
        *(("t_sf('inf'::DOUBLE, 3)", 0), ("t_sf('-inf'::DOUBLE, 3)", 1), ("f_sf(0, 2, 3)", 1)),
    ],
)
def test_at_its_ends_a_distribution_has_its_limit(call: str, value: float) -> None:
    assert evaluate(CON, call) == [pytest.approx(value, abs=1e-15)]
