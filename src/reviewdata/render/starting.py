"""What `init` wrote, and what to do next, in words."""

from __future__ import annotations

import shlex

from reviewdata.render.values import plain, plural
from reviewdata.starter import Started


def started_text(started: Started) -> str:
    """Return what was written, and the next commands."""
    folder = plain(shlex.quote(str(started.folder)))
    same = f", {len(started.same)} there already" if started.same else ""
    lines = [
        f"{folder}: {plural(len(started.written), 'file')} written{same}",
        "The two studies in it are a synthetic example; its README says how to replace them.",
        "",
        "next:",
        f"  cd {folder}",
        "  reviewdata run",
        "  git init && reviewdata merge install",
    ]
    if started.placeholder:
        lines.append("before the first push: put the address and the commit of reviewdata in")
        lines.append("place of OWNER/reviewdata@COMMIT in .github/workflows/*.yml")
    return "\n".join(lines) + "\n"
