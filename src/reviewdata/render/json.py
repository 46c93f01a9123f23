"""Results as JSON: the contracts that other programs read."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from reviewdata.model import FORMAT_VERSION, Claim, QueryResult, Validation, count_claims
from reviewdata.render.values import json_value


def validation_json(validation: Validation) -> str:
    """Return a validation as one JSON object."""
    return _document(validation.to_dict())


def validation_jsonl(validation: Validation) -> str:
    """Return a validation as one object a line: the summary, then the runs, then the findings."""
    content = validation.to_dict()
    runs, findings = content.pop("runs"), content.pop("findings")
    lines = [{"record": "summary", **content}]
    lines += [{"record": "run", **run} for run in runs]
    lines += [{"record": "finding", **finding} for finding in findings]
    return "".join(json.dumps(json_value(line), ensure_ascii=False) + "\n" for line in lines)


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


def _document(content: Any) -> str:
    return json.dumps(json_value(content), ensure_ascii=False, indent=2) + "\n"
