"""A built release in words: what was written, and what it states of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reviewdata.render.json import json_text
from reviewdata.render.values import Paint, plain, plural, size_text, unpainted

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
