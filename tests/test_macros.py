"""The macros of synthesis in queries: those that are used, in any DuckDB, and what is told."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path

import duckdb
import pytest
from conftest import Command
from mini import write_mini

import reviewdata.synthesis
from reviewdata.synthesis.macros import FILES, find_calls, find_used, read_macros, split_arguments

ONE = "SELECT pool(mean, sd * sd / n, unit := study_id).estimate AS estimate FROM results"


@pytest.fixture
def review(tmp_path: Path) -> Path:
    return write_mini(tmp_path, files={"queries/one.sql": ONE})


def test_each_macro_stands_after_those_that_it_calls() -> None:
    seen: set[str] = set()
    for name, macro in read_macros().items():
        assert set(macro.calls) <= seen, name
        seen.add(name)


def test_no_name_within_a_macro_is_that_of_a_table_of_a_query() -> None:
    """DuckDB reads s.n1 in a lambda as the column n1 of a table s, where the query has one."""
    for name, macro in read_macros().items():
        code = re.sub(r"--.*", "", macro.statement)
        found = re.findall(r"lambda ([\w, ]+):", code)
        assert all(word.startswith("_") for words in found for word in words.split(", ")), name
    columns = "9 AS m1, 9 AS s1, 9 AS n1, 9 AS y, 9 AS k, 9 AS t, 9 AS a, 9 AS mu"
    others = ", ".join(f"(SELECT {columns}) AS {alias}" for alias in "stegvkx")
    given = "(VALUES (0.1, 0.2), (0.5, 0.1), (0.2, 0.05)) AS given(yi, vi)"
    with duckdb.connect() as connection:
        reviewdata.synthesis.install(connection)
        for call in ("es_md(5, 2, 20, 4, 3, 30)", "pool(yi, vi)", "regress(yi, vi, vi)"):
            alone = connection.execute(f"SELECT {call} FROM {given}").fetchall()
            beside = connection.execute(f"SELECT {call} FROM {given}, {others}").fetchall()
            assert beside == alone


def test_no_macro_is_defined_twice() -> None:
    folder = files("reviewdata.synthesis")
    text = "".join(folder.joinpath(f"{name}.sql").read_text("utf-8") for name in FILES)
    names = re.findall(r"^CREATE OR REPLACE MACRO (\w+)", text, re.MULTILINE)
    assert len(names) > 100
    assert len(names) == len(set(names)) == len(read_macros())
    assert {f"{name}.sql" for name in FILES} == {
        path.name for path in folder.iterdir() if path.name.endswith(".sql")
    }


def test_every_macro_is_in_a_test() -> None:
    tests = "".join(p.read_text("utf-8") for p in sorted(Path(__file__).parent.glob("test_*.py")))
    for macro in read_macros():
        assert macro.startswith("_") or re.search(rf"\b{macro}\b", tests), macro


def test_every_macro_has_words_of_its_own_above_it() -> None:
    """They are its entry in docs/synthesis.md."""
    for macro in read_macros().values():
        assert macro.name.startswith("_") or re.search(r"\w", macro.comment), macro.name


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_macros_stays_short(name: str) -> None:
    text = files("reviewdata.synthesis").joinpath(f"{name}.sql").read_text("utf-8")
    assert len(text.splitlines()) <= 400


WITH_A_LEVEL = {
    "pool": "yi, vi",
    "egger": "yi, vi",
    "confint_tau2": "yi, vi",
    "regress": "yi, vi, yi",
    "leave_one_out": "yi, yi, vi",
    "pool_mh": "9, 9, yi, 9",
    "vote_count": "vote(yi)",
    "se_from_ci": "yi, vi",
    "se_from_ci_t": "yi, vi, yi",
    "sd_from_ci": "yi, vi, yi",
}


def test_a_level_is_read_alike_by_every_macro_that_takes_one() -> None:
    taking = {name for name, macro in read_macros().items() if "level" in macro.options}
    assert {name for name in taking if not name.startswith("_")} == set(WITH_A_LEVEL)
    unread = {"1": "1", "100": "100", "49": "49", "0.4": "0.4", "-95": "-95", "NULL": "NULL"}
    unread |= {"'95 %'": "95 %", "'nan'::DOUBLE": "nan", "true": "true", "[95]": "[95]"}
    with duckdb.connect() as connection:
        reviewdata.synthesis.install(connection)

        def ask(name: str, level: str) -> object:
            rows = "(VALUES (3, 5), (4, 9), (6, 8)) AS given(yi, vi)"
            call = f"{name}({WITH_A_LEVEL[name]}, level := {level})"
            return connection.execute(f"SELECT {call} FROM {rows}").fetchall()

        for number, name in enumerate(WITH_A_LEVEL):
            assert ask(name, "90") == ask(name, "0.9") == ask(name, "'90'") != ask(name, "95")
            for level, shown in list(unread.items())[: len(unread) if number == 0 else 1]:
                says = re.escape(f"{name}: the level is {shown}; give a percent from 50 to below")
                with pytest.raises(duckdb.InvalidInputException, match=says):
                    ask(name, level)


SIZES = {"r_from_d", "var_r_from_d"}
"""Those whose sizes of the groups are data, and may be left out."""


def test_an_option_that_is_given_by_its_place_is_an_error() -> None:
    with_options = 0
    with duckdb.connect() as connection:
        reviewdata.synthesis.install(connection)
        for name, macro in read_macros().items():
            parameters = split_arguments(macro.statement.partition("(")[2].partition(") AS")[0])
            data = [parameter for parameter in parameters if ":=" not in parameter]
            if name.startswith("_") or name in SIZES or len(data) == len(parameters):
                continue
            with_options += 1
            given = ["'positive'" if parameter == "votes" else "x" for parameter in data]
            says = f"{name} takes all but its data by name, as in "
            for more in ("0.5", "'DL'", "true, 'x'", "x"):
                call = f"{name}({', '.join([*given, more])})"
                with pytest.raises(duckdb.InvalidInputException, match=says) as raised:
                    connection.execute(f"SELECT {call} FROM (SELECT 0.3 AS x)").fetchall()
                assert str(raised.value).partition(says)[2].partition(" ")[0] in macro.options
    assert with_options > 25


def test_macros_are_created_again_and_kept_in_a_file(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "kept.duckdb")) as connection:
        for _ in range(2):
            reviewdata.synthesis.install(connection)
    with duckdb.connect(str(tmp_path / "kept.duckdb")) as connection:
        assert connection.execute("SELECT weighted_sd_all(5, 1, 9)").fetchall() == [(1.0,)]


def test_no_macro_has_the_name_of_a_function_of_duckdb() -> None:
    rows = duckdb.execute("SELECT DISTINCT function_name FROM duckdb_functions()").fetchall()
    assert not {name for (name,) in rows} & set(read_macros())


@pytest.mark.parametrize(
    ("sql", "used"),
    [
        ("SELECT 1", []),
        ("SELECT pool FROM pool", []),
        ("SELECT 'pool(1)' -- pool(2)\n/* pool(3) */", []),
        ('SELECT "pool"(1)', []),
        ("SELECT Norm_SF(1)", ["_norm_tail", "norm_sf"]),
    ],
)
def test_a_macro_is_used_where_it_is_called(sql: str, used: list[str]) -> None:
    assert find_used(sql) == used


def test_the_arguments_of_a_call_are_found_whatever_stands_in_them() -> None:
    sql = "SELECT pool(f(a, ')'), b, unit := g(h)), POOL (c) FROM t -- pool(d)"
    found = [call.replace(" ", "") for call in find_calls(sql, "pool")]
    assert found == ["f(a,),b,unit:=g(h)", "c"]


def test_every_macro_can_be_created_in_any_connection() -> None:
    with duckdb.connect() as connection:
        reviewdata.synthesis.install(connection)
        connection.execute("SELECT pool(1.0, 0.5).k, es_md(1, 2, 30, 2, 2, 30).yi").fetchall()


def test_a_printed_query_runs_in_a_plain_duckdb(review: Path, reviewdata: Command) -> None:
    printed = reviewdata("query", "one", "--print-sql", "--project", review).out
    assert printed.startswith("CREATE OR REPLACE MACRO ")
    ours = json.loads(reviewdata("query", "one", "--format", "json", "--project", review).out)
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE results AS SELECT * FROM (VALUES ('S1', 5.2, 1.1, 40),"
            " ('S2', 4.8, 1.3, 35)) AS r(study_id, mean, sd, n)"
        )
        for statement in duckdb.extract_statements(printed):
            rows = connection.execute(statement).fetchall()
    assert rows == [(ours["rows"][0]["estimate"],)]


def test_a_text_of_sql_has_the_macros_too(review: Path, reviewdata: Command) -> None:
    ended = reviewdata("query", "--sql", ONE, "--project", review, "--format", "csv")
    assert (ended.code, ended.err) == (0, "")
    printed = reviewdata("query", "--sql", ONE, "--print-sql", "--project", review).out
    assert printed.endswith(ONE + "\n")
    assert "MACRO pool(" in printed


def test_a_column_and_a_table_may_be_named_like_a_macro(review: Path, reviewdata: Command) -> None:
    sql = "WITH pool AS (SELECT 7 AS pool) SELECT pool.pool FROM pool"
    ended = reviewdata("query", "--sql", sql, "--project", review, "--format", "csv")
    assert ended.out == "pool\n7\n"


def test_an_unknown_option_is_one_line_with_the_nearest(review: Path, reviewdata: Command) -> None:
    sql = ONE.replace("unit", "method := 'REMLL', unit")
    ended = reviewdata("query", "--sql", sql, "--project", review)
    assert ended.code == 2
    assert ended.err.count("\n") == 1
    assert "REMLL" in ended.err
    assert "nearest 'REML'" in ended.err


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("unit", "methd := 'DL', unit", "pool has no option methd; did you mean method?\n"),
        ("unit", "x := 1, unit", "pool has no option x; known are: yi, vi, method, test, level,"),
        (" FROM", " FROM results HAVING pool(mean, sd).k > 1 --", "pools is one: write QUALIFY.\n"),
        ("unit", "'DL', unit", "pool takes all but its data by name, as in level := 95\n"),
    ],
)
def test_a_call_that_cannot_be_is_one_line_that_says_how(
    old: str, new: str, says: str, review: Path, reviewdata: Command
) -> None:
    ended = reviewdata("query", "--sql", ONE.replace(old, new, 1), "--project", review)
    assert ended.code == 2
    assert ended.err.count("\n") == 1
    assert says in ended.err


def test_two_rows_of_one_unit_are_an_error_that_names_it(review: Path, reviewdata: Command) -> None:
    sql = ONE.replace("study_id", "'one sample'")
    ended = reviewdata("query", "--sql", sql, "--project", review)
    assert ended.code == 2
    assert "one sample" in ended.err


def test_a_pool_without_a_unit_is_told_beside_its_rows(review: Path, reviewdata: Command) -> None:
    sql = ONE.replace(", unit := study_id", "")
    ended = reviewdata("query", "--sql", sql, "--project", review, "--format", "csv")
    assert ended.code == 0
    assert ended.err.startswith("warning RD504: the query calls pool without `unit := ...`")
    ended = reviewdata("query", "--sql", sql, "--project", review, "--format", "json")
    [finding] = json.loads(ended.out)["findings"]
    assert (finding["code"], finding["level"]) == ("RD504", "warning")


def test_validate_tells_of_the_query_files_that_pool_without_a_unit(
    tmp_path: Path, reviewdata: Command
) -> None:
    sql = ONE.replace(", unit := study_id", "")
    review = write_mini(tmp_path, files={"queries/one.sql": sql})
    ended = reviewdata("validate", review, "--stage", "claims", "--format", "concise")
    assert ended.code == 0
    assert ended.out.startswith("queries/one.sql  warning RD504  queries/one.sql calls pool")


def test_a_macro_lets_no_query_write(review: Path, reviewdata: Command) -> None:
    sql = f"WITH gone AS (DELETE FROM store.results RETURNING *) {ONE}"
    ended = reviewdata("query", "--sql", sql, "--project", review)
    assert ended.code == 2
    assert "nothing else is run" in ended.err
