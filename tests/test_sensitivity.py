"""What a pooled estimate rests on, against pool itself and published values."""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import pytest
from macros import aggregate, connect
from scipy import stats
from test_pooling import BCG

CON = connect()

LATITUDES = (44, 55, 42, 52, 13, 44, 19, 13, 27, 42, 18, 33, 33)
ROWS = [("a", 0.1, 0.02, 1.0), ("b", 0.6, 0.05, 3.0), ("c", 0.2, 0.03, 2.0), ("d", 1.1, 0.1, 5.0)]
COLUMNS = "label, yi, vi, xi"
TABLES = [(*row, label) for row, label in zip(BCG, "abcdefghijklm", strict=True)]


def ask(expression: str, rows: Any = ROWS, columns: str = COLUMNS) -> Any:
    return aggregate(CON, expression, rows, columns)


def bcg(expression: str) -> dict[str, Any]:
    """Return an aggregate over the BCG trials, which have yi, vi, latitude and the four cells."""
    cells = ", ".join(str((*row, x)) for row, x in zip(BCG, LATITUDES, strict=True))
    [(found,)] = CON.execute(
        f"SELECT {expression} FROM (SELECT *, unnest(es_rr(a, n1, c, n2))"
        f" FROM (VALUES {cells}) AS t(a, n1, c, n2, latitude))"
    ).fetchall()
    return found  # type: ignore[no-any-return]


def test_leave_one_out_is_the_pool_of_the_others() -> None:
    found = ask("leave_one_out(label, yi, vi, method := 'DL', test := 'knha', pi := 'riley')")
    assert [entry["label"] for entry in found] == ["a", "b", "c", "d"]
    for left, entry in zip(ROWS, found, strict=True):
        rest = [row for row in ROWS if row is not left]
        alone = ask("pool(yi, vi, method := 'DL', test := 'knha', pi := 'riley')", rest)
        assert {k: v for k, v in entry.items() if k != "label"} == pytest.approx(alone)


def test_leave_one_out_counts_what_it_cannot_pool_and_leaves_it_in_no_turn() -> None:
    found = ask("leave_one_out(label, yi, vi)", [*ROWS, ("e", 0.4, None, 1.0)])
    assert [entry["label"] for entry in found] == ["a", "b", "c", "d"]
    assert {(entry["k"], entry["k_missing"]) for entry in found} == {(3, 1)}


def test_leave_one_out_needs_a_label_of_its_own_for_each_row_that_is_pooled() -> None:
    twice = [*ROWS, ("c", 0.3, 0.02, 1.0), ("b", 0.4, 0.02, 1.0), ("a", 0.4, None, 1.0)]
    with pytest.raises(duckdb.InvalidInputException, match="have one label, as b, c; give each"):
        ask("leave_one_out(label, yi, vi)", twice)
    with pytest.raises(duckdb.InvalidInputException, match="1 of the rows have no label"):
        ask("leave_one_out(label, yi, vi)", [*ROWS, (None, 0.3, 0.02, 1.0)])
    left_out = [("a", 0.4, None, 1.0), (None, 0.4, 0.0, 1.0)]
    assert len(ask("leave_one_out(label, yi, vi)", [*ROWS, *left_out])) == len(ROWS)
    assert len(ask("leave_one_out(struct_pack(a := label, b := xi), yi, vi)")) == len(ROWS)


@pytest.mark.parametrize("rows", [[], [("a", 0.1, None, 1.0)]])
def test_without_a_study_nothing_is_left_out(rows: Any) -> None:
    assert ask("leave_one_out(label, yi, vi)", rows) == []


def test_one_study_left_out_leaves_none() -> None:
    [entry] = ask("leave_one_out(label, yi, vi)", ROWS[:1])
    assert (entry["k"], entry["estimate"]) == (0, None)


def test_the_rows_of_leave_one_out_can_be_a_table() -> None:
    values = ", ".join(str(row) for row in ROWS)
    found = CON.execute(
        "SELECT unnest(leave_one_out(label, yi, vi), max_depth := 2)"
        f" FROM (VALUES {values}) AS t(label, yi, vi, xi)"
    )
    names = [column[0] for column in found.description]
    assert names[:4] == ["label", "k", "k_missing", "estimate"]
    assert len(found.fetchall()) == 4


