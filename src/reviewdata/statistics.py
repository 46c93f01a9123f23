"""Declared statistics: which columns together form a reported statistic.

A Table Schema says what a column is called; its `statistics` list says what it means. Each
declaration binds the roles of a kind (STATO's and metafor's terms) to columns, to columns
reached through foreign keys (`sample_id.n`), or to constants, so that no rule ever names a
column of a review.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reviewdata.columns import NUMERIC, quote_name, quote_text
from reviewdata.model import ReviewdataError
from reviewdata.package import Package, Resource
from reviewdata.rules import nearest


@dataclass(frozen=True)
class Kind:
    """The roles of one kind of statistic: those it needs, numeric ones, words."""

    required: tuple[str, ...]
    numbers: tuple[str, ...]
    words: tuple[str, ...] = ()

    @property
    def roles(self) -> tuple[str, ...]:
        """Every role, the numeric ones first."""
        return self.numbers + self.words


KINDS: Mapping[str, Kind] = {
    "sample-mean": Kind(
        ("mean", "n"),
        ("mean", "sd", "se", "ci_lower", "ci_upper", "n", "min", "max", "items", "reference_sd"),
        ("score_type", "mean_type", "group"),
    ),
    "sample-median": Kind(("median", "n"), ("median", "n", "q1", "q3", "min", "max")),
    "mean-difference": Kind(
        ("n1", "mean1", "sd1", "n2", "mean2", "sd2"),
        ("n1", "mean1", "sd1", "n2", "mean2", "sd2", "d", "g", "se", "ci_lower", "ci_upper"),
        ("direction", "method", "study", "arm1", "arm2"),
    ),
    "two-by-two": Kind(
        ("events1", "events2"),
        (
            *("events1", "n1", "nonevents1", "events2", "n2", "nonevents2"),
            *("rr", "or", "rd", "ci_lower", "ci_upper"),
        ),
        ("study", "arm1", "arm2"),
    ),
    "proportion": Kind(("count", "n"), ("count", "n", "percent")),
    "correlation": Kind(
        ("r", "n"),
        ("r", "n", "p", "sides", "ci_lower", "ci_upper"),
        ("p_operator", "significant"),
    ),
    "test": Kind(
        ("test", "value"),
        ("value", "df", "df1", "df2", "p", "sides", "alpha"),
        ("test", "p_operator", "significant"),
    ),
    "coefficient": Kind(("estimate",), ("estimate", "se", "t", "df", "p"), ("standardised",)),
    "estimate": Kind(
        ("estimate",), ("estimate", "se", "ci_lower", "ci_upper", "ci_level", "p"), ("scale",)
    ),
    "sample-flow": Kind(("randomised", "analysed"), ("randomised", "analysed", "lost")),
    "study-flow": Kind(("box", "count"), ("count",), ("box", "unit")),
    "rob": Kind(("study", "domain", "judgement"), (), ("study", "tool", "domain", "judgement")),
}
"""The kinds of statistic; the words `kind` and `where` are no roles."""


@dataclass(frozen=True)
class Binding:
    """Where the value of a role comes from: typed and printed, as SQL over raw and typed rows."""

    role: str
    source: str
    typed: str
    printed: str
    half: str | None
    unreadable: str | None
    column: str | None


@dataclass(frozen=True)
class Statistic:
    """One declaration, bound to its table: `sql` gives a row for each record it applies to.

    The columns are `_row`, `_unreadable` (a bound cell has text that its type cannot read),
    then for each bound role the typed value under the role's name, the printed text under
    `ROLE__printed` and, for a number, `ROLE__half`: half a unit of its last printed decimal
    (a constant has none; above six decimals it counts as computed, 1e-6 of its size). A role
    that is not bound is not a column.
    """

    table: str
    number: int
    kind: str
    bindings: Mapping[str, Binding]
    sql: str

    def field(self, role: str) -> str | None:
        """Return the column of the statistic's own table that a role is bound to."""
        return self.bindings[role].column if role in self.bindings else None


class DeclarationError(ReviewdataError):
    """A declaration that names what is not there; the text says which and what is nearest."""


def bind_statistics(package: Package, resource: Resource) -> Iterator[Statistic | DeclarationError]:
    """Yield each declared statistic of a table, or the error of one that cannot be bound."""
    for number, declared in enumerate(resource.statistics, start=1):
        try:
            yield _bind(package, resource, number, declared)
        except DeclarationError as error:
            yield error


def _bind(package: Package, resource: Resource, number: int, declared: Any) -> Statistic:
    if not isinstance(declared, dict) or not isinstance(declared.get("kind"), str):
        raise DeclarationError(f"statistic {number} is no object with a kind")
    kind = KINDS.get(declared["kind"])
    if kind is None:
        hint = nearest(declared["kind"], dict(KINDS))
        raise DeclarationError(f"statistic {number} has the kind {declared['kind']}; {hint}")
    joins: dict[str, str] = {}
    bindings = {}
    for role, source in declared.items():
        if role in ("kind", "where"):
            continue
        if role not in kind.roles:
            hint = nearest(role, list(kind.roles))
            raise DeclarationError(f"statistic {number} has the role {role}; {hint}")
        bindings[role] = _bind_role(package, resource, role, source, role in kind.numbers, joins)
    for role in kind.required:
        if role not in bindings:
            raise DeclarationError(f"statistic {number}, {declared['kind']}, lacks the role {role}")
    return Statistic(
        table=resource.name,
        number=number,
        kind=declared["kind"],
        bindings=bindings,
        sql=_select(resource, bindings, joins, declared.get("where")),
    )


