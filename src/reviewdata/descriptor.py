"""The text of datapackage.json: values changed in place, every other byte as it was."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

Place = tuple[str, ...]
"""The names that lead from a resource to one of its values: ("encoding",)."""


class _Object(dict[str, Any]):
    """An object of JSON, and the names that stand in it more than once."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        names = [name for name, _ in pairs]
        self.repeated = sorted({name for name in names if names.count(name) > 1})


def change_values(text: str, resource: str, values: Mapping[Place, str | int]) -> str | None:
    """Return the text with values of a resource changed; None where no place is found for one.

    Each place that could be meant is tried, and the one taken after which the text says what
    it should and nothing else.
    """
    for place, value in values.items():
        wanted = _parse(text)
        entry = _find(wanted, resource)
        for name in place[:-1]:
            entry = entry[name] if isinstance(entry, dict) and name in entry else None
        if entry is None or place[-1] not in entry:
            return None
        old, entry[place[-1]] = entry[place[-1]], value
        if old == value:
            continue
        tried = (t for t in _replaced(text, place[-1], old, value) if _parse(t) == wanted)
        changed = next(tried, None)
        if changed is None:
            return None
        text = changed
    return text


def find_repeated(text: str, resource: str) -> str | None:
    """Return a property of a resource, or of its dialect, that is given more than once."""
    entry = _find(_parse(text), resource)
    dialect = entry.get("dialect") if entry is not None else None
    nested = dialect.get("csv") if isinstance(dialect, _Object) else None
    for given in (entry, dialect, nested):
        if isinstance(given, _Object) and given.repeated:
            return given.repeated[0]
    if isinstance(dialect, _Object) and isinstance(nested, _Object):
        return next((name for name in nested if name in dialect), None)
    return None


def _find(descriptor: Any, resource: str) -> Any:
    listed = descriptor["resources"]
    return next((e for e in listed if isinstance(e, dict) and e.get("name") == resource), None)


def _replaced(text: str, name: str, old: Any, new: str | int) -> Iterator[str]:
    """Yield the text with the value of each `name` that is `old` replaced, one at a time."""
    for found in re.finditer(rf"{re.escape(json.dumps(name))}\s*:\s*", text):
        try:
            value, end = json.JSONDecoder().raw_decode(text, found.end())
        except ValueError:  # in a text that is no property
            continue
        if value == old:
            yield text[: found.end()] + json.dumps(new) + text[end:]


def _parse(text: str) -> Any:
    # A constant such as NaN would not equal itself.
    content = text.removeprefix("\ufeff")
    return json.loads(content, object_pairs_hook=_Object, parse_constant=str)
