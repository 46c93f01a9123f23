"""Keep a review's extracted data as a validated, computed, citable data package.

Every verb of the command line is the same word here: `reviewdata.open(".").validate()`.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing's own would be an import, which Ctrl-C could end in a traceback
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from reviewdata.project import Project
    from reviewdata.starter import Started

__all__ = ["__version__", "init", "open", "release_fetch"]


def open(project: Path | str = ".") -> Project:
    """Return the review in a folder, or of a datapackage.json.

    Raises `reviewdata.model.ReviewdataError` where there is no data package.
    """
    from reviewdata.project import Project

    return Project(project)


def release_fetch(
    what: str,
    into: Path | str | None = None,
    *,
    server: str | None = None,
    kind: str | None = None,
) -> Project:
    """Return a published review, fetched into a folder and checked by its checksums.

    See `reviewdata.release.fetching.fetch`, also for what is raised.
    """
    from pathlib import Path

    from reviewdata.project import Project
    from reviewdata.release.fetching import fetch

    target = Path(into) if into is not None else None
    return Project(fetch(what, target, server=server, kind=kind).folder)


def init(folder: Path | str, *, title: str, kind: str, **options: Any) -> Started:
    """Begin a review in a folder; see `reviewdata.starter.init` for the options."""
    from reviewdata.starter import init

    return init(folder, title=title, kind=kind, **options)


def __getattr__(name: str) -> str:
    if name == "__version__":
        from importlib.metadata import version

        return version("reviewdata")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
