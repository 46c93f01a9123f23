"""Keep a review's extracted data as a validated, computed, citable data package.

Every verb of the command line is the same word here: `reviewdata.open(".").validate()`.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing's own would be an import, which Ctrl-C could end in a traceback
if TYPE_CHECKING:
    from pathlib import Path

    from reviewdata.project import Project

__all__ = ["__version__", "open"]


def open(project: Path | str = ".") -> Project:
    """Return the review in a folder, or of a datapackage.json.

    Raises `reviewdata.model.ReviewdataError` where there is no data package.
    """
    from reviewdata.project import Project

    return Project(project)


def __getattr__(name: str) -> str:
    if name == "__version__":
        from importlib.metadata import version

        return version("reviewdata")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
