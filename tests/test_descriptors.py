"""Descriptors, schemas and settings that are wrong: each told, and nothing else lost by it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reviewdata.formatting import format_package
from reviewdata.model import Finding, ReviewdataError
from reviewdata.validation import validate

Change = Callable[[dict[str, Any]], object]


def write(folder: Path, change: Change = lambda _: None, rows: str = "a,1,x\nb,2,y\n") -> Path:
    """Write a review of a table `t` and a table `u`, of which `u` has a cell that is wrong."""
    fields = [{"name": "id"}, {"name": "n", "type": "integer"}, {"name": "note"}]
    schema = {"fields": fields, "primaryKey": ["id"]}
    other = {"fields": [{"name": "uid"}, {"name": "k", "type": "integer"}]}
    descriptor: dict[str, Any] = {
        "name": "x",
        "licenses": [{"name": "MIT"}],
        "resources": [
            {"name": "t", "path": "t.csv", "schema": schema},
            {"name": "u", "path": "u.csv", "schema": other},
        ],
    }
    change(descriptor)
    (folder / "datapackage.json").write_text(json.dumps(descriptor))
    (folder / "t.csv").write_text("id,n,note\n" + rows)
    (folder / "u.csv").write_text("uid,k\nq,wrong\n")
    return folder


def judge(folder: Path) -> list[Finding]:
    """Return the findings but for that on `u`, which every validation here must still have."""
    found = list(validate(folder, stages=["package", "structure", "rows"]).findings)
    assert not [f for f in found if f.code == "RD901"]
    known = [f for f in found if (f.table, f.code, f.line) == ("u", "RD120", 2)]
    assert len(known) == 1
    return [f for f in found if f not in known]


def resource(**properties: Any) -> Change:
    return lambda package: package["resources"][0].update(properties)


def schema(**properties: Any) -> Change:
    return lambda package: package["resources"][0]["schema"].update(properties)


def field(number: int = 1, **properties: Any) -> Change:
    return lambda package: package["resources"][0]["schema"]["fields"][number].update(properties)


def bounded(kind: str, bound: Any, **properties: Any) -> Change:
    return field(type=kind, constraints={"minimum": bound}, **properties)


def settings(**block: Any) -> Change:
    return lambda package: package.update(reviewdata=block)


def key(fields: Any, resource: Any, reference: Any) -> Change:
    entry = {"fields": fields, "reference": {"resource": resource, "fields": reference}}
    return schema(foreignKeys=[entry])


def test_the_review_of_these_tests_is_right_but_for_one_cell(tmp_path: Path) -> None:
    assert judge(write(tmp_path)) == []


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (settings(claims=["t"]), "RD008", "claims names the resource ['t']"),
        (settings(studies={"resource": ["t"]}), "RD008", "studies needs the name of a resource"),
        *(
            (settings(prefix=prefix), "RD008", f"prefix is {prefix!r}; it is two to five capitals")
            for prefix in (5, ["TA"], "RD", "RDX", "ta", "T", "TOOLONG", "T1")
        ),
        (settings(levels=["t"]), "RD008", "levels is ['t']; it is an object"),
        (settings(levels={"RD2O2": "error"}), "RD008", "levels names the code RD2O2; did you"),
        (
            settings(coverage={"query": "none", "column": "x", "expected": 3}),
            "RD008",
            "coverage names the query none",
        ),
        (
            settings(coverage={"query": "none", "column": "x", "expected": True}),
            "RD008",
            "coverage needs query and column",
        ),
        (
            settings(studies={"resource": "t", "key": "idd"}),
            "RD008",
            "key of studies names idd: t has no idd; did you mean id?",
        ),
        (settings(studies={"resource": "t", "year": 5}), "RD008", "year of studies names 5"),
        (
            settings(studies={"resource": "t", "label": "n.x"}),
            "RD008",
            "label of studies names n.x: t.n is not a foreign key",
        ),
        (settings(studies={"resource": "t", "kee": "id"}), "RD008", "kee; did you mean key?"),
        (key(["n"], 5, ["uid"]), "RD001", "5 is not of type 'string'"),
        (key(["n"], ["t"], ["uid"]), "RD001", "['t'] is not of type 'string'"),
        (key(["n", "id"], "u", ["uid"]), "RD001", "does not match the reference fields"),
        (key([], "u", []), "RD009", "a foreign key names no field"),
        (schema(foreignKeys=["n"]), "RD009", "a foreign key names no field"),
        (schema(uniqueKeys=[["idd"]]), "RD009", "uniqueKeys names the field idd, did you mean id?"),
        (resource(hash="sha1:abc"), "RD015", "of the kind sha1, which is not verified"),
        (resource(hash=5), "RD001", "5 is not of type 'string' at property 'hash'"),
        (resource(bytes="many"), "RD001", "'many' is not of type 'integer' at property 'bytes'"),
        (resource(path="a" * 300), "RD005", "there is no file aaa"),
        (resource(path="\ud800.csv"), "RD005", "there is no file"),
        (resource(schema="a" * 300), "RD007", "there is no file aaa"),
        (resource(schema="\ud800.json"), "RD007", "there is no file"),
        (resource(schema={}), "RD007", "it has no fields"),
        (resource(name=""), "RD001", "resource 1 has no name"),
        (resource(name="a\0b"), "RD001", "resource 1 has no name"),
        (resource(name="\ud800"), "RD001", "does not match"),
        (field(name=""), "RD007", "field 2 is no object with a name"),
        (field(name="\ud800"), "RD114", "the schema has \ufffd there"),
        (field(type="boolean", trueValues=[1]), "RD007", "trueValues holds [1]"),
        (field(type="list", delimiter=""), "RD007", "delimiter is empty"),
        *(
            (field(type="date", format=form), "RD007", f"the format {form!r} is none")
            for form in ("%Q", "", "%", "%Y-%")
        ),
        (bounded("integer", 10**400), "RD007", "minimum is 1000"),
        (bounded("integer", 1.5), "RD007", "minimum is 1.5, no integer"),
        (bounded("integer", "1e3"), "RD007", "minimum is '1e3', no integer"),
        (bounded("number", "nan"), "RD007", "minimum is 'nan', no number"),
        (bounded("date", 5), "RD007", "minimum is 5, no date"),
        (bounded("date", "zzz"), "RD007", "minimum is 'zzz', no date"),
        (bounded("date", "2020-01-01", format="%d.%m.%Y"), "RD007", "no date"),
        (bounded("year", 20000), "RD007", "minimum is 20000, no year"),
        (bounded("yearmonth", "2020-13"), "RD007", "no yearmonth"),
        (field(2, constraints={"minLength": 2**40}), "RD007", "minLength is no whole number"),
        (
            field(2, constraints={"pattern": "(?i)x"}),
            "RD007",
            "regular expression: global",
        ),
        (field(2, categories=[["x"]]), "RD007", "categories holds a list"),
    ],
)
def test_what_is_wrong_is_told_and_the_other_table_is_judged(
    change: Change, code: str, words: str, tmp_path: Path
) -> None:
    found = judge(write(tmp_path, change))
    assert [f for f in found if f.code == code and words in f.message], found
    told = {f.code for f in found if f.table in ("t", None)}
    assert told <= {code, "RD001", "RD009", "RD199"}


CONFIG = '{"fields": [{"name": "id"}]}\r\n'


@pytest.mark.parametrize(
    "path", [".git/config", "./.GIT/config", "sub/.git/config", ".git", "link", "folder/config"]
)
def test_what_git_keeps_of_itself_is_neither_read_nor_written(path: str, tmp_path: Path) -> None:
    for folder in (tmp_path / ".git", tmp_path / ".GIT", tmp_path / "sub" / ".git"):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config").write_text(CONFIG, newline="")
    (tmp_path / "link").symlink_to(".git/config")
    (tmp_path / "folder").symlink_to(".git", target_is_directory=True)
    found = judge(write(tmp_path, resource(path=path, format="csv")))
    assert [(f.code, f.table) for f in found if f.level == "error"] == [("RD003", "t")]
    [form, _] = format_package(tmp_path)
    assert form.unfit is not None
    found = judge(write(tmp_path, resource(schema=path)))
    [finding] = [f for f in found if f.code == "RD007"]
    assert "leads out of the package" in finding.message
    for folder in (tmp_path / ".git", tmp_path / ".GIT", tmp_path / "sub" / ".git"):
        assert (folder / "config").read_bytes() == CONFIG.encode()


def test_a_review_below_a_folder_of_that_name_and_names_like_it_are_read(tmp_path: Path) -> None:
    folder = tmp_path / ".git" / "review"
    folder.mkdir(parents=True)
    assert judge(write(folder)) == []
    (folder / ".github").mkdir()
    write(folder, resource(path=".github/t.csv"))
    (folder / "t.csv").rename(folder / ".github" / "t.csv")
    assert judge(folder) == []


V2 = "https://datapackage.org/profiles/2.0/datapackage.json"
ABOVE = {"exclusiveMinimum": 0}
OWN = "https://example.org/own.json"


@pytest.mark.parametrize(
    "change",
    [
        lambda package: package["resources"][0].update(profile="tabular-data-resource"),
        schema(primaryKey="id"),
        key("note", "", "id"),
        lambda package: [package.update({"$schema": V2}), field(constraints=ABOVE)(package)],
        lambda package: [package.update({"$schema": OWN}), field(constraints=ABOVE)(package)],
    ],
)
def test_what_the_standard_allows_is_no_departure_from_it(change: Change, tmp_path: Path) -> None:
    found = judge(write(tmp_path, change, "a,1,a\nb,2,a\n"))
    assert [f.code for f in found] == []


def test_a_profile_still_asks_for_a_schema(tmp_path: Path) -> None:
    write(tmp_path, lambda package: package["resources"][0].pop("schema"))
    assert "RD001" not in {f.code for f in judge(tmp_path)}
    change = resource(profile="tabular-data-resource")
    write(tmp_path, lambda package: [change(package), package["resources"][0].pop("schema")])
    assert "RD001" in {f.code for f in judge(tmp_path)}


@pytest.mark.parametrize(
    ("kind", "bound", "cell"),
    [
        ("integer", "1_0", "7"),
        ("integer", 10.0, "7"),
        ("number", "1.5", "1.4"),
        ("date", "2020-01-01", "2019-12-31"),
        ("time", "12:00:00", "11:59:59"),
        ("datetime", "2020-01-01T00:00:00", "2019-01-01T00:00:00"),
        ("year", 2000, "1999"),
        ("year", "2000", "1999"),
        ("yearmonth", "2020-02", "2020-01"),
    ],
)
def test_a_bound_of_the_right_type_is_applied(
    kind: str, bound: Any, cell: str, tmp_path: Path
) -> None:
    [finding] = judge(write(tmp_path, bounded(kind, bound), f"a,{cell},x\n"))
    assert (finding.code, finding.line) == ("RD121", 2)


def test_a_cell_that_breaks_frictionless_leaves_the_other_tables_judged(tmp_path: Path) -> None:
    change = bounded("datetime", "2020-01-01T00:00:00")
    [finding] = judge(write(tmp_path, change, "a,2020-01-01T00:00:00Z,x\n"))
    assert (finding.code, finding.level) == ("RD199", "error")
    assert "offset-naive" in finding.message


def test_a_number_of_too_many_digits_is_one_line(tmp_path: Path) -> None:
    text = (write(tmp_path) / "datapackage.json").read_text()
    (tmp_path / "datapackage.json").write_text(text[:-1] + ', "v": ' + "9" * 5000 + "}")
    with pytest.raises(ReviewdataError, match="a number of too many digits"):
        validate(tmp_path)


def test_a_key_to_a_table_without_a_schema_is_skipped_and_that_is_told(tmp_path: Path) -> None:
    def change(package: dict[str, Any]) -> None:
        key(["note"], "u", ["uid"])(package)
        package["resources"][1]["schema"]["fields"][1]["type"] = "strng"

    result = validate(write(tmp_path, change), stages=["structure"])
    [run] = [run for run in result.runs if run.code == "RD124"]
    assert (run.status, run.why) == ("skipped", "t refers to u, which could not be read")


def test_many_tables_that_all_lead_to_each_other_are_one_circle(tmp_path: Path) -> None:
    names = [f"t{number}" for number in range(14)]

    def change(package: dict[str, Any]) -> None:
        package["resources"] += [
            {
                "name": name,
                "path": "t.csv",
                "schema": {
                    "fields": [{"name": "id"}, {"name": "n"}, {"name": "note"}],
                    "foreignKeys": [
                        {"fields": ["id"], "reference": {"resource": other, "fields": ["id"]}}
                        for other in names
                        if other != name
                    ],
                },
            }
            for name in names
        ]

    found = validate(write(tmp_path, change), stages=["package"]).findings
    assert [f.message for f in found if f.code == "RD011"] == [
        "foreign keys go in a circle: t0 -> t1 -> t0"
    ]


def test_a_table_of_several_files_is_not_read_by_half(tmp_path: Path) -> None:
    found = judge(write(tmp_path, resource(path="t.csv", extrapaths=["more.csv"])))
    assert [f.code for f in found] == ["RD012"]


def test_a_header_of_which_nothing_is_in_the_schema_is_told_in_words(tmp_path: Path) -> None:
    write(tmp_path, schema(fieldsMatch="partial", primaryKey=[]))
    (tmp_path / "t.csv").write_text("x,y\n1,2\n")
    [finding] = [f for f in judge(tmp_path) if f.code != "RD001"]
    assert finding.type == "unmatched-header"
    assert "no column of the header is a field of the schema" in finding.message


def test_a_field_whose_name_is_taken_is_told_by_its_own_type(tmp_path: Path) -> None:
    write(tmp_path, schema(fields=[{"name": "n"}, {"name": "N", "type": "integer"}], primaryKey=[]))
    (tmp_path / "t.csv").write_text("n,N\na,x\n")
    assert "N is x, not an integer" in [f.message for f in judge(tmp_path)]


def test_two_circles_are_told_apart(tmp_path: Path) -> None:
    ways = {"a": ["b"], "b": ["c"], "c": ["a", "d"], "d": ["e"], "e": ["d"], "f": ["a"]}

    def change(package: dict[str, Any]) -> None:
        package["resources"] += [
            {
                "name": name,
                "path": "t.csv",
                "schema": {
                    "fields": [{"name": "id"}],
                    "foreignKeys": [
                        {"fields": ["id"], "reference": {"resource": way, "fields": ["id"]}}
                        for way in targets
                    ],
                },
            }
            for name, targets in ways.items()
        ]

    found = validate(write(tmp_path, change), stages=["package"]).findings
    assert [f.message for f in found if f.code == "RD011"] == [
        "foreign keys go in a circle: a -> b -> c -> a",
        "foreign keys go in a circle: d -> e -> d",
    ]


OWN_WORDS: dict[str, Any] = {"title@en": "N", "x-type": "y"}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            field(constraint={"minimum": 5}),
            ["the field n of t has constraint, which is not read; did you mean constraints?"],
        ),
        (
            field(required=True),
            [
                "the field n of t has required, which is not read there;"
                " it belongs in its constraints"
            ],
        ),
        (
            field(constraints={"minimun": 5}),
            [
                "the constraints of the field n of t has minimun, which is not read;"
                " did you mean minimum?"
            ],
        ),
        (
            schema(primary_key=["id"]),
            [],  # the right one is there too
        ),
        (
            schema(missingvalues=["-"]),
            ["the schema of t has missingvalues, which is not read; did you mean missingValues?"],
        ),
        (
            schema(foreignKeys=[{"field": "n", "reference": {"fields": ["n"], "ressource": ""}}]),
            [
                "a foreign key of t has field, which is not read; did you mean fields?",
                "the reference of a foreign key of t has ressource, which is not read;"
                " did you mean resource?",
            ],
        ),
        (
            resource(encodings="latin-1"),
            ["the resource t has encodings, which is not read; did you mean encoding?"],
        ),
        (
            lambda package: package.update(keyword=["x"]),
            ["the package has keyword, which is not read; did you mean keywords?"],
        ),
        (
            field(type="number", categories=[1, 2]),
            ["the field n of t has categories, which are not read of the type number"],
        ),
        (field(1, unit="kg", **OWN_WORDS), []),
        (resource(dialects=5, reviewed_by="nobody"), ["the resource t has dialects"]),
    ],
)
def test_a_property_that_is_nearly_one_of_the_standard_is_told(
    change: Change, says: list[str], tmp_path: Path
) -> None:
    found = [f for f in judge(write(tmp_path, change)) if f.code == "RD016"]
    assert len(found) == len(says)
    for finding, words in zip(found, says, strict=True):
        assert finding.message.startswith(words)
        assert finding.level == "warning"
