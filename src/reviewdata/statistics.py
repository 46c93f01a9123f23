"""Declared statistics: which columns together form a reported statistic.

A Table Schema says what a column is called; its `statistics` list says what it means. Each
declaration binds the roles of a kind (STATO's and metafor's terms) to columns, to columns
reached through foreign keys (`sample_id.n`), or to constants, so that no rule ever names a
column of a review.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from reviewdata.columns import NUMERIC, quote_name, quote_text
from reviewdata.joins import Cell, Source, UnknownName
from reviewdata.model import ReviewdataError
from reviewdata.package import Package, Resource
from reviewdata.rules import nearest


@dataclass(frozen=True)
class Kind:
    """The roles of one kind of statistic.

    `needs` lists what must be bound: of each entry one role at least. `numbers` are numeric,
    `counts` those of them that count people or things; `words` have the vocabulary that the
    rules know; `names` name a study, an arm, a group.
    """

    needs: tuple[tuple[str, ...], ...]
    numbers: tuple[str, ...]
    counts: tuple[str, ...] = ()
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    names: tuple[str, ...] = ()

    @property
    def roles(self) -> tuple[str, ...]:
        """Every role, the numeric ones first."""
        return (*self.numbers, *self.words, *self.names)


OPERATORS = ("=", "<", "<=", "≤", ">", ">=", "≥")
YES_NO = ("yes", "true", "no", "false")
SCORE_TYPES = ("item-mean", "sum", "percent", "binary", "other")
MEAN_TYPES = ("observed", "adjusted", "change", "unknown")
_P = {"p_operator": OPERATORS, "significant": YES_NO}

KINDS: Mapping[str, Kind] = {
    "sample-mean": Kind(
        (("mean",), ("n",)),
        (
            *("mean", "n", "sd", "se", "ci_lower", "ci_upper", "ci_level"),
            *("min", "max", "items", "reference_sd"),
        ),
        ("n",),
        {"score_type": SCORE_TYPES, "mean_type": MEAN_TYPES},
        ("group",),
    ),
    "sample-median": Kind((("median",), ("n",)), ("median", "n", "q1", "q3", "min", "max"), ("n",)),
    "mean-difference": Kind(
        (("n1",), ("mean1",), ("sd1",), ("n2",), ("mean2",), ("sd2",)),
        (
            *("n1", "mean1", "sd1", "n2", "mean2", "sd2"),
            *("d", "g", "se", "ci_lower", "ci_upper", "ci_level", "min", "max"),
        ),
        ("n1", "n2"),
        {
            "direction": ("higher-is-better", "lower-is-better"),
            "method": ("raw-means", "adjusted", "change", "paired", "other"),
        },
        ("study", "arm1", "arm2", "pool"),
    ),
    "two-by-two": Kind(
        (("events1",), ("n1", "nonevents1"), ("events2",), ("n2", "nonevents2")),
        (
            *("events1", "n1", "nonevents1", "events2", "n2", "nonevents2"),
            *("rr", "or", "rd", "ci_lower", "ci_upper", "ci_level"),
        ),
        ("events1", "n1", "nonevents1", "events2", "n2", "nonevents2"),
        {"method": ("raw-counts", "adjusted", "other")},
        ("study", "arm1", "arm2", "pool"),
    ),
    "proportion": Kind((("count",), ("n",)), ("count", "n", "percent"), ("count", "n")),
    "correlation": Kind(
        (("r",), ("n",)),
        ("r", "n", "p", "sides", "alpha", "ci_lower", "ci_upper", "ci_level"),
        ("n",),
        _P,
    ),
    "test": Kind(
        (("test",), ("value",)),
        ("value", "df", "df1", "df2", "p", "sides", "alpha", "n"),
        ("n",),
        {"test": ("t", "F", "chi2", "z"), **_P},
    ),
    "coefficient": Kind(
        (("estimate",),),
        ("estimate", "se", "t", "df", "p", "sides", "alpha", "n", "predictors"),
        ("n",),
        {"standardised": YES_NO, **_P},
    ),
    "estimate": Kind(
        (("estimate",),),
        ("estimate", "se", "ci_lower", "ci_upper", "ci_level", "p"),
        (),
        {"scale": ("identity", "log"), "p_operator": OPERATORS},
    ),
    "sample-flow": Kind(
        (("randomised",), ("analysed",)),
        ("randomised", "analysed", "lost"),
        ("randomised", "analysed", "lost"),
        {},
        ("study", "arm", "pool"),
    ),
    "study-flow": Kind(
        (("box",), ("count",)),
        ("count",),
        ("count",),
        {"unit": ("reports", "studies")},
        ("box", "pool"),
    ),
    "rob": Kind(
        (("study",), ("domain",), ("judgement",)),
        (),
        (),
        {},
        ("study", "tool", "domain", "judgement"),
    ),
}
"""The kinds of statistic; `kind` and `where` are no roles."""

UNKNOWN_WORD, NO_WORD = -1, -2
"""Codes of a word that the vocabulary does not have, and of none."""

MOST_DECIMALS = 99

PEERS = ("size", "before", "middle", "after")
"""What a row is told of its group, as peers_NAME: how many SDs, and the three in their middle."""


@dataclass(frozen=True)
class Binding:
    """What a role is bound to: a cell or a constant, and its value as SQL.

    `given` is the name of the cell as declared, or the constant.
    """

    role: str
    value: str
    given: str
    numeric: bool
    cell: Cell | None

    @property
    def text(self) -> str:
        """SQL for the text as printed."""
        return self.cell.text if self.cell else f"CAST({self.value} AS VARCHAR)"


@dataclass(frozen=True)
class Statistic:
    """One declaration, bound to its table.

    `source` is a FROM clause in which the values of the bindings stand; `t` is the table.
    """

    table: str
    number: int
    kind: str
    bindings: Mapping[str, Binding]
    source: str
    where: str | None

    def field(self, role: str) -> str | None:
        """Return the column of the statistic's own table that a role is bound to."""
        binding = self.bindings.get(role)
        return binding.cell.field if binding and binding.cell else None

    @property
    def sql(self) -> str:
        """A SELECT of one row for each record: what the rules on single rows compute with.

        The columns are `_row`; `_unreadable` (a bound cell has text that its type cannot
        read); each numeric role as DOUBLE, with ROLE__decimals (printed decimals; above
        MOST_DECIMALS as many; -1 with an exponent; none for a constant); each role of words
        as its number in the vocabulary, UNKNOWN_WORD or NO_WORD. Names are left out. A
        sample mean with a `group` has also the SDs of its peers (plausibility.spread).
        """
        kind = KINDS[self.kind]
        cells = [b.cell for b in self.bindings.values() if b.cell]
        doubts = [cell.unreadable for cell in cells if cell.type != "string"]
        columns = ["t._row AS _row", f"({' OR '.join(doubts) or 'false'}) AS _unreadable"]
        for role, binding in self.bindings.items():
            if role in kind.numbers:
                columns.append(f"{binding.value} AS {quote_name(role)}")
                if binding.cell:
                    columns.append(
                        f"{_decimals(binding.cell)} AS {quote_name(role + '__decimals')}"
                    )
            elif role in kind.words:
                columns.append(f"{_code(binding.value, kind.words[role])} AS {quote_name(role)}")
        peers = ""
        if {"group", "sd"} <= self.bindings.keys() and self.kind == "sample-mean":
            peers = self._peers()
            columns += [f"peers.{name} AS peers_{name}" for name in PEERS]
        return f"SELECT {', '.join(columns)} {self.source}{peers}"

    def _peers(self) -> str:
        """Return the join that gives each row the number of its peers and their middle SDs."""
        group, sd = self.bindings["group"].value, self.bindings["sd"].value
        return (
            f" LEFT JOIN (SELECT g, len(s) AS size, s[len(s) // 2] AS before,"
            f" s[len(s) // 2 + 1] AS middle, s[len(s) // 2 + 2] AS after FROM (SELECT {group} AS g,"
            f" list_sort(list({sd}) FILTER ({sd} > 0)) AS s {self.source} GROUP BY 1)) AS peers"
            f" ON peers.g = {group}"
        )


