"""Effect sizes in SQL against metafor, statsmodels, scipy and worked examples of textbooks."""

from __future__ import annotations

import csv
import math
import warnings
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from macros import arguments, connect, evaluate, literal
from scipy import special

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from statsmodels.stats.meta_analysis import effectsize_2proportions, effectsize_smd

ORACLE = Path(__file__).parent / "oracles" / "escalc.csv"

CON = connect()


def effect(call: str) -> dict[str, Any]:
    [value] = evaluate(CON, call)
    assert isinstance(value, dict)
    return value


def pair(call: str) -> tuple[Any, Any]:
    value = effect(call)
    return value["yi"], value["vi"]


def oracle() -> Iterator[tuple[str, float | None, float | None]]:
    with ORACLE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yi, vi = (float(row[name]) if row[name] else None for name in ("yi", "vi"))
            yield row["call"], yi, vi


def test_every_effect_size_is_that_of_metafor() -> None:
    """A variance of 0, which metafor gives and warns of, is null here.

    metafor's own J has nine digits at a thousand people, which 'UB' shows.
    """
    calls = list(oracle())
    assert len(calls) > 700
    for start in range(0, len(calls), 50):
        part = calls[start : start + 50]
        for (call, yi, vi), found in zip(part, evaluate(CON, *(c for c, *_ in part)), strict=True):
            if vi is None or vi == 0:
                assert (found["yi"], found["vi"]) == (None, None), call
                continue
            assert found["yi"] == pytest.approx(yi, rel=1e-12, abs=1e-14), call
            digits = 1e-9 if "'UB'" in call or "'LS2'" in call else 1e-12
            assert found["vi"] == pytest.approx(vi, rel=digits), call


PUBLISHED = {
    # Borenstein et al. 2009, chapters 4 to 6.
    "es_md(103, 5.5, 50, 100, 4.5, 50)": (3.0, 1.0100),
    "es_smd(103, 5.5, 50, 100, 4.5, 50, vtype := 'LS2', correction := 'none')": (0.5970, 0.0418),
    "es_smd(103, 5.5, 50, 100, 4.5, 50, vtype := 'LS2', correction := 'approximate')": (
        0.5924,
        0.0411,
    ),
    "es_rr(5, 100, 10, 100)": (-0.6931, 0.2800),
    "es_or(5, 100, 10, 100)": (-0.7472, 0.3216),
    "es_rd(5, 100, 10, 100)": (-0.0500, 0.0014),
    "es_cor(0.50, 100)": (0.50, 0.0057),
    "es_zcor(0.50, 100)": (0.5493, 0.0103),
    "{'yi': cohen_d(103, 5.5, 50, 100, 4.5, 50), 'vi': var_d(0.5970, 50, 50)}": (0.5970, 0.0418),
    # metafor's tests: dat.bcg, dat.normand1999, mean change.
    "es_rr_cells(4, 119, 11, 128)": (-0.8893, 0.3256),
    "es_smd(55, 47, 155, 75, 64, 156)": (-0.3552, 0.0131),
    "es_smd(27, 7, 31, 29, 4, 32)": (-0.3479, 0.0645),
    "es_smd(64, 17, 75, 119, 29, 71)": (-2.3176, 0.0458),
    "es_smd(66, 20, 18, 137, 48, 18)": (-1.8880, 0.1606),
    "es_mc(26, 22, sqrt(30), sqrt(20), 60, 0.7)": (4.0, 0.2618),
}


@pytest.mark.parametrize("call", PUBLISHED)
def test_worked_examples_come_out_as_printed(call: str) -> None:
    assert [round(value, 4) for value in pair(call)] == list(PUBLISHED[call])


