"""Waivers: findings that the review has looked at and lets stand, each with its reason."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from reviewdata.model import Finding, ReviewdataError, Waiver
from reviewdata.package import Package
from reviewdata.rules import find_rule, make_finding, nearest, read_toml

FILE = "validations/waivers.toml"
_REQUIRED = ("code", "reason", "who")
_PLACE = ("table", "key", "field", "value")
_KNOWN = (*_REQUIRED, *_PLACE, "until")


def _place(entry: Waiver | Finding) -> Hashable:
    return (entry.code, entry.table, frozenset(entry.key.items()), entry.field, entry.value)


def find_reasons(waivers: Iterable[Waiver]) -> Callable[[Finding], Sequence[Waiver]]:
    """Return a function that gives the waivers of a finding, however many there are of both."""
    listed: dict[Hashable, list[Waiver]] = {}
    for waiver in waivers:
        listed.setdefault(_place(waiver), []).append(waiver)
    return lambda finding: listed.get(_place(finding), []) if finding.waived else []


def read_waivers(root: Path) -> tuple[Waiver, ...]:
    """Return the waivers of a review; none without the file.

    Raises ReviewdataError for a file that is not TOML, a waiver that lacks an entry, or an
    entry of another type.
    """
    content = read_toml(root / FILE, FILE)
    for name in content:
        if name != "waiver":
            raise ReviewdataError(f"{FILE} has [{name}]; each waiver is one [[waiver]]")
    listed = content.get("waiver", [])
    if not isinstance(listed, list):
        raise ReviewdataError(f"{FILE}: each waiver is one [[waiver]]")
    return tuple(_parse(entry, number) for number, entry in enumerate(listed, 1))


def apply_waivers(
    package: Package,
    findings: Iterable[Finding],
    waivers: Iterable[Waiver],
    today: dt.date,
    *,
    judged: frozenset[str] | None = None,
) -> tuple[Finding, ...]:
    """Return the findings with the waived ones marked, and findings on waivers out of use.

    `judged` are the codes that were run: a waiver of another code is not unused, unless no
    rule has it. A finding of a waiver that expired counts again.
    """
    findings = list(findings)
    extra = []
    for waiver in waivers:
        place: dict[str, Any] = {"path": FILE, "table": waiver.table}
        place |= {"key": waiver.key, "field": waiver.field}
        if waiver.until is not None and waiver.until < today:
            values = {"waived": waiver, "until": waiver.until.isoformat()}
            extra.append(make_finding(package.rules["RD903"], values, **place))
            continue
        why = _find_fault(package, waiver)
        hits = [] if why else [n for n, f in enumerate(findings) if waiver.covers(f)]
        for number in hits:
            findings[number] = replace(findings[number], waived=True)
        if why or (not hits and (judged is None or waiver.code in judged)):
            rule = package.rules["RD902"]
            outcome = "unknown" if why else "absent" if waiver.value is None else ""
            values = {"waived": waiver, "value": waiver.value, "why": why}
            message = rule.messages.get(outcome)
            extra.append(make_finding(rule, values, message=message, **place))
    return (*findings, *extra)


def _find_fault(package: Package, waiver: Waiver) -> str:
    """Return why a waiver can never waive anything; blank where it can."""
    try:
        rule = find_rule(package.rules, waiver.code)
    except ReviewdataError as error:
        return str(error)
    match rule.stage:
        case "run":
            return "what is said of the run itself cannot be waived"
        case "release":
            return "what stands against a release cannot be waived"
        case _:
            return ""


def _parse(entry: Any, number: int) -> Waiver:
    where = f"{FILE}, waiver {number}"
    if not isinstance(entry, dict):
        raise ReviewdataError(f"{where} is not a [[waiver]]")
    for name in entry:
        if name not in _KNOWN:
            raise ReviewdataError(
                f"{where} has an unknown entry {name}; {nearest(name, [*_KNOWN])}"
            )
    for name in (*_REQUIRED, *(n for n in _PLACE if n in entry)):
        kind = dict if name == "key" else str
        if not isinstance(entry.get(name), kind) or (name in _REQUIRED and not entry[name]):
            raise ReviewdataError(
                f"{where} needs {name}, {'a text' if kind is str else 'a table of texts'}"
            )
    until = entry.get("until")
    if until is not None and (not isinstance(until, dt.date) or isinstance(until, dt.datetime)):
        raise ReviewdataError(f"{where}: until is a date such as 2027-01-31, without quotes")
    key = {name: str(text) for name, text in entry.get("key", {}).items()}
    return Waiver(**{**entry, "code": entry["code"].upper(), "key": key})
