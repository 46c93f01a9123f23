"""Conversions between d, r, odds ratio, t, F and p in SQL: inverses, oracles, worked examples."""

from __future__ import annotations

import math
from typing import Any

import duckdb
import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from macros import connect, evaluate
from scipy import stats

CON = connect()


def value(call: str) -> Any:
    return evaluate(CON, call)[0]


PUBLISHED = {
    # Borenstein et al. 2009, chapter 7.
    "d_from_log_or(0.9069)": 0.5000,
    "var_d_from_log_or(0.0676)": 0.0205,
    "log_or_from_d(0.5)": 0.9069,
    "var_log_or_from_d(0.0205)": 0.0674,
    "d_from_r(0.50)": 1.1547,
    "var_d_from_r(0.50, 0.0058)": 0.0550,
    "r_from_d(1.1547)": 0.5000,
    "var_r_from_d(1.1547, 0.0550)": 0.0058,
    "var_d(0.5970, 50, 50)": 0.0418,
    "var_r(0.50, 100)": 0.0057,
    # metafor's documentation of escalc: pi = -0.018 with n1i = n2i = 20.
    "es_smd_from_d(d_from_p(0.018, 20, 20, -1), 20, 20).yi": -0.7664,
    # metafor's documentation of dat.bcg.
    "back('RR', -0.7145)": 0.4894,
}


@pytest.mark.parametrize("call", PUBLISHED)
def test_worked_examples_come_out_as_printed(call: str) -> None:
    assert round(value(call), 4) == PUBLISHED[call]


def test_t_p_r_and_d_of_raw_data_are_those_of_scipy() -> None:
    random = np.random.default_rng(20261124)
    one, two = random.normal(0.4, 1, 23), random.normal(0, 1, 31)
    found = stats.ttest_ind(one, two)
    t, p = float(found.statistic), float(found.pvalue)
    pooled = math.sqrt((22 * one.var(ddof=1) + 30 * two.var(ddof=1)) / 52)
    d = float((one.mean() - two.mean()) / pooled)
    sign = int(math.copysign(1, d))
    expected = {
        f"d_from_t({t!r}, 23, 31)": d,
        f"d_from_f({t * t!r}, 23, 31, {sign})": d,
        f"d_from_p({p!r}, 23, 31, {sign})": d,
        f"d_from_p({p / 2!r}, 23, 31, {sign}, sides := 1)": d,
        f"t_from_d({d!r}, 23, 31)": t,
        f"p_from_d({d!r}, 23, 31)": p,
        f"p_from_t({t!r}, 52)": p,
        f"p_from_f({t * t!r}, 52)": p,
        f"p_from_t({t!r}, 52, sides := 1, direction := {sign})": p / 2,
        f"p_from_t({t!r}, 52, sides := 1, direction := {-sign})": 1 - p / 2,
    }
    x = random.normal(size=40)
    y = x + random.normal(0, 2, 40)
    pearson = stats.pearsonr(x, y)
    r = float(pearson.statistic)
    expected |= {
        f"p_from_r({r!r}, 40)": float(pearson.pvalue),
        f"r_from_p({float(pearson.pvalue)!r}, 40, 1)": r,
        f"r_from_p({float(pearson.pvalue)!r}, 40, -1)": -r,
        f"z_from_r({r!r})": float(np.arctanh(r)),
    }
    assert evaluate(CON, *expected) == pytest.approx(list(expected.values()), rel=1e-9)


def test_r_from_t_is_the_point_biserial_correlation() -> None:
    """With df of the test; r_from_d with the sizes is near it, by n/(n-2) in d^2."""
    random = np.random.default_rng(7)
    group = np.repeat([1.0, 0.0], [12, 20])
    score = group + random.normal(size=32)
    r = float(stats.pearsonr(group, score).statistic)
    t = float(stats.ttest_ind(score[:12], score[12:]).statistic)
    assert value(f"r_from_t({t!r}, 30)") == pytest.approx(r, rel=1e-12)
    assert value(f"r_from_f({t * t!r}, 30, 1)") == pytest.approx(abs(r), rel=1e-12)
    d = value(f"d_from_t({t!r}, 12, 20)")
    a = (12 + 20) ** 2 / (12 * 20)
    assert value(f"r_from_d({d!r}, 12, 20)") == pytest.approx(d / math.sqrt(d * d + a), rel=1e-14)


