"""Pooling: published values, PyMARE and statsmodels as peers, bad input, and what must hold."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from macros import aggregate, connect, evaluate, literal
from scipy import optimize
from statsmodels.stats.meta_analysis import combine_effects

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from pymare.estimators import (
        DerSimonianLaird,
        VarianceBasedLikelihoodEstimator,
        WeightedLeastSquares,
    )

CON = connect()

BCG = (  # Colditz et al. 1994, as dat.bcg of metafor: cases and people, vaccinated and not
    *((4, 123, 11, 139), (6, 306, 29, 303), (3, 231, 11, 220), (62, 13598, 248, 12867)),
    *((33, 5069, 47, 5808), (180, 1541, 372, 1451), (8, 2545, 10, 629), (505, 88391, 499, 88391)),
    *((29, 7499, 45, 7277), (17, 1716, 65, 1665), (186, 50634, 141, 27338), (5, 2498, 3, 2341)),
    (27, 16913, 29, 17854),
)
MOLLOY = (  # Molloy et al. 2014, as dat.molloy2014: people and correlation
    *((109, 0.187), (749, 0.162), (55, 0.34), (107, 0.32), (72, 0.27), (65, 0.0), (174, 0.175)),
    *((326, 0.05), (58, 0.26), (771, 0.01), (56, -0.09), (91, 0.37), (116, 0.0), (537, 0.15)),
    *((158, 0.24), (65, 0.04)),
)
METHODS = ("EE", "DL", "PM", "ML", "REML")

Sets = list[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]]


def pool(rows: Sequence[Sequence[Any]], options: str = "", columns: str = "yi, vi") -> Any:
    return aggregate(CON, f"pool(yi, vi{options})", rows, columns)


def bcg(options: str) -> dict[str, Any]:
    cells = ", ".join(str(row) for row in BCG)
    [(found,)] = CON.execute(
        f"SELECT pool(e.yi, e.vi{options}) FROM"
        f" (SELECT es_rr(a, n1, c, n2) AS e FROM (VALUES {cells}) AS t(a, n1, c, n2))"
    ).fetchall()
    return found  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("options", "printed"),
    [
        (
            "",
            {
                "estimate": "-0.7145",
                "ci_lower": "-1.0669",
                "ci_upper": "-0.3622",
                "tau2": "0.3132",
                "tau2_se": "0.1664",
                "I2": "92.22",
                "H2": "12.86",
                "Q": "152.2330",
                "Q_df": "12",
                "k": "13",
            },
        ),
        (
            ", method := 'DL'",
            {
                "estimate": "-0.7141",
                "ci_lower": "-1.0644",
                "ci_upper": "-0.3638",
                "tau2": "0.3088",
                "I2": "92.1173",
            },
        ),
        (
            ", method := 'EE'",
            {"estimate": "-0.4303", "ci_lower": "-0.5097", "ci_upper": "-0.3509", "Q": "152.2330"},
        ),
        (", method := 'PM'", {"tau2": "0.3181"}),
    ],
)
def test_the_bcg_trials_give_what_metafor_prints(options: str, printed: dict[str, str]) -> None:
    found = bcg(options)
    for field, text in printed.items():
        decimals = len(text.partition(".")[2])
        assert f"{found[field]:.{decimals}f}" == text, field


def test_the_prediction_interval_of_the_bcg_trials_is_that_of_metafor() -> None:
    found = bcg("")
    assert f"{math.exp(found['estimate']):.4f}" == "0.4894"
    assert f"{math.exp(found['pi_lower']):.4f}" == "0.1546"
    assert f"{math.exp(found['pi_upper']):.3f}" == "1.549"


def test_the_correlations_of_molloy_give_what_metafor_prints() -> None:
    pairs = ", ".join(str(row) for row in MOLLOY)
    [(found,)] = CON.execute(
        f"SELECT pool(e.yi, e.vi) FROM (SELECT es_zcor(r, n) AS e FROM (VALUES {pairs}) AS t(n, r))"
    ).fetchall()
    printed = {
        "estimate": "0.1499",
        "ci_lower": "0.0881",
        "ci_upper": "0.2118",
        "tau2": "0.0081",
        "I2": "61.73",
        "Q": "38.1595",
        "Q_df": "15",
    }
    for field, text in printed.items():
        assert f"{found[field]:.{len(text.partition('.')[2])}f}" == text, field
    back = [f"{math.tanh(found[name]):.3f}" for name in ("estimate", "pi_lower", "pi_upper")]
    assert back == ["0.149", "-0.037", "0.325"]


def make_sets() -> Sets:
    """Return synthetic sets of every kind: see the words beside each."""
    chance = np.random.default_rng(20261125)
    sets: Sets = []
    for k in (2, 3, 4, 5, 7, 10, 15, 25, 60, 200):
        for spread in (0.0, 0.05, 0.3, 2.0):
            v = chance.uniform(0.01, 0.4, k)
            sets.append((chance.normal(0.3, np.sqrt(v + spread)), v))
        v = chance.uniform(0.01, 0.4, k)
        sets.append((chance.normal(0, np.sqrt(v) / 4), v))  # a negative moment estimate
        sets.append((chance.normal(0, 30, k), v))  # huge heterogeneity
        sets.append((np.repeat(0.5, k), v))  # no variance between
        sets.append((np.round(chance.normal(0, 1, k)), np.round(v + 0.1, 1)))  # ties
        sets.append((chance.normal(1, 0.5, k), 10 ** chance.uniform(-3, 1, k)))
    return sets


SETS = make_sets()


def pool_sets(options: str, sets: Sets = SETS) -> list[dict[str, Any]]:
    """Pool all sets in one statement."""
    CON.execute("CREATE OR REPLACE TEMP TABLE sets (g INTEGER, yi DOUBLE, vi DOUBLE)")
    body = ", ".join(
        f"({g}, {float(y)!r}, {float(v)!r})"
        for g, (effects, variances) in enumerate(sets)
        for y, v in zip(effects, variances, strict=True)
    )
    CON.execute(f"INSERT INTO sets VALUES {body}")
    sql = f"SELECT pool(yi, vi{options}) FROM sets GROUP BY g ORDER BY g"
    return [found for (found,) in CON.execute(sql).fetchall()]


def log_likelihood(tau2: float, y: Any, v: Any, method: str) -> float:
    w = 1 / (v + tau2)
    mean = (w * y).sum() / w.sum()
    found = -0.5 * (np.log(v + tau2).sum() + (w * (y - mean) ** 2).sum())
    return float(found - (0.5 * np.log(w.sum()) if method == "REML" else 0))


@pytest.mark.parametrize("method", METHODS)
def test_every_set_converges_to_what_the_peers_find(method: str) -> None:
    """PyMARE for EE, DL, ML and REML, statsmodels for PM, each to 1e-8.

    Where statsmodels' iteration does not end, Q is k - 1 (or below it at 0). Where PyMARE's
    optimiser stops early or at a lower maximum, the likelihood of what we find is not below its.
    """
    for (y, v), found in zip(SETS, pool_sets(f", method := '{method}'"), strict=True):
        assert found["converged"] is True
        tau2 = found["tau2"]
        if method == "PM":
            assert_root(tau2, y, v)
        elif method in ("EE", "DL"):
            kind = WeightedLeastSquares() if method == "EE" else DerSimonianLaird()
            fit = kind.fit(y=y[:, None], v=v[:, None], X=np.ones((len(y), 1)))
            expected = 0.0 if method == "EE" else float(np.ravel(fit.params_["tau2"])[0])
            assert tau2 == pytest.approx(expected, rel=1e-8, abs=1e-8)
        else:
            assert_maximum(tau2, y, v, method)
        w = 1 / (v + tau2)
        assert found["estimate"] == pytest.approx((w * y).sum() / w.sum(), rel=1e-8, abs=1e-8)
        assert found["se"] == pytest.approx(w.sum() ** -0.5, rel=1e-8)


def generalised_q(tau2: float, y: Any, v: Any) -> float:
    w = 1 / (v + tau2)
    return float((w * (y - (w * y).sum() / w.sum()) ** 2).sum())


def assert_root(tau2: float, y: Any, v: Any) -> None:
    df = len(y) - 1
    if tau2 == 0:
        assert generalised_q(0, y, v) <= df * (1 + 1e-9)
        return
    assert generalised_q(tau2, y, v) == pytest.approx(df, rel=1e-8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer = float(combine_effects(y, v, method_re="iterated", atol=1e-14, maxiter=1000).tau2)
    if generalised_q(peer, y, v) == pytest.approx(df, rel=1e-10):
        assert tau2 == pytest.approx(peer, rel=1e-8, abs=1e-8)


def assert_maximum(tau2: float, y: Any, v: Any, method: str) -> None:
    fit = VarianceBasedLikelihoodEstimator(method=method)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit.fit(y=y[:, None], v=v[:, None], X=np.ones((len(y), 1)))
    peer = max(float(np.ravel(fit.params_["tau2"])[0]), 0.0)
    ours, theirs = (log_likelihood(t, y, v, method) for t in (tau2, peer))
    assert ours >= theirs - 1e-9
    if tau2 > 0:
        polished = optimize.brentq(slope, tau2 * 0.99, tau2 * 1.01, (y, v, method), xtol=1e-14)
        assert tau2 == pytest.approx(polished, rel=1e-8)
    else:
        assert slope(0, y, v, method) <= 1e-9 or ours >= log_likelihood(peer, y, v, method)


def slope(tau2: float, y: Any, v: Any, method: str) -> float:
    """Return twice the derivative of the log likelihood: Viechtbauer (2005), equations 6 and 7."""
    w = 1 / (v + tau2)
    mean = (w * y).sum() / w.sum()
    trace = w.sum() - (0 if method == "ML" else (w**2).sum() / w.sum())
    return float((w**2 * (y - mean) ** 2).sum() - trace)


@pytest.mark.parametrize("method", ["ML", "REML"])
def test_where_pymare_converges_it_is_the_same_to_1e_8(method: str) -> None:
    agreed = 0
    for (y, v), found in zip(SETS, pool_sets(f", method := '{method}'"), strict=True):
        fit = VarianceBasedLikelihoodEstimator(method=method)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fit.fit(y=y[:, None], v=v[:, None], X=np.ones((len(y), 1)))
        peer = float(np.ravel(fit.params_["tau2"])[0])
        agreed += found["tau2"] == pytest.approx(peer, rel=1e-5, abs=1e-5)
    assert agreed >= 0.95 * len(SETS)


def test_an_effect_far_from_0_loses_no_digits() -> None:
    near = [(0.1, 0.02), (0.35, 0.03), (-0.2, 0.05), (0.6, 0.01)]
    far = [(1e7 + y, v) for y, v in near]
    for method in METHODS:
        here, there = (pool(rows, f", method := '{method}'") for rows in (near, far))
        assert there["tau2"] == pytest.approx(here["tau2"], rel=1e-6)
        assert there["Q"] == pytest.approx(here["Q"], rel=1e-6)
        assert there["estimate"] - 1e7 == pytest.approx(here["estimate"], abs=1e-7)


def test_a_likelihood_of_two_maxima_gives_the_higher() -> None:
    """Synthetic: one precise study beside two far ones; the slope at 0 is negative."""
    rows = [(0.0, 0.001), (0.02, 0.001), (3.0, 2.5), (-3.0, 2.5), (2.9, 2.4)]
    y, v = (np.array(column) for column in zip(*rows, strict=True))
    grid = np.concatenate([[0], np.geomspace(1e-6, 50, 4000)])
    for method in ("ML", "REML"):
        best = max(grid, key=lambda tau2: log_likelihood(tau2, y, v, method))
        found = pool(rows, f", method := '{method}'")
        assert found["tau2"] == pytest.approx(best, rel=0.01, abs=1e-5)


NOTHING = ("estimate", "se", "statistic", "p", "ci_lower", "ci_upper", "pi_lower", "pi_upper")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("rows", [[], [(None, 0.1)], [(0.3, None), (0.2, 0)]])
def test_without_a_study_all_but_the_counts_is_null(
    method: str, rows: list[tuple[float | None, float | None]]
) -> None:
    found = pool(rows, f", method := '{method}'")
    assert (found["k"], found["k_missing"]) == (0, len(rows))
    assert [found[name] for name in (*NOTHING, "Q", "Q_df", "converged")] == [None] * 11


@pytest.mark.parametrize("method", METHODS)
def test_one_study_is_its_own_estimate(method: str) -> None:
    found = pool([(0.3, 0.04)], f", method := '{method}'")
    assert (found["k"], found["Q"], found["Q_df"], found["Q_p"]) == (1, 0, 0, None)
    assert (found["estimate"], found["se"]) == (pytest.approx(0.3), pytest.approx(0.2))
    assert [found[name] for name in ("I2", "H2", "tau2_se")] == [None] * 3
    assert found["tau2"] == (0 if method == "EE" else None)
    assert (found["pi_lower"], found["pi_upper"]) == (None, None)
    assert found["converged"] is True


def test_one_study_has_no_interval_by_t_and_two_have_none_by_k_minus_2() -> None:
    alone = pool([(0.3, 0.04)], ", test := 't'")
    assert [alone[name] for name in ("p", "ci_lower", "ci_upper")] == [None] * 3
    two = pool([(0.3, 0.04), (0.5, 0.02)], ", pi := 'riley'")
    assert (two["pi_lower"], two["pi_upper"]) == (None, None)
    assert two["ci_lower"] is not None


BAD: list[tuple[float | None, float | None]] = [
    *((0.3, None), (None, 0.1), (0.3, 0.0), (0.3, -0.1), (0.3, math.inf), (math.inf, 0.1)),
    *((math.nan, 0.1), (0.3, math.nan), (-math.inf, 0.1), (0.3, 1e-310)),
]


@pytest.mark.parametrize("method", METHODS)
def test_a_row_that_cannot_be_pooled_is_left_out_and_counted(method: str) -> None:
    """All in one statement, since DuckDB takes a tenth of a second to plan one."""
    rows = [(0.1, 0.02), (0.4, 0.03), (0.2, 0.05)]
    given = [(g, *row) for g, bad in enumerate([None, *BAD]) for row in (bad, *rows) if row]
    body = ", ".join(f"({g}, {literal(y)}, {literal(v)})" for g, y, v in given)
    found = CON.execute(
        f"SELECT g, pool(yi, vi, method := '{method}') FROM (VALUES {body}) AS given(g, yi, vi)"
        " GROUP BY g ORDER BY g"
    ).fetchall()
    [(_, whole), *others] = found
    assert whole.pop("k_missing") == 0
    assert len(others) == len(BAD)
    for bad, (_, with_bad) in zip(BAD, others, strict=True):
        assert with_bad.pop("k_missing") == 1, bad
        assert with_bad == pytest.approx(whole), bad


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (", method := 'REMLL'", "method of pool: 'REMLL' is not known; nearest 'REML' of EE, FE"),
        (", method := NULL", "method of pool: null is not known"),
        (", test := 'khna'", "test of pool: 'khna' is not known; nearest 'knha'"),
        (", pi := 'rilley'", "pi of pool: 'rilley' is not known; nearest 'riley'"),
        (", level := 5", "pool: the level is 5; give a percent from 50 to below 100"),
        (", level := 100", "the level is 100"),
        (", level := NULL", "the level is NULL"),
        (", level := '95 %'", "the level is 95 %; give a percent from 50 to below 100 or a share"),
        (", 'DL'", "pool takes all but its data by name"),
        (", unit := u", "pool: two rows or more are of one unit, as of a; combine them first"),
        (", unit := nullif(u, 'a')", "pool: 2 of the rows have no unit"),
        (", measure := nullif(m, 'OR')", "pool: 1 of the rows have no measure"),
        (", measure := m", "pool: OR and RR are different measures; pool one at a time"),
    ],
)
def test_what_cannot_be_meant_is_an_error_in_one_sentence(options: str, says: str) -> None:
    rows = [(0.1, 0.2, "a", "RR"), (0.3, 0.1, "a", "RR"), (0.2, 0.1, "b", "OR")]
    with pytest.raises(duckdb.InvalidInputException) as raised:
        pool(rows, options, "yi, vi, u, m")
    assert says in str(raised.value)


def test_only_rows_that_are_pooled_must_be_of_different_units_and_one_measure() -> None:
    rows = [(0.1, 0.2, 1, "RR"), (0.3, None, 1, "OR"), (0.2, 0.1, 2, "RR"), (0.3, 0.0, None, None)]
    found = pool(rows, ", unit := u, measure := m", "yi, vi, u, m")
    assert (found["k"], found["k_missing"]) == (2, 2)


def test_the_first_five_repeated_units_are_named() -> None:
    rows = [(0.1, 0.2, u) for u in range(9)] * 2
    with pytest.raises(duckdb.InvalidInputException, match="as of 0, 1, 2, 3, 4; combine"):
        pool(rows, ", unit := u", "yi, vi, u")


def test_the_measure_of_an_effect_size_keeps_others_out() -> None:
    sql = """
        SELECT pool(e.yi, e.vi, measure := e.measure)
        FROM (VALUES (es_rr(4, 123, 11, 139)), (es_{}(6, 306, 29, 303))) AS t(e)
    """
    assert CON.execute(sql.format("rr")).fetchall()[0][0]["k"] == 2
    with pytest.raises(duckdb.InvalidInputException, match="OR and RR are different measures"):
        CON.execute(sql.format("or"))


def test_an_option_may_be_written_in_any_case_and_a_level_as_a_share() -> None:
    rows = [(0.1, 0.02), (0.4, 0.03), (0.2, 0.05)]
    assert pool(rows, ", method := 'reml', test := 'KnHa', pi := 'T'") == pool(
        rows, ", method := 'REML', test := 'knha', pi := 't'"
    )
    for level in ("0.9", "'90'", "CAST(90 AS DECIMAL(9, 4))"):
        assert pool(rows, f", level := {level}") == pool(rows, ", level := 90")


@pytest.mark.parametrize("type_", ["DECIMAL(9, 3)", "FLOAT", "VARCHAR", "DECIMAL(38, 10)"])
def test_numbers_of_any_type_are_taken_and_text_that_is_one(type_: str) -> None:
    rows = [(0.1, 0.02), (0.4, 0.03), (0.2, 0.05)]
    call = f"pool(CAST(yi AS {type_}), CAST(vi AS {type_}))"
    found, expected = aggregate(CON, call, rows, "yi, vi"), pool(rows)
    alike(found, expected, "k", "estimate", "se", "tau2", "Q", "p")


def test_it_stands_wherever_an_aggregate_may() -> None:
    CON.execute(
        "CREATE OR REPLACE TEMP TABLE effects AS FROM (VALUES ('a', 0.1, 0.02), ('a', 0.5, 0.1),"
        " ('b', 0.7, 0.03)) AS t(g, yi, vi)"
    )
    whole = CON.execute("SELECT g, pool(yi, vi) AS p FROM effects GROUP BY g ORDER BY g").fetchall()
    columns = CON.execute("SELECT g, unnest(pool(yi, vi)) FROM effects GROUP BY g ORDER BY g")
    assert [row[1:] for row in columns.fetchall()] == [tuple(p.values()) for _, p in whole]
    inner = "(SELECT g, pool(yi, vi) AS p FROM effects GROUP BY g)"
    stars = CON.execute(f"SELECT g, p.* FROM {inner} ORDER BY g").fetchall()
    assert [row[1:] for row in stars] == [tuple(p.values()) for _, p in whole]
    fewer = "SELECT g FROM effects GROUP BY g QUALIFY pool(yi, vi).k > 1"
    assert CON.execute(fewer).fetchall() == [("a",)]
    ordered = "SELECT g FROM effects GROUP BY g ORDER BY pool(yi, vi).estimate DESC"
    assert CON.execute(ordered).fetchall() == [("b",), ("a",)]
    assert CON.execute("SELECT pool(yi, vi).k FROM effects").fetchall() == [(3,)]


CANNOT = {
    "SELECT grp FROM t GROUP BY grp HAVING pool(yi, vi).k > 1": (
        "SELECT grp FROM t GROUP BY grp QUALIFY pool(yi, vi).k > 1"
    ),
    "SELECT avg(pool(yi, vi).estimate) FROM t GROUP BY grp": (
        "SELECT avg(p.estimate) FROM (SELECT grp, pool(yi, vi) AS p FROM t GROUP BY grp)"
    ),
    "SELECT rank() OVER (ORDER BY pool(yi, vi).estimate) FROM t GROUP BY grp": (
        "SELECT rank() OVER (ORDER BY p.estimate)"
        " FROM (SELECT grp, pool(yi, vi) AS p FROM t GROUP BY grp)"
    ),
    "SELECT pool(yi, vi) OVER (PARTITION BY grp) FROM t": "SELECT pool(yi, vi) FROM t GROUP BY grp",
    "SELECT pool(yi, vi) FILTER (yi > 0.2) FROM t": "SELECT pool(yi, vi) FROM t WHERE yi > 0.2",
    "SELECT pool(DISTINCT yi, vi) FROM t": "SELECT pool(yi, vi) FROM (SELECT DISTINCT * FROM t)",
    "SELECT grp, unnest(pool(yi, vi)) FROM t GROUP BY ALL": (
        "SELECT grp, p.* FROM (SELECT grp, pool(yi, vi) AS p FROM t GROUP BY ALL)"
    ),
    "SELECT grp, unnest(vote_count(vote(yi))) FROM t GROUP BY ALL": (
        "SELECT grp, unnest(vote_count(vote(yi))) FROM t GROUP BY grp"
    ),
}


@pytest.mark.parametrize("cannot", CANNOT)
def test_where_duckdb_does_not_take_it_another_spelling_works(cannot: str) -> None:
    """What docs/synthesis.md says of DuckDB; a version that takes the first makes this fail."""
    CON.execute(
        "CREATE OR REPLACE TEMP TABLE t AS FROM (VALUES ('a', 0.1, 0.02), ('a', 0.5, 0.1),"
        " ('b', 0.7, 0.03)) AS t(grp, yi, vi)"
    )
    with pytest.raises((duckdb.BinderException, duckdb.InvalidInputException)):
        CON.execute(cannot)
    assert CON.execute(CANNOT[cannot]).fetchall()


def test_a_factor_of_knapp_and_hartung_below_one_is_seen_and_can_be_held_at_one() -> None:
    rows = [(0.30, 0.04), (0.31, 0.05), (0.29, 0.03), (0.30, 0.06)]
    z, knha, adhoc = (pool(rows, f", test := '{test}'") for test in ("z", "knha", "adhoc"))
    assert knha["knha_factor"] < 1
    assert knha["se"] < z["se"]
    assert adhoc["se"] == pytest.approx(z["se"])
    assert z["knha_factor"] is None


@pytest.mark.parametrize("method", METHODS)
def test_sums_that_no_number_holds_are_null_and_not_converged(method: str) -> None:
    found = pool([(1e200, 0.1), (-1e200, 0.2), (3e200, 0.1)], f", method := '{method}'")
    assert found["converged"] is False
    assert [found[name] for name in (*NOTHING, "Q", "Q_p", "tau2")] == [None] * 11


def test_a_search_that_does_not_end_is_null_and_says_so() -> None:
    """What no data seen so far brings about: a search stopped by hand goes through the report."""
    sums = (
        "{'k': 3, 'n': 3, 's1': 1.0, 's2': 1.0, 's3': 1.0, 't1': 1.0, 'u1': 1.0, 'm': 1.0,"
        " 'trace': 1.0, 'q': 5.0, 'tau2': 0.3, 'done': false, 'w1': 2.0, 'mu': 0.4, 'w2': 1.0,"
        " 'w3': 0.5, 'factor': NULL::DOUBLE}"
    )
    [found] = evaluate(CON, f"_report({sums}, 1.96, 1.96, 'REML', 'z')")
    assert found["converged"] is False
    assert [found[name] for name in (*NOTHING, "tau2", "tau2_se", "I2", "H2")] == [None] * 12
    assert (found["k"], found["Q"]) == (3, 5.0)


EFFECTS = st.lists(
    st.tuples(
        st.floats(-5, 5).map(lambda x: round(x, 3)), st.floats(0.005, 3).map(lambda x: round(x, 4))
    ),
    min_size=2,
    max_size=12,
)
SOME = st.lists(EFFECTS, min_size=8, max_size=16)
"""Many sets for one statement, since to plan it takes longest."""
METHOD = st.sampled_from(METHODS)
FEW = settings(max_examples=8, deadline=None)


def pool_twice(
    sets: Any, change: Callable[[float, float], tuple[float, float]], method: str
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield what pool gives for each set, and for the set with each study changed."""
    changed = [[change(y, v) for y, v in rows] for rows in sets]
    columns = [tuple(np.array(c) for c in zip(*rows, strict=True)) for rows in (*sets, *changed)]
    found = pool_sets(f", method := '{method}'", columns)  # type: ignore[arg-type]
    yield from zip(found[: len(sets)], found[len(sets) :], strict=True)


