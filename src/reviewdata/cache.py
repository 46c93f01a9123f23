"""What the stages found before, kept in the user's cache folder under the hash of its causes.

The causes of a stage are the bytes of all that it reads (descriptor, schemas, tables, rules, and
what lies in its own folders), the code of the framework, and the versions of the libraries and of
Python. Where the review lies and what it waives are none: waivers are applied afterwards. A result
is kept only where no file has changed while it was made, and where nothing broke.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path
from typing import Any

from reviewdata.model import Claim, Finding, Origin, Read, Run, Stage, StageResult, TableRead
from reviewdata.package import Package

VARIABLE = "REVIEWDATA_CACHE"
"""The environment variable that names another folder; `off` keeps nothing."""

MOST_BYTES = 100_000_000
"""Size of the folder above which the results that were made first are removed."""

LIBRARIES = (
    *("duckdb", "frictionless", "great_expectations", "jsonschema", "numpy", "openpyxl"),
    *("pandas", "pandera", "scipy"),
)
"""The libraries whose version may change what a stage finds."""

FOLDERS: Mapping[str, tuple[str, ...]] = {
    "rows": ("validations",),
    "relations": ("validations/relations",),
    "dataset": ("validations/expectations",),
    "claims": ("queries",),
}
"""The folders that a stage reads beside the descriptor, the tables and rules.toml."""

TABLES = "tables"
"""What is kept beside the stages: why each table that could not be loaded was not."""

BLOCK = 1024 * 1024


@dataclass(frozen=True)
class Cache:
    """The results kept for a review as its files are now: a key for each stage, and for TABLES.

    `state` says how the files were when the keys were made.
    """

    folder: Path
    keys: Mapping[str, str]
    package: Package
    state: tuple[Any, ...]

    def find_result(self, stage: Stage) -> StageResult | None:
        """Return what a stage found before, None where that is not known."""
        content = self._read(stage)
        return None if content is None else _decode(content)

    def find_tables(self) -> list[TableRead] | None:
        """Return how much of each table was read before, None where that is not known."""
        content = self._read(TABLES)
        try:
            return None if content is None else [TableRead(**table) for table in content]
        except TypeError:
            return None

    def keep(self, results: Mapping[Stage, StageResult], tables: Sequence[TableRead]) -> None:
        """Keep what was found, if the files are still as they were; a full disk keeps nothing."""
        if self.state != _state(self.package):
            return
        with suppress(OSError):
            for stage, result in results.items():
                if all(run.status != "broken" for run in result.runs):
                    self._write(stage, _encode(result))
            self._write(TABLES, [asdict(table) for table in tables])
            _prune(self.folder)

    def _file(self, name: str) -> Path:
        return self.folder / f"{self.keys[name]}.json"

    def _read(self, name: str) -> Any:
        """Return what is kept under a name; None where nothing is, or nothing that is whole."""
        try:
            return json.loads(self._file(name).read_bytes())
        except (OSError, ValueError):
            return None

    def _write(self, name: str, content: Any) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        text = json.dumps(content, separators=(",", ":"))
        with tempfile.NamedTemporaryFile(
            "w", dir=self.folder, suffix=".new", encoding="utf-8", delete=False
        ) as new:
            new.write(text)
        os.replace(new.name, self._file(name))


def open_cache(package: Package) -> Cache | None:
    """Return the results kept for a review; None in CI, where it is off, or without a folder."""
    folder = _find_folder()
    if folder is None:
        return None
    state = _state(package)
    try:
        return Cache(folder, _make_keys(package), package, state)
    except OSError:  # a file that cannot be read is told by who loads it
        return None


def _find_folder() -> Path | None:
    given = os.environ.get(VARIABLE, "")
    if given == "off" or os.environ.get("CI", "").lower() not in ("", "0", "false"):
        return None
    if given:
        return Path(given)
    from platformdirs import user_cache_path

    return user_cache_path("reviewdata", appauthor=False)


def _make_keys(package: Package) -> dict[str, str]:
    base = hashlib.blake2b(digest_size=20)
    base.update(_hash_code())
    told = {
        "python": [sys.version, sys.platform],
        "libraries": {name: _version(name) for name in LIBRARIES},
        "descriptor": package.descriptor,
        "resources": [
            [r.name, r.path, r.file is not None, r.schema, r.descriptor]
            for r in package.resources.values()
        ],
        "findings": [finding.to_dict() for finding in package.findings],
    }
    base.update(json.dumps(told, sort_keys=True).encode())
    for path in _read_files(package):
        _add_file(base, package.root, path)
    keys = {}
    for stage in ("package", "structure", "rows", "relations", "dataset", "claims", TABLES):
        digest = base.copy()
        digest.update(stage.encode())
        for folder in FOLDERS.get(stage, ()):
            for path in _list_files(package.root / folder):
                _add_file(digest, package.root, path)
        keys[stage] = f"{stage}-{digest.hexdigest()}"
    return keys


def _read_files(package: Package) -> Iterator[Path]:
    """Yield the files that every stage reads."""
    yield package.root / "validations" / "rules.toml"
    for resource in package.resources.values():
        if resource.file is not None:
            yield resource.file


def _list_files(folder: Path) -> list[Path]:
    listed = sorted(folder.rglob("*"))
    return [path for path in listed if path.suffix != ".pyc" and path.name != "waivers.toml"]


def _add_file(digest: Any, root: Path, path: Path) -> None:
    """Add the name, the size and the bytes of a file; of what is no file, only the name."""
    name = path.relative_to(root).as_posix()
    size = path.stat().st_size if path.is_file() else -1
    digest.update(f"\0{name}\0{size}\0".encode(errors="surrogateescape"))
    if size > 0:
        with path.open("rb") as binary:
            while block := binary.read(BLOCK):
                digest.update(block)


def _state(package: Package) -> tuple[Any, ...]:
    """Return the size, time and number of each file that is hashed."""
    folders = sorted({folder for listed in FOLDERS.values() for folder in listed})
    paths = [*_read_files(package), *(p for f in folders for p in _list_files(package.root / f))]
    found = []
    for path in paths:
        with suppress(OSError):
            status = path.stat()
            found.append((str(path), status.st_size, status.st_mtime_ns, status.st_ino))
    return tuple(found)


@cache
def _hash_code() -> bytes:
    """Return the hash of the framework's own files."""
    digest = hashlib.blake2b(digest_size=20)
    folder = Path(str(files("reviewdata")))
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".py", ".toml", ".sql"):
            _add_file(digest, folder, path)
    return digest.digest()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _encode(result: StageResult) -> dict[str, Any]:
    findings = [
        {**finding.to_dict(since=True), "reads": [asdict(read) for read in finding.reads]}
        for finding in result.findings
    ]
    claims = [claim.to_dict() for claim in result.claims]
    return {"runs": [run.to_dict() for run in result.runs], "findings": findings, "claims": claims}


