"""What a server says, read from JSON that may be any: parts of an answer, reasons of a refusal."""

from __future__ import annotations

from typing import Any

from reviewdata.model import ReviewdataError

LONGEST = 1000
"""Characters of a refusal that are told."""


class FormError(ReviewdataError):
    """An answer that has not the form which the API of the server has."""


def dig(value: object, *names: str) -> Any:
    """Return what stands under names within objects of JSON; None where there is no such thing."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def text_of(value: object) -> str:
    """Return a text that can be written and sent; blank for what is no text."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def list_of(value: object) -> list[Any]:
    """Return a list; an empty one for what is none."""
    return value if isinstance(value, list) else []


def whole_of(value: object) -> int | None:
    """Return a whole number that is not negative; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**63:
        return None
    return int(value) if value == int(value) else None


def read_reason(said: Any) -> str:
    """Return what the JSON of a refusal says, on one line: its message, and fields with theirs."""
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
