"""Results as JSON: the contracts that other programs read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from reviewdata.model import FORMAT_VERSION, Claim, QueryResult, Validation, count_claims
from reviewdata.render.values import json_value
from reviewdata.saved import SavedRun, list_records

_CONTROL = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control and direction characters that JSON itself would let stand in a text, and halves of
characters, which no file can hold."""


def validation_json(validation: Validation) -> str:
    """Return a validation as one JSON object."""
    return _document(validation.to_dict())


def validation_jsonl(run: SavedRun) -> str:
    """Return a run as it is saved, one object a line; `reviewdata.saved` reads it."""
    return "".join(json_text(record, None) + "\n" for record in list_records(run))


def query_json(result: QueryResult) -> str:
    """Return the rows of a query as one JSON object."""
    return _document(_query(result))


def queries_json(results: Iterable[QueryResult]) -> str:
    """Return the rows of several queries as a JSON list of their objects."""
    return _document([_query(result) for result in results])


def claims_json(claims: tuple[Claim, ...]) -> str:
    """Return the claims and the number of each verdict as one JSON object."""
    listed = [claim.to_dict() for claim in claims]
    return _document({"version": FORMAT_VERSION, "counts": count_claims(claims), "claims": listed})


def _query(result: QueryResult) -> dict[str, Any]:
    return {
        "version": FORMAT_VERSION,
        "query": result.query,
        "columns": [{"name": name, "type": type_} for name, type_ in result.columns],
        "rows": result.records(),
        "findings": [finding.to_dict() for finding in result.findings],
    }


def json_text(value: Any, indent: str | None = "\n") -> str:
    """Return a value as JSON on indented lines, or on one line where `indent` is None.

    The json module has no number of more digits than a float; a decimal keeps all of its own.
    In a log of GitHub Actions `##[` would be a command; it can only stand within a text here.
    """
    text = _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", _text(json_value(value), indent))
    return text.replace("##[", "#\\u0023[")


def _text(value: Any, indent: str | None) -> str:
    inner = indent and indent + "  "
    match value:
        case Decimal():
            return f"{value:f}"
        case dict() if value:
            parts = [
                f"{json.dumps(k, ensure_ascii=False)}: {_text(v, inner)}" for k, v in value.items()
            ]
            left, right = "{}"
        case list() if value:
            parts = [_text(v, inner) for v in value]
            left, right = "[]"
        case _:
            return json.dumps(value, ensure_ascii=False)
    if indent is None:
        return f"{left}{', '.join(parts)}{right}"
    return f"{left}{inner}{f',{inner}'.join(parts)}{indent}{right}"


def _document(content: Any) -> str:
    return json_text(content) + "\n"
