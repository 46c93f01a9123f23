"""The options that several commands have, each with its help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reviewdata.render.formats import Format

ProjectArgument = Annotated[
    Path,
    typer.Argument(help="The review: a folder or a datapackage.json.", metavar="PROJECT"),
]
ProjectOption = Annotated[
    Path,
    typer.Option(
        "--project", help="The review: a folder or a datapackage.json.", metavar="PROJECT"
    ),
]
Verbose = Annotated[bool, typer.Option("--verbose", help="Tell more, tracebacks too.")]
NoCache = Annotated[
    bool, typer.Option("--no-cache", help="Find everything anew, whatever was found before.")
]
Output = Annotated[
    Path | None, typer.Option("--output", help="Write to this file, not to stdout.", metavar="FILE")
]
ValidationFormat = Annotated[
    Format | None,
    typer.Option(
        "--format", help="How the result is printed: text, or github where GitHub Actions runs."
    ),
]
Ignore = Annotated[
    list[str] | None,
    typer.Option(
        help="Do not show codes that start so; the verdict still counts them.", metavar="CODE"
    ),
]
ShowAll = Annotated[
    bool, typer.Option("--all", help="Show every finding, waived and older ones too.")
]
