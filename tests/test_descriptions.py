"""Weighted descriptions, combined groups, votes and dependent effects in SQL, against raw data."""

from __future__ import annotations

import math
import random
import warnings
from typing import Any

import duckdb
import numpy as np
import pytest
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from macros import aggregate, connect, evaluate
from scipy import stats

import reviewdata as rd

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from statsmodels.stats.proportion import proportion_confint

CON = connect()

GROUPS = "n, m, s"


def of_groups(expression: str, rows: list[tuple[Any, ...]]) -> Any:
    return aggregate(CON, expression, rows, GROUPS)


samples = st.lists(
    st.lists(st.integers(-50, 50).map(float), min_size=2, max_size=30), min_size=1, max_size=8
)


def summaries(scores: list[list[float]], offset: float = 0) -> list[tuple[Any, ...]]:
    return [
        (len(x), float(np.mean(x)) + offset, float(np.std(np.array(x), ddof=1))) for x in scores
    ]


@settings(max_examples=60, deadline=None)
@given(samples, st.sampled_from([0.0, 1e6]))
def test_groups_combined_are_the_raw_data_together(
    scores: list[list[float]], offset: float
) -> None:
    whole = np.concatenate(scores)
    found = of_groups("combine_groups_all(n, m, s)", summaries(scores, offset))
    assert (found["k"], found["k_missing"], found["n"]) == (len(scores), 0, len(whole))
    assert found["mean"] == pytest.approx(whole.mean() + offset, rel=1e-12, abs=1e-12)
    assert found["sd"] == pytest.approx(whole.std(ddof=1), rel=1e-8, abs=1e-6)
    if len(scores) == 2:
        one, two = summaries(scores, offset)
        values = ", ".join(repr(v) for v in (*one, *two))
        [pair] = evaluate(CON, f"combine_groups({values})")
        assert pair["sd"] == pytest.approx(found["sd"], rel=1e-9, abs=1e-9)
        assert (pair["n"], pair["mean"]) == (found["n"], pytest.approx(found["mean"]))


@settings(max_examples=40, deadline=None)
@given(samples)
def test_the_three_readings_of_a_weighted_sd(scores: list[list[float]]) -> None:
    rows = summaries(scores)
    n, _, s = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    whole = np.concatenate(scores)
    within = math.sqrt(
        sum(float(((np.array(x) - np.mean(x)) ** 2).sum()) for x in scores)
        / (len(whole) - len(scores))
    )
    found = of_groups("weighted_summary(m, s, n)", rows)
    single = {
        "mean": of_groups("weighted_mean(m, n)", rows),
        "sd_mean": of_groups("weighted_sd_mean(s, n)", rows),
        "sd_within": of_groups("weighted_sd_within(s, n)", rows),
        "sd_all": of_groups("weighted_sd_all(m, s, n)", rows),
    }
    assert {name: found[name] for name in single} == single
    assert single["mean"] == pytest.approx(whole.mean(), abs=1e-12)
    assert single["sd_mean"] == pytest.approx(float((n * s).sum() / n.sum()), rel=1e-12)
    assert single["sd_within"] == pytest.approx(within, rel=1e-9, abs=1e-12)
    assert single["sd_all"] == pytest.approx(whole.std(ddof=1), rel=1e-9, abs=1e-9)


UNITS = """
    SELECT any_value(s.n) AS n, avg(m.mean) AS m, sqrt(avg(pow(m.sd, 2))) AS s
    FROM measures AS m JOIN samples AS s USING (sample_id) JOIN studies AS t USING (study_id)
    WHERE t.inclusion = 'confirmed' AND s.text_based = 'yes' AND m.instrument LIKE 'WAI%'
      AND m.rater = 'client' AND m.subscale = 'total' AND m.score_type = 'item-mean'
      AND m.scale_min = 1 AND m.scale_max = 7 AND m.mean IS NOT NULL AND s.n IS NOT NULL
    GROUP BY sample_id
"""

BY_HAND = """
    WITH known AS (SELECT *, sum(n * m) OVER () / sum(n) OVER () AS grand FROM units)
    SELECT sum(n * m) / sum(n), sum(n * s) / sum(n),
      sqrt(sum((n - 1) * pow(s, 2)) / sum(n - 1)),
      sqrt((sum((n - 1) * pow(s, 2)) + sum(n * pow(m - grand, 2))) / (sum(n) - 1))
    FROM known
"""