@settings(max_examples=50, deadline=None)
@given(st.floats(-0.999, 0.999), st.integers(4, 4000))
def test_conversions_of_r_are_inverses(r: float, n: int) -> None:
    calls = (
        f"r_from_t(t_from_r({r!r}, {n - 2}), {n - 2})",
        f"r_from_d(d_from_r({r!r}))",
        f"r_from_z(z_from_r({r!r}))",
        f"r_from_log_or(log_or_from_r({r!r}))",
        f"r_from_or(or_from_r({r!r}))",
        f"back('ZCOR', es_zcor({r!r}, {n}).yi)",
    )
    for call, found in zip(calls, evaluate(CON, *calls), strict=True):
        assert found == pytest.approx(r, rel=1e-11, abs=1e-13), call


@settings(max_examples=50, deadline=None)
@given(st.floats(-6, 6), st.integers(1, 3000), st.integers(2, 3000))
def test_conversions_of_d_are_inverses(d: float, n1: int, n2: int) -> None:
    calls = (
        f"d_from_t(t_from_d({d!r}, {n1}, {n2}), {n1}, {n2})",
        f"d_from_log_or(log_or_from_d({d!r}))",
        f"d_from_or(or_from_d({d!r}))",
        f"d_from_r(r_from_d({d!r}))",
        f"-d_from_t(t_from_d({-d!r}, {n1}, {n2}), {n1}, {n2})",
    )
    for call, found in zip(calls, evaluate(CON, *calls), strict=True):
        assert found == pytest.approx(d, rel=1e-11, abs=1e-13), call


PAIRS = st.lists(st.tuples(st.floats(1e-12, 0.999), st.integers(3, 3000)), min_size=20, max_size=30)
"""Many at once, since to plan the statement takes longest."""


@pytest.mark.parametrize("sides", [1, 2])
@settings(max_examples=4, deadline=None, phases=[Phase.generate])  # to shrink would take minutes
@given(pairs=PAIRS)
def test_p_and_t_are_inverses(sides: int, pairs: list[tuple[float, int]]) -> None:
    rows = ", ".join(f"({number}, {p!r}, {df})" for number, (p, df) in enumerate(pairs))
    back = f"p_from_t(t_from_p(p, df, -1, sides := {sides}), df, sides := {sides}, direction := -1)"
    found = CON.execute(
        f"SELECT {back} FROM (VALUES {rows}) AS given(number, p, df) ORDER BY number"
    ).fetchall()
    for (p, df), (again,) in zip(pairs, found, strict=True):
        assert again == pytest.approx(p, rel=1e-7, abs=1e-12), (p, df)


@settings(max_examples=40, deadline=None)
@given(st.floats(0.01, 0.99), st.integers(2, 99), st.integers(2, 99))
def test_the_variance_of_d_returns_from_r_and_from_the_odds_ratio(
    v: float, n1: int, n2: int
) -> None:
    through_or, through_r = evaluate(
        CON,
        f"var_d_from_log_or(var_log_or_from_d({v!r}))",
        f"var_d_from_r(r_from_d(0.8), var_r_from_d(0.8, {v!r}))",
    )
    assert through_or == pytest.approx(v, rel=1e-13)
    assert through_r == pytest.approx(v, rel=1e-13)


def test_standard_errors_and_sds_come_back_from_intervals() -> None:
    q, z = float(stats.t.ppf(0.975, 24)), float(stats.norm.ppf(0.95))
    expected = {
        f"se_from_ci({10 - 1.959963984540054 * 2!r}, {10 + 1.959963984540054 * 2!r})": 2,
        f"se_from_ci({10 - z * 2!r}, {10 + z * 2!r}, level := 0.90)": 2,
        f"se_from_ci({10 - z * 2!r}, {10 + z * 2!r}, level := 90)": 2,
        f"se_from_ci_t({10 - q * 2!r}, {10 + q * 2!r}, 24)": 2,
        "sd_from_se(2, 25)": 10,
        f"sd_from_ci({10 - q * 2!r}, {10 + q * 2!r}, 25)": 10,
    }
    assert evaluate(CON, *expected) == pytest.approx(list(expected.values()), rel=1e-9)


def test_a_one_sided_p_above_a_half_lies_against_the_direction() -> None:
    assert value("t_from_p(0.9, 30, 1, sides := 1)") == pytest.approx(stats.t.ppf(0.1, 30))
    assert value("r_from_p(1, 30, 1)") == pytest.approx(0, abs=1e-12)


