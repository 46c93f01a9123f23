"""The rules as data: what each code asks, in words, and how a finding is made from it.

The framework's own rules stand in `catalogue/*.toml`, one file a stage; a review's rules in
`validations/rules.toml`, under the prefix that its descriptor declares. A finding can only
be made from a rule that is listed here: an unknown code is a mistake of ours and raises.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
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
_OPTIONAL = ("formula", "source", "table", "column", "messages", "review", "example")


class Catalogue(Mapping[str, Rule]):
    """The framework's rules by code, in order of code.

    A file of them, all of one stage, is parsed when one of its rules is asked for: few commands
    need all, and to parse them takes as long as to judge a small table.
    """

    def __init__(self) -> None:
        folder = files("reviewdata").joinpath("catalogue")
        found = sorted(file.name for file in folder.iterdir() if file.name.endswith(".toml"))
        self._texts = {name: folder.joinpath(name).read_text("utf-8") for name in found}
        listed = (
            (code, name) for name, text in self._texts.items() for code in _HEAD.findall(text)
        )
        self._file = dict(sorted(listed))
        self._parsed: dict[str, Mapping[str, Rule]] = {}

    def __getitem__(self, code: str) -> Rule:
        return self._parse(self._file[code])[code]

    def __iter__(self) -> Iterator[str]:
        return iter(self._file)

    def __len__(self) -> int:
        return len(self._file)

    def of_stage(self, stage: Stage) -> dict[str, Rule]:
        """Return the rules of a stage by code."""
        of_it = {name for name, text in self._texts.items() if _STAGE.findall(text)[0] == stage}
        return {code: self[code] for code, name in self._file.items() if name in of_it}

    def _parse(self, name: str) -> Mapping[str, Rule]:
        if name not in self._parsed:
            self._parsed[name] = _parse(tomllib.loads(self._texts[name]), name)
        return self._parsed[name]


_HEAD = re.compile(r"^\[(RD\d{3})\]$", re.M)
_STAGE = re.compile(r'^stage = "(\w+)"$', re.M)


@cache
def builtin_rules() -> Catalogue:
    """Return the framework's rules by code, in order of code."""
    return Catalogue()


def read_rules(path: Path, prefix: str | None) -> Mapping[str, Rule]:
    """Return a review's own rules by code; none where the file does not exist.

    Raises ReviewdataError for a file that is not TOML, a code outside the declared prefix,
    or a rule with a missing or unknown entry, or one of another type.
    """
    content = read_toml(path, path.name)
    for code in content:
        if prefix is None or not code.startswith(prefix) or code.startswith(PREFIX):
            raise ReviewdataError(
                f"{path.name}: code {code} needs the prefix that datapackage.json declares"
                f' ("reviewdata": {{"prefix": ...}}, not {PREFIX})'
            )
    return _parse(content, path.name)


def read_toml(path: Path, name: str) -> dict[str, Any]:
    """Return what a TOML file holds; nothing where there is none.

    Raises ReviewdataError, by `name`, for what is there and cannot be read as TOML.
    """
    if not path.exists() and not path.is_symlink():
        return {}
    if not path.is_file():
        raise ReviewdataError(f"{name} is no file")
    try:
        return tomllib.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise ReviewdataError(f"{name} cannot be read: {error.strerror}") from error
    except RecursionError as error:
        raise ReviewdataError(f"{name} is nested too deeply") from error
    except ValueError as error:  # not UTF-8, not TOML, or a number of thousands of digits
        raise ReviewdataError(f"{name} is not TOML: {error}") from error


def find_rule(rules: Mapping[str, Rule], code: str) -> Rule:
    """Return the rule of a code in any case. Raises ReviewdataError where there is none."""
    found = rules.get(code.upper())
    if found is None:
        close = get_close_matches(code.upper(), list(rules), n=1)
        listed = "`reviewdata rules` lists them, those of a review with --project FOLDER"
        hint = f"did you mean {close[0]}?" if close else listed
        raise ReviewdataError(f"there is no rule {code}; {hint}")
    return found


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
        for name in entry:
            if name not in (*_REQUIRED, *_OPTIONAL):
                hint = nearest(name, [*_REQUIRED, *_OPTIONAL])
                raise ReviewdataError(f"{where}: {code} has an unknown entry {name}; {hint}")
        for name in (*_REQUIRED, *(n for n in _OPTIONAL if n in entry)):
            if not _is_of_its_type(name, entry.get(name)):
                raise ReviewdataError(f"{where}: {code} needs {name}, {_TYPES.get(name, 'a text')}")
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
            review=entry.get("review", {}),
            examples=tuple(
                Example(e["kind"], e["says"], {k: v for k, v in e.items() if k not in _SAID})
                for e in entry.get("example", [])
            ),
        )
    return rules


def _is_of_its_type(name: str, value: Any) -> bool:
    match name:
        case "messages":
            return isinstance(value, dict) and all(isinstance(v, str) for v in value.values())
        case "review":
            return isinstance(value, dict) and all(isinstance(v, dict) for v in value.values())
        case "example":
            return isinstance(value, list) and all(_is_example(entry) for entry in value)
        case _:
            return isinstance(value, str)


def _is_example(entry: Any) -> bool:
    return (
        isinstance(entry, dict)
        and entry.get("kind") in ("pass", "near-miss", "fail")
        and isinstance(entry.get("says"), str)
        and isinstance(entry.get("row", {}), dict)
        and isinstance(entry.get("files", {}), dict)
        and all(isinstance(text, str) for text in entry.get("files", {}).values())
    )


_TYPES = {
    "messages": "a table of texts",
    "review": "a table of what is changed in each JSON file",
    "example": "a [[CODE.example]] with kind (pass, near-miss or fail) and says, a text;"
    " row is a table, files a table of texts",
}
_SAID = ("kind", "says")
