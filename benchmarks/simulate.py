"""Synthetic statistics, computed from data at full precision and then reported as people report.

Each function draws studies of one kind and returns the roles as columns: the number as printed,
and its decimals. A practice changes only the reporting, so that a rule that fires is a false
alarm. No study of these exists.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

Numbers = NDArray[np.float64]
Roles = dict[str, NDArray[Any]]
"""Numbers under their role, printed decimals under ROLE__decimals, words as text."""

PRACTICES = (
    "half-even",
    "half-up",
    "truncated p",
    "stripped zeros",
    "pairwise n",
    "adjusted means",
    "prorated sums",
    "spreadsheet digits",
)
Z = special.ndtri(0.975)


@dataclass(frozen=True)
class Reporter:
    """How numbers are printed, and what is behind them."""

    rng: np.random.Generator
    practice: str = "half-even"

    def show(self, roles: Roles, role: str, values: Numbers, decimals: int) -> None:
        """Print a column into the roles."""
        if self.practice == "spreadsheet digits":
            roles[role] = values
            roles[f"{role}__decimals"] = np.full(len(values), 17)
            return
        unit = 10.0**decimals
        if self.practice == "half-up":
            shown = np.copysign(np.floor(np.abs(values) * unit + 0.5), values) / unit
        else:
            shown = np.rint(values * unit) / unit
        digits = np.full(len(values), decimals)
        if self.practice == "stripped zeros":
            for fewer in range(decimals - 1, -1, -1):
                digits[shown == np.rint(shown * 10.0**fewer) / 10.0**fewer] = fewer
        roles[role], roles[f"{role}__decimals"] = shown, digits

    def show_p(self, roles: Roles, p: Numbers) -> None:
        """Print p with three decimals and its operator, `< 0.001` for the smallest.

        Three in ten results come without their p.
        """
        p = np.where(self.rng.random(len(p)) < 0.3, np.nan, p)
        small = p < 0.001
        cut = np.floor(p * 1000) / 1000 if self.practice == "truncated p" else p
        self.show(roles, "p", np.where(small, 0.001, cut), 3)
        roles["p_operator"] = np.where(small, "<", "=")

    def count(self, roles: Roles, role: str, values: Numbers) -> None:
        """Print a whole number."""
        roles[role], roles[f"{role}__decimals"] = values, np.zeros(len(values))

    def people(self, n: Numbers) -> Numbers:
        """Return the n that is printed for a figure of n people: all, though some are missing."""
        if self.practice != "pairwise n":
            return n
        return np.floor(n / self.rng.uniform(0.8, 1.0, len(n)))

    def half_width(self, se: Numbers, df: Numbers) -> Numbers:
        """Return half the width of a 95 % interval, by t or by the normal, study by study."""
        by_t = self.rng.random(len(se)) < 0.5
        return np.where(by_t, special.stdtrit(df, 0.975), Z) * se


def sample_mean(report: Reporter, size: int) -> Roles:
    """Return means of whole answers on 1 to 7: items of 1, 4 or 12, as item mean or sum."""
    rng, most = report.rng, 60
    n = rng.integers(5, most + 1, size).astype(np.float64)
    items = rng.choice([1.0, 4.0, 12.0], size)
    level, spread = rng.uniform(2, 6, size), rng.uniform(0.6, 1.6, size)
    scores = rng.normal(level[:, None], spread[:, None], (size, most)) * items[:, None]
    scores = np.clip(np.rint(scores), items[:, None], 7 * items[:, None])
    if report.practice == "prorated sums":
        left_out = (rng.random((size, most)) < 0.1) & (items[:, None] > 1)
        answered = np.clip(np.rint(scores * (1 - 1 / items[:, None])), items[:, None] - 1, None)
        with np.errstate(all="ignore"):
            prorated = answered * items[:, None] / (items[:, None] - 1)
        scores = np.where(left_out, np.minimum(prorated, 7 * items[:, None]), scores)
    there = np.arange(most) < n[:, None]
    mean = np.where(there, scores, 0).sum(axis=1) / n
    sd = np.sqrt(np.where(there, (scores - mean[:, None]) ** 2, 0).sum(axis=1) / (n - 1))
    sums = rng.random(size) < 0.5
    divisor = np.where(sums, 1.0, items)
    mean, sd = mean / divisor, sd / divisor
    se = sd / np.sqrt(n)
    roles: Roles = {"min": np.ones(size), "max": np.full(size, 7.0), "items": items}
    roles["score_type"] = np.where(sums, "sum", "item-mean")
    roles["mean_type"] = np.full(size, "observed")
    if report.practice == "adjusted means":  # and nobody says that they are
        mean, se = mean + 0.5 * rng.normal(size=size) * se, se * rng.uniform(0.7, 1.0, size)
        roles["mean_type"] = np.full(size, "unknown")
    half = report.half_width(se, n - 1)
    report.show(roles, "mean", mean, 2)
    report.show(roles, "sd", sd, 2)
    report.show(roles, "se", se, 3)
    report.show(roles, "ci_lower", mean - half, 2)
    report.show(roles, "ci_upper", mean + half, 2)
    report.count(roles, "n", report.people(n))
    return roles | peers(roles["sd"], items * 2 + sums)


def binary_mean(report: Reporter, size: int) -> Roles:
    """Return shares of people, as means of 0 and 1 with their SD."""
    n = report.rng.integers(5, 200, size).astype(np.float64)
    share = report.rng.binomial(n.astype(np.int64), report.rng.uniform(0.02, 0.98, size)) / n
    roles: Roles = {"score_type": np.full(size, "binary"), "mean_type": np.full(size, "observed")}
    report.show(roles, "mean", share, 2)
    report.show(roles, "sd", np.sqrt(share * (1 - share) * n / (n - 1)), 2)
    report.count(roles, "n", report.people(n))
    return roles


def peers(sd: Numbers, groups: Numbers) -> Roles:
    """Return what the rows of each group have for peers, as declared statistics do."""
    found = {f"peers_{name}": np.full(len(sd), np.nan) for name in ("before", "middle", "after")}
    found["peers_size"] = np.zeros(len(sd))
    for group in np.unique(groups):
        rows = groups == group
        ordered = np.sort(sd[rows & (sd > 0)])
        half = len(ordered) // 2
        found["peers_size"][rows] = len(ordered)
        for name, place in (("before", half - 1), ("middle", half), ("after", half + 1)):
            if 0 <= place < len(ordered):
                found[f"peers_{name}"][rows] = ordered[place]
    return found


def sample_median(report: Reporter, size: int) -> Roles:
    """Return medians and quartiles of whole scores on 0 to 27."""
    rng, people = report.rng, 40
    scores = np.clip(np.rint(rng.normal(rng.uniform(2, 25, (size, 1)), 6, (size, people))), 0, 27)
    q1, median, q3 = np.quantile(scores, [0.25, 0.5, 0.75], axis=1)
    roles: Roles = {"min": np.zeros(size), "max": np.full(size, 27.0)}
    for role, values in (("median", median), ("q1", q1), ("q3", q3)):
        report.show(roles, role, values, 1)
    report.count(roles, "n", report.people(np.full(size, float(people))))
    return roles


def mean_difference(report: Reporter, size: int) -> Roles:
    """Return two groups, and d or g by any usual route, with its standard error and interval."""
    rng = report.rng
    n1, n2 = (rng.integers(12, 150, size).astype(np.float64) for _ in range(2))
    sd = rng.uniform(3, 9, size)
    sd1, sd2 = (sd * np.sqrt(rng.chisquare(n - 1) / (n - 1)) for n in (n1, n2))
    mean1 = rng.normal(14, 2, size) + rng.normal(size=size) * sd / np.sqrt(n1)
    mean2 = rng.normal(14, 2, size) + rng.normal(size=size) * sd / np.sqrt(n2)
    pooled = np.sqrt(((n1 - 1) * sd1**2 + (n2 - 1) * sd2**2) / (n1 + n2 - 2))
    routes = np.stack([pooled, sd2, np.sqrt((sd1**2 + sd2**2) / 2)])
    standard = routes[rng.integers(0, len(routes), size), np.arange(size)]
    d = (mean1 - mean2) / standard
    error = np.sqrt(1 / n1 + 1 / n2)
    roles: Roles = {}
    if report.practice == "adjusted means":  # by a covariate that correlates up to 0.7
        rho = rng.uniform(0.2, 0.7, size)
        d = (d + rho * rng.normal(size=size) * error) / np.where(
            rng.random(size) < 0.5, np.sqrt(1 - rho**2), 1.0
        )
        error = error * np.sqrt(1 - rho**2)
    corrected = rng.random(size) < 0.5
    j = np.where(corrected, 1 - 3 / (4 * (n1 + n2 - 2) - 1), 1.0)
    d = d * j
    total = np.where(rng.random(size) < 0.5, n1 + n2, n1 + n2 - 2)
    se = np.sqrt(error**2 + d**2 / (2 * total)) * np.where(rng.random(size) < 0.5, j, 1.0)
    lower_is_better = rng.random(size) < 0.5
    d = np.where(lower_is_better, -d, d)
    roles["direction"] = np.where(lower_is_better, "lower-is-better", "higher-is-better")
    half = report.half_width(se, n1 + n2 - 2)
    for role, values in (("mean1", mean1), ("mean2", mean2), ("sd1", sd1), ("sd2", sd2)):
        report.show(roles, role, values, 1)
    for role, values in (("g", d), ("se", se), ("ci_lower", d - half), ("ci_upper", d + half)):
        report.show(roles, role, values, 2)
    report.count(roles, "n1", report.people(n1))
    report.count(roles, "n2", report.people(n2))
    return roles


def two_by_two(report: Reporter, size: int, role: str = "rr") -> Roles:
    """Return events in two arms, and one measure with its Wald interval."""
    rng = report.rng
    n1, n2 = (rng.integers(20, 400, size) for _ in range(2))
    e1, e2 = (rng.binomial(n, rng.uniform(0.02, 0.6, size)) for n in (n1, n2))
    cells = np.stack([e1, n1 - e1, e2, n2 - e2]).astype(np.float64)
    cells = cells + np.where((cells == 0).any(axis=0), 0.5, 0.0)
    a, b, c, d = cells
    ratio = role != "rd"
    estimate, se = {
        "rr": (np.log(a / (a + b) / (c / (c + d))), 1 / a - 1 / (a + b) + 1 / c - 1 / (c + d)),
        "or": (np.log(a * d / (b * c)), 1 / a + 1 / b + 1 / c + 1 / d),
        "rd": (a / (a + b) - c / (c + d), a * b / (a + b) ** 3 + c * d / (c + d) ** 3),
    }[role]
    half = Z * np.sqrt(se)
    roles: Roles = {}
    for name, values in (
        (role, estimate),
        ("ci_lower", estimate - half),
        ("ci_upper", estimate + half),
    ):
        report.show(roles, name, np.exp(values) if ratio else values, 2)
    for name, counts in (("events1", e1), ("n1", n1), ("events2", e2), ("n2", n2)):
        report.count(roles, name, counts.astype(np.float64))
    return roles


def proportion(report: Reporter, size: int) -> Roles:
    """Return counts, totals and percents."""
    n = report.rng.integers(8, 400, size)
    count = report.rng.binomial(n, report.rng.uniform(0.02, 0.98, size))
    roles: Roles = {}
    report.show(roles, "percent", 100 * count / n, 1)
    report.count(roles, "count", count.astype(np.float64))
    report.count(roles, "n", report.people(n.astype(np.float64)))
    return roles


def correlation(report: Reporter, size: int) -> Roles:
    """Return correlations with p and Fisher's interval, and whether they are significant."""
    n = report.rng.integers(10, 400, size).astype(np.float64)
    r = np.tanh(report.rng.normal(0, 0.3, size))
    t = np.abs(r) * np.sqrt((n - 2) / (1 - r * r))
    p = 2 * special.stdtr(n - 2, -t)
    roles: Roles = {"significant": np.where(p < 0.05, "yes", "no")}
    half = Z / np.sqrt(n - 3)
    report.show(roles, "r", r, 2)
    report.show(roles, "ci_lower", np.tanh(np.arctanh(r) - half), 2)
    report.show(roles, "ci_upper", np.tanh(np.arctanh(r) + half), 2)
    report.show_p(roles, p)
    report.count(roles, "n", report.people(n))
    return roles


