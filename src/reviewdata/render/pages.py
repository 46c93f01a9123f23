"""The rules in words: a page a code, a list, and the whole as Markdown."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable

from reviewdata.model import STAGES, Example, Rule
from reviewdata.render.values import Paint, plain, unpainted

_WIDTH = 88


def rules_text(rules: Iterable[Rule], paint: Paint = unpainted) -> str:
    """Return one line a rule: code, level, stage and name."""
    return "".join(
        f"{paint(rule.code, 'bold')}  {rule.level:<7}  {rule.stage:<9}  {plain(rule.name)}\n"
        for rule in rules
    )


def rule_text(rule: Rule, paint: Paint = unpainted) -> str:
    """Return the page of one rule."""
    lines = [
        f"{paint(rule.code, 'bold')} {plain(rule.name)} ({rule.level}, stage {rule.stage})",
        "",
    ]
    lines += _wrapped("says: ", rule.message)
    for said in rule.messages.values():
        lines += _wrapped("  or: ", said)
    lines += ["", *_wrapped("why: ", rule.why), "", *_wrapped("fix: ", rule.fix)]
    if rule.formula:
        lines += ["", *_wrapped("formula: ", rule.formula)]
    if rule.source:
        lines += ["", *_wrapped("source: ", rule.source)]
    if rule.review:
        lines += ["", "in the examples:", *(f"    {plain(line)}" for line in _review_lines(rule))]
    for example in rule.examples:
        lines += ["", *_wrapped(f"{example.kind}: ", example.says)]
        lines += [f"    {plain(line)}" for line in given_lines(example)]
    return "".join(line.rstrip() + "\n" for line in lines)


def rules_markdown(rules: Iterable[Rule]) -> str:
    """Return all rules as a Markdown document, by stage."""
    listed = list(rules)
    lines = ["# The rules", ""]
    lines += [
        "An error is impossible, a warning implausible, a note worth a look. Unless an example"
        " says otherwise, the example review passes the rule as it stands; it is in"
        " [examples.md](examples.md).",
        "",
    ]
    for stage in (*STAGES, "release", "run"):
        chosen = [rule for rule in listed if rule.stage == stage]
        lines += [f"## Stage {stage}", ""] if chosen else []
        for rule in chosen:
            lines += _markdown(rule)
    return "\n".join(lines).rstrip("\n") + "\n"


def given_lines(example: Example) -> list[str]:
    """Return what an example is about: the cells of a row, or the files that differ."""
    lines = []
    for name, given in example.given.items():
        if name == "finds":
            continue
        if name == "row":
            lines.append(", ".join(f"{role} {text}" for role, text in given.items()))
        elif name == "files":
            for path, text in given.items():
                lines.append(f"{path}:")
                lines += [f"  {line}" for line in json_lines(text)]
        else:
            lines.append(f"{name}: {json.dumps(given, ensure_ascii=False, default=str)}")
    return lines


def json_lines(text: str) -> list[str]:
    """Return the lines of a text, with what cannot be seen in it escaped as in JSON."""
    if text == "":
        return ["(empty)"]
    return [json.dumps(line)[1:-1].replace('\\"', '"') for line in text.splitlines()]


def _markdown(rule: Rule) -> list[str]:
    lines = [f"### {rule.code} {rule.name}", "", f"{rule.level.capitalize()}. {rule.why}", ""]
    lines += ["> " + "\n>\n> ".join((rule.message, *rule.messages.values()))]
    lines += ["", f"**Mend:** {rule.fix}", ""]
    if rule.formula:
        lines += [f"**Formula:** `{rule.formula}`", ""]
    if rule.source:
        lines += [f"**Source:** {rule.source}", ""]
    if rule.review:
        lines += ["In the examples:", "", "```text", *_review_lines(rule), "```", ""]
    for example in rule.examples:
        lines += [f"- *{example.kind}*: {example.says}", "  ```text"]
        lines += [f"  {line}" for line in given_lines(example)]
        lines += ["  ```"]
    return [*lines, ""] if rule.examples else lines


def _review_lines(rule: Rule) -> list[str]:
    """Return what the examples of a rule change in the JSON files of the example review."""
    lines = []
    for path, change in rule.review.items():
        for name, given in change.items():
            if name == "fields":
                given = {field["name"]: field["type"] for field in given}
            lines.append(f"{path}, {name}: {json.dumps(given, ensure_ascii=False)}")
    return lines


def _wrapped(label: str, text: str) -> list[str]:
    indent = " " * len(label)
    lines = textwrap.wrap(
        text, _WIDTH, initial_indent=label, subsequent_indent=indent, break_on_hyphens=False
    )
    return [plain(line) for line in lines]
