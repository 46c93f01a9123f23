"""The effect sizes that a declared statistic can give, and the numbers that each takes.

Names are metafor's. A measure may be had in several ways; the first whose numbers are there, and
give one, is taken. Where a way rests on an assumption, `docs/export.md` says which.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from reviewdata.columns import quote_name
from reviewdata.statistics import KINDS, NO_WORD, Statistic


@dataclass(frozen=True)
class Way:
    """The roles whose numbers must be there, and the effect as SQL: a struct of yi and vi.

    `when` is an SQL condition on what is no number of these: the kind of test, the design.
    """

    roles: tuple[str, ...]
    sql: str
    when: str = "true"


@dataclass(frozen=True)
class Measure:
    """An effect size: metafor's name, what it is called, and the ways to it."""

    name: str
    title: str
    ways: tuple[Way, ...]


def _struct(yi: str, vi: str) -> str:
    return f"struct_pack(yi := {yi}, vi := {vi})"


def _code(role: str, word: str, kind: str) -> str:
    """Return SQL that is true where a role of words has this word."""
    return f"coalesce({role}, {NO_WORD}) = {KINDS[kind].words[role].index(word)}"


_LEVEL = "level := coalesce(ci_level, 95)"
_MEANS = ("mean1", "sd1", "n1", "mean2", "sd2", "n2")
_UNPAIRED = f"NOT {_code('method', 'paired', 'mean-difference')}"
_TWO_MEANS = "mean1, sd1, n1, mean2, sd2, n2"


def _if(condition: str, value: str) -> str:
    return f"CASE WHEN {condition} THEN {value} END"


def _interval(low: str, high: str, *, t: str = "") -> str:
    """Return SQL for the variance that an interval says, by the normal or by t."""
    macro = (
        f"se_from_ci_t({low}, {high}, {t}, {_LEVEL})"
        if t
        else f"se_from_ci({low}, {high}, {_LEVEL})"
    )
    return f"{macro} ** 2"


def _ln(value: str) -> str:
    return f"CASE WHEN {value} > 0 THEN ln({value}) END"


def _log_bound(value: str) -> str:
    return f"(CASE WHEN {value} > 0 THEN ln({value}) END)"


def _counts(macro: str) -> Iterator[Way]:
    """Yield the ways from counts: of each arm the group, or who has not the event."""
    for first, second in product(("n1", "nonevents1"), ("n2", "nonevents2")):
        sizes = [
            role if role.startswith("n") and len(role) == 2 else f"events{role[-1]} + {role}"
            for role in (first, second)
        ]
        sql = f"{macro}(events1, {sizes[0]}, events2, {sizes[1]})"
        yield Way(("events1", first, "events2", second), sql)


def _reported(role: str, others: Sequence[str], *, ratio: bool) -> Way:
    """Return the way by a printed measure and its interval, where it alone is printed."""
    alone = " AND ".join(f"{other} IS NULL" for other in others)
    yi = _ln(role) if ratio else role
    low, high = (
        (_log_bound("ci_lower"), _log_bound("ci_upper")) if ratio else ("ci_lower", "ci_upper")
    )
    role_name = role.strip('"')
    sql = _struct(yi, _interval(low, high))
    return Way((role_name, "ci_lower", "ci_upper"), sql, alone)


_SCALED = {
    name: f"(CASE WHEN {_code('scale', 'log', 'estimate')} THEN {_ln(name)} ELSE {name} END)"
    for name in ("estimate", "ci_lower", "ci_upper")
}
_EXACT_P = f"coalesce(p_operator, {NO_WORD}) IN ({NO_WORD}, 0)"
_BY_P = f"({_SCALED['estimate']} / norm_ppf(1 - p / 2)) ** 2"
_RATIOS = {"rr": "rr", "or": '"or"', "rd": "rd"}


def _others(role: str) -> list[str]:
    return [sql for name, sql in _RATIOS.items() if name != role]


