"""Whole processes, timed in turn: wall seconds and peak memory, medians and ratios."""

from __future__ import annotations

import compileall
import os
import statistics
import sysconfig
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Timing:
    """The runs of one command: wall seconds of each, and the largest peak in MiB."""

    seconds: tuple[float, ...]
    peak: float

    @property
    def median(self) -> float:
        """The median of the wall seconds."""
        return statistics.median(self.seconds)


def compile_environment() -> None:
    """Compile every module that is installed, and ours: what pip does for a user."""
    for folder in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), ROOT / "src"}:
        compileall.compile_dir(str(folder), quiet=2, workers=0)


def run(command: Sequence[str], *, cwd: Path = ROOT, expect: Sequence[int] = (0,)) -> Timing:
    """Run a command once, its output thrown away. Raises SystemExit where it ends badly."""
    start = time.perf_counter()
    pid = os.fork()
    if pid == 0:
        os.chdir(cwd)
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        os.execvp(command[0], list(command))
    _, status, usage = os.wait4(pid, 0)
    seconds = time.perf_counter() - start
    code = os.waitstatus_to_exitcode(status)
    if code not in expect:
        raise SystemExit(f"{' '.join(command)} ended with {code}")
    return Timing((seconds,), usage.ru_maxrss / 1024)


def run_in_turn(
    commands: Mapping[str, Sequence[str]],
    runs: int,
    *,
    cwd: Path = ROOT,
    expect: Sequence[int] = (0,),
    warm: bool = True,
) -> dict[str, Timing]:
    """Run each command once to `warm` up, then all in turn, `runs` times."""
    found: dict[str, list[Timing]] = {name: [] for name in commands}
    for number in range(runs + warm):
        for name, command in commands.items():
            timing = run(command, cwd=cwd, expect=expect)
            if number or not warm:
                found[name].append(timing)
    return {
        name: Timing(tuple(t.seconds[0] for t in timings), max(t.peak for t in timings))
        for name, timings in found.items()
    }


def ratios(a: Timing, b: Timing) -> float:
    """Return the median of the ratios a to b, run by run: what a drifting machine leaves."""
    return statistics.median(x / y for x, y in zip(a.seconds, b.seconds, strict=True))


def show(timings: Mapping[str, Timing]) -> None:
    """Print a line for each command."""
    width = max(map(len, timings))
    for name, timing in timings.items():
        low, high = min(timing.seconds), max(timing.seconds)
        print(
            f"{name.ljust(width)}  {timing.median:6.2f} s ({low:.2f} to {high:.2f})"
            f"  {timing.peak:5.0f} MiB"
        )


def verdict(what: str, figure: float, limit: float, unit: str) -> bool:
    """Print a target and whether the figure meets it."""
    met = figure <= limit
    print(f"{'met   ' if met else 'MISSED'}  {what}: {figure:.2f} {unit}, target {limit:g}")
    return met
