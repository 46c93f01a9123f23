"""Small deposits to send, all of them synthetic, and the publication of one to a server."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from reviewdata.release.archive import hash_sums
from reviewdata.release.deposit import Creator, Deposit, DepositMetadata, Related, measure_file

METADATA = DepositMetadata(
    title="A synthetic review, for tests",
    description="Nothing of it is of a paper.\n\nTwo <paragraphs> & signs.",
    creators=(
        Creator("Josiah Carberry", "Josiah", "Carberry", "0000-0002-1825-0097", "Brown"),
        Creator("The synthetic group"),
    ),
    licences=("CC-BY-4.0",),
    version="1.0.0",
    publication_date=dt.date(2026, 11, 25),
    keywords=("synthetic", "test"),
    related=(Related("10.3389/fdgth.2021.689750", "doi", "IsDerivedFrom"),),
)


@dataclass
class Maker:
    """Builds a deposit as `release build` does: a zip that holds the DOIs, and files beside it.

    `tables` are the content; a deposit with `loose` files has these too, each as it is.
    """

    folder: Path
    name: str
    tables: dict[str, bytes] = field(
        default_factory=lambda: {"data/results.csv": b"id,mean\na,1.2\n"}
    )
    loose: dict[str, bytes] = field(default_factory=lambda: {"codebook.md": b"# Codebook\n"})
    metadata: DepositMetadata = METADATA
    packed: bool = True
    more: dict[str, Any] = field(default_factory=dict)
    builds: list[tuple[str | None, str | None]] = field(default_factory=list)

    def __call__(self, doi: str | None, concept: str | None) -> Deposit:
        """Build it with these DOIs."""
        self.builds.append((doi, concept))
        version = self.metadata.version
        self.folder.mkdir(parents=True, exist_ok=True)
        archive = self.folder / f"{self.name}-{version}.zip"
        described: dict[str, object] = {"name": self.name, "resources": [], "version": version}
        described |= {"id": f"https://doi.org/{doi}"} if doi else {}
        of = {"relationType": "isVersionOf", "relatedIdentifier": f"https://doi.org/{concept}"}
        described |= {"relatedIdentifiers": [of]} if concept else {}
        members = {"datapackage.json": json.dumps(described).encode(), **self.tables}
        sums = {path: hashlib.sha256(text).hexdigest() for path, text in members.items()}
        content = hash_sums(sums, members["datapackage.json"]).removeprefix("sha256:")
        members["SHA256SUMS"] = "".join(
            f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in members.items()
        ).encode()
        write_zip(archive, members)
        files = {archive.name: measure_file(archive)} if self.packed else {}
        for number, (name, text) in enumerate(self.loose.items()):
            path = self.folder / f"loose{number}"
            path.write_bytes(text)
            files[name] = measure_file(path)
        return Deposit(self.name, files, self.metadata, content, **self.more)

    def bump(self, version: str, **tables: bytes) -> None:
        """Let there be another version, with other tables where they are given."""
        self.tables |= {f"data/{name}.csv": content for name, content in tables.items()}
        self.change(version=version)

    def change(self, **metadata: Any) -> None:
        """Let the metadata say something else."""
        self.metadata = replace(self.metadata, **metadata)


def write_zip(path: Path, members: Mapping[str, bytes]) -> None:
    """Write a zip that is the same each time."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)