def test(report: Reporter, size: int) -> Roles:
    """Return t, F, chi-square and z tests with two-sided p."""
    rng = report.rng
    kind = rng.choice(["t", "F", "chi2", "z"], size)
    df, df1 = rng.integers(5, 300, size).astype(float), rng.integers(1, 6, size).astype(float)
    z = rng.normal(0.8, 1.5, size)
    value = np.select([kind == "F", kind == "chi2"], [z**2, z**2 + df1 - 1], z)
    p = np.select(
        [kind == "t", kind == "F", kind == "chi2"],
        [
            2 * special.stdtr(df, -np.abs(value)),
            special.fdtrc(df1, df, value),
            special.chdtrc(df1, value),
        ],
        2 * special.ndtr(-np.abs(value)),
    )
    roles: Roles = {"test": kind, "significant": np.where(p < 0.05, "yes", "no")}
    report.show(roles, "value", value, 2)
    report.show_p(roles, p)
    report.count(roles, "df", np.select([kind == "t", kind == "chi2"], [df, df1], np.nan))
    report.count(roles, "df1", np.where(kind == "F", df1, np.nan))
    report.count(roles, "df2", np.where(kind == "F", df, np.nan))
    report.count(roles, "n", df + df1 + 1)
    return roles


def coefficient(report: Reporter, size: int) -> Roles:
    """Return regression coefficients with SE, t, df and p."""
    rng = report.rng
    df, se = rng.integers(5, 300, size).astype(np.float64), rng.uniform(0.05, 2, size)
    t = rng.normal(0.5, 1.8, size)
    p = 2 * special.stdtr(df, -np.abs(t))
    roles: Roles = {"significant": np.where(p < 0.05, "yes", "no")}
    report.show(roles, "estimate", t * se, 2)
    report.show(roles, "se", se, 2)
    report.show(roles, "t", t, 2)
    report.show_p(roles, p)
    report.count(roles, "df", df)
    report.count(roles, "n", df + 4)
    report.count(roles, "predictors", np.full(size, 3.0))
    return roles


