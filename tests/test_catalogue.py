"""Every example on every rule's page is run, and finds what it says."""

from __future__ import annotations

import csv
import io
import json
import tomllib
from contextlib import chdir
from importlib.resources import files
from pathlib import Path
from typing import get_args

import pytest
from mini import PACKAGES, merge, remove_suites, write_mini

from reviewdata.contribution import validate_change
from reviewdata.model import Example, Rule, Stage, Validation
from reviewdata.package import open_package
from reviewdata.plausibility.checks import CHECKS
from reviewdata.release.readiness import check_readiness, judge_readiness
from reviewdata.rules import builtin_rules
from reviewdata.statistics import KINDS
from reviewdata.validation import validate

CASES = [
    pytest.param(rule, example, id=f"{rule.code}-{number}-{example.kind}")
    for rule in builtin_rules().values()
    for number, example in enumerate(rule.examples, start=1)
]


@pytest.mark.parametrize(("rule", "example"), CASES)
def test_an_example_finds_what_it_says(rule: Rule, example: Example, tmp_path: Path) -> None:
    result = check(rule, example, tmp_path)
    found = [f for f in result.findings if f.code == rule.code]
    if example.kind == "fail":
        assert found
        assert found[0].message == example.given.get("finds"), found[0].message
    else:
        # A near miss may be a note where the rule itself is graver.
        assert all(f.level == "note" and rule.level != "note" for f in found), found


def test_the_rules_of_a_file_are_those_that_are_found_in_its_text() -> None:
    folder = files("reviewdata").joinpath("catalogue")
    listed: dict[str, str] = {}
    for file in folder.iterdir():
        content = tomllib.loads(file.read_text("utf-8"))
        assert len({rule["stage"] for rule in content.values()}) == 1, file.name
        listed |= {code: rule["stage"] for code, rule in content.items()}
    rules = builtin_rules()
    assert {code: rule.stage for code, rule in rules.items()} == dict(sorted(listed.items()))
    assert list(rules) == sorted(listed)
    for stage in get_args(Stage):
        assert list(rules.of_stage(stage)) == sorted(c for c, s in listed.items() if s == stage)


def check(rule: Rule, example: Example, folder: Path) -> Validation:
    given = dict(example.given)
    given.pop("finds", None)
    if "row" in given:  # a table of the roles alone
        return validate(write_row(folder, rule, given["row"]), stages=["package", "rows"])
    patch = merge(given.pop("patch", {}), rule.review)
    contributed = given.pop("contributed", False)
    since = given.pop("since", None)
    write_mini(folder, patch=patch, **given)
    if rule.stage == "release":
        return check_release(rule, folder, since)
    if contributed:
        base = str(PACKAGES / "mini")
        return validate_change(folder, rules_from=base, stages=["structure"])
    stage = "rows" if rule.stage == "run" and "waivers" in str(given) else rule.stage
    return validate(folder, stages=["relations" if stage == "run" else stage])


def check_release(rule: Rule, folder: Path, since: str | None) -> Validation:
    if rule.code in ("RD601", "RD609"):  # on what is found, or computed, in the data
        remove_suites(folder)
        return check_readiness(folder).verdict
    with chdir(PACKAGES):
        return judge_readiness(open_package(folder), Validation((), ()), since=since).verdict


def write_row(folder: Path, rule: Rule, cells: dict[str, str]) -> Path:
    """Write a review of one row whose columns are the roles of the rule's statistic."""
    kinds = [check.kind for check in CHECKS if check.code == rule.code]
    kind = next(k for k in kinds if all(any(r in cells for r in need) for need in KINDS[k].needs))
    numbers = KINDS[kind].numbers
    fields = [{"name": n, "type": "number" if n in numbers else "string"} for n in cells]
    statistic = {"kind": kind, **{name: name for name in cells}}
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([cells, cells.values()])
    descriptor = json.loads((PACKAGES / "mini" / "datapackage.json").read_text("utf-8"))
    alone = [entry for entry in descriptor["resources"] if entry["name"] == "results"]
    write_mini(
        folder,
        files={"data/results.csv": out.getvalue()},
        patch={
            "datapackage.json": {"resources": alone, "reviewdata": {"claims": None}},
            "schemas/results.json": {
                "fields": fields,
                "statistics": [statistic],
                "primaryKey": [],
                "foreignKeys": [],
            },
        },
    )
    (folder / "validations" / "results.py").unlink()  # it names columns that are not there
    return folder


def asked(rule: Rule) -> set[str]:
    """Return the kinds of example that a rule has: the example review is a pass of some."""
    kinds = {"near-miss", "fail"}
    own = rule.stage == "rows" or rule.review
    return kinds | ({"pass"} if own and rule.code != "RD200" else set())


def test_every_rule_has_a_near_miss_and_a_failing_example() -> None:
    lacking = {
        code: asked(rule) - {example.kind for example in rule.examples}
        for code, rule in builtin_rules().items()
        # Of the one an example would be a cell of 8 MiB, of the other a repository.
        if code not in ("RD105", "RD608")
    }
    assert not {code: kinds for code, kinds in lacking.items() if kinds}


def test_the_review_of_the_examples_passes_every_rule(tmp_path: Path) -> None:
    result = validate(write_mini(tmp_path), stages=["package", "structure", "rows", "relations"])
    assert result.findings == ()
    assert result.verdict == "pass"
