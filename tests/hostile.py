"""Cells that would do something where they are shown, were they not escaped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar, cast

from synthetic import DIFF, finding, saved_run

from reviewdata.model import Run
from reviewdata.saved import SavedRun

CELLS = (
    "::error file=x,line=1::boo",
    "  ::add-mask::secret",
    "\ufeff::warning::boo",
    "line\r::error::after a carriage return",
    "line\n::stop-commands::x",
    "##[error]boo",
    "text ##[add-path]/tmp ##[set-env name=A]b",
    "%0A::error::boo %25 %3A",
    "\x1b]0;owned\x07\x1b[31mred\x1b[2J",
    "\x9b31m\x7f\x00\x08",
    "abc\u202edef\u2066\u200f",
    "zero\u200bwidth\ufeff\u00adsoft",
    "a\u2028b\u2029c\x85d",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<!-- reviewdata:validate -->",
    "--> <!-- x",
    "</details></summary></table>",
    "</code><b>bold</b>",
    "]]></system-out><failure/>",
    "<![CDATA[x]]> &lt;b&gt; &amp; &#64;name &nbsp;",
    '" onload="x" \'',
    "@name and @org/team, (@name)",
    "\\@name \\\\@name",
    "a.person@example.org",
    "mailto:a@example.org xmpp:a@example.org/x",
    "#123 (#45) owner/name#6 GH-7 gh-8",
    "owner/name@0123456789abcdef0123456789abcdef01234567",
    "0123456789abcdef0123456789abcdef01234567",
    "deadbee 1234567 0.1234567",
    "https://example.org/a?b=c&d=e http://example.org ftp://example.org",
    "www.example.org WWW.example.org //example.org",
    "<https://example.org>",
    "[text](https://example.org) ![alt](https://example.org/x.png)",
    "[ref]: https://example.org",
    "[^1] [x] [ ] [[wiki]]",
    ":smile: :+1: :100: :a:b:",
    "$x^2$ $$y$$ $`z`$ costs $5 and $6",
    "`code` ``more`` ```fence",
    "~~~\n```\nfence\n```",
    "**bold** _em_ __strong__ ~~struck~~ ~one~",
    "a|b|c \\| \\\\| |",
    "|---|---|",
    "ends with a backslash \\",
    "\\",
    "# heading",
    "- [ ] task",
    "1. one",
    "> quote",
    "    code",
    "\tcode",
    "---",
    "===",
    "+ plus",
    "{0} {{1}} {name}",
    "a -> b",
    "\ufffe\uffff\ud7ff",
    "half \ud800 a \udfff character",
    "e\u0301\u0301\u0301 \U0001f468\u200d\U0001f469",
    "x" * 10_000,
    "|" * 3_000,
    "$" * 3_000,
    "@a" * 2_000,
    "\x00" * 2_000,
    "",
    " ",
    "  two  spaces  ",
)

KEPT = {"kind", "level", "stage", "status", "code", "bump", "verdict", "type"}
"""Fields that hold one of a few words, whatever a review says."""


T = TypeVar("T")


def poison(value: T, text: str) -> T:
    """Return a value with every text in it replaced, but for words that the code chooses."""
    return cast(T, _poison(value, text))


def _poison(value: Any, text: str) -> Any:
    if isinstance(value, str):
        return text
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: _field(value, f.name, text) for f in fields(value)})
    if isinstance(value, Mapping):
        return dict.fromkeys([text][: len(value)], _poison(next(iter(value.values()), ""), text))
    if isinstance(value, tuple):
        return tuple(_poison(entry, text) for entry in value)
    return value


def _field(value: Any, name: str, text: str) -> Any:
    given = getattr(value, name)
    return given if name in KEPT else _poison(given, text)


def hostile_run(text: str) -> SavedRun:
    """Return a run with a change, in which every text that somebody writes is this one."""
    run = saved_run(
        finding(),
        finding(),
        finding("RD202", waived=True),
        finding("RD203", old=True),
        finding("RD904"),
        finding("RD901", table=None, path=None, line=None, key={}, field=None),
        runs=(
            Run("rows", "RD201", "fail"),
            Run("rows", "RD202", "broken", "why"),
            Run("claims", "RD203", "skipped", "why"),
        ),
        since="base",
        diff=DIFF,
        folder="folder",
    )
    changed = replace(poison(run, text), rules={c: poison(r, text) for c, r in run.rules.items()})
    waivers = tuple(
        replace(waiver, table=f.table, key=f.key, field=f.field, value=f.value)
        for waiver in changed.waivers
        for f in changed.validation.findings
        if f.waived
    )
    return replace(changed, waivers=waivers)
