"""How far the bytes of files have come: bars on a terminal, a line for each file elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from reviewdata.render.values import size_text, visible
from reviewdata.terminal import talk

Told = Callable[[str, int, int], object]


@contextmanager
def show_progress(verb: str) -> Iterator[Told]:
    """Yield what is told of a file, how many more bytes of it have come, and how many it has.

    A file whose size is not known (0) is shown without an end.
    """
    if sys.stderr.isatty():
        with _bars(verb) as told:
            yield told
    else:
        yield _lines(verb)


def _lines(verb: str) -> Told:
    """Return what says one line of a file once it is whole."""
    come: dict[str, int] = {}
    begun: dict[str, float] = {}

    def tell(name: str, more: int, size: int) -> None:
        begun.setdefault(name, time.monotonic())
        come[name] = come.get(name, 0) + more
        if more > 0 and come[name] == size:
            took = time.monotonic() - begun[name]
            talk(f"{verb} {name}  {size_text(size)} in {took:.1f} s")

    return tell


@contextmanager
def _bars(verb: str) -> Iterator[Told]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.table import Column

    name = Column(no_wrap=True, overflow="ellipsis", ratio=1)
    columns = (
        TextColumn("{task.description}", markup=False, table_column=name),
        *(BarColumn(bar_width=16), DownloadColumn(), TimeRemainingColumn(compact=True)),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True, expand=True) as progress:
        tasks = {}

        def tell(name: str, more: int, size: int) -> None:
            if name not in tasks:
                tasks[name] = progress.add_task(visible(f"{verb} {name}"), total=size or None)
            progress.advance(tasks[name], more)

        yield tell
