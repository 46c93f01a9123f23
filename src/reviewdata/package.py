"""The data package of a review: its descriptor, resources, schemas and configuration.

Reading is forgiving: what is wrong with a descriptor becomes findings of the package stage,
and a resource that must not or cannot be read keeps `file` None. Only a descriptor that
cannot be read at all raises.
"""

from __future__ import annotations

import errno
import json
import re
from collections import ChainMap
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, cast, get_args

from reviewdata.model import Finding, Level, ReviewdataError, Rule, Stage
from reviewdata.rules import PREFIX, builtin_rules, make_finding, nearest, read_rules
from reviewdata.tableschema import find_clashes, find_fault, is_name, list_names, list_values

DESCRIPTOR = "datapackage.json"
_CONFIG_KEYS = ("prefix", "levels", "claims", "coverage", "studies")
_PREFIX = re.compile("[A-Z]{2,5}")


@dataclass(frozen=True)
class ForeignKey:
    """Columns of one table that name a record of another (or of itself)."""

    fields: tuple[str, ...]
    resource: str
    reference: tuple[str, ...]


@dataclass(frozen=True)
class Resource:
    """One table: where its file is, and its Table Schema.

    `file` is None where the path is missing, remote, outside the package or not a file;
    `schema` is empty where there is none that can be read.
    """

    name: str
    path: str
    file: Path | None
    schema: Mapping[str, Any]
    descriptor: Mapping[str, Any]

    @cached_property
    def fields(self) -> Mapping[str, Mapping[str, Any]]:
        """The field descriptors by name, in the order of the schema.

        A field whose name SQL cannot hold beside the others is left out (RD014).
        """
        listed = self.schema.get("fields", [])
        clashes = find_clashes(entry["name"] for entry in listed)
        return {e["name"]: e for number, e in enumerate(listed) if number not in clashes}

    @property
    def primary_key(self) -> tuple[str, ...]:
        """The names of the primary-key fields; empty where none is declared."""
        return list_names(self.schema.get("primaryKey", ()))

    @property
    def foreign_keys(self) -> tuple[ForeignKey, ...]:
        """The declared foreign keys; a reference without a resource is to the table itself.

        An entry that names no fields, or more on one side than on the other, is left out.
        """
        keys = []
        for entry in self.schema.get("foreignKeys", ()):
            reference = entry.get("reference") if isinstance(entry, dict) else None
            if isinstance(reference, dict):
                target = reference.get("resource") or self.name
                columns = list_names(entry.get("fields"))
                named = list_names(reference.get("fields"))
                if isinstance(target, str) and columns and len(columns) == len(named):
                    keys.append(ForeignKey(columns, target, named))
        return tuple(keys)

    @property
    def statistics(self) -> list[Any]:
        """The declared statistics as they stand in the schema."""
        return list(self.schema.get("statistics", []))

    def missing_values(self, name: str) -> tuple[str, ...]:
        """Return the texts that stand for a missing value in the field `name`."""
        listed = self.fields.get(name, {}).get("missingValues")
        listed = self.schema.get("missingValues", [""]) if listed is None else listed
        return list_values(listed)


@dataclass(frozen=True)
class Config:
    """The `reviewdata` block of the descriptor."""

    prefix: str | None = None
    levels: Mapping[str, Level] = field(default_factory=dict)
    claims: str | None = None
    coverage: Mapping[str, Any] | None = None
    studies: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Package:
    """A data package on disk; `findings` says what is wrong with its descriptor."""

    root: Path
    descriptor: Mapping[str, Any]
    resources: Mapping[str, Resource]
    config: Config
    findings: tuple[Finding, ...]

    @cached_property
    def rules(self) -> Mapping[str, Rule]:
        """All rules by code: the framework's and this review's own."""
        return ChainMap(dict(self._own_rules), cast(dict[str, Rule], builtin_rules()))

    def rules_of(self, stage: Stage) -> dict[str, Rule]:
        """Return the rules of one stage by code, the framework's and this review's own."""
        own = {code: rule for code, rule in self._own_rules.items() if rule.stage == stage}
        return builtin_rules().of_stage(stage) | own

    @cached_property
    def _own_rules(self) -> Mapping[str, Rule]:
        return read_rules(self.root / "validations" / "rules.toml", self.config.prefix)


