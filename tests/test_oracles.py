"""The rules on statistics against others: enumeration, statsmodels, statcheck, published cases."""

from __future__ import annotations

import itertools
import warnings
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from test_plausibility import columns, level

from reviewdata.plausibility import medians
from reviewdata.plausibility.columns import ERROR, NOTE, SILENT, WARNING
from reviewdata.plausibility.differences import recompute
from reviewdata.plausibility.tables2x2 import _measures

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from statsmodels.stats.contingency_tables import Table2x2
    from statsmodels.stats.meta_analysis import effectsize_smd

OBSERVED = {"score_type": "sum", "mean_type": "observed"}

GRIM = {
    # Brown and Heathers 2017, and the cases in the documentation of the R package scrutiny.
    **dict.fromkeys([("5.19", 28), ("5.27", 43), ("8.97", 28), ("7.26", 28), ("9.26", 28)], NOTE),
    **dict.fromkeys([("2.61", 28), ("3.64", 28), ("10.46", 28), ("7.39", 28)], SILENT),
    **dict.fromkeys([("5.71", 40), ("4.61", 40), ("5.24", 40), ("6.92", 30), ("3.48", 30)], NOTE),
    **dict.fromkeys([("5.90", 40), ("3.50", 40), ("3.82", 40)], SILENT),
}


@pytest.mark.parametrize(("mean", "n"), GRIM)
def test_grim_agrees_with_published_verdicts(mean: str, n: int) -> None:
    cells = {"mean": mean, "sd": "1.0", "n": str(n), **OBSERVED}
    assert level("RD208", "sample-mean", cells) == GRIM[mean, n]


DEBIT = {
    # Heathers and Brown 2019, as in the documentation of scrutiny: mean, SD, n.
    **dict.fromkeys([("0.35", "0.18", 20), ("0.26", "0.14", 1000), ("0.19", "0.35", 1683)], NOTE),
    ("0.53", "0.50", 1683): SILENT,
    ("0.44", "0.50", 1683): SILENT,
    ("0.77", "0.42", 1683): SILENT,
    ("0.34", "0.47", 1683): SILENT,
    ("0.93", "0.25", 1683): SILENT,
    ("0.12", "0.33", 1683): SILENT,
}


@pytest.mark.parametrize(("mean", "sd", "n"), DEBIT)
def test_debit_agrees_with_published_verdicts(mean: str, sd: str, n: int) -> None:
    cells = {"mean": mean, "sd": sd, "n": str(n), "score_type": "binary", "mean_type": "observed"}
    assert level("RD210", "sample-mean", cells) == DEBIT[mean, sd, n]


def rounded(value: float, mode: str) -> str:
    return str(Decimal(repr(value)).quantize(Decimal("0.01"), mode))


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.integers(1, 7), min_size=2, max_size=60),
    st.sampled_from([ROUND_HALF_UP, ROUND_HALF_EVEN]),
)
def test_no_set_of_whole_scores_is_ever_told_to_be_impossible(scores: list[int], mode: str) -> None:
    cells = {"mean": rounded(float(np.mean(scores)), mode)}
    cells |= {"sd": rounded(float(np.std(scores, ddof=1)), mode)}
    cells |= {"n": str(len(scores)), "items": "1", "min": "1", "max": "7"}
    cells |= {"score_type": "item-mean", "mean_type": "observed"}
    for code in ("RD201", "RD202", "RD206", "RD208", "RD209"):
        assert level(code, "sample-mean", cells) == SILENT, code


@pytest.mark.parametrize("n", [3, 4, 5])
def test_grimmer_finds_what_enumeration_finds_impossible(n: int) -> None:
    """Every pair of mean and SD of whole scores from 0 to 6 passes; of the others, most fail."""
    possible = set()
    for scores in itertools.combinations_with_replacement(range(7), n):
        figures = float(np.mean(scores)), float(np.std(scores, ddof=1))
        for mode in (ROUND_HALF_UP, ROUND_HALF_EVEN):
            possible.add((rounded(figures[0], mode), rounded(figures[1], mode)))
    found = missed = 0
    means = {mean for mean, _ in possible}
    for mean, hundredths in itertools.product(sorted(means), range(20, 300, 7)):
        sd = f"{hundredths / 100:.2f}"
        cells = {"mean": mean, "sd": sd, "n": str(n), **OBSERVED}
        told = level("RD209", "sample-mean", cells) == NOTE
        if (mean, sd) in possible:
            assert not told, (mean, sd)
        else:
            found, missed = found + told, missed + (not told)
    assert found > 20 * missed


