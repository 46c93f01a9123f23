"""How far the bytes of files have come: lines where nobody looks on, bars on a terminal."""

from __future__ import annotations

import re
import sys

import pytest

from reviewdata.progress import show_progress


def test_a_file_has_one_line_once_it_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    with show_progress("sent") as told:
        told("a.zip", 1_000, 2_500)
        told("b.md", 3, 3)
        told("a.zip", 1_000, 2_500)
        told("a.zip", -2_000, 2_500)  # the connection broke, and it begins again
        assert "a.zip" not in capsys.readouterr().err
        told("a.zip", 2_500, 2_500)
        told("c", 10, 0)  # nobody knows how large it is
    assert re.fullmatch(r"sent a\.zip  2\.5 kB in \d\.\d s\n", capsys.readouterr().err)


def test_on_a_terminal_a_file_has_a_bar(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with show_progress("read") as told:
        told("\x1b[31ma[bold].zip", 500, 1_000)
        told("\x1b[31ma[bold].zip", 500, 1_000)
    printed = capsys.readouterr()
    assert "a[bold].zip" in printed.err  # neither markup nor a command to the terminal
    assert "1.0/1.0 kB" in printed.err
    assert "\x1b[31ma" not in printed.err
    assert not printed.out
