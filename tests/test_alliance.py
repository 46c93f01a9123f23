"""The shipped review: what it says of itself, its figures, and what its own rules find."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Command

import reviewdata as rd
from reviewdata.model import Validation
from reviewdata.package import open_package

CHEAP = ("package", "structure", "rows", "relations", "claims")


@pytest.fixture(scope="module")
def validation() -> Validation:
    return rd.open(ROOT).validate(stages=CHEAP)


def test_it_passes(validation: Validation) -> None:
    assert validation.verdict == "pass"
    assert validation.counts["error"] == validation.counts["warning"] == 0


def test_two_misprints_of_the_sources_are_found_and_waived(validation: Validation) -> None:
    waived = {
        (f.code, f.level, f.key["outcome_id"], f.value) for f in validation.findings if f.waived
    }
    assert waived == {
        ("RD241", "error", "anderson2012-2b-compliance", "0.01"),
        ("RD231", "warning", "herbst2016-ocd", "0.04"),
    }


def test_no_other_row_rule_fires(validation: Validation) -> None:
    assert not [
        f for f in validation.findings if f.code.startswith(("RD2", "TA2")) and not f.waived
    ]


def test_the_form_of_an_outcome_is_compared_with_those_of_its_sample(
    validation: Validation,
) -> None:
    found = [f for f in validation.findings if f.code == "TA302"]
    assert [(f.level, f.key["outcome_id"][:16]) for f in found] == [
        ("note", "andersson2012-1a"),
        ("note", "andersson2012-1b"),
        ("note", "andersson2012-1c"),
    ]
    assert not [f for f in validation.findings if f.code in ("TA301", "TA303", "TA304")]


def only(name: str, **params: str) -> dict[str, Any]:
    [row] = rd.open(ROOT).query(name, params=params).records()
    return row


def test_the_pooled_alliance_has_three_readings_of_its_sd() -> None:
    row = only("pooled_alliance")
    counts = ("samples", "studies", "n_total", "rows_without_n")
    assert [row[name] for name in counts] == [4, 2, 252, 3]
    assert row["weighted_mean"] == pytest.approx(5.1113, abs=5e-5)
    assert row["weighted_sd_mean"] == pytest.approx(1.0600, abs=5e-5)
    assert row["weighted_sd_within"] == pytest.approx(1.0728, abs=5e-5)
    assert row["weighted_sd_all"] == pytest.approx(1.1991, abs=5e-5)


def test_the_sensitivity_takes_in_the_unconfirmed_and_rescaled() -> None:
    row = only("pooled_alliance_all")
    assert (row["samples"], row["n_total"]) == (5, 290)
    assert row["weighted_mean"] == pytest.approx(5.0816, abs=5e-5)


@pytest.mark.parametrize(
    ("name", "unconfirmed", "expected"),
    [
        ("association_tally", "false", (0, 1, 1, 1, 2)),
        ("association_tally", "true", (3, 2, 2, 5, 7)),
        ("effect_tally", "false", (1, 1, 0, 2, 2)),
        ("effect_tally", "true", (2, 1, 0, 3, 3)),
    ],
)
def test_a_study_counts_once_in_a_tally(
    name: str, unconfirmed: str, expected: tuple[int, ...]
) -> None:
    row = only(name, include_unconfirmed=unconfirmed)
    columns = ("significant", "mixed", "not_significant", "any_significant", "k")
    assert tuple(row[column] for column in columns) == expected


def test_the_published_figures_are_incomplete_not_contradicted() -> None:
    claims = {claim.claim_id: claim for claim in rd.open(ROOT).reproduce()}
    verdicts = {name: claim.verdict for name, claim in claims.items()}
    thesis = [name for name in claims if name.startswith("thesis-")]
    assert len(thesis) == 3
    assert all(verdicts.pop(name) == "not computable" for name in thesis)
    assert set(verdicts.values()) == {"incomplete"}
    assert claims["wai-weighted-mean"].computed == pytest.approx(5.1113, abs=5e-5)
    assert claims["wai-weighted-mean"].published == "5.66"
    for reading, sd in (("mean", 1.0600), ("within", 1.0728), ("all", 1.1991)):
        assert claims[f"wai-weighted-sd-{reading}"].computed == pytest.approx(sd, abs=5e-5)
    for name, k, required in (("associations", 2, 10), ("effects", 2, 6)):
        claim = claims[f"{name}-significant"]
        assert (claim.k, claim.k_required) == (k, required)
    assert (claims["studies-included"].computed, claims["studies-included"].k_required) == (4, 23)


def test_printed_decimals_are_kept() -> None:
    rows = rd.open(ROOT).query(sql="SELECT mean FROM raw.measures WHERE sd = '1.20'").rows
    assert rows == (("5.77",),)


def test_every_table_is_sorted_by_its_key_with_plain_line_ends() -> None:
    for resource in open_package(ROOT).resources.values():
        assert resource.file is not None
        content = resource.file.read_bytes()
        assert b"\r" not in content
        assert content.endswith(b"\n")
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8"))))
        keys = [tuple(row[name] for name in resource.primary_key) for row in rows]
        assert keys == sorted(keys)


EXAMPLES = [
    pytest.param(code, example, id=f"{code}-{example['kind']}")
    for code, rule in tomllib.loads((ROOT / "validations" / "rules.toml").read_text()).items()
    for example in rule.get("example", [])
]


@pytest.mark.parametrize(("code", "example"), EXAMPLES)
def test_an_example_of_the_reviews_own_rules_finds_what_it_says(
    code: str, example: dict[str, Any], alliance: Path
) -> None:
    rule = open_package(alliance).rules[code]
    resource = open_package(alliance).resources[str(rule.table)]
    if "row" in example:
        write_rows(alliance, rule.table, [example["row"]], list(resource.fields))
    for table, change in example.get("change", {}).items():
        change_table(alliance, table, change)
    found = [f for f in rd.open(alliance).validate(stages=[rule.stage]).findings if f.code == code]
    known = 3 if code == "TA302" else 0  # those that the data itself has
    assert len(found) - (known if "row" not in example else 0) == (example["kind"] == "fail")


def write_rows(
    review: Path, table: str | None, rows: list[dict[str, str]], fields: list[str]
) -> None:
    with (review / "data" / f"{table}.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, fields, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def change_table(review: Path, table: str, change: dict[str, Any]) -> None:
    """Set cells of records by key, or add and drop records."""
    resource = open_package(review).resources[table]
    [key] = resource.primary_key
    assert resource.file is not None
    with resource.file.open(newline="") as file:
        rows = {row[key]: row for row in csv.DictReader(file)}
    for name, cells in change.items():
        if cells == "removed":
            del rows[name]
        else:
            rows[name] = {**rows.get(name, {key: name}), **cells}
    write_rows(review, table, list(rows.values()), list(resource.fields))


def test_one_line_says_it_all(reviewdata: Command) -> None:
    ended = reviewdata("run", ROOT)
    assert ended.code == 0
    assert "pass: 10 notes, 2 waived" in ended.out
    assert "weighted_mean 5.1113" in ended.out
    assert "7 incomplete, 3 not computable" in ended.out
    assert len(ended.out.splitlines()) <= 40  # one screen


def test_the_descriptor_is_valid_for_frictionless_too() -> None:
    command = [sys.executable, "-m", "frictionless", "validate", "--json", "datapackage.json"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    assert json.loads(ended.stdout)["valid"]