STATCHECK = [
    # The decision errors of statcheck's own tests, alpha .05.
    ("test", {"test": "t", "value": "2.20", "df": "28", "p": "0.06"}),
    ("test", {"test": "t", "value": "1.20", "df": "28", "p": "0.03"}),
    ("test", {"test": "F", "value": "22.20", "df1": "2", "df2": "28", "p": "0.06"}),
    ("test", {"test": "F", "value": "2.20", "df1": "2", "df2": "28", "p": "0.03"}),
    ("correlation", {"r": "0.22", "n": "30", "p": "0.03"}),
    ("correlation", {"r": "0.52", "n": "30", "p": "0.06"}),
    ("test", {"test": "chi2", "value": "2.20", "df": "28", "p": "0.03"}),
    ("test", {"test": "chi2", "value": "52.20", "df": "28", "p": "0.06"}),
    ("test", {"test": "z", "value": "1.20", "p": "0.03"}),
    ("test", {"test": "z", "value": "2.20", "p": "0.06"}),
    ("test", {"test": "t", "value": "1.02", "df": "48", "p_operator": "<", "p": "0.05"}),
]


@pytest.mark.parametrize(("kind", "cells"), STATCHECK)
def test_the_decision_errors_of_statcheck_are_told_as_such(
    kind: str, cells: dict[str, str]
) -> None:
    from reviewdata.plausibility.checks import CHECKS

    code = {"test": "RD241", "correlation": "RD231"}[kind]
    [check] = [c for c in CHECKS if c.code == code]
    outcome = check.run(columns(kind, {**cells, "sides": "2"}))
    assert outcome.levels[0] == (ERROR if kind == "test" else WARNING)
    assert outcome.reason(0) == "flips"


def test_p_at_alpha_is_no_decision_error() -> None:
    cells = {"test": "t", "value": "2.20", "df": "28", "p": "0.05"}
    from reviewdata.plausibility.checks import CHECKS

    [check] = [c for c in CHECKS if c.code == "RD241"]
    assert check.run(columns("test", cells)).reason(0) != "flips"


numbers = st.floats(5, 20).map(lambda x: round(x, 2))
spreads = st.floats(1, 8).map(lambda x: round(x, 2))


@settings(max_examples=200, deadline=None)
@given(numbers, spreads, st.integers(5, 200), numbers, spreads, st.integers(5, 200))
def test_the_smd_of_statsmodels_is_one_of_the_usual_routes(
    mean1: float, sd1: float, n1: int, mean2: float, sd2: float, n2: int
) -> None:
    g, _ = effectsize_smd(mean1, sd1, n1, mean2, sd2, n2)
    cells = {"mean1": mean1, "sd1": sd1, "n1": n1, "mean2": mean2, "sd2": sd2, "n2": n2}
    low, high = recompute(columns("mean-difference", {k: f"{v}" for k, v in cells.items()}))
    assert low[0] - 1e-9 <= g <= high[0] + 1e-9


cells_of_a_table = st.integers(1, 300)


@settings(max_examples=200, deadline=None)
@given(cells_of_a_table, cells_of_a_table, cells_of_a_table, cells_of_a_table)
def test_ratios_and_their_standard_errors_are_those_of_statsmodels(
    a: int, b: int, c: int, d: int
) -> None:
    table = Table2x2(np.array([[a, b], [c, d]]), shift_zeros=False)
    cells = {"events1": a, "n1": a + b, "events2": c, "n2": c + d}
    found = _measures(columns("two-by-two", {k: str(v) for k, v in cells.items()}))
    for role, value, se in (
        ("rr", table.riskratio, table.log_riskratio_se),
        ("or", table.oddsratio, table.log_oddsratio_se),
    ):
        assert found[role][0][0] == pytest.approx(value, rel=1e-9)
        assert found[role][1][0] == pytest.approx(se, rel=1e-9)


def test_mean_and_sd_from_quartiles_are_those_of_the_papers() -> None:
    """Wan et al. 2014 and Luo et al. 2018 from normal samples: near the truth."""
    rng = np.random.default_rng(1)
    samples = rng.normal(50, 17, (2000, 101))
    q1, median, q3 = np.quantile(samples, [0.25, 0.5, 0.75], axis=1)
    n = np.full(2000, 101.0)
    assert medians.estimate_mean(q1, median, q3, n).mean() == pytest.approx(50, rel=0.01)
    assert medians.estimate_sd(q1, q3, n).mean() == pytest.approx(17, rel=0.02)
    # n large: (q3 - q1) / 1.349, and 0.7 (q1 + q3) / 2 + 0.3 median.
    big = np.array([1e9])
    assert medians.estimate_sd(np.array([1.0]), np.array([4.0]), big)[0] == pytest.approx(
        3 / (2 * stats.norm.ppf(0.75)), rel=1e-6
    )
    assert medians.estimate_mean(np.array([1.0]), np.array([2.0]), np.array([4.0]), big)[
        0
    ] == pytest.approx(0.7 * 2.5 + 0.3 * 2)
