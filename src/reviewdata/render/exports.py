"""What an export wrote, in words."""

from __future__ import annotations

from reviewdata.exporting.export import Exported
from reviewdata.render.values import plain, plural


def exported_text(done: Exported) -> str:
    """Return where the export is, and how much it has."""
    path = plain(done.path)
    rows = f"{done.rows:,} row{'s' * (done.rows != 1)}"
    if done.files == (done.path,):
        return f"{path}  {rows}\n"
    lines = [f"{path}  {plural(len(done.files), 'file')}, {rows}"]
    lines += [f"  {plain(file.relative_to(done.path))}" for file in done.files]
    return "\n".join(lines) + "\n"
