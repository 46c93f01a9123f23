"""The second review goes through the same code, under its own names or under any others."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Command

import reviewdata as rd
from reviewdata.package import open_package

EXAMPLE = ROOT / "examples" / "bcg-vaccine"


def test_its_published_figures_reproduce() -> None:
    claims = rd.open(EXAMPLE).reproduce()
    assert len(claims) == 25
    assert {claim.verdict for claim in claims} == {"reproduced"}


def test_the_mantel_haenszel_estimate_is_that_of_metafor() -> None:
    [row] = rd.open(EXAMPLE).query("mantel_haenszel").records()
    assert (row["trial_count"], row["participant_count"]) == (13, 357347)
    published = {"log_rr": -0.4537, "ci_lower": -0.5308, "ci_upper": -0.3766}
    for name, figure in published.items():
        assert row[name] == pytest.approx(figure, abs=5e-5)


def test_the_risk_ratios_weighted_by_their_variance_give_the_equal_effects_model() -> None:
    """metafor, dat.bcg: estimate -0.4303 [-0.5097, -0.3509], Q(12) = 152.2330."""
    rows = rd.open(EXAMPLE).query("risk_ratio_per_trial").records()
    weights = [1 / row["se"] ** 2 for row in rows]
    estimate = sum(w * row["log_rr"] for w, row in zip(weights, rows, strict=True)) / sum(weights)
    q = sum(w * (r["log_rr"] - estimate) ** 2 for w, r in zip(weights, rows, strict=True))
    assert estimate == pytest.approx(-0.4303, abs=5e-5)
    assert estimate - 1.959964 * sum(weights) ** -0.5 == pytest.approx(-0.5097, abs=5e-5)
    assert q == pytest.approx(152.2330, abs=5e-5)


def test_it_passes_every_stage(reviewdata: Command) -> None:
    ended = reviewdata("validate", EXAMPLE, "--format", "json")
    assert ended.code == 0
    result = json.loads(ended.out)
    assert result["verdict"] == "pass"
    assert result["findings"] == []
    assert {run["stage"] for run in result["runs"]} == {
        "package",
        "structure",
        "rows",
        "relations",
        "dataset",
        "claims",
    }


DAMAGE = {
    "whole": [],
    "a count too high": [("data/tuberculosis.csv", "aronson-1948,4,", "aronson-1948,400,")],
    "a word of no codelist": [("data/trials.csv", "random", "by lot")],
    "a trial unknown": [("data/tuberculosis.csv", "aronson-1948", "aronson-1949")],
    "a number that is none": [("data/tuberculosis.csv", "aronson-1948,4,", "aronson-1948,four,")],
    "a blank line": [("data/trials.csv", "\naronson-1948", "\n\naronson-1948")],
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_renaming_every_table_and_column_changes_no_finding_and_no_figure(
    damage: str, bcg: Path
) -> None:
    for path, old, new in DAMAGE[damage]:
        text = (bcg / path).read_text("utf-8")
        assert old in text
        (bcg / path).write_text(text.replace(old, new), "utf-8")
    before = everything(bcg, pooled=not DAMAGE[damage])
    if DAMAGE[damage]:
        assert before["findings"]
    names = rename(bcg)
    assert len(names) > 20
    expected, after = translate(before, names), everything(bcg, pooled=not DAMAGE[damage])
    assert sorted(after.pop("findings")) == sorted(expected.pop("findings"))
    assert after == expected


def everything(review: Path, pooled: bool) -> dict[str, Any]:
    """Return the findings and figures of a review as JSON types; figures only if `pooled`."""
    project = rd.open(review)
    if pooled:
        overview = project.run()
        validation, figures = overview.validation, overview.results
    else:
        stages = ("package", "structure", "rows", "relations")
        validation, figures = project.validate(stages=stages), ()
    content: dict[str, Any] = {
        "verdict": validation.verdict,
        "findings": [json.dumps(f.to_dict()) for f in validation.findings],
        "runs": [run.to_dict() for run in validation.runs],
        "claims": [claim.to_dict() for claim in validation.claims],
        "figures": [
            [query.name, result if isinstance(result, str) else result.records()]
            for query, result in figures
        ],
    }
    return json.loads(json.dumps(content))  # type: ignore[no-any-return]


def rename(review: Path) -> dict[str, str]:
    """Give every resource and column another name, in all files and in the files' names."""
    package = open_package(review)
    names = list(package.resources)
    for resource in package.resources.values():
        if resource.name != package.config.claims:
            names += resource.fields
    renamed = {name: f"other_{number}" for number, name in enumerate(dict.fromkeys(names))}
    for path in sorted(review.rglob("*")):
        if path.is_file():
            path.write_text(translate_text(path.read_text("utf-8"), renamed), "utf-8")
            path.rename(path.with_stem(renamed.get(path.stem, path.stem)))
    return renamed


def translate(content: Any, names: dict[str, str]) -> Any:
    return json.loads(translate_text(json.dumps(content), names))


def translate_text(text: str, names: dict[str, str]) -> str:
    return re.sub(r"\w+", lambda match: names.get(match[0], match[0]), text)