def exact_j(m: int) -> float:
    """Return Hedges' J for a whole m by a product of fractions, and one square root of pi."""
    ratio = Fraction(1)  # of gamma(m/2) to gamma((m-1)/2), less a factor of sqrt(pi)
    for k in range(2 if m % 2 == 0 else 3, m, 2):
        ratio *= Fraction(k, k - 1)
    start = 1 / math.sqrt(math.pi) if m % 2 == 0 else math.sqrt(math.pi) / 2
    return float(ratio) * start / math.sqrt(m / 2)


def test_the_exact_correction_has_fifteen_digits_for_every_size() -> None:
    sizes = [*range(2, 60), 99, 100, 1000, 4999]
    found = evaluate(CON, *(f"hedges_j({m})" for m in sizes))
    assert found == pytest.approx([exact_j(m) for m in sizes], rel=3e-15)
    million = 1 - 3 / (4 * 1e6) - 7 / (32 * 1e12)
    assert evaluate(CON, "hedges_j(1000000)") == pytest.approx([million], rel=1e-15)


def test_the_approximate_correction_is_near_the_exact_one() -> None:
    for m, bound in ((2, 0.008), (10, 0.0004), (100, 0.00001)):
        exact, near = evaluate(CON, f"hedges_j({m})", f"hedges_j({m}, correction := 'approximate')")
        assert 0 < abs(exact - near) < bound


@pytest.mark.parametrize("r", [0, 1e-4, 0.01, 0.3, -0.6, 0.7, 0.75, 0.95, 0.999])
def test_the_unbiased_variance_of_a_correlation_is_that_of_olkin_and_pratt(r: float) -> None:
    """By scipy's hypergeometric function; for large n, where that fails, by its series."""
    for n in (5, 6, 7, 8, 20, 33, 58, 59, 60, 61, 400, 100_000):
        x = 1 - Fraction(r) ** 2
        if n < 60:
            f = Fraction(float(special.hyp2f1(1, 1, n / 2, float(x))))
        else:
            f = term = Fraction(1)
            for k in range(60):
                term *= Fraction(float((k + 1) * x / (Fraction(n, 2) + k)))
                f += term
        expected = float(Fraction(r) ** 2 - 1 + Fraction(n - 3, n - 2) * x * f)
        found = effect(f"es_cor({r!r}, {n}, vtype := 'UB')")["vi"]
        if expected < 0:
            assert found is None
        else:
            assert found == pytest.approx(expected, rel=1e-11), n


means = st.floats(-100, 100, allow_subnormal=False)
spreads = st.floats(0.1, 50)
sizes = st.integers(2, 5000)


@settings(max_examples=60, deadline=None)
@given(means, spreads, sizes, means, spreads, sizes, st.floats(0.01, 100), means)
def test_means_that_swap_arms_change_sign_and_units_do_not_change_smd(
    m1: float, s1: float, n1: int, m2: float, s2: float, n2: int, factor: float, shift: float
) -> None:
    one = arguments({"m1i": m1, "sd1i": s1, "n1i": n1, "m2i": m2, "sd2i": s2, "n2i": n2})
    two = arguments({"m1i": m2, "sd1i": s2, "n1i": n2, "m2i": m1, "sd2i": s1, "n2i": n1})
    scaled = {"m1i": m1 * factor + shift, "m2i": m2 * factor + shift}
    scaled |= {"sd1i": s1 * factor, "sd2i": s2 * factor, "n1i": n1, "n2i": n2}
    md, dm, smd, dms, other = (
        pair(call)
        for call in (
            f"es_md({one})",
            f"es_md({two})",
            f"es_smd({one})",
            f"es_smd({two})",
            f"es_smd({arguments(scaled)})",
        )
    )
    assert md[0] == -dm[0]
    assert md[1] == pytest.approx(dm[1], rel=1e-14)
    assert smd[0] == pytest.approx(-dms[0], rel=1e-14)
    assert smd[1] == pytest.approx(dms[1], rel=1e-14)
    near = 1e-12 * (1 + (abs(shift) + factor * (abs(m1) + abs(m2))) / (factor * min(s1, s2)))
    assert other == (pytest.approx(smd[0], abs=near), pytest.approx(smd[1], abs=near))


