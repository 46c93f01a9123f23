"""The rows of a query as a table, CSV or Markdown."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from reviewdata.model import QueryResult
from reviewdata.render.json import json_text
from reviewdata.render.markdown import markdown_text
from reviewdata.render.values import json_value, plain, shown

if TYPE_CHECKING:
    from reviewdata.queries import Query

_NUMERIC = ("INT", "DOUBLE", "DECIMAL", "FLOAT", "REAL")


def queries_text(queries: Iterable[Query]) -> str:
    """Return the query files one a line, each with its parameters beneath its title."""
    listed = [(plain(query.name), query) for query in queries]
    width = max((len(name) for name, _ in listed), default=0)
    lines = []
    for name, query in listed:
        lines.append(f"{name.ljust(width)}  {plain(query.fault or query.title)}\n")
        for parameter in query.parameters:
            said = f"{parameter.name} {parameter.type} = {parameter.default}"
            lines.append(f"{' ' * width}    {plain(said)}\n")
    return "".join(lines) or "the review has no queries\n"


def result_table(result: QueryResult) -> str:
    """Return the rows in aligned columns, never wrapped or cut; numbers to the right."""
    if not result.rows:
        return "no rows\n"
    from rich.cells import cell_len

    lines = [[plain(name) for name, _ in result.columns]]
    lines += [[shown(value) for value in row] for row in result.rows]
    right = [_is_number(type_) for _, type_ in result.columns]
    widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
    texts = []
    for line in lines:
        cells = []
        for text, width, is_number in zip(line, widths, right, strict=True):
            space = " " * (width - cell_len(text))
            cells.append(space + text if is_number else text + space)
        texts.append("   ".join(cells).rstrip() + "\n")
    texts.insert(1, "\u2500" * (sum(widths) + 3 * (len(widths) - 1)) + "\n")
    return "".join(texts)


def result_csv(result: QueryResult) -> str:
    """Return the rows as CSV with full precision; null is an empty cell, a list is JSON."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([name for name, _ in result.columns])
    for row in result.rows:
        writer.writerow([_csv(value) for value in row])
    return out.getvalue()


def result_markdown(result: QueryResult) -> str:
    """Return the rows as a Markdown table, cell text escaped."""
    lines = [[plain(name) for name, _ in result.columns]]
    lines.append(["---:" if _is_number(type_) else "---" for _, type_ in result.columns])
    lines += [[shown(value) for value in row] for row in result.rows]
    head, rule, *rows = lines
    escaped = [[markdown_text(cell) for cell in line] for line in (head, *rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in (escaped[0], rule, *escaped[1:]))


def _is_number(type_: str) -> bool:
    return type_.startswith(_NUMERIC) or type_.endswith("INT")


def _csv(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple | dict):
        return json_text(value, None)
    return json_value(value)
