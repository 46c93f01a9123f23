"""What a server says of a refusal, as one line: InvenioRDM's words and CKAN's."""

from __future__ import annotations

import json
from typing import Any

LONGEST = 1000
"""Characters of a refusal that are told."""


def read_reason(content: bytes) -> str:
    """Return what a server says of a refusal, on one line: its message, and fields with theirs."""
    try:
        said = json.loads(content)
    except ValueError:
        return ""
    if not isinstance(said, dict):
        return ""
    parts = [str(said["message"])] if said.get("message") else []
    parts += describe_errors(said.get("errors"))
    error = said.get("error")  # as CKAN has it
    if isinstance(error, dict):
        parts += [f"{field}: {_joined(told)}" for field, told in error.items() if field[:2] != "__"]
    return " ".join("; ".join(parts).split())[:LONGEST]


def describe_errors(errors: Any) -> list[str]:
    """Return the `errors` of InvenioRDM as texts: the field, and what is wrong with it."""
    found = [e for e in errors if isinstance(e, dict)] if isinstance(errors, list) else []
    return [f"{error.get('field', '')}: {_joined(error.get('messages'))}" for error in found]


def _joined(told: Any) -> str:
    return ", ".join(map(str, told)) if isinstance(told, list) else str(told)