def test_the_test_between_groups_is_that_of_their_weighted_mean() -> None:
    estimates, errors = np.array([0.2, 0.6, -0.1]), np.array([0.1, 0.2, 0.15])
    rows = list(zip(estimates.tolist(), errors.tolist(), strict=True))
    found = ask("between_groups(estimate, se)", [*rows, (0.4, None)], "estimate, se")
    w = errors**-2.0
    q = float((w * (estimates - (w * estimates).sum() / w.sum()) ** 2).sum())
    assert found == {
        "groups": 3,
        "groups_missing": 1,
        "Q": pytest.approx(q),
        "Q_df": 2,
        "Q_p": pytest.approx(stats.chi2.sf(q, 2)),
    }


def test_subgroups_with_equal_effects_split_q_into_within_and_between() -> None:
    CON.execute(
        "CREATE OR REPLACE TEMP TABLE split AS FROM (VALUES ('x', 0.1, 0.02), ('x', 0.4, 0.05),"
        " ('y', 0.9, 0.03), ('y', 0.7, 0.01), ('y', 0.2, 0.2)) AS t(grp, yi, vi)"
    )
    groups = CON.execute(
        "SELECT sum(p.Q), between_groups(p.estimate, p.se).Q"
        " FROM (SELECT pool(yi, vi, method := 'EE') AS p FROM split GROUP BY grp)"
    ).fetchall()
    [(whole,)] = CON.execute("SELECT pool(yi, vi, method := 'EE').Q FROM split").fetchall()
    assert sum(groups[0]) == pytest.approx(whole)


def test_the_interval_of_tau2_has_q_at_its_quantiles() -> None:
    found = bcg("confint_tau2(yi, vi)")
    # Viechtbauer (2007) and metafor, dat.bcg: tau2 0.1197 to 1.1115.
    assert (round(found["tau2_lower"], 4), round(found["tau2_upper"], 4)) == (0.1197, 1.1115)
    assert found["converged"] is True


def test_an_interval_of_tau2_needs_two_studies_and_can_start_at_0() -> None:
    alone = ask("confint_tau2(yi, vi)", ROWS[:1])
    assert [alone[name] for name in ("tau2_lower", "tau2_upper", "converged")] == [None] * 3
    alike = [("a", 0.3, 0.05, 0.0), ("b", 0.31, 0.04, 0.0), ("c", 0.29, 0.06, 0.0)]
    assert ask("confint_tau2(yi, vi)", alike)["tau2_lower"] == 0


def test_mantel_and_haenszel_give_the_published_risk_ratio_of_bcg() -> None:
    found = bcg("pool_mh(a, n1 - a, c, n2 - c, measure := 'RR')")
    printed = {"estimate": -0.4537, "ci_lower": -0.5308, "ci_upper": -0.3766}
    for name, figure in printed.items():
        assert round(found[name], 4) == figure


@pytest.mark.parametrize("bad", [(None, 1, 1, 1), (-1, 9, 1, 1), (0, 0, 3, 4), (3, 4, 0, 0)])
def test_a_table_that_is_none_is_left_out_and_counted(bad: Any) -> None:
    rows = [(4, 119, 11, 128), (6, 300, 29, 274)]
    call = "pool_mh(ai, bi, ci, di, measure := 'OR')"
    whole, more = (ask(call, r, "ai, bi, ci, di") for r in (rows, [bad, *rows]))
    assert (whole.pop("k_missing"), more.pop("k_missing")) == (0, 1)
    assert more == pytest.approx(whole)


def test_the_bcg_trials_by_latitude_are_those_of_metafor() -> None:
    """The mixed-effects model of metafor's documentation, with latitude alone.

    It prints a tau2 of 0.0764, where its search stops; searched to 1e-12 it is 0.07634796.
    """
    found = bcg("regress(yi, vi, latitude)")
    printed = {
        "intercept": 0.2515,
        "slope": -0.0291,
        "slope_se": 0.0072,
        "tau2": 0.0763,
        "QE": 30.7331,
        "ci_lower": -0.0432,
        "ci_upper": -0.0150,
    }
    for name, figure in printed.items():
        assert round(found[name], 4) == figure, name
    assert (round(found["R2"], 1), round(found["I2"], 2)) == (75.6, 68.39)