def alike(a: dict[str, Any], b: dict[str, Any], *names: str) -> None:
    for name in names:
        assert a[name] == pytest.approx(b[name], rel=1e-6, abs=1e-7), name


@FEW
@given(SOME, METHOD)
def test_the_order_of_the_rows_does_not_matter(sets: Any, method: str) -> None:
    turned = [list(reversed(rows)) for rows in sets]
    columns = [tuple(np.array(c) for c in zip(*rows, strict=True)) for rows in (*sets, *turned)]
    found = pool_sets(f", method := '{method}'", columns)  # type: ignore[arg-type]
    for here, there in zip(found[: len(sets)], found[len(sets) :], strict=True):
        alike(here, there, "estimate", "se", "tau2", "Q", "p")


@FEW
@given(SOME, METHOD, st.floats(-50, 50))
def test_a_shift_of_all_effects_shifts_the_estimate_alone(
    sets: Any, method: str, shift: float
) -> None:
    for here, there in pool_twice(sets, lambda y, v: (y + shift, v), method):
        alike(here, there, "se", "tau2", "Q", "I2")
        assert there["estimate"] - shift == pytest.approx(here["estimate"], rel=1e-6, abs=1e-6)


@FEW
@given(SOME, METHOD, st.sampled_from([0.01, 0.5, 3.0, 1000.0]))
def test_another_unit_of_the_effects_changes_nothing_else(
    sets: Any, method: str, unit: float
) -> None:
    for here, there in pool_twice(sets, lambda y, v: (unit * y, unit * unit * v), method):
        alike(here, there, "p", "I2", "Q", "statistic")
        assert there["estimate"] == pytest.approx(
            unit * here["estimate"], rel=1e-6, abs=1e-7 * unit
        )
        tau2 = unit**2 * here["tau2"]
        assert there["tau2"] == pytest.approx(tau2, rel=1e-6, abs=1e-7 * unit**2)


@FEW
@given(SOME, METHOD)
def test_the_other_direction_is_the_other_sign(sets: Any, method: str) -> None:
    for here, there in pool_twice(sets, lambda y, v: (-y, v), method):
        alike(here, there, "se", "tau2", "p", "Q")
        assert there["ci_lower"] == pytest.approx(-here["ci_upper"], rel=1e-6, abs=1e-7)