def test_they_give_the_figures_of_the_alliance_to_the_last_bit() -> None:
    """Against the sums written out, on the rows of the shipped review (not its published 5.66)."""
    units = rd.open(ROOT).query(sql=UNITS).records()
    rows = [(row["n"], row["m"], row["s"]) for row in units]
    with duckdb.connect() as con:
        con.execute("CREATE TABLE units (n BIGINT, m DOUBLE, s DOUBLE)")
        con.executemany("INSERT INTO units VALUES (?, ?, ?)", rows)
        [by_hand] = con.execute(BY_HAND).fetchall()
    found = of_groups("weighted_summary(m, s, n)", rows)
    assert (found["k"], found["n"], found["k_missing"]) == (4, 252, 0)
    figures = [found[name] for name in ("mean", "sd_mean", "sd_within", "sd_all")]
    assert figures == list(by_hand)
    assert [round(figure, 4) for figure in figures] == [5.1113, 1.0600, 1.0728, 1.1991]


AGGREGATES = (
    "weighted_mean(m, n)",
    "weighted_sd_mean(s, n)",
    "weighted_sd_within(s, n)",
    "weighted_sd_all(m, s, n)",
)

WHOLE = [(20, 5.0, 1.2), (35, 5.5, 0.9)]


@pytest.mark.parametrize("expression", AGGREGATES)
def test_an_incomplete_row_is_left_out_and_an_impossible_one_is_not(expression: str) -> None:
    whole = of_groups(expression, WHOLE)
    assert whole > 0
    assert of_groups(expression, [*WHOLE, (None, 9.0, 3.0)]) == whole
    assert of_groups(expression, [*WHOLE, (7, None, None)]) == whole
    for n, m, s in ((-1, 5.0, 1.0), (10, math.nan, -1.0), (10, math.inf, math.inf)):
        assert of_groups(expression, [*WHOLE, (n, m, s)]) is None
    assert of_groups(expression, []) is None
    assert of_groups(expression, [(None, None, None)]) is None


def test_what_is_left_out_is_counted() -> None:
    rows = [*WHOLE, (None, 9.0, 3.0), (10, 6.0, None), (5, None, 1.0)]
    summary = of_groups("weighted_summary(m, s, n)", rows)
    assert (summary["k"], summary["k_missing"], summary["k_without_sd"]) == (3, 2, 1)
    assert (summary["n"], summary["mean"]) == (65, pytest.approx((100 + 192.5 + 60) / 65))
    assert summary["sd_all"] == of_groups("weighted_sd_all(m, s, n)", WHOLE)
    together = of_groups("combine_groups_all(n, m, s)", rows)
    assert (together["k"], together["k_missing"], together["n"]) == (2, 3, 55)
    broken = of_groups("combine_groups_all(n, m, s)", [*WHOLE, (10, 5.0, -1.0)])
    assert broken == {"k": 3, "k_missing": 0, "n": None, "mean": None, "sd": None}
    empty = of_groups("combine_groups_all(n, m, s)", [])
    assert empty == {"k": 0, "k_missing": 0, "n": None, "mean": None, "sd": None}


def test_weights_may_be_zero_but_not_all_of_them() -> None:
    assert of_groups("weighted_mean(m, n)", [(0, 3.0, 1.0), (2, 5.0, 1.0)]) == 5
    assert of_groups("weighted_mean(m, n)", [(0, 3.0, 1.0)]) is None
    assert of_groups("weighted_sd_within(s, n)", [(1, 3.0, 0.0)]) is None
    assert of_groups("combine_groups_all(n, m, s).sd", [(1, 3.0, 0.0)]) is None


