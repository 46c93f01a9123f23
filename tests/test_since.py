"""What a change brings fails; what its base has too is counted, if nothing it rests on moved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from conftest import Command
from mini import write_mini
from repositories import commit, git

from reviewdata.contribution import validate_change
from reviewdata.model import Validation

HEAD = "result_id,study_id,mean,sd,n,printed\n"
WRONG = "R1,S1,9.20,1.10,40,\n"  # a mean outside of its scale, 1 to 7
RIGHT = "R2,S2,4.80,1.30,35,\n"
STUDIES = "study_id,year,design\nS1,2019,trial\nS2,2021,cohort\n"

Judge = Callable[..., Validation]


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    """Return a function that validates a change of the synthetic review since its base."""

    def validated(
        base: Mapping[str, str], head: Mapping[str, str], **options: object
    ) -> Validation:
        folder = write_mini(tmp_path / "review", files=base)
        commit(folder)
        for name, content in head.items():
            (folder / name).write_text(content, "utf-8")
        stages = ["package", "structure", "rows", "relations"]
        return validate_change(folder, since="main", **{"stages": stages, **options})  # type: ignore[arg-type]

    return validated


def table(*rows: str) -> dict[str, str]:
    return {"data/results.csv": HEAD + "".join(rows)}


def split(validation: Validation) -> tuple[list[str], list[str]]:
    """Return the codes of what is new, and of what is old."""

    def codes(old: bool) -> list[str]:
        return [f.code for f in validation.findings if f.old is old]

    return codes(old=False), codes(old=True)


def test_what_the_base_has_too_does_not_fail(judge: Judge) -> None:
    validation = judge(table(WRONG, RIGHT), table(WRONG, RIGHT, "R3,S2,5.00,1.00,30,x\n"))
    assert split(validation) == ([], ["RD201"])
    assert validation.verdict == "pass"
    assert validation.counts == {"error": 0, "warning": 0, "note": 0, "waived": 0, "old": 1}


def test_what_the_change_brings_fails(judge: Judge) -> None:
    validation = judge(table(WRONG, RIGHT), table(WRONG, RIGHT, "R3,S2,9.00,1.00,30,x\n"))
    new, old = split(validation)
    assert ("RD201" in new, "RD201" in old) == (True, True)
    assert validation.verdict == "fail"
    wrong = [f for f in validation.findings if f.counts and f.code == "RD201"]
    assert [f.key["result_id"] for f in wrong] == ["R3"]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("R1,S1,9.30,1.10,40,\n", "another value"),
    ],
)
def test_a_finding_is_new_where_a_cell_that_its_rule_read_is_changed(
    judge: Judge, row: str, why: str
) -> None:
    new, old = split(judge(table(WRONG, RIGHT), table(row, RIGHT)))
    assert "RD201" in new, why
    assert old == []


@pytest.mark.parametrize("row", ["R1,S1,9.20,1.11,40,\n", "R1,S1,9.20,1.10,41,\n"])
def test_a_finding_stays_old_where_a_number_is_changed_that_its_rule_does_not_read(
    judge: Judge, row: str
) -> None:
    _, old = split(judge(table(WRONG, RIGHT), table(row, RIGHT)))
    assert old == ["RD201"]


def test_an_unreadable_table_that_is_changed_is_a_new_error(judge: Judge) -> None:
    base = {"data/results.csv": HEAD.replace(",", ";") + WRONG.replace(",", ";")}
    head = {"data/results.csv": HEAD.replace(",", ";") + WRONG.replace(",", ";").replace("9", "8")}
    validation = judge(base, head)
    assert validation.verdict == "fail"


def test_what_was_waived_and_is_no_more_is_new(judge: Judge) -> None:
    waiver = (
        '[[waiver]]\ncode = "RD201"\ntable = "results"\nkey = { result_id = "R1" }\n'
        'field = "mean"\nvalue = "9.20"\nreason = "as printed"\nwho = "the authors"\n'
    )
    base = {"validations/waivers.toml": waiver, **table(WRONG, RIGHT)}
    validation = judge(base, {"validations/waivers.toml": ""})
    assert validation.verdict == "fail"


def test_a_finding_stays_old_where_another_cell_of_its_record_is_changed(judge: Judge) -> None:
    validation = judge(table(WRONG, RIGHT), table("R1,S1,9.20,1.10,40,as printed\n", RIGHT))
    assert split(validation) == ([], ["RD201"])


@pytest.mark.parametrize(
    "head",
    [
        table(RIGHT, WRONG),
        table("R0,S2,5.00,1.00,30,x\n", WRONG, RIGHT),
        {"data/results.csv": (HEAD + WRONG + RIGHT).replace("\n", "\r\n")},
        {"data/results.csv": "\ufeff" + HEAD + WRONG + RIGHT},
        {"data/results.csv": HEAD + WRONG.replace("R1", '"R1"') + RIGHT},
        table(WRONG.replace("R1", "R9"), RIGHT),
    ],
    ids=["reordered", "a row before it", "line ends", "byte order mark", "quotes", "renamed key"],
)
def test_a_finding_is_found_again_wherever_its_record_stands(
    judge: Judge, head: Mapping[str, str]
) -> None:
    _, old = split(judge(table(WRONG, RIGHT), head))
    assert old.count("RD201") == 1


def test_a_second_finding_of_the_same_kind_is_new(judge: Judge) -> None:
    base = {"data/studies.csv": STUDIES + "S1,2020,trial\n"}
    validation = judge(base, {"data/studies.csv": STUDIES + "S1,2020,trial\nS1,2018,trial\n"})
    new, old = split(validation)
    assert (new.count("RD123"), old.count("RD123")) == (1, 1)


def test_a_row_put_before_its_double_makes_a_new_finding(judge: Judge) -> None:
    head = "study_id,year,design\nS2,2000,trial\nS1,2019,trial\nS2,2021,cohort\n"
    new, old = split(judge({}, {"data/studies.csv": head}))
    assert "RD123" in new
    assert old == []


def test_blank_rows_are_counted(judge: Judge) -> None:
    base = {"data/studies.csv": STUDIES.replace("S2", "\nS2")}
    new, old = split(judge(base, {"data/studies.csv": STUDIES.replace("S2", "\n\nS2")}))
    assert (new, old) == (["RD115"], ["RD115"])


def test_a_key_to_a_study_that_is_gone_is_new(judge: Judge) -> None:
    new, _ = split(judge({}, {"data/studies.csv": STUDIES.replace("S2,2021,cohort\n", "")}))
    assert new == ["RD124"]


LONELY = {"data/studies.csv": STUDIES + "S3,2020,trial\n"}  # a study without a result: EX301


def test_a_relation_stays_old_while_no_changed_row_names_its_record(judge: Judge) -> None:
    head = {**LONELY, **table("R1,S1,5.20,1.10,40,\n", RIGHT, "R4,S2,5.00,1.00,30,x\n")}
    assert split(judge(LONELY, head)) == ([], ["EX301"])


def test_a_relation_is_new_where_a_changed_row_names_its_record(judge: Judge) -> None:
    result = "R3,S3,5.00,1.00,30,y\n"
    base = {**LONELY, **table("R1,S1,5.20,1.10,40,\n", RIGHT, result)}
    new, old = split(judge(base, {**LONELY, **table("R1,S1,5.20,1.10,40,\n", RIGHT)}))
    assert (new, old) == (["EX301"], [])


def test_a_rule_that_becomes_graver_brings_its_findings(judge: Judge, tmp_path: Path) -> None:
    descriptor = (Path(__file__).parent / "packages/mini/datapackage.json").read_text()
    graver = descriptor.replace('"prefix": "EX"', '"prefix": "EX", "levels": {"EX301": "error"}')
    validation = judge(LONELY, {"datapackage.json": graver})
    assert [f.level for f in validation.findings if f.counts] == ["error"]
    assert validation.verdict == "fail"


def test_a_finding_on_the_whole_table_is_new_where_its_column_is_changed(judge: Judge) -> None:
    base = {**table(WRONG, RIGHT, "R3,S2,5.00,1.00,30,x\n")}  # EX401: two results are expected
    dataset = ["dataset"]
    same = judge(base, {"data/studies.csv": STUDIES.replace("2019", "2018")}, stages=dataset)
    assert split(same) == ([], ["EX401"])


def test_another_number_of_rows_is_a_new_finding_on_the_table(judge: Judge) -> None:
    base = {**table(WRONG, RIGHT, "R3,S2,5.00,1.00,30,x\n")}
    more = table(WRONG, RIGHT, "R3,S2,5.00,1.00,30,x\n", "R4,S2,5.00,1.00,30,z\n")
    assert split(judge(base, more, stages=["dataset"])) == (["EX401"], [])


CLAIMS = (Path(__file__).parent / "packages/mini/data/claims.csv").read_text()


def test_a_claim_that_gives_the_same_figure_as_before_is_old(judge: Judge) -> None:
    base = {"data/claims.csv": CLAIMS.replace("5.01", "6.01")}
    head = {"data/studies.csv": STUDIES.replace("2019", "2018")}
    assert split(judge(base, head, stages=["claims"])) == ([], ["RD501"])


def test_a_claim_that_gives_another_figure_is_new(judge: Judge) -> None:
    base = {"data/claims.csv": CLAIMS.replace("5.01", "6.01")}
    head = table("R1,S1,5.60,1.10,40,M = 5.20 (1.10)\n", RIGHT)
    assert split(judge(base, head, stages=["claims"])) == (["RD501"], [])


def test_a_table_that_is_new_has_only_new_findings(judge: Judge, tmp_path: Path) -> None:
    descriptor = (Path(__file__).parent / "packages/mini/datapackage.json").read_text()
    entry = '{"name": "more", "path": "data/more.csv", "schema": "schemas/studies.json"},\n    '
    listed = descriptor.replace('{"name": "claims"', entry + '{"name": "claims"')
    head = {"datapackage.json": listed, "data/more.csv": STUDIES + "X,1,trial\n"}
    base = {"data/studies.csv": STUDIES + "X,1,trial\n"}
    new, old = split(judge(base, head, stages=["structure"]))
    assert new == ["RD121", "RD121"]
    assert old == ["RD121", "RD121"]


def test_a_broken_rule_is_never_old(judge: Judge) -> None:
    broken = {"validations/relations/study_without_result.sql": "-- code: EX301\nSELECT nothing"}
    validation = judge(broken, {})
    assert validation.verdict == "unchecked"
    assert "RD901" in split(validation)[0]


def test_a_key_that_is_another_makes_its_findings_new(judge: Judge, tmp_path: Path) -> None:
    schema = (Path(__file__).parent / "packages/mini/schemas/results.json").read_text()
    head = {"schemas/results.json": schema.replace('["result_id"]', '["result_id", "n"]')}
    _, old = split(judge(table(WRONG, RIGHT), head))
    assert "RD201" in old  # the same cells, found by the new key


def test_the_result_tells_the_difference_too(judge: Judge) -> None:
    validation = judge({}, table("R1,S1,5.60,1.10,40,M = 5.20 (1.10)\n", RIGHT))
    assert validation.diff is not None
    assert validation.diff.base == "main"
    [change] = validation.diff.tables
    assert [cell.new for row in change.rows for cell in row.cells] == ["5.60"]


def test_the_command_counts_older_findings_and_passes(tmp_path: Path, reviewdata: Command) -> None:
    folder = write_mini(tmp_path, files=table(WRONG, RIGHT))
    commit(folder)
    ended = reviewdata("validate", folder, "--since", "main", "--stage", "rows")
    assert ended.code == 0
    rows = "5 rows read, 0 blank and refused\n"
    assert ended.out == f"rows ok 8, 1 skipped\n{rows}pass: 1 in main already\n"
    shown = reviewdata("validate", folder, "--since", "main", "--stage", "rows", "--all")
    assert "error (older) RD201" in shown.out


def test_what_is_staged_is_judged_and_not_what_lies_in_the_folder(
    tmp_path: Path, reviewdata: Command
) -> None:
    folder = write_mini(tmp_path)
    commit(folder)
    (folder / "data/results.csv").write_text(HEAD + WRONG + RIGHT)
    stages = ("--stage", "rows")
    assert reviewdata("validate", folder, "--staged", *stages).code == 0
    git(folder, "add", "data")
    (folder / "data/results.csv").write_text(HEAD + RIGHT)
    assert reviewdata("validate", folder, *stages).code == 0
    ended = reviewdata("validate", folder, "--staged", *stages)
    assert ended.code == 1
    assert "data/results.csv:2:mean  error RD201" in ended.out
