"""What differs between two revisions, as text, Markdown or JSON."""

from __future__ import annotations

from dataclasses import replace

from reviewdata.changes import (
    ClaimChange,
    Diff,
    FigureChange,
    FileChange,
    RowChange,
    TableChange,
)
from reviewdata.model import FORMAT_VERSION
from reviewdata.render.changes import (
    cells_words,
    claim_words,
    count_words,
    figure_words,
    key_words,
    other_words,
    version_words,
    whole_words,
)
from reviewdata.render.json import json_text
from reviewdata.render.markdown import Part, code_text, fitted, raw_lines, short_text
from reviewdata.render.values import Paint, plain, plural, unpainted

SIGNS = {"added": "+", "removed": "-", "changed": "~", "renamed": "renamed"}
STYLES = {"added": "green", "removed": "red", "changed": "yellow", "renamed": "yellow"}

ROWS = 50
"""Rows of a part that Markdown shows; the text has them all."""

CELLS = 8
"""Cells of one row that Markdown shows."""


def diff_text(diff: Diff, paint: Paint = unpainted) -> str:
    """Return the tables with their rows, the files, the effect on the results, the version."""
    lines = [paint(f"{plain(diff.base)} -> {plain(diff.head)}", "bold")]
    for table in diff.tables:
        lines += _table(table, paint)
    if diff.files:
        lines.append(paint("files", "bold"))
        lines += [f"  {SIGNS[file.kind]} {plain(file.path)}" for file in diff.files]
    lines += effect_lines(diff, paint)
    if _is_empty(diff):
        lines.append("nothing differs")
    lines.append(f"{paint('version', 'bold')}  {version_words(diff)}")
    if diff.changelog.strip():
        lines.append(paint("changelog", "bold"))
        lines += [f"  {plain(line)}".rstrip() for line in diff.changelog.strip().split("\n")]
    return "".join(line + "\n" for line in lines)


def effect_lines(diff: Diff, paint: Paint = unpainted) -> list[str]:
    """Return the figures that moved and the claims whose verdict changed, one a line."""
    lines = []
    if diff.figures:
        lines.append(paint("summaries", "bold"))
        lines += [f"  {'  '.join(figure_words(figure))}" for figure in diff.figures]
    if diff.claims:
        lines.append(paint("published claims", "bold"))
        lines += [f"  {'  '.join(claim_words(claim))}" for claim in diff.claims]
    return lines


def diff_json(diff: Diff) -> str:
    """Return the change as one JSON object; `diff` holds it, since a diff has its own version."""
    return json_text({"version": FORMAT_VERSION, "diff": diff.to_dict()}) + "\n"


def diff_markdown(diff: Diff) -> str:
    """Return the change as a document that fits into a comment; see `change_parts`."""
    base, head = (short_text(name) for name in (diff.base, diff.head))
    before = [f"### {base} → {head}", ""]
    before += [f"{text[0].upper()}{text[1:]}.", ""] if (text := change_words(diff)) else []
    before += ["Nothing differs.", ""] if _is_empty(diff) else []
    return fitted(before, change_parts(diff), [])


def change_words(diff: Diff) -> str:
    """Return in one line of Markdown what a change does to the tables; blank for nothing."""
    parts = []
    for verb, kind in (("adds", "added"), ("removes", "removed"), ("renames", "renamed")):
        numbers = [(table, getattr(table, kind)) for table in diff.tables if getattr(table, kind)]
        if numbers:
            total = plural(sum(number for _, number in numbers), "row")
            places = [f"{n} in {short_text(t.table)}" for t, n in numbers]
            parts.append(f"{verb} {_at_places(total, places)}")
    changed = [table for table in diff.tables if table.changed]
    if changed:
        cells = plural(sum(table.cells for table in changed), "cell")
        rows = plural(sum(table.changed for table in changed), "row")
        places = [f"{t.changed} in {short_text(t.table)}" for t in changed]
        parts.append(f"changes {cells} of {_at_places(rows, places)}")
    other = sum(bool(table.columns or table.form or table.schema) for table in diff.tables)
    parts += [f"changes the form or schema of {plural(other, 'table')}"] if other else []
    parts += [f"changes {plural(len(diff.files), 'other file')}"] if diff.files else []
    return "; ".join(parts)


