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

__all__ = ["__version__", "init", "open"]


def open(project: Path | str = ".") -> Project:
    """Return the review in a folder, or of a datapackage.json.

    Raises `reviewdata.model.ReviewdataError` where there is no data package.
    """
    from reviewdata.project import Project

    return Project(project)


def init(folder: Path | str, *, title: str, kind: str, **options: Any) -> Started:
    """Begin a review in a folder; see `reviewdata.starter.init` for the options."""
    from reviewdata.starter import init

    return init(folder, title=title, kind=kind, **options)


def __getattr__(name: str) -> str:
    if name == "__version__":
        from importlib.metadata import version

        return version("reviewdata")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