@pytest.mark.parametrize(
    "call",
    [
        "combine_groups(10, 1, 2, 20, 3, NULL)",
        "combine_groups(10, 1, -2, 20, 3, 4)",
        "combine_groups(0, 1, 2, 20, 3, 4)",
        "combine_groups(10, 'nan'::DOUBLE, 2, 20, 3, 4)",
    ],
)
def test_two_groups_of_which_one_is_unknown_or_impossible_give_nulls(call: str) -> None:
    assert evaluate(CON, call) == [{"n": None, "mean": None, "sd": None}]


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 1), st.integers(-5, 5), st.integers(1, 90), st.integers(-5, 5))
def test_rescaling_keeps_places_and_returns(share: float, low: int, width: int, to: int) -> None:
    x = low + share * width
    there = f"rescale_mean({x!r}, {low}, {low + width}, {to}, {to + 6})"
    found, back, sd, ends, far = evaluate(
        CON,
        there,
        f"rescale_mean({there}, {to}, {to + 6}, {low}, {low + width})",
        f"rescale_sd(rescale_sd(1.7, 1, 7, {low}, {low + width}), {low}, {low + width}, 1, 7)",
        f"rescale_mean({low}, {low}, {low + width}, 0, 100)",
        f"rescale_mean({low + width}, {low}, {low + width}, 0, 100)",
    )
    assert found == pytest.approx(to + 6 * (x - low) / width, rel=1e-12, abs=1e-12)
    assert back == pytest.approx(x, rel=1e-10, abs=1e-10)
    assert sd == pytest.approx(1.7, rel=1e-14)
    assert (ends, far) == (0, pytest.approx(100, rel=1e-15))


def test_rescaling_is_that_of_the_rescaled_raw_scores() -> None:
    scores = np.array([1, 2, 2, 3, 5, 4, 5])
    rescaled = 1 + (scores - 1) * 6 / 4
    found = evaluate(
        CON,
        f"rescale_mean({float(scores.mean())!r}, 1, 5, 1, 7)",
        f"rescale_sd({float(scores.std(ddof=1))!r}, 1, 5, 1, 7)",
    )
    assert found == pytest.approx([rescaled.mean(), rescaled.std(ddof=1)], rel=1e-14)


@pytest.mark.parametrize(
    "call",
    [
        "rescale_mean(8, 1, 7, 0, 100)",
        "rescale_mean(0.9, 1, 7, 0, 100)",
        "rescale_mean(3, 7, 1, 0, 100)",
        "rescale_mean(3, 3, 3, 0, 100)",
        "rescale_mean(3, 1, 7, 100, 0)",
        "rescale_mean(3, 1, 'inf'::DOUBLE, 0, 100)",
        "rescale_mean('nan'::DOUBLE, 1, 7, 0, 100)",
        "rescale_mean(NULL, 1, 7, 0, 100)",
        "rescale_mean(3, 1, NULL, 0, 100)",
        "rescale_sd(-1, 1, 7, 0, 100)",
        "rescale_sd(1, 7, 1, 0, 100)",
        "rescale_sd(1, 1, 7, NULL, 100)",
        "split_n(NULL, 2)",
        "split_n(-1, 2)",
        "split_n(139, 0)",
        "split_n(139, 1.5)",
        "split_n(139, NULL)",
        "sign_test(NULL, 3)",
        "sign_test(-1, 3)",
        "sign_test(2.5, 3)",
        "sign_test(0, 0)",
        "vote(NULL)",
        "vote('nan'::DOUBLE)",
    ],
)
def test_a_null_or_an_impossible_value_gives_null(call: str) -> None:
    assert evaluate(CON, call) == [None]


def test_a_shared_control_group_is_split_evenly() -> None:
    assert evaluate(CON, "split_n(139, 2)", "split_n(30, 3)", "split_n(7, 1)") == [69.5, 10, 7]


def test_the_sign_test_is_the_exact_binomial_one() -> None:
    """Hilton Boon & Thomson 2020 (doi:10.1002/jrsm.1458) print P = 0.0039 and P = 0.2188."""
    pairs = [(a, b) for a in range(13) for b in range(13) if a + b]
    pairs += [(400, 460), (1000, 1), (0, 900), (3000, 3300), (5000, 5000), (5000, 5001)]
    found = evaluate(CON, *(f"sign_test({a}, {b})" for a, b in pairs))
    expected = [stats.binomtest(a, a + b).pvalue for a, b in pairs]
    assert found == pytest.approx(expected, rel=1e-9)
    printed = evaluate(CON, "sign_test(9, 0)", "sign_test(5, 1)")
    assert [round(p, 4) for p in printed] == [0.0039, 0.2188]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 5), st.integers(0, 5))