NOTHING = [
    *("d_from_t(NULL, 20, 20)", "d_from_t(2, NULL, 20)", "d_from_t(2, 20, 0)"),
    *("d_from_f(-1, 20, 20, 1)", "d_from_f(4, 20, 20, NULL)", "d_from_f(4, 20, 20, 0)"),
    *("d_from_p(0, 20, 20, 1)", "d_from_p(1.2, 20, 20, 1)", "d_from_p(-0.1, 20, 20, 1)"),
    *("d_from_p(0.05, 1, 1, 1)", "d_from_p(0.05, 20, 20, 2)", "d_from_p(NULL, 20, 20, 1)"),
    *("d_from_r(1)", "d_from_r(-1.5)", "d_from_r(NULL)", "d_from_r('nan'::DOUBLE)"),
    *("d_from_or(0)", "d_from_or(-2)", "d_from_or('inf'::DOUBLE)", "d_from_log_or(NULL)"),
    *("or_from_d(10000)", "or_from_d(NULL)", "or_from_r(1)", "r_from_or(0)"),
    *("r_from_t(2, 0)", "r_from_t(NULL, 9)", "r_from_t('inf'::DOUBLE, 9)", "r_from_t(2, NULL)"),
    *("r_from_f(4, 20, NULL)", "r_from_p(0.05, 2, 1)", "r_from_p(0.05, 20, NULL)"),
    *("r_from_d(NULL)", "r_from_d(1, NULL, 20)", "r_from_d(1, 0, 20)"),
    *("p_from_r(1, 20)", "p_from_r(0.3, 2)", "p_from_r(NULL, 20)", "p_from_r(0.3, NULL)"),
    *("p_from_t(2, 0)", "p_from_t(NULL, 20)", "p_from_t(2, 20, sides := 1)", "p_from_f(-1, 9)"),
    *("t_from_r(1, 20)", "t_from_f(NULL, 1)", "p_from_d(1, 20, NULL)", "var_d(1, 20, 0)"),
    *("var_d_from_r(0.5, -1)", "var_d_from_r(1, 0.1)", "var_d_from_log_or(0)", "var_r(0.5, 1)"),
    *("var_r_from_d(1, 0)", "var_log_or_from_d(NULL)", "z_from_r(1)", "r_from_z(NULL)"),
    *("se_from_ci(3, 1)", "se_from_ci(1, 1)", "se_from_ci(NULL, 1)"),
    *(
        "se_from_ci_t(1, 3, NULL)",
        "se_from_ci_t(1, 3, 0)",
        "sd_from_se(-1, 20)",
        "sd_from_se(1, 1)",
    ),
    *("sd_from_ci(1, 3, 1)", "sd_from_ci(1, 3, NULL)", "back('RR', NULL)", "back(NULL, 1)"),
    *("back('RR', 100000)", "back('SMD', 'inf'::DOUBLE)", "back('MD', 'nan'::DOUBLE)"),
]


@pytest.mark.parametrize("call", NOTHING)
def test_a_null_or_an_impossible_value_gives_null(call: str) -> None:
    assert value(call) is None


def test_sides_and_measures_that_are_unknown_are_errors() -> None:
    for call, says in {
        "p_from_r(0.3, 20, sides := 3)": "sides: '3' is not known; nearest '1' of 1, 2",
        "d_from_p(0.05, 20, 20, 1, sides := NULL)": "sides: null is not known",
        "back('rr', 1)": "measure of back: 'rr' is not known; nearest 'RR'",
        "back('HR', NULL)": "measure of back",
    }.items():
        with pytest.raises(duckdb.InvalidInputException) as caught:
            value(call)
        assert says in str(caught.value)


def test_back_transforms_by_the_name_that_the_effect_size_gives() -> None:
    calls = {
        "back('OR', ln(2))": 2,
        "back('RR', ln(0.5))": 0.5,
        "back('PLO', es_plo(3, 10).yi)": 0.3,
        "back('PLO', -800)": 0,
        "back('SMD', -0.3)": -0.3,
        "back('ZCOR', 'inf'::DOUBLE)": 1,
    }
    assert evaluate(CON, *calls) == pytest.approx(list(calls.values()), rel=1e-14, abs=1e-300)
    rows = CON.execute("""
        SELECT back(e.measure, e.yi) FROM (
          SELECT unnest([es_rr(4, 20, 8, 20), es_zcor(0.25, 20), es_md(5, 1, 9, 3, 1, 9)]) AS e)
    """).fetchall()
    assert [row[0] for row in rows] == pytest.approx([0.5, 0.25, 2])