@settings(max_examples=60, deadline=None)
@given(means, spreads, sizes, means, spreads, sizes)
def test_smd_is_that_of_statsmodels(
    m1: float, s1: float, n1: int, m2: float, s2: float, n2: int
) -> None:
    if n1 + n2 > 4:
        yi, _ = effectsize_smd(m1, s1, n1, m2, s2, n2)
        values = ", ".join(literal(v) for v in (m1, s1, n1, m2, s2, n2))
        found, _ = pair(f"es_smd({values}, correction := 'approximate')")
        assert found == pytest.approx(yi, rel=1e-12, abs=1e-14)


STATSMODELS = {"RR": "risk-ratio", "OR": "odds-ratio", "RD": "diff"}

counts = st.integers(1, 400)


@pytest.mark.parametrize("measure", STATSMODELS)
@settings(max_examples=30, deadline=None)
@given(cells=st.tuples(counts, counts, counts, counts))
def test_counts_are_those_of_statsmodels_and_swapped_arms_change_sign(
    measure: str, cells: tuple[int, int, int, int]
) -> None:
    a, b, c, d = cells
    name = f"es_{measure.lower()}"
    yi, vi = effectsize_2proportions(a, a + b, c, c + d, statistic=STATSMODELS[measure])
    by_cells = effect(f"{name}_cells({a}, {b}, {c}, {d})")
    assert by_cells["measure"] == measure
    assert by_cells["yi"] == pytest.approx(yi, rel=1e-11, abs=1e-13)
    assert by_cells["vi"] == pytest.approx(vi, rel=1e-11)
    assert effect(f"{name}({a}, {a + b}, {c}, {c + d})") == by_cells
    swapped = effect(f"{name}_cells({c}, {d}, {a}, {b})")
    assert swapped["yi"] == pytest.approx(-by_cells["yi"], rel=1e-14, abs=1e-15)
    assert swapped["vi"] == pytest.approx(by_cells["vi"], rel=1e-14)


def test_with_if0all_one_table_with_a_zero_changes_them_all() -> None:
    query = """
        SELECT trial, unnest(es_or(a, n1, c, n2, add_to := 'if0all',
          any_zero := bool_or(has_zero_cell(a, n1, c, n2{drop})) OVER (){drop}))
        FROM (VALUES (1, 4, 123, 11, 139), (2, {zero}, 20, {zero}, 30)) AS t(trial, a, n1, c, n2)
        ORDER BY trial
    """
    both = CON.execute(query.format(zero=0, drop="")).fetchall()
    assert [row[1:3] for row in both] == [
        pair("es_or(4, 123, 11, 139, add_to := 'all')"),
        pair("es_or(0, 20, 0, 30, add_to := 'all')"),
    ]
    dropped = CON.execute(query.format(zero=0, drop=", drop00 := true")).fetchall()
    assert [row[1:3] for row in dropped] == [pair("es_or(4, 123, 11, 139)"), (None, None)]
    neither = CON.execute(query.format(zero=1, drop="")).fetchall()
    assert neither[0][1:3] == pair("es_or(4, 123, 11, 139)")


