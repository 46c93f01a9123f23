"""Standard output and error: results on the one, talk on the other, colour on terminals only."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from reviewdata.model import ReviewdataError
from reviewdata.output import write_output
from reviewdata.render.values import Paint, defused, plain, unpainted, visible

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it: 128 and the number of the signal."""


TERMINATED = 143
"""Exit code after SIGTERM."""


def print_result(
    content: str | bytes, output: Path | None = None, *, raw: bool = False, speaks: bool = False
) -> None:
    """Print a result, or write it to the file that was asked for.

    A `raw` text, which holds what the data holds, is escaped where it goes to a terminal, and is
    byte for byte what it is where it goes to another program. Of any other text, a runner of
    GitHub Actions takes nothing for a command, unless it `speaks` to the runner.
    """
    if output is not None:
        write_output(output, content)
    elif isinstance(content, str):
        if sys.__stdout__ is None:
            raise ReviewdataError("the result cannot be written: standard output is closed")
        try:
            sys.stdout.write(_printed(content, raw, speaks))
            sys.stdout.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            _close_stdout()
            why = error.strerror or str(error)
            raise ReviewdataError(f"the result cannot be written: {why}") from error


def _printed(content: str, raw: bool, speaks: bool) -> str:
    if raw:
        return visible(content) if sys.stdout.isatty() else content
    return defused(content) if is_in_actions() and not speaks else content


def talk(text: str) -> None:
    """Print lines for the person at the terminal, not for a program that reads the result."""
    said = visible(text.rstrip("\n")) + "\n"
    sys.stderr.write(defused(said) if is_in_actions() else said)


def trace(verbose: bool) -> Callable[[str], None] | None:
    """Return what gets what only those want to know who look for a fault; None for all others."""
    return talk if verbose else None


PATIENCE = 2.0
"""Seconds of work before a terminal shows what is done."""


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Yield what is told, in a few words, what is done next.

    Where standard error is a terminal, work that takes longer than PATIENCE shows it on a bar,
    which goes when the work is done.
    """
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield lambda _: None
        return
    said = ["starting"]
    stop = threading.Event()
    watcher = threading.Thread(target=_show_progress, args=(said, stop), daemon=True)
    watcher.start()
    try:
        yield said.append
    finally:
        stop.set()
        watcher.join()


def _show_progress(said: Sequence[str], stop: threading.Event) -> None:
    """Show the last that was said, once it takes long, until told to stop."""
    if stop.wait(PATIENCE):
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, redirect_stdout=False) as bar:
        task = bar.add_task(plain(said[-1]), total=None)
        while not stop.wait(0.1):
            bar.update(task, description=plain(said[-1]))


def is_in_actions() -> bool:
    """Whether a runner of GitHub Actions reads what is printed, and obeys the commands in it."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def choose_paint(output: Path | None = None) -> Paint:
    """Return how text is coloured: only on a terminal, and not under NO_COLOR."""
    if output is not None or os.environ.get("NO_COLOR") or not sys.stdout.isatty():
        return unpainted
    if os.environ.get("TERM") == "dumb":
        return unpainted
    from rich.style import Style

    def painted(text: str, style: str) -> str:
        return Style.parse(style).render(text)

    return painted


def run_command(command: Callable[[], object]) -> int:
    """Run a command and return its exit code; no exception leaves here.

    Misuse is one line and 2. Ctrl-C is 130, SIGTERM 143. Our own crash is one line and 2, its
    traceback under --verbose. A reader that closes the pipe is no error of ours.
    """
    _open_closed_streams()
    pressed: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        pressed.append(number)
        signal.default_int_handler(number, frame)

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, interrupt)
        signal.signal(signal.SIGTERM, _terminate)  # so that folders and processes are cleaned up
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        command()
    except SystemExit as end:
        if end.code == INTERRUPTED:  # typer has caught Ctrl-C, and says nothing
            _say_stopped(end.__context__)
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except ReviewdataError as error:
        talk(f"reviewdata: {plain(error)}")
        return 2
    except KeyboardInterrupt as stopped:
        _say_stopped(stopped)
        return INTERRUPTED
    except BrokenPipeError:
        _close_stdout()
        return 141
    except Exception as error:  # the outermost command: a crash of ours is told in one line
        if pressed:  # a library has made of Ctrl-C what it could
            talk("reviewdata: stopped")
            return INTERRUPTED
        if "--verbose" in sys.argv:
            import traceback

            talk(traceback.format_exc())
        said = plain(" ".join(str(error).split())[:300])
        talk(
            f"reviewdata: internal error, {type(error).__name__}: {said}"
            " (please report it; --verbose shows where)"
        )
        return 2
    return 0


def _say_stopped(error: BaseException | None) -> None:
    """Say that it was stopped, and what the Ctrl-C at the bottom of an error was given to say."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    more = error.args if error is not None else ()
    talk("; ".join(("reviewdata: stopped", *map(str, more))))


def _open_closed_streams() -> None:
    """Let a stream that the shell closed go nowhere, or a file would be opened in its place."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode))


def _terminate(*_: object) -> None:
    raise SystemExit(TERMINATED)


def _close_stdout() -> None:
    """Let what is still to be written go nowhere, or Python would try once more at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
