"""The synthetic review in packages/mini, with the changes that a test or an example asks for."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PACKAGES = Path(__file__).parent / "packages"


def write_mini(
    folder: Path,
    *,
    files: Mapping[str, str | bytes] | None = None,
    patch: Mapping[str, Any] | None = None,
    encoding: str = "utf-8",
) -> Path:
    """Copy the review into `folder`, patch its JSON files (RFC 7386) and replace `files`."""
    shutil.copytree(PACKAGES / "mini", folder, dirs_exist_ok=True)
    for name, change in (patch or {}).items():
        path = folder / name
        path.write_text(json.dumps(merge(json.loads(path.read_text("utf-8")), change)), "utf-8")
    for name, content in (files or {}).items():
        data = content if isinstance(content, bytes) else content.encode(encoding)
        (folder / name).write_bytes(data)
    return folder


def remove_suites(folder: Path) -> None:
    """Remove the suites of the review, which take seconds, where they are not what is tested."""
    shutil.rmtree(folder / "validations" / "expectations")


def merge(target: Any, change: Any) -> Any:
    """Return the target with the change merged in: objects by key, anything else replaced."""
    if not isinstance(change, Mapping):
        return change
    kept = dict(target) if isinstance(target, Mapping) else {}
    for name, value in change.items():
        kept[name] = merge(kept.get(name), value)
    return kept