class DeclarationError(ReviewdataError):
    """A declaration that names what is not there; the text says which and what is nearest."""


def bind_statistics(package: Package, resource: Resource) -> Iterator[Statistic | DeclarationError]:
    """Yield each declared statistic of a table, or the error of one that cannot be bound."""
    for number, declared in enumerate(resource.statistics, start=1):
        try:
            yield _bind(package, resource, number, declared)
        except (DeclarationError, UnknownName) as error:
            yield DeclarationError(f"statistic {number}: {error}")


def _bind(package: Package, resource: Resource, number: int, declared: Any) -> Statistic:
    if not isinstance(declared, dict) or not isinstance(declared.get("kind"), str):
        raise DeclarationError("it is no object with a kind")
    kind = KINDS.get(declared["kind"])
    if kind is None:
        hint = nearest(declared["kind"], dict(KINDS))
        raise DeclarationError(f"there is no kind {declared['kind']}; {hint}")
    where = declared.get("where")
    if where is not None and not isinstance(where, str):
        raise DeclarationError("where is an SQL condition on the row, as text")
    source = Source(package, resource, where)
    bindings = {}
    for role, given in declared.items():
        if role in ("kind", "where"):
            continue
        if role not in kind.roles:
            raise DeclarationError(f"it has no role {role}; {nearest(role, list(kind.roles))}")
        bindings[role] = _bind_role(source, role, given, role in kind.numbers)
    for roles in kind.needs:
        if not any(role in bindings for role in roles):
            raise DeclarationError(f"{declared['kind']} lacks the role {' or '.join(roles)}")
    return Statistic(resource.name, number, declared["kind"], bindings, source.sql, where)


