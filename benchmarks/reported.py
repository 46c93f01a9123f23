"""A wide table of reported statistics, correct in every row, as a data package. All synthetic."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from simulate import SIMULATIONS, Reporter, Roles

from reviewdata.statistics import KINDS

PARTS: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "sample-mean": (
        ("mean", "n", "sd", "se"),
        {
            "min": 1,
            "max": 7,
            "items": 12,
            "score_type": {"value": "item-mean"},
            "mean_type": {"value": "observed"},
            "group": "form",
        },
    ),
    "correlation": (("r", "n", "p", "p_operator"), {}),
    "test": (("test", "value", "df", "df1", "df2", "p", "p_operator"), {}),
    "proportion": (("count", "n", "percent"), {}),
    "estimate": (("estimate", "se", "ci_lower", "ci_upper", "scale"), {}),
    "two-by-two, rr": (("events1", "n1", "events2", "n2", "rr"), {}),
}
"""Six statistics: the roles with columns of their own, and what stands in the declaration."""

CHUNK = 50_000


def write_package(folder: Path, rows: int, seed: int = 1) -> Path:
    """Write a package of one table with so many rows, and return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    report = Reporter(np.random.default_rng(seed))
    types = {"id": "string", "form": "string"}
    statistics: list[dict[str, Any]] = []
    with (folder / "reported.csv").open("w", encoding="utf-8") as out:
        for start in range(0, rows, CHUNK):
            size = min(CHUNK, rows - start)
            columns: dict[str, NDArray[Any]] = {
                "id": np.char.mod("R%d", np.arange(start, start + size)),
                "form": np.char.mod("form-%d", report.rng.integers(0, 20, size)),
            }
            for number, (name, (chosen, constants)) in enumerate(PARTS.items()):
                kind, simulate = SIMULATIONS[name]
                roles = simulate(report, size)
                if kind == "sample-mean":
                    roles = _item_means(roles)
                texts = _texts(roles, chosen)
                columns |= {f"{role}_{number}": text for role, text in texts.items()}
                if not start:
                    bound = {role: f"{role}_{number}" for role in texts}
                    statistics.append({"kind": kind, **bound, **constants})
                    types |= {f"{role}_{number}": _type(kind, role) for role in texts}
            if not start:
                out.write(",".join(columns) + "\n")
            out.writelines(",".join(row) + "\n" for row in zip(*columns.values(), strict=True))
    resource = {
        "name": "reported",
        "type": "table",
        "path": "reported.csv",
        "schema": {
            "fields": [_field(name, type_) for name, type_ in types.items()],
            "primaryKey": ["id"],
            "statistics": statistics,
        },
    }
    licences = [{"name": "CC0-1.0"}]
    descriptor = {"name": "synthetic", "licenses": licences, "resources": [resource]}
    (folder / "datapackage.json").write_text(json.dumps(descriptor))
    return folder


def write_studies(folder: Path, rows: int, seed: int = 2) -> Path:
    """Write a package of differences of means, ten rows a study, and return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    roles = ("n1", "mean1", "sd1", "n2", "mean2", "sd2")
    with (folder / "differences.csv").open("w", encoding="utf-8") as out:
        out.write(",".join(("study", *roles)) + "\n")
        report = Reporter(np.random.default_rng(seed))
        for start in range(0, rows, CHUNK):
            size = min(CHUNK, rows - start)
            texts = _texts(SIMULATIONS["mean-difference"][1](report, size), roles)
            study = np.char.mod("S%d", np.arange(start, start + size) // 10)
            out.writelines(",".join(row) + "\n" for row in zip(study, *texts.values(), strict=True))
    fields = [{"name": "study", "type": "string"}]
    fields += [{"name": role, "type": "number"} for role in roles]
    statistic = {"kind": "mean-difference", "study": "study", **{role: role for role in roles}}
    schema = {"fields": fields, "statistics": [statistic]}
    resource = {"name": "differences", "path": "differences.csv", "schema": schema}
    descriptor = {"name": "synthetic", "resources": [resource]}
    (folder / "datapackage.json").write_text(json.dumps(descriptor))
    return folder


def _item_means(roles: Roles) -> Roles:
    """Return the rows of item means of 12 items, repeated: one score type for the whole table."""
    rows = np.flatnonzero((roles["score_type"] == "item-mean") & (roles["items"] == 12))
    return {role: np.resize(values[rows], len(values)) for role, values in roles.items()}


def _texts(roles: Roles, chosen: tuple[str, ...]) -> dict[str, NDArray[np.str_]]:
    """Return the printed text of some roles; a missing number is empty."""
    texts = {}
    for role in chosen:
        values, decimals = roles[role], roles.get(f"{role}__decimals")
        if decimals is None:
            texts[role] = values
        else:
            shown = np.char.mod(f"%.{int(decimals.max())}f", values)
            texts[role] = np.where(np.isnan(values), "", shown)
    return texts


def _field(name: str, type_: str) -> dict[str, Any]:
    """Return a field with the constraints that a review would give it."""
    bounds: dict[str, Any] = {"minimum": 0} if type_ == "integer" else {}
    if name.startswith(("p_", "percent_", "sd_", "se_")) and "operator" not in name:
        bounds = {"minimum": 0, "maximum": 1 if name.startswith("p_") else 100}
    if name == "id":
        bounds = {"required": True}
    return {"name": name, "type": type_, **({"constraints": bounds} if bounds else {})}


def _type(kind: str, role: str) -> str:
    if role not in KINDS[kind].numbers:
        return "string"
    return "integer" if role in (*KINDS[kind].counts, "df", "df1", "df2") else "number"