def test_votes_are_counted_with_the_share_and_its_wilson_interval(
    positive: int, negative: int, unclear: int, missing: int
) -> None:
    words = ["positive"] * positive + ["negative"] * negative + ["unclear"] * unclear
    rows = [(word,) for word in words] + [(None,)] * missing
    random.Random(3).shuffle(rows)
    found = aggregate(CON, "vote_count(CAST(v AS VARCHAR))", rows, "v")
    assert found["k"] == len(words)
    assert found["k_missing"] == missing
    assert [found[w] for w in ("positive", "negative", "unclear")] == [positive, negative, unclear]
    n = positive + negative
    if not n:
        assert found["share"] is found["ci_lower"] is found["ci_upper"] is found["p"] is None
        return
    lower, upper = proportion_confint(positive, n, method="wilson")
    assert found["share"] == pytest.approx(positive / n)
    assert found["ci_lower"] == pytest.approx(max(0, lower), abs=1e-12)
    assert found["ci_upper"] == pytest.approx(min(1, upper), abs=1e-12)
    assert found["p"] == pytest.approx(stats.binomtest(positive, n).pvalue, rel=1e-9)


def test_a_vote_is_the_direction_of_an_effect_whatever_its_p() -> None:
    assert evaluate(CON, "vote(0.001)", "vote(-3)", "vote(0)") == [
        "positive",
        "negative",
        "unclear",
    ]
    found = aggregate(CON, "vote_count(vote(y), level := 0.9)", [(1.0,), (-1.0,), (2.0,)], "y")
    lower, upper = proportion_confint(2, 3, alpha=0.1, method="wilson")
    assert (found["ci_lower"], found["ci_upper"]) == pytest.approx((lower, upper))


def test_an_unknown_vote_and_an_impossible_level_are_errors() -> None:
    for expression, says in {
        "vote_count(v)": "vote of vote_count: 'Positive' is not known; nearest 'positive'",
        "vote_count(lower(v), level := 9)": "vote_count: the level is 9; give a percent from 50",
    }.items():
        with pytest.raises(duckdb.InvalidInputException) as caught:
            aggregate(CON, expression, [("positive",), ("Positive",)], "v")
        assert says in str(caught.value)


HARVEST = """
    WITH votes AS (
      SELECT * FROM (VALUES
        ('mood', 'a', 'positive', 2), ('mood', 'b', 'positive', 3), ('mood', 'c', 'negative', 1),
        ('mood', 'd', 'unclear', 1), ('mood', 'e', NULL, 3), ('alliance', 'a', 'positive', NULL),
        ('alliance', 'f', 'positive', 1)
      ) AS v(outcome, study, vote, height)
    )
    SELECT outcome, side, place, study, height FROM harvest_plot('{}')
    ORDER BY outcome, side, place
"""


def test_a_harvest_plot_has_a_bar_for_each_study_and_leaves_out_none() -> None:
    assert CON.execute(HARVEST.format("votes")).fetchall() == [
        ("alliance", 1, 1, "f", 1),
        ("alliance", 1, 2, "a", None),
        ("mood", -1, 1, "c", 1),
        ("mood", 0, 1, "d", 1),
        ("mood", 1, 1, "b", 3),
        ("mood", 1, 2, "a", 2),
        ("mood", None, 1, "e", 3),
    ]
    with pytest.raises(duckdb.InvalidInputException, match="vote of harvest_plot"):
        CON.execute(HARVEST.format("votes").replace("'unclear'", "'none'")).fetchall()
    with pytest.raises(duckdb.CatalogException):
        CON.execute(HARVEST.format("nowhere")).fetchall()


EFFECTS = [(0.30, 0.05), (0.10, 0.05)]


def test_two_outcomes_of_one_sample_combine_as_in_borenstein() -> None:
    """Borenstein et al. 2009, chapter 24: 0.30 and 0.10, variances 0.05, r = 0.50."""
    found = aggregate(CON, "combine_average(y, v, rho := 0.5)", EFFECTS, "y, v")
    assert found["yi"] == pytest.approx(0.20)
    assert found["vi"] == pytest.approx(0.0375)
    assert (found["k"], found["k_missing"], found["measure"]) == (2, 0, None)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-3, 3), st.floats(0.001, 4)), min_size=1, max_size=8),
    st.sampled_from([0.0, 0.3, 0.8, 1.0]),
)
def test_effects_combine_as_the_mean_of_correlated_estimates(
    effects: list[tuple[float, float]], rho: float
) -> None:
    found = aggregate(CON, f"combine_average(y, v, {rho})", effects, "y, v")
    y, v = (np.array(column) for column in zip(*effects, strict=True))
    covariance = rho * np.sqrt(np.outer(v, v)) + (1 - rho) * np.diag(v)
    assert found["yi"] == pytest.approx(y.mean(), rel=1e-12, abs=1e-12)
    assert found["vi"] == pytest.approx(covariance.sum() / len(y) ** 2, rel=1e-12)