def change_parts(diff: Diff) -> list[Part]:
    """Return the parts of a document on a change: effect, rows, other changes, version."""
    effects: list[FigureChange | ClaimChange] = [*diff.figures, *diff.claims]
    rows = [(table, row) for table in diff.tables for row in table.rows]
    total = sum(t.added + t.removed + t.changed + t.renamed for t in diff.tables)
    others: list[TableChange | FileChange] = [t for t in diff.tables if _other(t)]
    others += diff.files
    lines = raw_lines(diff.changelog.strip()) if diff.changelog.strip() else []
    return [
        Part(
            "What it does to the results",
            [_effect(effect) for effect in effects[:ROWS]],
            "effect",
            rank=4,
            more=max(0, len(effects) - ROWS),
        ),
        Part(
            f"Rows and cells changed ({total:,})",
            [_markdown_row(table, row) for table, row in rows[:ROWS]],
            "row",
            rank=1,
            head=("| | table | record | change |", "|---|---|---|---|"),
            more=max(0, total - len(rows[:ROWS])),
        ),
        Part(
            "Other changes",
            [_markdown_other(entry) for entry in others[:ROWS]],
            "file",
            rank=2,
            more=max(0, len(others) - ROWS),
        ),
        Part("", [_version(diff)], "line", rank=5, folded=False),
        Part(
            "Entry for the changelog",
            lines[: 4 * ROWS],
            "line",
            rank=0,
            head=("<pre>",),
            tail=("</pre>",),
            more=max(0, len(lines) - 4 * ROWS),
        ),
    ]


def _effect(effect: FigureChange | ClaimChange) -> str:
    """Return an item that begins with a tag of ours: a text might begin a list in the list."""
    if isinstance(effect, ClaimChange):
        kind, title, (name, words) = "claim ", effect.statement, claim_words(effect, short_text)
    else:
        kind, title, (name, words) = "", effect.title, figure_words(effect, short_text)
    titled = f" ({short_text(title)})" if title else ""
    return f"- {kind}<code>{name}</code>{titled}: {_arrows(words)}"


def _version(diff: Diff) -> str:
    return f"Version: {_arrows(version_words(diff, short_text))}"


def _other(table: TableChange) -> list[str]:
    return [*_kind(table), *other_words(table, short_text)]


def _markdown_other(entry: TableChange | FileChange) -> str:
    if isinstance(entry, FileChange):
        return f"- {code_text(entry.path)}: {entry.kind}"
    return f"- {code_text(entry.table)}: {'; '.join(_other(entry))}"


def _at_places(total: str, places: list[str]) -> str:
    """Return `3 rows (2 in a, 1 in b)`, or of many tables their number."""
    if len(places) > 5:
        return f"{total} in {len(places)} tables"
    if len(places) == 1:
        return f"{total} {places[0].split(' ', 1)[1]}"
    return f"{total} ({', '.join(places)})"


def _is_empty(diff: Diff) -> bool:
    return not (diff.tables or diff.files or diff.figures or diff.claims)


def _arrows(text: str) -> str:
    """Return Markdown with our arrows as signs; in text of the data `>` is written otherwise."""
    return text.replace(" -> ", " → ")


def _kind(table: TableChange) -> list[str]:
    return [f"table {table.kind}"] if table.kind != "changed" else []


def _markdown_row(table: TableChange, row: RowChange) -> str:
    place = code_text(table.path + (f":{row.line}" if row.line else ""))
    record = key_words(row.key, short_text)
    if row.kind == "renamed":
        record = f"{key_words(row.old_key or {}, short_text)} → {record}"
    few = replace(row, cells=row.cells[:CELLS])
    if row.kind in ("changed", "renamed"):
        change = _arrows(", ".join(cells_words(few, short_text)))
    else:
        change = place if record else ", ".join(whole_words(few, short_text))
    left = len(row.cells) - CELLS
    if left > 0 and change != place:
        change += f", and {plural(left, 'cell')} more"
    return f"| {row.kind} | {short_text(table.table)} | {record or place} | {change} |"


def _table(table: TableChange, paint: Paint) -> list[str]:
    head = [*_kind(table), *count_words(table)]
    others = other_words(table)
    if not head and others:
        head.append(others.pop(0))
    lines = [f"{paint(plain(table.table), 'bold')}  {', '.join(head)}".rstrip()]
    lines += [f"  {text}" for text in others]
    lines += [_row(table, row, paint) for row in table.rows]
    left = table.added + table.removed + table.changed + table.renamed - len(table.rows)
    if left > 0:
        lines.append(f"  ... and {plural(left, 'row')} more")
    return lines


def _row(table: TableChange, row: RowChange, paint: Paint) -> str:
    place = plain(table.path) + (f":{row.line}" if row.line else "")
    key = key_words(row.key)
    if row.kind == "renamed":
        parts = [f"{key_words(row.old_key or {}) or '-'} -> {key or '-'}"]
    else:
        parts = [key or place]
    if row.kind in ("changed", "renamed"):
        parts.append(", ".join(cells_words(row)))
    else:
        parts.append(place if key else ", ".join(whole_words(row)))
    return f"  {paint(SIGNS[row.kind], STYLES[row.kind])} {'  '.join(filter(None, parts))}"