def can_follow(package: Package, key: ForeignKey, usable: Collection[str]) -> bool:
    """Whether a foreign key leads to fields of a table that is among the usable ones."""
    return key.resource in usable and all(
        name in package.resources[key.resource].fields for name in key.reference
    )


def version_of(package: Package) -> dict[str, str]:
    """Return the `$schema` that tells frictionless the version of the standard: the package's.

    A profile of one's own may have what version 2 has.
    """
    given = package.descriptor.get("$schema")
    first = isinstance(given, str) and "//datapackage.org/profiles/1." in given
    return {"$schema": _VERSION_2} if given and not first else {}


_VERSION_2 = "https://datapackage.org/profiles/2.0/datapackage.json"


def open_package(project: Path | str = ".") -> Package:
    """Return the package in a folder, or of a given datapackage.json.

    Raises ReviewdataError where there is none, or where it is no JSON object with resources.
    """
    path = Path(project)
    file = path / DESCRIPTOR if path.is_dir() else path
    if not file.is_file():
        raise ReviewdataError(f"no {DESCRIPTOR} in {path}: is this the folder of a data package?")
    descriptor = _read_json(file)
    if not isinstance(descriptor, dict) or not isinstance(descriptor.get("resources"), list):
        raise ReviewdataError(f"{file} is not a data package: it needs an object with resources")
    root = file.parent.resolve()
    findings: list[Finding] = []
    resources: dict[str, Resource] = {}
    seen: dict[str, str] = {}
    for number, entry in enumerate(descriptor["resources"], start=1):
        if not isinstance(entry, dict) or not is_name(entry.get("name")):
            findings.append(_finding("RD001", note=f"resource {number} has no name"))
            continue
        name = entry["name"]
        if name.lower() in seen:
            findings.append(_finding("RD010", name=name, other=seen[name.lower()], table=name))
            continue
        seen[name.lower()] = name
        resources[name] = _read_resource(root, name, entry, findings)
    config = _read_config(descriptor.get("reviewdata", {}), resources, findings)
    if not descriptor.get("licenses"):
        findings.append(_finding("RD002"))
    return Package(root, descriptor, resources, config, tuple(findings))


def _read_resource(
    root: Path, name: str, entry: Mapping[str, Any], findings: list[Finding]
) -> Resource:
    path = entry.get("path")
    # Of several files, frictionless names the first in `path` and the others beside it.
    if not isinstance(path, str) or entry.get("extrapaths"):
        findings.append(_finding("RD012", name=name, table=name))
        return Resource(name, "", None, {}, entry)
    file, code = _locate(root, path)
    if code:
        findings.append(_finding(code, path=path, table=name))
    schema: Any = entry.get("schema", {})
    if isinstance(schema, str):
        schema, note = _read_schema(root, schema)
        if note:
            findings.append(_finding("RD007", note=note, table=name, file=entry["schema"]))
            return Resource(name, path, file, {}, entry)
    fault = find_fault(schema)
    if fault:
        file_of_schema = entry["schema"] if isinstance(entry.get("schema"), str) else DESCRIPTOR
        findings.append(_finding("RD007", note=fault, table=name, file=file_of_schema))
        schema = {}
    return Resource(name, path, file, schema, entry)


def _locate(root: Path, path: str) -> tuple[Path | None, str | None]:
    """Return the file that a relative path names, or None and the code of what is wrong."""
    if "://" in path:
        return None, "RD004"
    if Path(path).is_absolute() or ".." in Path(path).parts or "\0" in path or _is_git(path):
        return None, "RD003"
    file = root / path
    try:
        real = file.resolve()
        if not real.is_relative_to(root) or _is_git(real.relative_to(root)):
            return None, "RD003"
        if not file.exists():
            return None, "RD005"
        return (file, None) if file.is_file() else (None, "RD006")
    except RuntimeError:  # a link to itself
        return None, "RD003"
    except OSError as error:  # also a name that is too long
        return None, "RD003" if error.errno == errno.ELOOP else "RD005"