GOOD: dict[str, dict[str, Any]] = {
    "es_md": {"m1i": 5, "sd1i": 2, "n1i": 20, "m2i": 4, "sd2i": 3, "n2i": 30},
    "es_smd": {"m1i": 5, "sd1i": 2, "n1i": 20, "m2i": 4, "sd2i": 3, "n2i": 30},
    "es_smd_from_d": {"d": 0.3, "n1i": 20, "n2i": 30},
    "es_rr": {"ai": 4, "n1i": 20, "ci": 7, "n2i": 30},
    "es_or": {"ai": 4, "n1i": 20, "ci": 7, "n2i": 30},
    "es_rd": {"ai": 4, "n1i": 20, "ci": 7, "n2i": 30},
    "es_rr_cells": {"ai": 4, "bi": 16, "ci": 7, "di": 23},
    "es_or_cells": {"ai": 4, "bi": 16, "ci": 7, "di": 23},
    "es_rd_cells": {"ai": 4, "bi": 16, "ci": 7, "di": 23},
    "es_cor": {"ri": 0.3, "ni": 20},
    "es_zcor": {"ri": 0.3, "ni": 20},
    "es_pr": {"xi": 4, "ni": 20},
    "es_plo": {"xi": 4, "ni": 20},
    "es_mn": {"mi": 5, "sdi": 2, "ni": 20},
    "es_mc": {"m1i": 5, "m2i": 4, "sd1i": 2, "sd2i": 3, "ni": 20, "ri": 0.5},
    "es_smcc": {"m1i": 5, "m2i": 4, "sd1i": 2, "sd2i": 3, "ni": 20, "ri": 0.5},
    "es_smcr": {"m1i": 5, "m2i": 4, "sd1i": 2, "ni": 20, "ri": 0.5},
}

IMPOSSIBLE = {
    "n": (0, -3, math.nan, math.inf),
    "s": (-0.1, math.nan, math.inf),
    "r": (1.001, -1.001, math.nan, math.inf),
    "m": (math.nan, math.inf, -math.inf),
    "d": (math.nan, math.inf, -math.inf),
    "a": (-1, math.nan, math.inf),
    "b": (-1, math.nan, math.inf),
    "c": (-1, math.nan, math.inf),
    "x": (-1, math.nan, math.inf),
}
"""By the first letter of the argument; the d of a two-by-two table is a count too."""


@pytest.mark.parametrize("macro", GOOD)
def test_a_null_or_an_impossible_input_gives_nulls_and_keeps_the_measure(macro: str) -> None:
    whole = effect(f"{macro}({arguments(GOOD[macro])})")
    assert whole["yi"] is not None
    assert whole["vi"] > 0
    for name in GOOD[macro]:
        values = [None, *IMPOSSIBLE[name[0]], *([-1] if name == "di" else [])]
        if name in ("n1i", "n2i", "ni") and {"ai", "xi"} & set(GOOD[macro]):
            values.append(3)  # fewer people than events
        for value in values:
            found = effect(f"{macro}({arguments({**GOOD[macro], name: value})})")
            assert found == {"yi": None, "vi": None, "measure": whole["measure"]}, (name, value)


NOTHING = [
    "es_md(5, 0, 20, 4, 0, 20)",
    "es_md(5, 1, 1, 4, 1, 20)",
    "es_smd(5, 0, 20, 4, 0, 20)",
    "es_smd_from_d(1, 1, 2)",
    "es_rr(0, 0, 3, 9)",
    "es_rr(0, 20, 3, 30, add_to := 'none')",
    "es_rr(0, 20, 3, 30, add := 0)",
    "es_or(20, 20, 3, 30, add_to := 'none')",
    "es_rd(1, 1, 3, 9, vtype := 'UB', add_to := 'none')",
    "es_or(0, 20, 0, 30, drop00 := true)",
    "es_or(20, 20, 30, 30, drop00 := true)",
    "es_cor(1, 20)",
    "es_cor(0.3, 3)",
    "es_cor(0.3, 4, vtype := 'UB')",
    "es_cor(0.3, 20.5, vtype := 'UB')",
    "es_zcor(1, 20)",
    "es_zcor(-1, 20)",
    "es_zcor(0.3, 3)",
    "es_zcor(0.3, 2)",
    "es_plo(0, 20, add_to := 'none')",
    "es_pr(0, 20, add_to := 'none')",
    "es_plo(0, 0)",
    "es_mn(5, 0, 20)",
    "es_mc(5, 4, 2, 2, 20, 1)",
    "es_smcc(5, 4, 2, 2, 20, 1)",
    "es_smcc(5, 4, 2, 3, 2, 0.5)",
    "es_smcr(5, 4, 0, 20, 0.5)",
]