def _decode(content: Any) -> StageResult | None:
    """Return the result that was kept; None where it is of another form."""
    try:
        return StageResult(
            tuple(Run(**run) for run in content["runs"]),
            tuple(_decode_finding(dict(finding)) for finding in content["findings"]),
            tuple(Claim(**claim) for claim in content["claims"]),
        )
    except (KeyError, TypeError, ValueError):
        return None


def _decode_finding(content: dict[str, Any]) -> Finding:
    origin, reads = content.pop("origin"), content.pop("reads")
    return Finding(
        **content,
        origin=Origin(**origin) if origin else None,
        reads=tuple(Read(**{**read, "naming": tuple(read["naming"])}) for read in reads),
    )


def _prune(folder: Path) -> None:
    """Remove the results that were made first, down to MOST_BYTES, and what was left half done."""
    listed: Sequence[tuple[float, int, Path]] = sorted(_list_kept(folder))
    total = sum(size for _, size, _ in listed)
    for _, size, path in listed:
        if total <= MOST_BYTES:
            return
        path.unlink(missing_ok=True)
        total -= size


def _list_kept(folder: Path) -> Iterable[tuple[float, int, Path]]:
    for path in folder.iterdir():
        with suppress(OSError):
            status = path.stat()
            yield status.st_mtime, status.st_size, path