@pytest.mark.parametrize(
    "rows",
    [ROWS[:2], [(label, y, v, 7.0) for label, y, v, _ in ROWS], [(*row[:3], None) for row in ROWS]],
)
def test_a_line_needs_three_studies_and_two_values_of_the_moderator(rows: Any) -> None:
    found = ask("regress(yi, vi, xi)", rows)
    assert [found[name] for name in ("slope", "slope_se", "p", "tau2", "converged")] == [None] * 5
    assert found["k"] + found["k_missing"] == len(rows)


@pytest.mark.parametrize("method", ["DL", "PM", "ML", "REML"])
def test_no_figure_of_a_line_is_infinite(method: str) -> None:
    rows = [(label, y, 1e160 * (1 + x), x) for label, y, _, x in ROWS]
    found = ask(f"regress(yi, vi, xi, method := '{method}')", rows)
    numbers = [value for value in found.values() if isinstance(value, float)]
    assert all(np.isfinite(numbers))


def test_a_row_without_a_moderator_is_left_out_and_counted() -> None:
    whole, more = (ask("regress(yi, vi, xi)", r) for r in (ROWS, [*ROWS, ("e", 0.4, 0.1, None)]))
    assert (whole.pop("k_missing"), more.pop("k_missing")) == (0, 1)
    assert more == pytest.approx(whole)


def test_eggers_test_is_the_regression_on_the_standard_error() -> None:
    line, test = ask("regress(yi, vi, sqrt(vi))"), ask("egger(yi, vi)")
    assert test["p"] == line["p"]
    assert test["intercept"] == line["intercept"]
    classical = ask("regress(yi, vi, sqrt(vi), method := 'EE', test := 'knha')")
    assert ask("egger(yi, vi, model := 'lm')")["statistic"] == classical["statistic"]


@pytest.mark.parametrize(
    "call",
    [
        *("pool(yi, vi", "leave_one_out(label, yi, vi", "regress(yi, vi, xi", "egger(yi, vi"),
        "pool_mh(xi, xi, xi, xi",
    ],
)
def test_each_takes_a_unit_and_refuses_two_rows_of_one(call: str) -> None:
    assert ask(f"{call}, unit := label)") == ask(f"{call})")
    with pytest.raises(duckdb.InvalidInputException, match="are of one unit, as of x; combine"):
        ask(f"{call}, unit := 'x')")


@pytest.mark.parametrize(
    "call", ["leave_one_out(label, yi, vi", "regress(yi, vi, xi", "egger(yi, vi", "pool(yi, vi"]
)
def test_each_takes_a_measure_and_refuses_two(call: str) -> None:
    assert ask(f"{call}, measure := 'SMD')") == ask(f"{call})")
    with pytest.raises(duckdb.InvalidInputException, match="a and d are different measures"):
        ask(f"{call}, measure := label)")
    with pytest.raises(duckdb.InvalidInputException, match="1 of the rows have no measure"):
        ask(f"{call}, measure := CASE WHEN label <> 'b' THEN 'SMD' END)")
    with pytest.raises(duckdb.InvalidInputException, match="4 of the rows have no measure"):
        ask(f"{call}, measure := CAST(NULL AS VARCHAR))")


@pytest.mark.parametrize(
    ("call", "says"),
    [
        ("egger(yi, vi, model := 'lmm')", "model of egger: 'lmm' is not known; nearest 'lm'"),
        ("regress(yi, vi, xi, method := 'HE')", "method of regress: 'HE' is not known"),
        ("leave_one_out(label, yi, vi, test := 'x')", "test of leave_one_out: 'x' is not known"),
        ("confint_tau2(yi, vi, level := 0)", "confint_tau2: the level is 0"),
        ("pool_mh(xi, xi, xi, xi, measure := 'HR')", "measure of pool_mh: 'HR' is not known"),
        ("leave_one_out(label, yi, vi, 'DL')", "leave_one_out takes all but its data by name"),
    ],
)
def test_an_unknown_option_names_the_nearest(call: str, says: str) -> None:
    for rows in (ROWS, [("a", None, None, None)]):  # also where no row can be pooled
        with pytest.raises(duckdb.InvalidInputException) as raised:
            ask(call, rows)
        assert says in str(raised.value)
