"""Questions to the person at a terminal; where there is none, nothing is asked."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from reviewdata.model import ReviewdataError
from reviewdata.terminal import talk


def can_ask() -> bool:
    """Whether somebody sits there: what is said and what is answered are of a terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask(
    question: str,
    *,
    choices: Sequence[str] = (),
    default: str | None = None,
    check: Callable[[str], object] = str,
) -> str:
    """Ask until an answer is good, and return it.

    An answer of `choices` may be its number; a blank one is the `default`, where there is one.
    `check` raises ReviewdataError for an answer that is none, which is then asked for again.
    Raises ReviewdataError where the answers end (Ctrl-D).
    """
    for number, choice in enumerate(choices, start=1):
        talk(f"  {number}  {choice}")
    while True:
        hint = f" [{default}]" if default else ""
        talk(f"{question}{hint}")
        line = sys.stdin.readline()
        if not line:
            raise ReviewdataError("the answers end here; nothing was written")
        answer = line.strip() or default or ""
        if choices and answer.isdecimal() and answer not in choices:
            number = int(answer)
            answer = choices[number - 1] if 1 <= number <= len(choices) else answer
        try:
            check(answer)
        except ReviewdataError as error:
            talk(str(error))
            continue
        return answer