def _is_git(path: Path | str) -> bool:
    """Whether a path leads into what git keeps of itself, which could make git run a program.

    The case is ignored, and dots and spaces at the end of a part, as some file systems do.
    """
    return any(part.rstrip(". ").lower() == ".git" for part in Path(path).parts)


def _read_schema(root: Path, path: str) -> tuple[Any, str]:
    file, code = _locate(root, path)
    if file is None:
        return {}, _finding(str(code), path=path).message
    try:
        return _read_json(file), ""
    except ReviewdataError as error:
        return {}, str(error)


def _read_json(file: Path) -> Any:
    try:
        return parse_json(file.read_bytes(), file.name)
    except OSError as error:
        raise ReviewdataError(f"{file.name} cannot be read: {error.strerror}") from error


def parse_json(content: bytes, name: str) -> Any:
    """Return what a JSON file of this name holds. Raises ReviewdataError where it is none."""
    try:
        parsed = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ReviewdataError(f"{name} is not UTF-8: byte {error.start}") from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise ReviewdataError(f"{name} is not JSON: {error.msg} at {where}") from error
    except ValueError as error:
        raise ReviewdataError(f"{name} holds a number of too many digits") from error
    except RecursionError as error:
        raise ReviewdataError(f"{name} is nested too deeply") from error
    text = json.dumps(parsed, ensure_ascii=False)
    if text.isascii() or not _HALF.search(text):
        return parsed
    # An escape such as \\ud800 alone is no character; nothing could print or store it.
    return json.loads(_HALF.sub("\ufffd", text))


_HALF = re.compile("[\ud800-\udfff]")


def _read_config(block: Any, resources: Mapping[str, Resource], findings: list[Finding]) -> Config:
    def wrong(note: str) -> None:
        findings.append(_finding("RD008", note=note))

    if not isinstance(block, dict):
        wrong("it is not an object")
        return Config()
    for key in block:
        if key not in _CONFIG_KEYS:
            wrong(f"{key} is unknown; {nearest(key, list(_CONFIG_KEYS))}")
    prefix = block.get("prefix")
    if prefix is not None and not (
        isinstance(prefix, str) and _PREFIX.fullmatch(prefix) and not prefix.startswith(PREFIX)
    ):
        wrong(f"prefix is {prefix!r}; it is two to five capitals, and not {PREFIX}")
        prefix = None
    levels = {}
    given = block.get("levels", {})
    if not isinstance(given, dict):
        wrong(f'levels is {given!r}; it is an object such as {{"RD202": "error"}}')
        given = {}
    for code, level in given.items():
        if level in get_args(Level):
            levels[code] = level
        else:
            wrong(f"the level of {code} is {level}; known are: {', '.join(get_args(Level))}")
    claims = block.get("claims")
    if claims is not None and not (isinstance(claims, str) and claims in resources):
        wrong(f"claims names the resource {claims}; {nearest(str(claims), dict(resources))}")
        claims = None
    coverage = block.get("coverage")
    if coverage is not None and not _is_coverage(coverage):
        wrong("coverage needs query and column (names) and expected (a number above 0)")
        coverage = None
    studies = block.get("studies")
    if studies is not None and (
        not isinstance(studies, dict)
        or not isinstance(studies.get("resource"), str)
        or studies["resource"] not in resources
    ):
        wrong("studies needs the name of a resource")
        studies = None
    return Config(prefix, levels, claims, coverage, studies)


def _is_coverage(coverage: Any) -> bool:
    expected = coverage.get("expected") if isinstance(coverage, dict) else None
    return (
        isinstance(expected, int | float)
        and not isinstance(expected, bool)
        and 0 < expected < float("inf")
        and isinstance(coverage.get("query"), str)
        and isinstance(coverage.get("column"), str)
    )


def _finding(code: str, *, table: str | None = None, **values: Any) -> Finding:
    values.setdefault("table", table)
    file = values.pop("file", DESCRIPTOR)
    return make_finding(builtin_rules()[code], values, table=table, path=file)
