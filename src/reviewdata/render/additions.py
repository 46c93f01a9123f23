"""What came of rows that were to be added, in words."""

from __future__ import annotations

from reviewdata.adding.add import Added
from reviewdata.render.values import plain, plural

SHOWN = 20
"""Rows that are told one by one."""


def added_text(added: Added, *, check: bool) -> str:
    """Return where each row is, or would be, and how many cells were changed."""
    lines = []
    for row in added.placed[:SHOWN]:
        key = f"  ({', '.join(map(plain, row.key))})" if any(row.key) else ""
        lines.append(f"{plain(row.path)}:{row.line}  {plain(row.table)}{key}")
    if len(added.placed) > SHOWN:
        lines.append(f"... and {len(added.placed) - SHOWN:,} more")
    parts = [f"{plural(len(added.placed), 'row')} added"] if added.placed else []
    parts += [f"{plural(added.changed, 'row')} changed"] if added.changed else []
    said = ", ".join(parts)
    if check:
        said += ": only checked, nothing is written"
    elif not added.written:
        said = "nothing is written; --force writes all the same"
        if added.validation.verdict == "unchecked":
            said = "nothing is written, since not everything could be checked"
    return "\n".join([*lines, said]) + "\n"
