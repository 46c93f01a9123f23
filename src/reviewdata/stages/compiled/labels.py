"""Which column is which field: the header against the schema, as `fieldsMatch` says."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from reviewdata.package import Resource
from reviewdata.stages.compiled.beyond import Beyond
from reviewdata.stages.errors import Error


class Expected(NamedTuple):
    """The field that each column is read as, and the errors of the header."""

    fields: Sequence[Mapping[str, Any]]
    errors: Sequence[Error]


def expect(resource: Resource, labels: Sequence[str]) -> Expected:
    """Return what frictionless expects under a header; without labels there is none.

    A header that is the schema's own has nothing to ask frictionless about. Raises Beyond for
    one that it refuses.
    """
    fields = list(resource.fields.values())
    if not labels or list(labels) == list(resource.fields):
        return Expected(fields, ())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from frictionless import FrictionlessException, Schema
        from frictionless.table import Header

        descriptor: dict[str, Any] = {"fields": [_only(field) for field in fields]}
        if all(name in resource.fields for name in resource.primary_key):
            descriptor["primaryKey"] = list(resource.primary_key)
        match = resource.schema.get("fieldsMatch", "exact")
        try:
            header = Header(
                list(labels),
                fields=Schema.from_descriptor(descriptor).fields,
                row_numbers=[1],
                fields_match=match,
            )
            names = [field.name for field in header.get_expected_fields()]
        except FrictionlessException as error:
            raise Beyond(f"its header is refused: {error.error.note}") from error
    unknown = {"type": "any", "missingValues": [""]}
    expected = [resource.fields.get(name, {"name": name, **unknown}) for name in names]
    errors = [
        Error(
            type=error.type,
            field=getattr(error, "field_name", None) or None,
            number=getattr(error, "field_number", None),
            cell=str(getattr(error, "label", None) or ""),
            note=error.note,
        )
        for error in header.errors
    ]
    return Expected(expected, errors)


def _only(field: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a field decides how labels match: its name, and whether it is required."""
    required = field.get("constraints", {}).get("required", False)
    return {"name": field["name"], "constraints": {"required": required}}
