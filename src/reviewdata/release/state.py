"""What is remembered between two runs: which draft is ours. The server has everything else."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from reviewdata.model import ReviewdataError
from reviewdata.output import write_output


@dataclass(frozen=True)
class State:
    """A small file that may be lost: a search on the server finds the draft as well, but later.

    It holds the name of the host and the number of a draft, and no token.
    """

    path: Path

    def find_draft(self, host: str, name: str) -> str | None:
        """Return the draft of a package on a host; None where none is remembered."""
        found = self._read().get(f"{host} {name}")
        return found if isinstance(found, str) and found.isascii() else None

    def keep_draft(self, host: str, name: str, draft: str | None) -> None:
        """Remember a draft, or that there is none any more."""
        if self.path.is_symlink() or self.path.parent.is_symlink():  # of whoever made the review
            raise ReviewdataError(f"{self.path} is or lies behind a link; move that away")
        known = self._read()
        kept = {key: value for key, value in known.items() if key != f"{host} {name}"}
        if draft is not None:
            kept[f"{host} {name}"] = draft
        if kept != known:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_output(self.path, json.dumps(kept, indent=2, sort_keys=True) + "\n")

    def _read(self) -> dict[str, object]:
        try:
            found = json.loads(self.path.read_text("utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}
