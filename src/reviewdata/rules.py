"""The rules as data: what each code asks, in words, and how a finding is made from it.

The framework's own rules stand in `catalogue/*.toml`, one file a stage; a review's rules in
`validations/rules.toml`, under the prefix that its descriptor declares. A finding can only
be made from a rule that is listed here: an unknown code is a mistake of ours and raises.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, cast, get_args

from reviewdata.model import Example, Finding, Level, Origin, ReviewdataError, Rule, Stage

PREFIX = "RD"
"""Prefix of the framework's own codes."""

CODE = re.compile(r"[A-Z]{2,5}\d{3}")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_REQUIRED = ("name", "stage", "level", "message", "why", "fix")
_OPTIONAL = ("formula", "source", "table", "column", "messages", "example")


@cache
def builtin_rules() -> Mapping[str, Rule]:
    """Return the framework's rules by code, in order of code."""
    rules: dict[str, Rule] = {}
    for file in files("reviewdata").joinpath("catalogue").iterdir():
        if file.name.endswith(".toml"):
            rules |= _parse(tomllib.loads(file.read_text("utf-8")), file.name)
    return dict(sorted(rules.items()))


def read_rules(path: Path, prefix: str | None) -> Mapping[str, Rule]:
    """Return a review's own rules by code; none where the file does not exist.

    Raises ReviewdataError for a file that is not TOML, a code outside the declared prefix,
    or a rule with a missing or unknown entry.
    """
    if not path.is_file():
        return {}
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ReviewdataError(f"{path.name} is not TOML: {error}") from error
    for code in content:
        if prefix is None or not code.startswith(prefix) or code.startswith(PREFIX):
            raise ReviewdataError(
                f"{path.name}: code {code} needs the prefix that datapackage.json declares"
                f' ("reviewdata": {{"prefix": ...}}, not {PREFIX})'
            )
    return _parse(content, path.name)


def make_finding(
    rule: Rule,
    values: Mapping[str, Any] | None = None,
    *,
    origin: Origin | None = None,
    level: Level | None = None,
    message: str | None = None,
    **place: Any,
) -> Finding:
    """Return a finding of `rule`, its message filled from `values`.

    `level` and `message` stand in for the rule's own where a rule has several outcomes;
    `place` holds the other fields of Finding. Raises ReviewdataError where the message
    names a value that the record does not have.
    """
    return Finding(
        code=rule.code,
        rule=rule.name,
        level=level or rule.level,
        message=fill(message or rule.message, values or {}, rule.code),
        fix=place.pop("fix", rule.fix),
        origin=origin,
        **place,
    )


def fill(template: str, values: Mapping[str, Any], code: str) -> str:
    """Return `template` with each {name} replaced by its value; missing values are blank."""

    def text(match: re.Match[str]) -> str:
        name = match[1]
        if name not in values:
            raise ReviewdataError(
                f"the message of {code} names {{{name}}}; there are: {', '.join(values) or 'none'}"
            )
        return "" if values[name] is None else str(values[name])

    return _PLACEHOLDER.sub(text, template)


def relevel(finding: Finding, levels: Mapping[str, Level]) -> Finding:
    """Return the finding at the level that the review sets for its code."""
    level = levels.get(finding.code)
    return finding if level is None else replace(finding, level=level)


def nearest(word: str, known: Mapping[str, Any] | list[str]) -> str:
    """Return `, did you mean X?` for a near match among the known words, else their list."""
    close = get_close_matches(word, list(known), n=1)
    return f"did you mean {close[0]}?" if close else f"known are: {', '.join(known) or 'none'}"


def _parse(content: Mapping[str, Any], where: str) -> dict[str, Rule]:
    rules = {}
    for code, entry in content.items():
        if not CODE.fullmatch(code) or not isinstance(entry, dict):
            raise ReviewdataError(f"{where}: [{code}] is not a code such as TA301")
        for name in _REQUIRED:
            if not isinstance(entry.get(name), str):
                raise ReviewdataError(f"{where}: {code} needs {name}, a text")
        for name in entry:
            if name not in (*_REQUIRED, *_OPTIONAL):
                hint = nearest(name, [*_REQUIRED, *_OPTIONAL])
                raise ReviewdataError(f"{where}: {code} has an unknown entry {name}; {hint}")
        for name, kind in (("level", Level), ("stage", Stage)):
            if entry[name] not in get_args(kind):
                known = ", ".join(get_args(kind))
                raise ReviewdataError(f"{where}: {code} has {name} {entry[name]}; known: {known}")
        rules[code] = Rule(
            code=code,
            name=entry["name"],
            stage=cast(Stage, entry["stage"]),
            level=cast(Level, entry["level"]),
            message=entry["message"],
            why=entry["why"].strip(),
            fix=entry["fix"].strip(),
            formula=entry.get("formula", "").strip(),
            source=entry.get("source", "").strip(),
            table=entry.get("table"),
            column=entry.get("column"),
            messages=entry.get("messages", {}),
            examples=tuple(
                Example(e["kind"], e["says"], {k: v for k, v in e.items() if k not in _SAID})
                for e in entry.get("example", [])
            ),
        )
    return rules


_SAID = ("kind", "says")
