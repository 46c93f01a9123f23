"""The distributions in SQL against mpmath at forty digits, and their quantiles against scipy.

scipy's own tails are less accurate than what is tested: its t of one degree of freedom is off by
3e-9 near 0, and its chi-square by 5e-12 at a million degrees of freedom.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import mpmath
import numpy as np
import pytest
from macros import connect, evaluate
from scipy import special, stats

CON = connect()
CLAIMED = 1e-12
SMALLEST = 1e-290

NORMAL = [*np.linspace(-36, 36, 1441), *np.logspace(-12, -1, 30), *-np.logspace(-12, -1, 30), 0]
TAILS = [*np.logspace(-100, -1, 12), *(n / 20 for n in range(1, 20) if n != 10), 0.5001, 0.4999]
PROBABILITIES = [*TAILS, *(1 - np.logspace(-15, -2, 6))]
DEGREES = [0.01, 0.1, 0.5, 1, 1.5, 2, 2.5, 3, 4, 5, 7, 10, 15, 24, 30, 50, 100, 199, 200, 1000, 1e4]
RATIOS = [*np.logspace(-8, 3, 23), 0.95, 0.99, 1, 1.01, 1.05, 1.2]
STATISTICS = [0, *np.logspace(-8, 4, 25), 0.99, 1, 1.6, 1.7, 1.8, 1.9, 2.5, 5, -0.5, -3]
WHOLE = [1, 2, 3, 4, 5, 7, 10, 14, 15, 16, 30, 100, 199, 200, 201, 1000, 10_000]
SMALL = [0.1, 0.5, 1, 2, 3, 10]
RATIOS_OF_F = [1e-6, 1e-3, 0.1, 0.5, 0.98, 1, 1.02, 1.5, 2, 3, 5, 10, 100, 1e4]


def grid(*columns: Iterable[float]) -> list[tuple[float, ...]]:
    return [tuple(map(float, row)) for row in itertools.product(*columns)]


def values(expression: str, rows: Sequence[tuple[float, ...]]) -> list[Any]:
    """Return the values of an expression of x, y and z for each row of them."""
    names = ["x", "y", "z"][: len(rows[0])]
    given = ", ".join(f"unnest(?::DOUBLE[]) AS {name}" for name in names)
    lists = [list(column) for column in zip(*rows, strict=True)]
    found = CON.execute(f"SELECT {expression} FROM (SELECT {given})", lists).fetchall()
    return [value for (value,) in found]


def furthest(
    expression: str, rows: Sequence[tuple[float, ...]], truth: Callable[..., Any]
) -> tuple[float, Any]:
    """Return the largest relative error among results above SMALLEST, and where it is."""
    worst: tuple[float, Any] = (0.0, ())
    with mpmath.workdps(40):
        for row, found in zip(rows, values(expression, rows), strict=True):
            expected = truth(*row)
            assert found is not None, row
            if abs(expected) > SMALLEST:
                worst = max(worst, (float(abs(found - expected) / abs(expected)), row))
            else:
                assert 0 <= abs(found) < 2 * SMALLEST, row
    return worst


def normal_tail(z: float) -> Any:
    return mpmath.erfc(mpmath.mpf(z) / mpmath.sqrt(2)) / 2


def chi_square_tail(x: float, df: float) -> Any:
    return mpmath.gammainc(mpmath.mpf(df) / 2, mpmath.mpf(x) / 2, regularized=True)


def t_tails(t: float, df: float) -> Any:
    share = mpmath.mpf(df) / (df + mpmath.mpf(t) ** 2)
    return mpmath.betainc(mpmath.mpf(df) / 2, 0.5, 0, share, regularized=True)


def t_tail(t: float, df: float) -> Any:
    return t_tails(t, df) / 2 if t >= 0 else 1 - t_tails(t, df) / 2


def f_tail(f: float, df1: float, df2: float) -> Any:
    share = mpmath.mpf(df2) / (df2 + mpmath.mpf(df1) * f)
    return mpmath.betainc(mpmath.mpf(df2) / 2, mpmath.mpf(df1) / 2, 0, share, regularized=True)


def test_the_normal_tails_have_twelve_digits_to_the_smallest_numbers() -> None:
    rows = grid(NORMAL)
    assert furthest("norm_sf(x)", rows, normal_tail)[0] < CLAIMED
    assert furthest("norm_cdf(x)", rows, lambda z: normal_tail(-z))[0] < CLAIMED
    assert furthest("_norm_tail(abs(x))", rows, lambda z: normal_tail(abs(z)))[0] < CLAIMED


def test_the_normal_quantile_has_fourteen_digits() -> None:
    rows = grid([*np.logspace(-300, -1, 300), *(n / 1000 for n in range(1, 1000) if n != 500)])
    assert furthest("norm_ppf(x)", rows, special.ndtri)[0] < 1e-14


def test_the_tail_of_chi_square_has_twelve_digits() -> None:
    rows = [(ratio * df, df) for df, ratio in grid(DEGREES, RATIOS)]
    rows += [(df + z * math.sqrt(2 * df), df) for df, z in grid([1e3, 1e5, 1e6], range(-20, 31, 2))]
    assert furthest("chi2_sf(x, y)", rows, chi_square_tail)[0] < CLAIMED


def test_the_quantile_of_chi_square_has_twelve_digits() -> None:
    rows = grid(PROBABILITIES, [0.1, 0.5, 1, 2, 3, 5, 10, 30, 100, 1000, 1e4, 1e5])
    assert furthest("chi2_ppf(x, y)", rows, stats.chi2.ppf)[0] < CLAIMED


def test_the_quantile_of_chi_square_is_undone_by_its_tail_where_scipy_is_not_accurate() -> None:
    rows = grid([1e-8, 0.01, 0.5, 0.9, 0.999], [1e6, 1e8, 1e9])
    found = values("1 - chi2_sf(chi2_ppf(x, y), y)", rows)
    assert found == pytest.approx([p for p, _ in rows], rel=1e-7)
    assert values("chi2_ppf(x, y)", [(1e-8, 1e8)]) == pytest.approx([99920654.65], rel=1e-9)


def test_the_tails_of_t_have_twelve_digits() -> None:
    rows = [*grid(STATISTICS, DEGREES), *grid(np.linspace(0, 4, 21), [1e5, 1e6, 1e8])]
    assert furthest("t_sf(x, y)", rows, t_tail)[0] < CLAIMED
    assert furthest("t_sf2(x, y)", rows, t_tails)[0] < CLAIMED


def test_the_quantile_of_t_has_twelve_digits() -> None:
    rows = grid(PROBABILITIES, [1, 1.5, 2, 2.5, 3, 5, 10, 30, 100, 199, 200, 1000, 1e4])
    assert furthest("t_ppf(x, y)", rows, stats.t.ppf)[0] < CLAIMED


def test_the_shorter_tails_of_t_have_twelve_digits_for_whole_degrees_of_freedom() -> None:
    rows = grid(np.abs(STATISTICS), WHOLE)
    assert furthest("_t_tails(x, y)", rows, t_tails)[0] < CLAIMED


def test_the_shorter_quantile_of_t_has_twelve_digits_from_one_on_and_eleven_below() -> None:
    def point(p: float, df: float) -> float:
        return float(stats.t.isf(p / 2, df))

    far = grid([0.3, 0.2, 0.1, 0.05, 0.01, 0.001, 1e-6, 1e-10], WHOLE)
    assert furthest("_t_point(x, y, -norm_ppf(x / 2))", far, point)[0] < CLAIMED
    near = grid([0.5, 0.4, 0.35], WHOLE)
    assert furthest("_t_point(x, y, -norm_ppf(x / 2))", near, point)[0] < 1e-11
    assert values("_t_point(x, y, 2)", [(0.05, 0), (0.05, -1)]) == [None, None]


def test_the_tail_of_f_has_twelve_digits() -> None:
    rows: list[tuple[float, ...]] = [
        row
        for f, few, df in grid(RATIOS_OF_F, SMALL, [*SMALL, 100, 1000, 1e4])
        for row in ((f, few, df), (f, df, few))
    ]
    rows += grid(RATIOS_OF_F, [30, 100], [30, 100, 1000])
    assert furthest("f_sf(x, y, z)", rows, f_tail)[0] < CLAIMED


@pytest.mark.parametrize("df", [1, 2, 3, 10, 99])
def test_f_of_one_and_df_is_t_squared(df: int) -> None:
    pairs = values(f"[f_sf(x * x, 1, {df}), t_sf2(x, {df})]", grid([0.1, 0.9, 1, 2, 3, 10, 50]))
    for f, t in pairs:
        assert f == pytest.approx(t, rel=1e-12)


EDGES = {
    "norm_sf('inf'::DOUBLE)": 0,
    "norm_sf('-inf'::DOUBLE)": 1,
    "norm_cdf('-inf'::DOUBLE)": 0,
    "norm_sf(0)": 0.5,
    "norm_sf(40)": 0,
    "norm_ppf(0.5)": 0,
    "chi2_sf(0, 3)": 1,
    "chi2_sf('inf'::DOUBLE, 3)": 0,
    "t_sf(0, 3)": 0.5,
    "t_sf('inf'::DOUBLE, 3)": 0,
    "t_sf('-inf'::DOUBLE, 3)": 1,
    "t_sf2('-inf'::DOUBLE, 3)": 0,
    "t_ppf(0.5, 3)": 0,
    "f_sf(0, 3, 4)": 1,
    "f_sf('inf'::DOUBLE, 3, 4)": 0,
    "_t_tails(0, 3)": 1,
}


def test_the_ends_of_each_domain_are_reached() -> None:
    assert evaluate(CON, *EDGES) == pytest.approx(list(EDGES.values()), abs=1e-300)


OUTSIDE = [
    *(f"{name}({x})" for name in ("norm_sf", "norm_cdf", "norm_ppf") for x in ("NULL", "'nan'")),
    *(f"norm_ppf({p})" for p in (0, 1, -0.1, 1.1, "'inf'")),
    *(f"chi2_sf({a})" for a in ("NULL, 3", "3, NULL", "'nan', 3", "3, 'nan'", "-1, 3", "3, 0")),
    *(f"chi2_sf({a})" for a in ("3, -2", "3, 'inf'", "3, 2e9")),
    *(f"chi2_ppf({a})" for a in ("NULL, 3", "0.5, NULL", "'nan', 3", "0.5, 'nan'", "0, 3", "1, 3")),
    *(f"chi2_ppf({a})" for a in ("-0.1, 3", "1.1, 3", "0.5, 0", "0.5, -1", "0.5, 'inf'")),
    *(
        f"{name}({a})"
        for name in ("t_sf", "t_sf2")
        for a in ("NULL, 3", "3, NULL", "'nan', 3", "3, 'nan'", "3, 0", "3, -2", "3, 'inf'")
    ),
    *(f"t_ppf({a})" for a in ("NULL, 3", "0.1, NULL", "'nan', 3", "0.1, 'nan'", "0, 3", "1, 3")),
    *(f"t_ppf({a})" for a in ("0.1, 0", "0.1, 0.9", "0.1, -1", "0.1, 'inf'", "1e-200, 1")),
    *(f"f_sf({a})" for a in ("NULL, 3, 4", "3, NULL, 4", "3, 3, NULL", "-1, 3, 4", "'nan', 3, 4")),
    *(f"f_sf({a})" for a in ("3, 0, 4", "3, 3, 0", "3, -1, 4", "3, 3, 'inf'", "3, 'nan', 4")),
]


def test_what_is_missing_or_outside_of_the_domain_is_null() -> None:
    calls = [
        call.replace("'nan'", "'nan'::DOUBLE").replace("'inf'", "'inf'::DOUBLE") for call in OUTSIDE
    ]
    assert dict(zip(calls, evaluate(CON, *calls), strict=True)) == dict.fromkeys(calls)


def test_whole_numbers_and_decimals_are_taken_as_doubles() -> None:
    for call in ("chi2_sf({}, {})", "t_sf({}, {})", "t_sf2({}, {})", "f_sf({}, {}, 4)"):
        whole, decimal = evaluate(CON, call.format(3, 2), call.format("3.0", "2.0"))
        [double] = evaluate(CON, call.format("3::DOUBLE", "2::DOUBLE"))
        assert whole == decimal == double
    assert evaluate(CON, "norm_sf(2)", "norm_ppf(0.25)") == pytest.approx(
        [stats.norm.sf(2), stats.norm.ppf(0.25)], rel=1e-14
    )
