"""The processes that run suites: each answers one question after the other.

To import Great Expectations takes seconds. So a process that has answered is kept for the next
question, of the base of a change for instance; it ends with this one, which holds its input.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any


class RunnerError(Exception):
    """The process ended without an answer; the message has its code and its last words."""


class Runner:
    """A process of `reviewdata.stages.expectations`, with nothing asked yet.

    It imports nothing from the current folder, where a contribution may lie.
    """

    def __init__(self) -> None:
        command = [sys.executable, "-P", "-m", "reviewdata.stages.expectations"]
        # A pipe that is full would wait for us.
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            env={**os.environ, "TQDM_DISABLE": "1"},
        )

    def ask(self, project: Path | str) -> None:
        """Ask what the suites of a project observe; `answer` waits for it."""
        assert self.process.stdin is not None
        question = json.dumps(os.path.abspath(project))
        with suppress(BrokenPipeError):  # it has ended: told where the answer is missing
            self.process.stdin.write(question.encode("ascii") + b"\n")
            self.process.stdin.flush()

    def answer(self) -> list[dict[str, Any]]:
        """Wait for the answer, and keep the process. Raises RunnerError where it has ended."""
        assert self.process.stdout is not None
        try:
            results: list[dict[str, Any]] = json.loads(self.process.stdout.readline())
        except ValueError:
            code = self.process.wait()
            self.errors.seek(0)
            last = self.errors.read().decode("utf-8", "replace").strip().splitlines()[-1:]
            self.stop()
            raise RunnerError(f"{code}: {''.join(last)}") from None
        _idle.append(self)
        return results

    def stop(self) -> None:
        """End the process, whatever it does."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.errors):
            assert pipe is not None
            with suppress(BrokenPipeError):  # a question that was never read
                pipe.close()


_idle: list[Runner] = []
"""Those that have answered and wait for a question."""


def take_runner() -> Runner:
    """Return a process that waits for a question, or a new one."""
    while _idle:
        runner = _idle.pop()
        if runner.process.poll() is None:
            return runner
        runner.stop()
    return Runner()


@atexit.register
def _stop_idle() -> None:
    while _idle:
        _idle.pop().stop()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_idle.clear)  # they are the parent's to ask
