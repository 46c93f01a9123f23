"""Text in cells that looks right and is not: what cannot be seen, and what is spelt two ways.

Part of the structure stage, on columns of text. Each table is read once to count; positions are
looked for only where something was counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reviewdata.columns import quote_name, quote_text, sql_type
from reviewdata.model import Finding
from reviewdata.package import Resource
from reviewdata.places import find_places
from reviewdata.rules import make_finding
from reviewdata.tables import Tables

_SPACE = r"[\s\x{a0}\x{2000}-\x{200a}\x{202f}\x{3000}]"
_LOOKALIKE = (  # all Cyrillic, and the Greek letters that look Latin
    r"\x{400}-\x{52f}\x{391}\x{392}\x{395}-\x{397}\x{399}\x{39a}\x{39c}\x{39d}\x{39f}\x{3a1}"
    r"\x{3a4}\x{3a5}\x{3a7}\x{3bf}"
)


AT_ONCE = 20
"""Columns whose distinct values are counted in one query: each takes memory of its own."""


MOST_WORDS = 10_000
"""Distinct texts above which a column is no list of words that could be spelt in two ways."""


HEAD = 100_000
"""Records of a table that tell of most columns that they are none of words."""


@dataclass(frozen=True)
class Pattern:
    """A rule that finds a regular expression (RE2) in a cell, in capturing group 1."""

    code: str
    expression: str


PATTERNS = (
    # Not the joiners that some scripts need, but for those between letters of this one.
    Pattern(
        "RD135",
        r"([\x{80}-\x{9f}\x{ad}\x{61c}\x{180e}\x{200b}\x{200e}\x{200f}\x{202a}-\x{202e}"
        r"\x{2060}-\x{2069}\x{feff}\x{fff9}-\x{fffc}]|[[:alnum:]][\x{200c}\x{200d}])",
    ),
    Pattern("RD136", f"(^{_SPACE}+|{_SPACE}+$)"),
    Pattern("RD137", f"(\\w*(?:[a-zA-Z][{_LOOKALIKE}]|[{_LOOKALIKE}][a-zA-Z])\\w*)"),
    Pattern("RD128", r"([\w.%+-]+@[\w-]+(?:\.[\w-]+)*\.[a-zA-Z]{2,})"),
)


def check_text(tables: Tables, resource: Resource) -> Iterator[Finding]:
    """Yield what is odd about the text of one table that was read."""
    table = f"cells.{quote_name(resource.name)}"
    columns = [
        (name, f"_text_{number}")
        for number, name in enumerate(tables.columns[resource.name], start=1)
        if sql_type(resource.fields.get(name, {})) == "VARCHAR"
    ]
    odd = [
        column
        for column, plain in zip(columns, _are_plain(tables, table, columns), strict=True)
        if not plain
    ]
    asked = [(p, name, text) for name, text in odd for p in _patterns(resource, name)]
    if asked:
        counts = ", ".join(
            f"count_if(regexp_matches({text}, {quote_text(pattern.expression)}))"
            for pattern, _, text in asked
        )
        [found] = tables.look(f"SELECT {counts} FROM {table}")
        for (pattern, name, text), number in zip(asked, found, strict=True):
            if number:
                yield from _locate(tables, resource, pattern, name, text)
    free = {name: text for name, text in columns if is_free(resource, name)}
    for name in find_variants(tables, table, free):
        yield from _variants(tables, resource, name, free[name])


def find_variants(tables: Tables, table: str, columns: Mapping[str, str]) -> list[str]:
    """Return the names of the columns of words in which two are spelt nearly alike.

    Each is given with the SQL of its text. Estimates tell which may be columns of words, most
    often one of the first records, which takes little time and memory.
    """
    maybe = columns
    for source in (f"(FROM {table} LIMIT {HEAD})", table):
        if not maybe:
            return []
        guesses = ", ".join(f"approx_count_distinct({text})" for text in maybe.values())
        [guessed] = tables.look(f"SELECT {guesses} FROM {source}")
        few = [name for name, n in zip(maybe, guessed, strict=True) if 0 < n <= 2 * MOST_WORDS]
        maybe = {name: columns[name] for name in few}
    return _find_alike(tables, table, maybe)


def _find_alike(tables: Tables, table: str, columns: Mapping[str, str]) -> list[str]:
    """Return those of a few columns of words in which two are spelt nearly alike."""
    found = []
    names = list(columns)
    for start in range(0, len(names), AT_ONCE):
        some = names[start : start + AT_ONCE]
        listed = ", ".join(
            f"list(DISTINCT {columns[name]}) FILTER ({columns[name]} IS NOT NULL)" for name in some
        )
        words = ", ".join(
            f"len(w{i}), len(list_distinct(list_transform(w{i}, lambda x: {_word('x')})))"
            for i in range(len(some))
        )
        named = ", ".join(f"w{i}" for i in range(len(some)))
        sql = f"SELECT {words} FROM (SELECT {listed} FROM {table}) AS listed({named})"
        [counts] = tables.look(sql)
        for name, texts, fewer in zip(some, counts[::2], counts[1::2], strict=True):
            if texts is not None and 1 < texts <= MOST_WORDS and fewer < texts:
                found.append(name)
    return found


_PLAIN = "([!-?A-~]([ -?A-~]*[!-?A-~])?)?"
"""Text of printable ASCII without a space at its ends and without an @: no pattern finds it."""


_UNSUSPICIOUS = "([!-*,./-<>?A-~]([ -?A-~]*[!-?A-~])?)?"
"""Such a text that starts as no formula does."""

_MERGE = "======="  # of a merge conflict, which is told as that
_NUMBER = r"[+-]?(\d+([,._' ]\d+)*[.,]?|[.,]\d+)([eE][+-]?\d+)?\s*%?|[+-](?i:inf|infinity|nan)"


def is_formula(text: str) -> str:
    """Return the SQL that says that a spreadsheet would execute a text, which is no number."""
    return (
        f"(regexp_matches({text}, '(?s)^[=+@-].') AND {text} <> '{_MERGE}'"
        f" AND NOT regexp_full_match({text}, {quote_text(_NUMBER)}))"
    )


def is_suspicious(field: Mapping[str, Any], text: str) -> str:
    """Return the SQL that says that a text may be odd or a formula; of any such text it is true.

    What has the form of a number or a moment, as most types ask for, is neither.
    """
    if sql_type(field) == "VARCHAR":
        return f"NOT regexp_full_match({text}, '{_UNSUSPICIOUS}')"
    return is_formula(text) if set(field) & _FORMS else "false"


def are_plain(words: Sequence[object]) -> bool:
    """Whether all words of a codelist are texts that are neither odd nor a formula."""
    return all(isinstance(word, str) and re.fullmatch(_UNSUSPICIOUS, word) for word in words)


_FORMS = {"format", "groupChar", "decimalChar", "bareNumber", "trueValues", "falseValues"}


def _are_plain(tables: Tables, table: str, columns: Sequence[tuple[str, str]]) -> Sequence[bool]:
    """Return of each column whether all its text is plain, by one quick look at each cell."""
    if not columns:
        return ()
    plain = ", ".join(
        f"coalesce(bool_and(regexp_full_match({text}, '{_PLAIN}')), true)" for _, text in columns
    )
    [found] = tables.look(f"SELECT {plain} FROM {table}")
    return found


def _word(text: str) -> str:
    """Return SQL for what two spellings of one value have in common."""
    return f"regexp_replace(lower(strip_accents({text})), '[^[:alnum:]]+', '', 'g')"


def _patterns(resource: Resource, name: str) -> Iterator[Pattern]:
    for pattern in PATTERNS:
        if pattern.code != "RD128" or resource.fields.get(name, {}).get("format") != "email":
            yield pattern


def _locate(
    tables: Tables, resource: Resource, pattern: Pattern, name: str, text: str
) -> Iterator[Finding]:
    rule = tables.package.rules[pattern.code]
    expression = quote_text(pattern.expression)
    rows = tables.look(
        f"SELECT _row, regexp_extract({text}, {expression}, 1) FROM cells."
        f"{quote_name(resource.name)} WHERE regexp_matches({text}, {expression}) ORDER BY _row"
    )
    places = find_places(tables, resource.name, [row for row, _ in rows])
    for row, part in rows:
        characters = ", ".join(f"U+{ord(c):04X}" for c in part if not c.isascii()) or repr(part)
        values = {"field": name, "part": part, "characters": characters}
        yield make_finding(rule, values, **places[row].at(name))


def is_free(resource: Resource, name: str) -> bool:
    """Whether a column of text may repeat its values and has no codelist that says which."""
    field = resource.fields.get(name, {})
    constraints = field.get("constraints", {})
    unique = constraints.get("unique") or resource.primary_key == (name,)
    keys = {field for key in resource.foreign_keys for field in key.fields}
    listed = "enum" in constraints or field.get("categories")
    return not unique and not listed and name not in keys


def _variants(tables: Tables, resource: Resource, name: str, text: str) -> Iterator[Finding]:
    """Yield the rarer spellings of a value that stands in the column at least three times."""
    rule = tables.package.rules["RD138"]
    rows = tables.look(f"""
        WITH spelt AS (
          SELECT
            {text} AS spelling,
            {_word(text)} AS word,
            count(*) AS times
          FROM cells.{quote_name(resource.name)}
          WHERE {text} IS NOT NULL
          GROUP BY ALL
        ),
        rare AS (
          SELECT
            spelling,
            times,
            first(spelling) OVER alike AS usual,
            first(times) OVER alike AS most
          FROM spelt
          WHERE length(word) > 1
          WINDOW alike AS (PARTITION BY word ORDER BY times DESC, spelling)
          QUALIFY spelling <> usual AND sum(times) OVER (PARTITION BY word) >= 3
        )
        SELECT _row, spelling, times, usual, most
        FROM cells.{quote_name(resource.name)} JOIN rare ON {text} = spelling
        ORDER BY _row""")
    places = find_places(tables, resource.name, [row for row, *_ in rows])
    for row, spelling, times, usual, most in rows:
        values = {"field": name, "cell": spelling, "times": times, "usual": usual, "most": most}
        yield make_finding(rule, values, **places[row].at(name))