def estimate(report: Reporter, size: int) -> Roles:
    """Return estimates with SE, interval and p, half of them ratios."""
    rng = report.rng
    log = rng.random(size) < 0.5
    value, se = rng.normal(0, 0.5, size), rng.uniform(0.05, 0.4, size)
    df = rng.integers(5, 200, size).astype(np.float64)
    by_t = rng.random(size) < 0.5
    quantile = np.where(by_t, special.stdtrit(df, 0.975), Z)
    size_of = np.abs(value) / se
    p = 2 * np.where(by_t, special.stdtr(df, -size_of), special.ndtr(-size_of))
    roles: Roles = {"scale": np.where(log, "log", "identity")}
    for role, at in (("estimate", 0.0), ("ci_lower", -1.0), ("ci_upper", 1.0)):
        bound = value + at * quantile * se
        report.show(roles, role, np.where(log, np.exp(bound), bound), 2)
    report.show(roles, "se", se, 3)
    report.show_p(roles, p)
    return roles


def sample_flow(report: Reporter, size: int) -> Roles:
    """Return people randomised, lost and analysed."""
    randomised = report.rng.integers(20, 400, size)
    lost = report.rng.binomial(randomised, 0.15)
    roles: Roles = {}
    for role, counts in (
        ("randomised", randomised),
        ("lost", lost),
        ("analysed", randomised - lost),
    ):
        report.count(roles, role, counts.astype(np.float64))
    return roles


SIMULATIONS: Mapping[str, tuple[str, Callable[[Reporter, int], Roles]]] = {
    "sample-mean": ("sample-mean", sample_mean),
    "sample-mean, binary": ("sample-mean", binary_mean),
    "sample-median": ("sample-median", sample_median),
    "mean-difference": ("mean-difference", mean_difference),
    "two-by-two, rr": ("two-by-two", lambda r, n: two_by_two(r, n, "rr")),
    "two-by-two, or": ("two-by-two", lambda r, n: two_by_two(r, n, "or")),
    "two-by-two, rd": ("two-by-two", lambda r, n: two_by_two(r, n, "rd")),
    "proportion": ("proportion", proportion),
    "correlation": ("correlation", correlation),
    "test": ("test", test),
    "coefficient": ("coefficient", coefficient),
    "estimate": ("estimate", estimate),
    "sample-flow": ("sample-flow", sample_flow),
}
"""Each simulation: the kind of statistic, and the function that draws it."""
