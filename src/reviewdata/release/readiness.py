"""The release stage: whether a review is ready to be published, and what stands against it.

These checks are neither waived nor graded otherwise: what is published cannot be taken back.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from reviewdata.git import Repository, find_repository
from reviewdata.model import Finding, ReviewdataError, Run, Status, Validation
from reviewdata.package import DESCRIPTOR, Package, open_package
from reviewdata.release.changelog import FILES, find_entry, find_heading, read_changelog
from reviewdata.release.contents import Contents, find_contents
from reviewdata.release.history import Tagged, compare_with, is_shallow, list_tagged
from reviewdata.release.identifiers import (
    find_orcid,
    has_orcid_checksum,
    is_like_orcid,
    spell_licence,
)
from reviewdata.release.metadata import name_of, orcids_of, read_metadata
from reviewdata.release.semver import is_version, rank_version, reaches
from reviewdata.rules import make_finding
from reviewdata.validation import Trace, validate

if TYPE_CHECKING:
    from reviewdata.changes import VersionChange
    from reviewdata.tables import Tables

_NAME = "abcdefghijklmnopqrstuvwxyz0123456789-._"
_LONGEST = 100
_MILD = ("unchanged", "shallow", "untitled", "unreleased")
"""The outcomes that a release may have; the others stand against it."""

_LISTED = 100
"""Findings of one check that are listed."""


@dataclass(frozen=True)
class Readiness:
    """Whether a review can be released.

    `validation` is that of the data; `verdict` has the runs and findings of the release stage
    itself, in the form that every renderer takes. `last` names the release before, or None.
    `changes` is the entry of the changelog.
    """

    package: Package
    repository: Repository | None
    contents: Contents
    validation: Validation
    verdict: Validation
    last: str | None
    changes: str

    @property
    def is_ready(self) -> bool:
        """Whether nothing stands against the release; a warning does not."""
        return self.verdict.verdict == "pass"


def check_readiness(
    project: Path | str = ".",
    *,
    since: str | None = None,
    trace: Trace | None = None,
    kept: bool = True,
) -> Readiness:
    """Return what stands against a release of a review; the stages of `validate` run first.

    `since` is the revision of the last release, as `diff` takes it, where that is no tag of git.
    Raises ReviewdataError where the descriptor, the changelog or that revision cannot be read.
    """
    failed: dict[str, str] = {}
    package = open_package(project)
    contents = find_contents(package, find_repository(package.root))

    def meanwhile(tables: Tables) -> None:
        failed.update(try_queries(tables))

    validation = validate(project, trace=trace, meanwhile=meanwhile, kept=kept)
    return judge_readiness(package, validation, since=since, failed=failed, contents=contents)


def judge_readiness(
    package: Package,
    validation: Validation,
    *,
    since: str | None = None,
    failed: Mapping[str, str] = MappingProxyType({}),
    contents: Contents | None = None,
) -> Readiness:
    """Return what stands against a release of a review that has been validated.

    `failed` are the queries without a result, each with the reason; `contents` what its files were
    before they were validated.
    """
    repository = find_repository(package.root)
    contents = contents or find_contents(package, repository)
    past = _Past(package, repository, since)
    findings = [
        *_judge_validation(package, validation),
        *_judge_version(package, past),
        *_judge_changelog(package),
        *_judge_licences(package),
        *_judge_contributors(package),
        *_judge_contents(package, contents),
        *(_say(package, "RD609", query=q, why=why, path=q) for q, why in failed.items()),
    ]
    codes = [code for code, rule in package.rules.items() if rule.stage == "release"]
    found = {finding.code for finding in findings}
    broken = any(run.status == "broken" for run in validation.runs)
    status = {code: "fail" if code in found else "pass" for code in codes}
    status |= {"RD601": "broken"} if broken else {}
    runs = tuple(Run("release", code, cast(Status, ended)) for code, ended in status.items())
    verdict = replace(validation, runs=runs, findings=tuple(findings), claims=(), waivers=())
    read = read_changelog(package.root)
    changes = find_entry(read[1], str(package.descriptor.get("version"))) if read else None
    return Readiness(package, repository, contents, validation, verdict, past.last, changes or "")


def _say(package: Package, code: str, kind: str = "", **values: Any) -> Finding:
    rule = package.rules[code]
    path = values.pop("path", DESCRIPTOR)
    message, fix = rule.messages.get(kind), rule.fix
    place = {"value": values.pop("cell", None)}
    level: Any = "warning" if kind in _MILD else None
    return make_finding(rule, values, message=message, level=level, path=path, fix=fix, **place)


def try_queries(tables: Tables) -> dict[str, str]:
    """Return the paths of the query files that give no result, each with the reason."""
    from reviewdata.queries import FOLDER, list_queries, run_query

    failed = {}
    for name, query in list_queries(tables.package).items():
        try:
            run_query(tables, query)
        except ReviewdataError as error:
            failed[f"{FOLDER}/{name}.sql"] = str(error)
    return failed


def _judge_validation(package: Package, validation: Validation) -> Iterator[Finding]:
    errors = [f for f in validation.findings if f.level == "error" and f.counts]
    broken = [f"{run.stage} {run.code}" for run in validation.runs if run.status == "broken"]
    if broken:
        yield _say(package, "RD601", "broken", rules=", ".join(dict.fromkeys(broken)))
    elif errors:
        codes = ", ".join(dict.fromkeys(finding.code for finding in errors))
        number = f"{len(errors):,} error{'s' if len(errors) > 1 else ''}"
        yield _say(package, "RD601", number=number, codes=codes)


@dataclass
class _Past:
    """The releases before; `last` is named once it is known."""

    package: Package
    repository: Repository | None
    since: str | None
    last: str | None = None

    def find_own(self, version: str) -> Tagged | None:
        """Return the tag of this very version, where it is tagged already."""
        return next((tag for tag in self._tagged if _is_same(tag.version, version)), None)

    def find_last(self, version: str) -> str | Tagged | None:
        """Return the release before: what was named, or the latest tag of another version."""
        if self.since is not None:
            self.last = self.since
            return self.since
        others = [tag for tag in self._tagged if not _is_same(tag.version, version)]
        self.last = others[0].tag if others else None
        return others[0] if others else None

    @cached_property
    def _tagged(self) -> list[Tagged]:
        asked = self.since is None and self.repository is not None
        return list(list_tagged(self.repository)) if asked and self.repository else []


def _is_same(one: str, other: str) -> bool:
    return rank_version(one) == rank_version(other)


def _judge_version(package: Package, past: _Past) -> Iterator[Finding]:
    """Yield what is wrong with the name and the version, also against the last release."""
    name, version = package.descriptor.get("name"), package.descriptor.get("version")
    if not isinstance(name, str) or not _is_name(name):
        yield _say(package, "RD602", "name", name=_shown(name))
    if not str(package.descriptor.get("title") or "").strip():
        yield _say(package, "RD602", "untitled", name=_shown(name))
    if not is_version(version):
        kind = "none" if version in (None, "") else ""
        yield _say(package, "RD602", kind, version=_shown(version))
        return
    said = str(version)
    last, own = past.find_last(said), past.find_own(said)
    if own is not None:
        change = compare_with(package.root, own)
        if change.bump != "none":
            yield _say_raised(package, "taken", said, own.tag, change)
            return
    if last is not None:
        yield from _judge_raised(package, said, past, last, tagged=own is not None)
    elif own is None and past.repository is not None and is_shallow(past.repository):
        yield _say(package, "RD603", "shallow")


def _judge_raised(
    package: Package, version: str, past: _Past, last: str | Tagged, *, tagged: bool
) -> Iterator[Finding]:
    """Yield what is wrong with the version against that of the release before."""
    name = past.last or ""
    change = compare_with(package.root, last)
    if change.bump == "none":
        if not tagged and change.base != version:
            yield _say_raised(package, "unchanged", version, name, change)
    elif change.base == version:
        yield _say_raised(package, "taken", version, name, change)
    elif change.asked is not None:
        if not reaches(version, change.asked):
            yield _say_raised(package, "", version, name, change, change.asked)
    elif _is_later(change.base, version):
        yield _say_raised(package, "", version, name, change, f"more than {change.base}")


def _is_later(base: str | None, version: str) -> bool:
    """Whether the release before has a version that is not below this one."""
    return base is not None and is_version(base) and rank_version(version) <= rank_version(base)


def _say_raised(
    package: Package, kind: str, version: str, last: str, change: VersionChange, asked: str = ""
) -> Finding:
    because = "; ".join(change.because[:3])
    if kind == "taken":
        asked = f", which asks for {change.asked}" if change.asked else ""
    values = {"version": version, "last": last, "because": because, "bump": change.bump}
    return _say(package, "RD603", kind, asked=asked, **values)


def _is_name(name: str) -> bool:
    """Whether a name can be that of a folder everywhere."""
    return 0 < len(name) <= _LONGEST and not set(name) - set(_NAME) and name[0].isalnum()


def _judge_changelog(package: Package) -> Iterator[Finding]:
    version = package.descriptor.get("version")
    if not is_version(version):
        return  # told already
    read = read_changelog(package.root)
    if read is None:
        yield _say(package, "RD604", "missing", path=FILES[0], version=version, file=FILES[0])
        return
    name, text = read
    values = {"path": name, "version": version, "file": name}
    entry = find_entry(text, str(version))
    if not entry:
        yield _say(package, "RD604", "empty" if entry is not None else "", **values)
    elif "unreleased" in (find_heading(text, str(version)) or "").casefold():
        yield _say(package, "RD604", "unreleased", **values)


def _judge_licences(package: Package) -> Iterator[Finding]:
    licences = package.descriptor.get("licenses")
    if not isinstance(licences, list) or not licences:
        yield _say(package, "RD605", "none")
        return
    for entry in licences:
        name = entry.get("name") if isinstance(entry, Mapping) else None
        spelled = spell_licence("-".join(name.split())) if isinstance(name, str) else None
        if spelled is None:
            yield _say(package, "RD605", licence=_shown(name), cell=_shown(name))
        elif spelled != name:
            yield _say(package, "RD605", "spelled", licence=name, spelled=spelled, cell=name)


def _judge_contributors(package: Package) -> Iterator[Finding]:
    listed = package.descriptor.get("contributors")
    for number, entry in enumerate(listed if isinstance(listed, list) else [], start=1):
        name = name_of(entry) if isinstance(entry, Mapping) else ""
        if not name:
            yield _say(package, "RD606", "nameless", number=number)
            continue
        for text in orcids_of(entry):
            orcid = find_orcid(text)
            values: dict[str, Any] = {
                "name": name,
                "orcid": orcid or _shown(text),
                "cell": _shown(text),
            }
            if orcid is not None and not has_orcid_checksum(orcid):
                yield _say(package, "RD606", **values)
            elif orcid is None and (is_like_orcid(text) or text is entry.get("orcid")):
                yield _say(package, "RD606", "form", **values)
    if not read_metadata(package, dt.date.min).creators:
        yield _say(package, "RD606", "none")


def _judge_contents(package: Package, contents: Contents) -> Iterator[Finding]:
    for path, why in contents.faults[:_LISTED]:
        yield _say(package, "RD607", path=path, file=_shown(path), why=why)
    for path, why in contents.uncommitted[:_LISTED]:
        yield _say(package, "RD608", path=path, file=_shown(path), why=why)


def _shown(value: object) -> str:
    """Return a value of the descriptor as a message can hold it."""
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 80 else f"{text[:60]}..."