def _bind_role(source: Source, role: str, given: Any, numeric: bool) -> Binding:
    constant = given.get("value") if isinstance(given, dict) else given
    if isinstance(given, dict) or isinstance(constant, int | float):
        if not isinstance(constant, int | float | str) or isinstance(constant, bool):
            raise DeclarationError(f'{role} is neither a column nor {{"value": a constant}}')
        if numeric and isinstance(constant, str):
            raise DeclarationError(f"{role} has the constant {constant!r}; it takes a number")
        literal = quote_text(str(constant))
        value = f"CAST({literal} AS DOUBLE)" if numeric else literal
        return Binding(role, value, str(constant), numeric, None)
    if not isinstance(given, str):
        raise DeclarationError(f'{role} is neither a column nor {{"value": a constant}}')
    cell = source.cell(given)
    if numeric and cell.type not in (*NUMERIC, "year", "any"):
        raise DeclarationError(
            f"{role} needs a number; {cell.owner.name}.{cell.column} is a {cell.type}"
        )
    cast = f"TRY_CAST({cell.value} AS DOUBLE)" if numeric else f"CAST({cell.value} AS VARCHAR)"
    return Binding(role, cast, given, numeric, cell)


def _decimals(cell: Cell) -> str:
    """Return SQL for the printed decimals; the usual form of a number costs no regex."""
    if cell.type in ("integer", "year"):
        return "CAST(0 AS TINYINT)"
    mark = str(cell.owner.fields[cell.column].get("decimalChar") or ".")
    text, behind = cell.text, f"strpos({cell.text}, {quote_text(mark)})"
    plain = f"CASE WHEN {behind} = 0 THEN 0 ELSE length({text}) - {behind} END"
    pattern = quote_text(rf"\Q{mark}\E([0-9]*)")
    found = f"length(regexp_extract({text}, {pattern}, 1))"
    count = (
        f"CASE WHEN contains({text}, 'e') OR contains({text}, 'E') THEN -1"
        f" WHEN right({text}, 1) BETWEEN '0' AND '9' THEN {plain} ELSE {found} END"
    )
    return f"CAST(least({count}, {MOST_DECIMALS}) AS TINYINT)"


def _code(value: str, vocabulary: tuple[str, ...]) -> str:
    known = "".join(f" WHEN {quote_text(w)} THEN {n}" for n, w in enumerate(vocabulary))
    return (
        f"CAST(CASE WHEN {value} IS NULL THEN {NO_WORD} ELSE"
        f" CASE {value}{known} ELSE {UNKNOWN_WORD} END END AS TINYINT)"
    )


def declaration_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of the `statistics` list, for editors and other tools."""
    number = {"anyOf": [{"type": "string"}, {"type": "number"}, {"$ref": "#/$defs/constant"}]}
    name = {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/constant"}]}
    branches = []
    for kind, roles in KINDS.items():
        properties: dict[str, Any] = {"kind": {"const": kind}, "where": {"type": "string"}}
        properties |= {role: number if role in roles.numbers else name for role in roles.roles}
        needs = [{"anyOf": [{"required": [role]} for role in either]} for either in roles.needs]
        branches.append(
            {
                "if": {"properties": {"kind": {"const": kind}}},
                "then": {"properties": properties, "additionalProperties": False, "allOf": needs},
            }
        )
    constant = {
        "type": "object",
        "properties": {"value": {"type": ["string", "number"]}},
        "required": ["value"],
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Declared statistics of a Table Schema",
        "type": "array",
        "items": {
            "type": "object",
            "required": ["kind"],
            "properties": {"kind": {"enum": list(KINDS)}},
            "allOf": branches,
        },
        "$defs": {"constant": constant},
    }
