"""Names with dots in them: columns that are reached through foreign keys.

`sample_id.n` is the column `n` of the table that the foreign key `sample_id` leads to. A record
that leads nowhere has nulls there; one that leads to two (a key that occurs twice) takes the
first, so that no record of the table itself is doubled.
"""

from __future__ import annotations

from dataclasses import dataclass

from reviewdata.columns import quote_name, quote_text
from reviewdata.model import ReviewdataError
from reviewdata.package import Package, Resource
from reviewdata.rules import nearest


class UnknownName(ReviewdataError):  # noqa: N818 - it is the declaration that is at fault
    """A name that no column has; the text says which, and what is nearest."""


@dataclass(frozen=True)
class Cell:
    """A column as SQL: its typed value, its text as printed, and where it comes from.

    `field` is the column of the table itself that holds it, None where it lies behind a key.
    """

    value: str
    text: str
    owner: Resource
    column: str
    field: str | None

    @property
    def type(self) -> str:
        """The Table Schema type."""
        return str(self.owner.fields[self.column].get("type", "string"))

    @property
    def unreadable(self) -> str:
        """SQL that is true where the cell has text that its type cannot read."""
        missing = ("", *self.owner.missing_values(self.column))
        absent = ", ".join(quote_text(m) for m in missing)
        return f"coalesce({self.value} IS NULL AND {self.text} NOT IN ({absent}), false)"


class Source:
    """A table as `t`, filtered by `where`, with the tables that its cells lead to."""

    def __init__(self, package: Package, resource: Resource, where: str | None = None) -> None:
        self.package = package
        self.resource = resource
        self.where = where
        self.joins: dict[str, str] = {}

    @property
    def sql(self) -> str:
        """The FROM clause, with every cell that was asked for so far."""
        table = f"cells.{quote_name(self.resource.name)}"
        if self.where:
            table = f"(SELECT * FROM {table} WHERE {self.where})"
        return f"FROM {table} AS t{''.join(self.joins.values())}"

    def cell(self, name: str) -> Cell:
        """Return the column of a name. Raises UnknownName where there is none."""
        # A name with a dot in it may be that of a column.
        *path, column = [name] if name in self.resource.fields else name.split(".")
        owner, alias = self.resource, "t"
        for step in path:
            owner, alias = self._follow(owner, alias, step, name)
        if column not in owner.fields:
            hint = nearest(column, dict(owner.fields))
            raise UnknownName(f"{name}: {owner.name} has no {column}; {hint}")
        number = list(owner.fields).index(column) + 1
        value, text = f"{alias}.{quote_name(column)}", f"{alias}._text_{number}"
        return Cell(value, text, owner, column, None if path else column)

    def _follow(self, owner: Resource, alias: str, step: str, name: str) -> tuple[Resource, str]:
        """Follow a one-column foreign key; return the table it leads to and its alias."""
        if step not in owner.fields:
            hint = nearest(step, dict(owner.fields))
            raise UnknownName(f"{name}: {owner.name} has no {step}; {hint}")
        keys = [
            key
            for key in owner.foreign_keys
            if key.fields == (step,) and key.resource in self.package.resources
        ]
        if not keys:
            raise UnknownName(f"{name}: {owner.name}.{step} is not a foreign key")
        target = self.package.resources[keys[0].resource]
        reference = quote_name(keys[0].reference[0])
        joined = f"{alias}_{list(owner.fields).index(step)}"
        if joined not in self.joins:
            table = f"cells.{quote_name(target.name)}"
            first = f"SELECT min(_row) FROM {table} GROUP BY {reference}"
            self.joins[joined] = (
                f" LEFT JOIN (SELECT * FROM {table} WHERE _row IN ({first})) AS {joined}"
                f" ON {alias}.{quote_name(step)} = {joined}.{reference}"
            )
        return target, joined


def find_path(package: Package, resource: Resource, target: str) -> str | None:
    """Return the dotted name of the key by which a table's records lead to `target`.

    The shortest way through foreign keys of one column; None where there is none.
    """
    ways: list[tuple[Resource, tuple[str, ...]]] = [(resource, ())]
    seen = {resource.name}
    while ways:
        owner, path = ways.pop(0)
        for key in owner.foreign_keys:
            if len(key.fields) != 1 or key.resource not in package.resources:
                continue
            way = (*path, key.fields[0])
            if key.resource == target:
                return ".".join(way)
            if key.resource not in seen:
                seen.add(key.resource)
                ways.append((package.resources[key.resource], way))
    return None