def test_effects_without_a_variance_are_counted_and_impossible_ones_spoil_the_sample() -> None:
    part = aggregate(
        CON, "combine_average(y, v, 0.5)", [*EFFECTS, (0.9, None), (None, 0.1)], "y, v"
    )
    whole = aggregate(CON, "combine_average(y, v, 0.5)", EFFECTS, "y, v")
    assert part == whole | {"k_missing": 2}
    for bad in ((0.2, 0.0), (0.2, -1.0), (0.2, math.inf), (math.nan, 0.1)):
        spoilt = aggregate(CON, "combine_average(y, v, 0.5)", [*EFFECTS, bad], "y, v")
        assert (spoilt["yi"], spoilt["vi"], spoilt["k"]) == (None, None, 3)
    none = aggregate(CON, "combine_average(y, v, 0.5)", [], "y, v")
    assert none == {"yi": None, "vi": None, "k": 0, "k_missing": 0, "measure": None}
    impossible = aggregate(CON, "combine_average(y, v, -1)", [*EFFECTS, (0.2, 0.05)], "y, v")
    assert impossible["vi"] is None


def test_combining_needs_a_correlation_and_one_measure() -> None:
    for expression, says in {
        "combine_average(y, v, 2)": "rho must be one number from -1 to 1",
        "combine_average(y, v, NULL)": "rho must be one number from -1 to 1",
        "combine_average(y, v, y)": "rho must be one number",
        "combine_average(y, v, 0.5, measure := CASE WHEN y > 0.2 THEN 'MD' ELSE 'SMD' END)": (
            "one sample has effects of MD and SMD"
        ),
    }.items():
        with pytest.raises(duckdb.InvalidInputException) as caught:
            aggregate(CON, expression, EFFECTS, "y, v")
        assert says in str(caught.value)
    with pytest.raises(duckdb.BinderException):
        aggregate(CON, "combine_average(y, v)", EFFECTS, "y, v")


def test_only_effects_that_are_combined_must_have_the_one_measure() -> None:
    def measure_of(*rows: tuple[float | None, float | None, str | None]) -> Any:
        call = "combine_average(y, v, 0.5, measure := CAST(m AS VARCHAR))"
        return aggregate(CON, call, rows, "y, v, m")["measure"]

    one = (0.3, 0.1, "MD")
    assert measure_of(one, (0.2, None, None), (None, 0.1, "SMD")) == "MD"
    assert measure_of((None, 0.1, "SMD"), (None, None, "SMD"), (None, 0.1, None)) == "SMD"
    assert measure_of((None, 0.1, None)) is measure_of() is None
    for rows, says in (
        ((one, (0.2, 0.1, None)), "combine_average: 1 of the rows have no measure"),
        (((0.3, 0.1, None), (0.2, 0.1, None)), "2 of the rows have no measure"),
        ((one, (0.2, 0.1, "SMD")), "one sample has effects of MD and SMD"),
    ):
        with pytest.raises(duckdb.InvalidInputException, match=says):
            measure_of(*rows)


def test_effects_are_combined_within_each_sample_before_pooling() -> None:
    rows = CON.execute("""
        WITH effects AS (
          SELECT sample, e.yi, e.vi, e.measure FROM (
            SELECT sample, es_zcor(r, n) AS e
            FROM (VALUES ('a', 0.3, 40), ('a', 0.5, 40), ('b', 0.2, 90)) AS t(sample, r, n))
        )
        SELECT sample, unnest(combine_average(yi, vi, rho := 0.8, measure := measure))
        FROM effects GROUP BY sample ORDER BY sample
    """).fetchall()
    assert [row[0] for row in rows] == ["a", "b"]
    assert rows[0][1] == pytest.approx((math.atanh(0.3) + math.atanh(0.5)) / 2)
    assert rows[0][2] == pytest.approx(1 / 37 * 0.9)
    assert rows[1][1:] == (pytest.approx(math.atanh(0.2)), pytest.approx(1 / 87), 1, 0, "ZCOR")
