"""What an export wrote, in words."""

from __future__ import annotations

from reviewdata.exporting.export import Exported
from reviewdata.render.values import plain, plural


def exported_text(done: Exported) -> str:
    """Return where the export is, and how much it has."""
    path = plain(done.path)
    said = [] if done.files == (done.path,) else [plural(len(done.files), "file")]
    if done.rows is not None:
        said.append(f"{done.rows:,} row{'s' * (done.rows != 1)}")
    lines = [f"{path}  {', '.join(said)}"]
    if done.files == (done.path,):
        return f"{lines[0]}\n"
    lines += [f"  {plain(file.relative_to(done.path))}" for file in done.files]
    return "\n".join(lines) + "\n"