def _bind_role(
    package: Package,
    resource: Resource,
    role: str,
    source: Any,
    numeric: bool,
    joins: dict[str, str],
) -> Binding:
    constant = source.get("value") if isinstance(source, dict) else source
    if isinstance(source, dict) or isinstance(constant, int | float):
        if not isinstance(constant, int | float | str) or isinstance(constant, bool):
            raise DeclarationError(f'{role} is neither a column nor {{"value": a constant}}')
        if numeric and isinstance(constant, str):
            raise DeclarationError(f"{role} has the constant {constant!r}; it takes a number")
        literal = quote_text(str(constant))
        value = f"CAST({literal} AS DOUBLE)" if numeric else literal
        half = "0.0" if numeric else None
        return Binding(role, str(constant), value, literal, half, None, None)
    if not isinstance(source, str):
        raise DeclarationError(f'{role} is neither a column nor {{"value": a constant}}')
    # A name with a dot in it may be that of a column.
    *path, column = [source] if source in resource.fields else source.split(".")
    owner, alias = resource, "t"
    for step in path:
        owner, alias = _follow(package, owner, alias, step, source, joins)
    if column not in owner.fields:
        hint = nearest(column, dict(owner.fields))
        raise DeclarationError(f"{role} names {source}: {owner.name} has no {column}; {hint}")
    kind = owner.fields[column].get("type", "string")
    if numeric and kind not in (*NUMERIC, "year", "any"):
        raise DeclarationError(f"{role} needs a number; {owner.name}.{column} is a {kind}")
    name = quote_name(column)
    typed = f"{alias}.{name}"
    value = f"TRY_CAST({typed} AS DOUBLE)" if numeric else f"CAST({typed} AS VARCHAR)"
    printed = f"{alias}_raw.{name}"
    absent = ", ".join(quote_text(m) for m in ("", *owner.missing_values(column)))
    unreadable = f"({typed} IS NULL AND {printed} IS NOT NULL AND {printed} NOT IN ({absent}))"
    half = _half_unit(value, printed) if numeric else None
    return Binding(role, source, value, printed, half, unreadable, None if path else column)


def _half_unit(value: str, printed: str) -> str:
    decimals = f"length(regexp_extract({printed}, '[.,](\\d+)\\s*$', 1))"
    computed = f"{decimals} > 6 OR regexp_matches({printed}, '[eE]')"
    return f"CASE WHEN {computed} THEN abs({value}) * 1e-6 ELSE 0.5 * pow(10, -{decimals}) END"


def _follow(
    package: Package,
    owner: Resource,
    alias: str,
    step: str,
    source: str,
    joins: dict[str, str],
) -> tuple[Resource, str]:
    """Follow a one-column foreign key; return the table it leads to and its alias."""
    if step not in owner.fields:
        hint = nearest(step, dict(owner.fields))
        raise DeclarationError(f"{source}: {owner.name} has no {step}; {hint}")
    keys = [
        k for k in owner.foreign_keys if k.fields == (step,) and k.resource in package.resources
    ]
    if not keys:
        raise DeclarationError(f"{source}: {owner.name}.{step} is not a foreign key")
    target = package.resources[keys[0].resource]
    reference = keys[0].reference[0]
    joined = f"{alias}_{list(owner.fields).index(step)}"
    if joined not in joins:
        own = f"{alias}.{quote_name(step)}"
        joins[joined] = (
            f" LEFT JOIN {_rows(target, _first_of(target, reference))} AS {joined}"
            f" ON {own} = {joined}.{quote_name(reference)}"
            f" LEFT JOIN raw.{quote_name(target.name)} AS {joined}_raw"
            f" ON {joined}_raw._row = {joined}._row"
        )
    return target, joined


def _first_of(target: Resource, key: str) -> str:
    """Keep one row for each key, so that a duplicate key doubles no row of the table."""
    return f" QUALIFY row_number() OVER (PARTITION BY {quote_name(key)} ORDER BY _row) = 1"


def _rows(resource: Resource, suffix: str = "") -> str:
    """Return a subquery of the typed rows with their record number."""
    name = quote_name(resource.name)
    return f"(SELECT * FROM main.{name} POSITIONAL JOIN (SELECT _row FROM raw.{name}){suffix})"


def _select(
    resource: Resource, bindings: Mapping[str, Binding], joins: Mapping[str, str], where: Any
) -> str:
    if where is not None and not isinstance(where, str):
        raise DeclarationError("where is an SQL condition on the row, as text")
    doubts = [b.unreadable for b in bindings.values() if b.unreadable]
    columns = ["t._row AS _row", f"({' OR '.join(doubts) or 'false'}) AS _unreadable"]
    for role, binding in bindings.items():
        columns.append(f"{binding.typed} AS {quote_name(role)}")
        columns.append(f"{binding.printed} AS {quote_name(role + '__printed')}")
        if binding.half:
            columns.append(f"{binding.half} AS {quote_name(role + '__half')}")
    suffix = f" WHERE {where}" if where else ""
    return (
        f"SELECT {', '.join(columns)} FROM {_rows(resource, suffix)} AS t"
        f" JOIN raw.{quote_name(resource.name)} AS t_raw ON t_raw._row = t._row"
        f"{''.join(joins.values())} ORDER BY t._row"
    )
