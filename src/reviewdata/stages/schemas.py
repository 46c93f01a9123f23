"""pandera schemas of typed tables: derived from the Table Schema, extended by the review.

`pandera.io.from_frictionless_schema` takes any text for a boolean, leaves dates unchecked
and drops missing values, so the schema is derived here, for frames whose types DuckDB has
already set. Values that structure could not read are null in them.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pandera.pandas as pa

from reviewdata.columns import sql_type
from reviewdata.frames import DTYPES
from reviewdata.model import ReviewdataError
from reviewdata.package import Resource
from reviewdata.tableschema import list_values


def derive_schema(resource: Resource) -> pa.DataFrameSchema:
    """Return the pandera schema that a Table Schema asks of the typed table.

    It holds the constraints of each field and its categories; uniqueness and keys are not
    a matter of single rows.
    """
    columns = {}
    for name, field in resource.fields.items():
        dtype = DTYPES.get(sql_type(field))
        # A required value that structure could not read is reported there, not here.
        columns[name] = pa.Column(dtype, list(_constraints(field)), nullable=True, required=False)
    return pa.DataFrameSchema(columns, name=resource.name)


def _constraints(field: Mapping[str, Any]) -> Iterator[pa.Check]:
    constraints = field.get("constraints", {})
    kind = sql_type(field)
    cast = float if kind in ("BIGINT", "DOUBLE") else pd.Timestamp if kind == "DATE" else None
    if kind in ("BIGINT", "DOUBLE", "DATE") and cast is not None:
        for name, check in (
            ("minimum", pa.Check.ge),
            ("maximum", pa.Check.le),
            ("exclusiveMinimum", pa.Check.gt),
            ("exclusiveMaximum", pa.Check.lt),
        ):
            try:
                bound = cast(constraints[name])
            except (
                KeyError,
                TypeError,
                ValueError,
                OverflowError,
            ):  # none, or one that the package stage tells
                continue
            yield check(bound, name=name, error=f"{name} {constraints[name]}")
    if kind != "VARCHAR" or field.get("type", "string") not in ("string", "any"):
        return
    # A pattern is left to the structure stage, which runs it so that it ends.
    for name in ("minLength", "maxLength"):
        if name in constraints:
            limit = {"min_value" if name == "minLength" else "max_value": constraints[name]}
            yield pa.Check.str_length(**limit, name=name, error=f"{name} {constraints[name]}")
    for name, listed in (
        ("enum", constraints.get("enum")),
        ("categories", field.get("categories")),
    ):
        if listed:
            values = list_values(listed)
            error = f"{name} {', '.join(map(str, values))}"
            yield pa.Check.isin(values, name=name, error=error)


def read_own_schemas(folder: Path) -> Iterator[tuple[Path, str, pa.DataFrameSchema | str]]:
    """Yield (file, table, schema) of each validations/TABLE.py, or the text of what is wrong.

    The file is Python that the review's maintainers wrote, and it is run.
    """
    for path in sorted(folder.glob("*.py")):
        try:
            schema = _import(path)
        except ReviewdataError as error:
            yield path, path.stem, str(error)
        else:
            yield path, path.stem, schema


def _import(path: Path) -> pa.DataFrameSchema:
    name = f"_reviewdata_validations_{path.stem}"
    module = types.ModuleType(name)
    module.__file__ = str(path)
    try:
        # Its source, never a compiled file that lies beside it and may be another's.
        exec(compile(path.read_bytes(), str(path), "exec"), module.__dict__)
    except Exception as error:  # the runner of rules: what a rule raises is not ours
        raise ReviewdataError(f"{type(error).__name__}: {error}") from error
    schema = getattr(module, "schema", None)
    if not isinstance(schema, pa.DataFrameSchema):
        raise ReviewdataError(f"{path.name} defines no `schema`, a pandera DataFrameSchema")
    return schema
