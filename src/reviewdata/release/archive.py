"""A release as files: a folder and a zip that are the same bytes each time, and their checksums."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import mimetypes
import os
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from reviewdata.model import ReviewdataError
from reviewdata.package import DESCRIPTOR
from reviewdata.release import deposit
from reviewdata.release.changelog import FILES
from reviewdata.release.contents import MADE
from reviewdata.release.metadata import is_concept

SUMS = "SHA256SUMS"
_BLOCK = 1024 * 1024
_TYPES = {
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".json": "application/json",
    ".md": "text/markdown",
    ".sql": "application/sql",
    ".parquet": "application/vnd.apache.parquet",
    ".cff": "application/yaml",
    ".jsonld": "application/ld+json",
    ".toml": "application/toml",
    ".py": "text/x-python",
    ".html": "text/html",
    ".txt": "text/plain",
    ".zip": "application/zip",
}
"""Media types by suffix: those of the machine may be others."""


@dataclass(frozen=True)
class ReleaseFile:
    """A file of a release: its path in it (with `/`), its bytes counted and their checksums."""

    path: str
    size: int
    md5: str
    sha256: str
    mediatype: str


def measure_file(file: Path, path: str) -> ReleaseFile:
    """Return a file's size and checksums. Raises ReviewdataError where it cannot be read."""
    found = deposit.measure_file(file)
    kind = _TYPES.get(Path(path).suffix.lower(), "text/plain" if "." not in path else "")
    kind = kind or mimetypes.MimeTypes(()).guess_type(path)[0] or "application/octet-stream"
    return ReleaseFile(path, found.size, found.md5, found.sha256, kind)


def measure_folder(folder: Path) -> tuple[ReleaseFile, ...]:
    """Return the files of a release in the order in which they are packed: the sums come last."""
    paths = [p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()]
    paths.sort(key=lambda path: (path == SUMS, path))
    return tuple(measure_file(folder / path, path) for path in paths)


def sums_text(files: Iterable[ReleaseFile]) -> str:
    """Return the text of SHA256SUMS, as `sha256sum --check` reads it."""
    return "".join(f"{file.sha256}  {file.path}\n" for file in files)


def read_sums(text: str) -> dict[str, str]:
    """Return the SHA-256 of each path in the text of a SHA256SUMS.

    Raises ReviewdataError for a line that is of another form, and for a path that is there twice.
    """
    sums = {}
    for number, line in enumerate(text.removesuffix("\n").split("\n"), start=1):
        digest, mark, path = line[:64], line[64:66], line[66:].removesuffix("\r").removeprefix("./")
        if (
            len(digest) != 64
            or set(digest) - set("0123456789abcdef")
            or mark not in ("  ", " *")
            or not path
        ):
            raise ReviewdataError(f"{SUMS}, line {number} is not a checksum and a path")
        if path in sums:
            raise ReviewdataError(f"{path} is in {SUMS} twice")
        sums[path] = digest
    return sums


def fix_folder(folder: Path, moment: dt.datetime) -> None:
    """Give every file and folder the same rights and the date of the release."""
    seconds = int(moment.timestamp())
    for path in sorted(folder.rglob("*"), reverse=True):
        path.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(path, (seconds, seconds))
    folder.chmod(0o755)
    os.utime(folder, (seconds, seconds))


def pack_folder(
    folder: Path, files: Iterable[ReleaseFile], name: str, moment: dt.datetime, out: BinaryIO
) -> None:
    """Write a zip of a release in which each file lies beneath `name`, stored as it is."""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as packed:
        for file in files:
            info = zipfile.ZipInfo(f"{name}/{file.path}", moment.timetuple()[:6])
            info.create_system = 3  # Unix, whose rights these are
            info.external_attr = 0o100644 << 16
            info.file_size = file.size
            with (folder / file.path).open("rb") as binary, packed.open(info, "w") as member:
                while block := binary.read(_BLOCK):
                    member.write(block)


def hash_content(folder: Path) -> str:
    """Return the content hash of a release that lies unpacked in a folder; see hash_sums.

    The files are read, not the SHA256SUMS.
    """
    sums = {file.path: file.sha256 for file in measure_folder(folder)}
    return hash_sums(sums, (folder / DESCRIPTOR).read_bytes())


def hash_sums(sums: Mapping[str, str], descriptor: bytes) -> str:
    """Return the content hash of a release from its checksums and its datapackage.json.

    Two releases with one content hash hold the same data, rules, queries and words: what differs
    is at most the version, the dates and the identifiers. It is the SHA-256 of the checksums of
    the package's files by path, without the changelog and what the build makes; of the
    descriptor without `id`, `version`, `created` and the DOI of all versions.
    """
    content = json.loads(descriptor.decode("utf-8-sig"))
    kept = {k: v for k, v in content.items() if k not in ("id", "version", "created")}
    listed = kept.get("relatedIdentifiers")
    if isinstance(listed, list):
        others = [entry for entry in listed if not is_concept(entry)]
        kept = {k: v for k, v in kept.items() if k != "relatedIdentifiers"}
        kept |= {"relatedIdentifiers": others} if others else {}
    said = json.dumps(kept, sort_keys=True, separators=(",", ":"))
    changelog = next((name for name in FILES if name in sums), None)
    hashed = {DESCRIPTOR: hashlib.sha256(said.encode()).hexdigest()}
    hashed |= {path: s for path, s in sums.items() if _is_content(path) and path != changelog}
    lines = "".join(f"{digest}  {path}\n" for path, digest in sorted(hashed.items()))
    return f"sha256:{hashlib.sha256(lines.encode()).hexdigest()}"


def _is_content(path: str) -> bool:
    return path.split("/", 1)[0] not in (*MADE, DESCRIPTOR)


def json_bytes(content: Any) -> bytes:
    """Return JSON as it is written for people and programs, the same each time."""
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()