MEASURES: Mapping[str, tuple[Measure, ...]] = {
    "sample-mean": (
        Measure(
            "MN",
            "mean",
            (
                Way(("mean", "sd", "n"), "es_mn(mean, sd, n)"),
                Way(("mean", "se"), _if("se > 0", _struct("mean", "se ** 2"))),
                Way(
                    ("mean", "ci_lower", "ci_upper", "n"),
                    _if("n > 1", _struct("mean", _interval("ci_lower", "ci_upper", t="(n - 1)"))),
                ),
            ),
        ),
    ),
    "mean-difference": (
        Measure(
            "SMD",
            "standardised mean difference, Hedges' g",
            (
                Way(_MEANS, f"es_smd({_TWO_MEANS})", _UNPAIRED),
                Way(("d", "n1", "n2"), "es_smd_from_d(d, n1, n2)", _UNPAIRED),
                Way(("g", "se"), _if("se > 0", _struct("g", "se ** 2"))),
                Way(
                    ("g", "ci_lower", "ci_upper"),
                    _struct("g", _interval("ci_lower", "ci_upper")),
                ),
            ),
        ),
        Measure("MD", "mean difference", (Way(_MEANS, f"es_md({_TWO_MEANS})", _UNPAIRED),)),
    ),
    "two-by-two": (
        Measure(
            "RR",
            "log risk ratio",
            (*_counts("es_rr"), _reported("rr", _others("rr"), ratio=True)),
        ),
        Measure(
            "OR",
            "log odds ratio",
            (*_counts("es_or"), _reported('"or"', _others("or"), ratio=True)),
        ),
        Measure(
            "RD",
            "risk difference",
            (*_counts("es_rd"), _reported("rd", _others("rd"), ratio=False)),
        ),
    ),
    "proportion": (
        Measure("PLO", "logit of the proportion", (Way(("count", "n"), "es_plo(count, n)"),)),
        Measure("PR", "proportion", (Way(("count", "n"), "es_pr(count, n)"),)),
    ),
    "correlation": (
        Measure(
            "ZCOR",
            "Fisher's z of the correlation",
            (
                Way(("r", "n"), "es_zcor(r, n)"),
                Way(
                    ("r", "ci_lower", "ci_upper"),
                    _struct("z_from_r(r)", _interval("z_from_r(ci_lower)", "z_from_r(ci_upper)")),
                ),
            ),
        ),
        Measure("COR", "correlation", (Way(("r", "n"), "es_cor(r, n)"),)),
    ),
    "test": (
        Measure(
            "ZCOR",
            "Fisher's z of the correlation that a t test says",
            (
                Way(
                    ("value", "df"),
                    "es_zcor(r_from_t(value, df), df + 2)",
                    _code("test", "t", "test"),
                ),
            ),
        ),
    ),
    "coefficient": (
        Measure(
            "GEN",
            "coefficient",
            (
                Way(("estimate", "se"), _if("se > 0", _struct("estimate", "se ** 2"))),
                Way(
                    ("estimate", "t"),
                    _if(
                        "t <> 0 AND estimate / t > 0",
                        _struct("estimate", "(estimate / t) ** 2"),
                    ),
                ),
            ),
        ),
    ),
    "estimate": (
        Measure(
            "GEN",
            "estimate, of a ratio its logarithm",
            (
                Way(("estimate", "se"), _if("se > 0", _struct(_SCALED["estimate"], "se ** 2"))),
                Way(
                    ("estimate", "ci_lower", "ci_upper"),
                    _struct(
                        _SCALED["estimate"],
                        _interval(_SCALED["ci_lower"], _SCALED["ci_upper"]),
                    ),
                ),
                Way(
                    ("estimate", "p"),
                    _if("p > 0 AND p < 1", _struct(_SCALED["estimate"], _BY_P)),
                    _EXACT_P,
                ),
            ),
        ),
    ),
}
"""The effect sizes of each kind, the usual one first; a kind that is not here has none."""


def open_ways(statistic: Statistic, measure: Measure) -> list[Way]:
    """Return the ways to a measure for whose every number a declaration has a place."""
    return [way for way in measure.ways if all(r in statistic.bindings for r in way.roles)]


def measures_sql(statistic: Statistic) -> str:
    """Return a SELECT of one row for each record that the statistic is of, `_row` its number.

    It has `_has_ROLE` for each numeric role that is bound, and of each measure the column `NAME`,
    the first effect that can be computed, a struct of yi and vi, else null; and `_may_NAME`, which
    of its open ways the row is of.
    """
    kind = KINDS[statistic.kind]
    bound = [role for role in kind.numbers if role in statistic.bindings]
    absent = [f"CAST(NULL AS DOUBLE) AS {quote_name(r)}" for r in kind.numbers if r not in bound]
    absent += [f"{NO_WORD} AS {quote_name(r)}" for r in kind.words if r not in statistic.bindings]
    listed = ["_row"]
    listed += [f"{quote_name(role)} IS NOT NULL AS {quote_name(f'_has_{role}')}" for role in bound]
    for measure in MEASURES.get(statistic.kind, ()):
        ways = open_ways(statistic, measure)
        effects = [_if(way.when, _whole(way.sql)) for way in ways]
        value = f"coalesce({', '.join(effects)})" if effects else "NULL"
        listed.append(f"{value} AS {quote_name(measure.name)}")
        may = ", ".join(f"coalesce({way.when}, false)" for way in ways)
        listed.append(f"[{may}] AS {quote_name(f'_may_{measure.name}')}")
    inner = ", ".join(["*", *absent])
    return f"SELECT {', '.join(listed)} FROM (SELECT {inner} FROM ({statistic.sql}))"


def _whole(effect: str) -> str:
    """Return SQL for an effect that is null where its value or its variance is none.

    What is not finite, and a variance that is not above 0, is none.
    """
    return (
        f"list_filter([struct_pack(yi := ({effect}).yi, vi := ({effect}).vi)],"
        " lambda e: isfinite(e.yi) AND isfinite(e.vi) AND e.vi > 0)[1]"
    )