@pytest.mark.parametrize("call", NOTHING)
def test_what_has_no_variance_or_no_people_is_null(call: str) -> None:
    assert pair(call) == (None, None)


def test_counts_and_sizes_of_a_split_control_group_may_be_fractional() -> None:
    yi, vi = pair("es_rr(4, 123, 5.5, 69.5)")
    assert yi == pytest.approx(math.log(4 / 123) - math.log(5.5 / 69.5))
    assert vi == pytest.approx(1 / 4 - 1 / 123 + 1 / 5.5 - 1 / 69.5)


UNKNOWN = {
    "es_md(5, 2, 20, 4, 3, 30, vtype := 'ho')": "of es_md: 'ho' is not known; nearest 'HO' of LS",
    "es_smd(5, 2, 20, 4, 3, 30, vtype := 'LS3')": "nearest 'LS' of LS, UB, LS2",
    "es_smd(5, 2, 20, 4, 3, 30, vtype := NULL)": "vtype of es_smd: null is not known",
    "es_smd(5, 2, 20, 4, 3, 30, correction := 'exakt')": "nearest 'exact'",
    "es_smd(5, 2, 20, 4, 3, 30, vtype := 'UB', correction := 'none')": "corrected value",
    "es_smd(NULL, 2, 20, 4, 3, 30, vtype := 'x')": "vtype of es_smd",
    "es_rr(4, 20, 7, 30, add_to := 'only')": "of es_rr: 'only' is not known; nearest 'only0'",
    "es_rr(4, 20, 7, 30, add_to := 'if0all')": "any_zero := bool_or",
    "es_plo(4, 20, add_to := 'if0all')": "any_zero := bool_or(xi = 0 OR xi = ni) OVER ()",
    "es_rr(4, 20, 7, 30, add := -1)": "add of es_rr: -1 is no number of 0 or more",
    "es_rr(4, 20, 7, 30, add := NULL)": "add of es_rr: null is no number",
    "es_or(4, 20, 7, 30, drop00 := NULL)": "drop00 of es_or",
    "es_rd(4, 20, 7, 30, vtype := 'AV')": "vtype of es_rd",
    "es_cor(0.3, 20, vtype := 'AV')": "vtype of es_cor",
    "es_plo(4, 20, add_to := 'zero')": "add_to of es_plo",
    "es_smcc(5, 4, 2, 3, 20, 0.5, vtype := 'UB')": "vtype of es_smcc",
    "es_smcr(5, 4, 2, 20, 0.5, correction := 'some')": "correction of Hedges",
}


@pytest.mark.parametrize("call", UNKNOWN)
def test_an_unknown_option_is_an_error_that_names_the_known_ones(call: str) -> None:
    with pytest.raises(duckdb.InvalidInputException) as caught:
        evaluate(CON, call)
    assert UNKNOWN[call] in str(caught.value)


def test_an_option_may_be_a_column_and_a_wrong_one_in_any_row_is_an_error() -> None:
    query = """
        SELECT es_md(5, 2, 20, m, 3, 30, vtype := v).vi
        FROM (VALUES (4, 'LS'), (4, 'HO'), (NULL, '{}')) AS t(m, v)
    """
    assert CON.execute(query.format("HO")).fetchall() == [
        (pair("es_md(5, 2, 20, 4, 3, 30)")[1],),
        (pair("es_md(5, 2, 20, 4, 3, 30, vtype := 'HO')")[1],),
        (None,),
    ]
    with pytest.raises(duckdb.InvalidInputException, match="vtype of es_md"):
        CON.execute(query.format("H0"))


def test_an_effect_size_takes_text_that_is_a_number_and_refuses_other_text() -> None:
    assert pair("es_zcor('0.5', '10')") == pair("es_zcor(0.5, 10)")
    with pytest.raises(duckdb.ConversionException):
        evaluate(CON, "es_zcor('high', 10)")
