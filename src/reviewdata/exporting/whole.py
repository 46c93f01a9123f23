"""Tables of which nothing is left out: what an export reads, or why there is none."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from reviewdata.columns import quote_name, quote_text
from reviewdata.model import ReviewdataError
from reviewdata.package import Package
from reviewdata.rules import builtin_rules, fill
from reviewdata.statements import one_select, told
from reviewdata.synthesis.macros import find_used, install
from reviewdata.tables import Tables, load_tables
from reviewdata.tableschema import RESERVED

BATCH = 10_000
"""Rows that are held at a time."""


@contextmanager
def load_whole(package: Package) -> Iterator[Tables]:
    """Load the tables of a package, for one thread, so that an export is the same each time.

    Raises ReviewdataError where a table cannot be read, has cells beyond its header or has no
    columns: an export must not leave anything out in silence.
    """
    hint = "; reviewdata validate says where"
    with load_tables(package, threads=1) as tables:
        for resource in package.resources.values():
            name = resource.name
            if refusal := tables.refusals.get(name):
                rule = builtin_rules()[refusal.code]
                why = fill(rule.message, refusal.values, rule.code)
                raise ReviewdataError(f"{name} cannot be exported: {why}{hint}")
            if name not in tables.loaded:
                raise ReviewdataError(f"{name} cannot be exported: its file cannot be read{hint}")
            loaded = tables.loaded[name]
            if loaded.beside:
                beyond = f"SELECT count(*) FROM irregular.{quote_name(name)}"
                [(number,)] = tables.look(f"{beyond} WHERE number IS NOT NULL")
                if number:
                    cells = f"{number} cell{'s' * (number != 1)}"
                    raise ReviewdataError(
                        f"{name} cannot be exported: it has {cells} beyond its header{hint}"
                    )
        yield tables


def text_columns(tables: Tables, name: str) -> tuple[str, ...]:
    """Return the columns of the text of a table: those of its file, then fields without one."""
    return tables.loaded[name].plan.raw


def text_labels(tables: Tables, name: str) -> tuple[str, ...]:
    """Return the labels of these columns, as the file has them: they may be blank or repeated."""
    plan = tables.loaded[name].plan
    given = plan.labels if len(plan.labels) == len(plan.names) else plan.names
    return (*given, *plan.raw[len(plan.names) :])


def text_sql(tables: Tables, name: str) -> str:
    """Return the SELECT of a table's text as printed, in the order of its file."""
    listed = ", ".join(
        f"coalesce({quote_name(c)}, '') AS {quote_name(c)}" for c in text_columns(tables, name)
    )
    return f"SELECT {listed} FROM raw.{quote_name(name)} ORDER BY {RESERVED[0]}"


def typed_sql(tables: Tables, name: str) -> str:
    """Return the SELECT of a table's typed values, in the order of its file."""
    listed = ", ".join(map(quote_name, tables.columns[name]))
    return f"SELECT {listed} FROM cells.{quote_name(name)} ORDER BY {RESERVED[0]}"


def list_rows(tables: Tables, sql: str) -> Iterator[Sequence[object]]:
    """Yield the rows of one SELECT of the framework's own, a batch in memory at a time.

    It may use the macros of synthesis.
    """
    with tables.cursor() as cursor, told():
        missing = [name for name in find_used(sql) if name not in tables.macros]
        install(cursor, missing)
        tables.macros.update(missing)
        cursor.execute("BEGIN TRANSACTION READ ONLY")
        cursor.execute(one_select(cursor, sql))  # a condition of a review is in it
        while rows := cursor.fetchmany(BATCH):
            yield from rows


def count_unreadable(tables: Tables, name: str) -> int:
    """Return how many cells of a table have a text that their type cannot read."""
    resource = tables.package.resources[name]
    doubts = []
    for number, (field, descriptor) in enumerate(tables.loaded[name].plan.fields.items(), start=1):
        if descriptor.get("type", "string") != "string":
            missing = ", ".join(map(quote_text, ("", *resource.missing_values(field))))
            text = f"_text_{number}"
            doubts.append(
                f"count(*) FILTER ({quote_name(field)} IS NULL AND {text} NOT IN ({missing}))"
            )
    if not doubts:
        return 0
    [row] = tables.look(f"SELECT {', '.join(doubts)} FROM cells.{quote_name(name)}")
    return sum(row)


def file_names(names: Iterable[str]) -> dict[str, str]:
    """Return for each name one that any file system takes: distinct, whatever its case."""
    made: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
        plain = re.sub(r"[^A-Za-z0-9._-]+", "_", plain).strip(".")[:100] or "table"
        chosen, number = plain, 1
        while chosen.lower() in taken:
            number += 1
            chosen = f"{plain}_{number}"
        taken.add(chosen.lower())
        made[name] = chosen
    return made
