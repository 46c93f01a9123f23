"""The DOI of all versions, which git keeps as the `id` of datapackage.json."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reviewdata.output import write_output
from reviewdata.release.identifiers import find_doi
from reviewdata.release.places import find_zenodo
from reviewdata.release.servers import KNOWN, Server


def find_concept(descriptor: Mapping[str, Any], server: Server) -> str | None:
    """Return the DOI of all versions on a server; None where git has none, or one of another.

    A sandbox has none in git: its versions are rehearsals, and are found by the account.
    """
    found = find_doi(descriptor.get("id"))
    if found is None or is_rehearsal(server):
        return None
    zenodo = find_zenodo(found)
    own = zenodo == server.address if server.address in KNOWN.values() else zenodo is None
    return found if own else None


def is_rehearsal(server: Server) -> bool:
    """Whether what is published on a server is no publication."""
    return server.address == KNOWN["sandbox"]


def keep_concept(file: Path, doi: str) -> bool:
    """Write the DOI of all versions into a datapackage.json that has no `id`; whether it was.

    Nothing else of the text is changed.
    """
    raw = file.read_bytes()
    mark = codecs.BOM_UTF8 if raw.startswith(codecs.BOM_UTF8) else b""
    text = raw.removeprefix(mark).decode("utf-8")
    content = json.loads(text)
    if content.get("id") or find_doi(doi) != doi:
        return False
    said = json.dumps(f"https://doi.org/{doi}")
    if "id" in content:
        changed = re.sub(r'("id"\s*:\s*)(?:""|null)', lambda found: found[1] + said, text, count=1)
    else:
        head = re.match(r"\s*\{(\s*)", text)
        space = head[1] if head else ""
        at = head.end() - len(space) if head else 1
        changed = f'{text[:at]}{space}"id": {said},{text[at:]}'
    if json.loads(changed) != content | {"id": json.loads(said)}:
        return False
    write_output(file, mark + changed.encode("utf-8"))
    return True
