"""Waivers: findings that the review has looked at and lets stand, each with its reason."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from reviewdata.model import Finding, ReviewdataError
from reviewdata.package import Package
from reviewdata.rules import make_finding, nearest

FILE = "validations/waivers.toml"
_REQUIRED = ("code", "table", "key", "field", "value", "reason", "who")
_KNOWN = (*_REQUIRED, "until")


@dataclass(frozen=True)
class Waiver:
    """One finding that may stand: of this code, at this cell, while it has this value."""

    code: str
    table: str
    key: Mapping[str, str]
    field: str
    value: str
    reason: str
    who: str
    until: dt.date | None = None

    def covers(self, finding: Finding) -> bool:
        """Whether a finding is the one that this waiver is about."""
        return (
            finding.code == self.code
            and finding.table == self.table
            and dict(finding.key) == dict(self.key)
            and finding.field == self.field
            and finding.value == self.value
        )


def read_waivers(root: Path) -> tuple[Waiver, ...]:
    """Return the waivers of a review; none without the file.

    Raises ReviewdataError for a file that is not TOML or a waiver that lacks an entry.
    """
    path = root / FILE
    if not path.is_file():
        return ()
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ReviewdataError(f"{FILE} is not TOML: {error}") from error
    for name in content:
        if name != "waiver":
            raise ReviewdataError(f"{FILE} has [{name}]; each waiver is one [[waiver]]")
    return tuple(_parse(entry, number) for number, entry in enumerate(content.get("waiver", []), 1))


def apply_waivers(
    package: Package,
    findings: Iterable[Finding],
    waivers: Iterable[Waiver],
    today: dt.date,
    *,
    judged: frozenset[str] | None = None,
) -> tuple[Finding, ...]:
    """Return the findings with the waived ones marked, and findings on waivers out of use.

    `judged` are the codes that were run: a waiver of another code is not unused. A finding
    of a waiver that expired counts again.
    """
    findings = list(findings)
    extra = []
    for waiver in waivers:
        waived = f"{waiver.code} at {waiver.table} {', '.join(waiver.key.values())}"
        place: dict[str, Any] = {"path": FILE, "table": waiver.table}
        place |= {"key": waiver.key, "field": waiver.field}
        if waiver.until is not None and waiver.until < today:
            values = {"waived": waived, "until": waiver.until.isoformat()}
            extra.append(make_finding(package.rules["RD903"], values, **place))
            continue
        hits = [number for number, f in enumerate(findings) if waiver.covers(f)]
        for number in hits:
            findings[number] = replace(findings[number], waived=True)
        if not hits and (judged is None or waiver.code in judged):
            values = {"waived": waived, "value": waiver.value}
            extra.append(make_finding(package.rules["RD902"], values, **place))
    return (*findings, *extra)


def _parse(entry: Any, number: int) -> Waiver:
    where = f"{FILE}, waiver {number}"
    if not isinstance(entry, dict):
        raise ReviewdataError(f"{where} is not a [[waiver]]")
    for name in entry:
        if name not in _KNOWN:
            raise ReviewdataError(
                f"{where} has an unknown entry {name}; {nearest(name, [*_KNOWN])}"
            )
    for name in _REQUIRED:
        kind = dict if name == "key" else str
        if not isinstance(entry.get(name), kind) or not entry[name]:
            raise ReviewdataError(
                f"{where} needs {name}{'' if kind is str else ', a table of texts'}"
            )
    until = entry.get("until")
    if until is not None and (not isinstance(until, dt.date) or isinstance(until, dt.datetime)):
        raise ReviewdataError(f"{where}: until is a date such as 2027-01-31, without quotes")
    return Waiver(**{**entry, "key": {k: str(v) for k, v in entry["key"].items()}})
