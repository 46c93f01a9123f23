"""A built release in words: what was written, and what it states of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reviewdata.render.json import json_text
from reviewdata.render.values import Paint, plain, plural, unpainted

if TYPE_CHECKING:
    from reviewdata.release.build import Release


def release_text(release: Release, paint: Paint = unpainted) -> str:
    """Return what was written where, how large it is, and what a reader should know of it."""
    meta = release.metadata
    last = release.readiness.last
    before = f"the release before is {plain(last)}" if last else "no release comes before it"
    size = sum(file.size for file in release.files)
    lines = [
        f"{paint(f'{meta.name} {meta.version}', 'bold')}, {meta.date.isoformat()}; {before}",
        f"  {plain(release.folder)}  {plural(len(release.files), 'file')}, {size_text(size)}",
        f"  {plain(release.archive)}  {size_text(release.zipped.size)}",
        f"  zip      sha256:{release.zipped.sha256}",
        f"  content  {release.content_hash}",
    ]
    lines += [f"  doi      {plain(meta.doi)}"] if meta.doi else []
    lines += [f"states: {plain(text)}" for text in meta.statements]
    return "".join(line + "\n" for line in lines)


def release_json(release: Release) -> str:
    """Return a built release as one JSON object."""
    return json_text(release.to_dict()) + "\n"


def size_text(size: int) -> str:
    """Return a number of bytes in the unit that suits it: `512 B`, `3.4 kB`, `12 MB`."""
    value = float(size)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if value < 999.5 or unit == "TB":
            return f"{value:.0f} {unit}" if unit == "B" or value >= 99.5 else f"{value:.1f} {unit}"
        value /= 1000
    raise AssertionError
