"""How far the bytes of files have come: bars on a terminal, a line for each file elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from reviewdata.render.values import size_text
from reviewdata.terminal import talk

Told = Callable[[str, int], object]


@contextmanager
def show_progress(verb: str, sizes: Mapping[str, int]) -> Iterator[Told]:
    """Yield what is told of a file and how many more bytes of it there are.

    `sizes` are the files that may come, with their bytes; another is shown without an end.
    """
    if sys.stderr.isatty():
        with _bars(verb, sizes) as told:
            yield told
    else:
        yield _lines(verb, sizes)


def _lines(verb: str, sizes: Mapping[str, int]) -> Told:
    """Return what says one line of a file once it is whole."""
    come: dict[str, int] = {}
    begun: dict[str, float] = {}

    def tell(name: str, more: int) -> None:
        begun.setdefault(name, time.monotonic())
        come[name] = come.get(name, 0) + more
        if name in sizes and more > 0 and come[name] >= sizes[name]:
            took = time.monotonic() - begun[name]
            talk(f"{verb} {name}  {size_text(sizes[name])} in {took:.1f} s")

    return tell


@contextmanager
def _bars(verb: str, sizes: Mapping[str, int]) -> Iterator[Told]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        *(BarColumn(), DownloadColumn(), TimeRemainingColumn()),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        tasks = {}

        def tell(name: str, more: int) -> None:
            if name not in tasks:
                tasks[name] = progress.add_task(f"{verb} {name}", total=sizes.get(name))
            progress.advance(tasks[name], more)

        yield tell
