"""Three versions of a table become one: nothing is lost, and nobody is asked without need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reviewdata.merging import REMOVED, Merged, Unmergeable, Version, merge_tables
from reviewdata.package import Resource

SCHEMA = {
    "fields": [{"name": "k", "type": "integer"}, {"name": "a"}, {"name": "b"}],
    "primaryKey": ["k"],
}


def resource(schema: Mapping[str, Any] = SCHEMA) -> Resource:
    return Resource("t", "t.csv", None, schema, {})


def table(text: str) -> Version:
    """Return the table of a text such as `k a b | 1 x y | 2 . z`, where a dot is no text."""
    head, *rows = ([w if w != "." else "" for w in part.split()] for part in text.split("|"))
    return Version(head, rows)


def merge(base: str, ours: str, theirs: str) -> Merged:
    return merge_tables(resource(), table(base), table(ours), table(theirs))


def shown(merged: Merged) -> str:
    rows = (" ".join(cell or "." for cell in row) for row in [merged.labels, *merged.rows])
    return " | ".join(rows)


BASE = "k a b | 1 x y | 2 x y | 3 x y"


@pytest.mark.parametrize(
    ("ours", "theirs", "merged"),
    [
        (BASE, BASE, BASE),
        ("k a b | 1 X y | 2 x y | 3 x y", "k a b | 1 x Y | 2 x y | 3 x y", "1 X Y | 2 x y | 3 x y"),
        ("k a b | 1 X y | 2 x y | 3 x y", "k a b | 1 X y | 2 x y | 3 x y", "1 X y | 2 x y | 3 x y"),
        (f"{BASE} | 9 p q", f"{BASE} | 10 r s", "1 x y | 2 x y | 3 x y | 9 p q | 10 r s"),
        (f"{BASE} | 9 p q", f"{BASE} | 9 p q", "1 x y | 2 x y | 3 x y | 9 p q"),
        ("k a b | 1 x y | 3 x y", BASE, "1 x y | 3 x y"),
        ("k a b | 1 x y | 3 x y", "k a b | 1 x y | 3 x y", "1 x y | 3 x y"),
        ("k a b | 1 . y | 2 x y | 3 x y", BASE, "1 . y | 2 x y | 3 x y"),
        ("k a b | 3 x y | 2 x y | 1 x y", BASE, "3 x y | 2 x y | 1 x y"),
        (BASE, "k a b | 3 x y | 2 x y | 1 x y", "3 x y | 2 x y | 1 x y"),
        (
            "k a b | 3 x y | 9 p q | 2 x y | 1 x y",
            "k a b | 0 n n | 3 x y | 5 r s | 6 r s | 2 x y | 1 x y",
            "0 n n | 3 x y | 5 r s | 6 r s | 9 p q | 2 x y | 1 x y",
        ),
    ],
)
def test_what_one_side_changed_is_in_the_merged_table(ours: str, theirs: str, merged: str) -> None:
    done = merge(BASE, ours, theirs)
    assert shown(done) == (merged if merged is BASE else f"k a b | {merged}")
    assert done.conflicts == ()


def test_a_cell_that_both_changed_is_a_conflict_in_the_cell() -> None:
    done = merge(BASE, "k a b | 1 5.20 y | 2 x y", "k a b | 1 5.30 Y | 2 x y | 3 x y")
    assert done.rows == (["1", "<<<<<<< 5.20 ======= 5.30 >>>>>>>", "Y"], ["2", "x", "y"])
    [conflict] = done.conflicts
    assert (conflict.key, conflict.column, conflict.base) == (("1",), "a", "x")


@pytest.mark.parametrize("removed_by_ours", [True, False])
def test_a_record_removed_on_one_side_and_changed_on_the_other_stays(
    removed_by_ours: bool,
) -> None:
    sides = ["k a b | 2 x y", "k a b | 1 5.30 y | 2 x y"]
    done = merge("k a b | 1 x y | 2 x y", *(sides if removed_by_ours else sides[::-1]))
    texts = (REMOVED, "5.30") if removed_by_ours else ("5.30", REMOVED)
    assert done.rows[0] == ["1", "<<<<<<< {} ======= {} >>>>>>>".format(*texts), "y"]
    assert len(done.conflicts) == 1


def test_records_added_with_one_key_merge_where_they_are_equal() -> None:
    done = merge(BASE, f"{BASE} | 9 p q", f"{BASE} | 9 p r")
    assert done.rows[-1] == ["9", "p", "<<<<<<< q ======= r >>>>>>>"]
    assert done.conflicts[0].base is None


WIDE = "k a b c | 1 p q r | 2 x y z"


@pytest.mark.parametrize(
    ("ours", "theirs", "merged"),
    [
        ("11 p q r | 2 x y z", "12 p q r | 2 x y z", "<11=12> p q r"),
        ("11 p q R | 2 x y z", "12 p q r | 2 x y z", "<11=12> p q R"),
        ("11 p q R | 2 x y z", "12 P q r | 2 x y z", "<11=12> P q R"),
        ("11 p q R | 2 x y z", "12 p q S | 2 x y z", "<11=12> p q <R=S>"),
        ("11 p q r | 2 x y z", "11 p q r | 2 x y z", "11 p q r"),
        ("11 p q R | 2 x y z", "11 P q r | 2 x y z", "11 P q R"),
        ("2 x y z", "12 p q r | 2 x y z", f"<{REMOVED}=12> p q r"),
        ("12 p q r | 2 x y z", "2 x y z", f"<12={REMOVED}> p q r"),
        ("2 x y z", "12 p q R | 2 x y z", f"<{REMOVED}=12> p q <{REMOVED}=R>"),
        ("1 p q r | 2 x y z", "12 p q r | 2 x y z", "12 p q r"),
        ("2 x y z", "2 x y z | 12 p S T", "12 p S T"),
    ],
)
def test_a_record_that_is_given_two_keys_is_one_record_in_conflict(
    ours: str, theirs: str, merged: str
) -> None:
    done = merge(WIDE, f"k a b c | {ours}", f"k a b c | {theirs}")
    text = merged.replace("<", "<<<<<<< ").replace("=", " ======= ").replace(">", " >>>>>>>")
    rows = {" ".join(row) for row in done.rows}
    assert rows == {text, "2 x y z"}
    assert len(done.rows) == 2
    assert len(done.conflicts) == merged.count("=")
    for conflict in done.conflicts:
        assert conflict.key == ("1",)


def test_the_parts_of_two_new_keys_are_not_mixed() -> None:
    keyed = resource({**SCHEMA, "primaryKey": ["k", "a"]})
    sides = (table(f"k a b | {row}") for row in ("1 x y", "2 x y", "1 z y"))
    done = merge_tables(keyed, *sides)
    assert done.rows == (["<<<<<<< 2 ======= 1 >>>>>>>", "<<<<<<< x ======= z >>>>>>>", "y"],)


def test_records_of_equal_or_no_other_cells_are_not_taken_for_one() -> None:
    done = merge("k a | 1 x | 2 x", "k a | 3 x | 4 x", "k a | 5 x | 6 x")
    assert shown(done) == "k a | 3 x | 4 x | 5 x | 6 x"
    assert shown(merge("k a | 1 .", "k a | 2 .", "k a | 3 .")) == "k a | 2 . | 3 ."
    assert shown(merge("k | 1", "k | 2", "k | 3")) == "k | 2 | 3"


def test_a_new_key_that_the_other_side_gave_to_another_record_is_merged_as_that() -> None:
    done = merge("k a b | 1 x y", "k a b | 2 x y", "k a b | 2 p q | 3 x y")
    assert [row[0] for row in done.rows] == ["2", "3"]
    assert len(done.conflicts) == 2


def test_a_file_that_both_have_added_has_no_base() -> None:
    done = merge_tables(resource(), Version((), ()), table("k a | 1 x"), table("k b | 1 y | 2 z"))
    assert shown(done) == "k b a | 1 y x | 2 z ."


@pytest.mark.parametrize(
    ("ours", "theirs", "merged"),
    [
        ("k n a b | 1 N x y", "k a b m | 1 x Y M", "k n a b m | 1 N x Y M"),
        ("k a n b | 1 x N y", "k a m b | 1 x M y", "k a m n b | 1 x M N y"),
        ("k a n b | 1 x N y", "k a n b | 1 x N y", "k a n b | 1 x N y"),
        ("k a n b | 1 x N y", "k a b n | 1 x y .", "k a n b | 1 x N y"),
        ("k b | 1 y", "k a b | 1 x Y", "k b | 1 Y"),
        ("k b | 1 y", "k a | 1 x", "k | 1"),
        ("k b | 1 y", "k a b | 1 x y | 2 . z", "k b | 1 y | 2 z"),
        ("k a b n | 1 x y N", "k a b | 1 x y | 2 p q", "k a b n | 1 x y N | 2 p q ."),
        ("b k a | y 1 x", "k a b | 1 x Y", "b k a | Y 1 x"),
        ("k a b | 1 x Y", "b k a | y 1 x", "b k a | Y 1 x"),
    ],
)
def test_columns_are_merged_too(ours: str, theirs: str, merged: str) -> None:
    done = merge("k a b | 1 x y", ours, theirs)
    assert shown(done) == merged
    assert done.conflicts == ()


def test_a_value_in_a_new_column_keeps_a_record_that_the_other_side_removed() -> None:
    done = merge("k a b | 1 x y", "k a b", "k a b n | 1 x y N")
    assert done.rows == (["1", "x", "y", f"<<<<<<< {REMOVED} ======= N >>>>>>>"],)
    done = merge("k a b | 1 x y", "k a b", "k a b n | 1 x y .")
    assert done.rows == ()


@pytest.mark.parametrize(
    ("ours", "theirs", "why"),
    [
        ("k b | 1 y", "k a b | 1 X y", "removed the column a, the other changed it"),
        ("k a b | 1 x y | 2 p q", "k b | 1 y", "removed the column a, the other changed it"),
        ("k a a | 1 x y", "k a b | 1 x y", "two columns have one name"),
        ("k a b | 1 x y | 1 p q", "k a b | 1 x y", "two records have the key 1"),
        ("a b | x y", "k a b | 1 x y", "a column of the primary key is missing"),
    ],
)
def test_what_cannot_be_merged_by_cell_says_why(ours: str, theirs: str, why: str) -> None:
    with pytest.raises(Unmergeable, match=why):
        merge("k a b | 1 x y", ours, theirs)


def test_without_a_primary_key_no_record_is_found_again() -> None:
    with pytest.raises(Unmergeable, match="no primary key"):
        merge_tables(resource({"fields": []}), table(BASE), table(BASE), table(BASE))


def test_a_key_column_of_another_label_is_not_the_same_column() -> None:
    ours = Version([" k", "a"], [["1", "x"]])
    with pytest.raises(Unmergeable, match="not called the same"):
        merge_tables(resource(), table("k a | 1 x"), ours, table("k a | 1 x | 2 y"))


WORDS = st.sampled_from(["", "x", "y", "1.20", "1.2", "a\nb", "<<<<<<< a"])
COLUMNS = ["a", "b", "c"]


@st.composite
def versions(draw: st.DrawFn) -> Version:
    columns = draw(st.lists(st.sampled_from(COLUMNS), unique=True))
    labels = draw(st.permutations(["k", *columns]))
    keys = draw(st.lists(st.integers(0, 12).map(str), unique=True, max_size=6))
    rows = [[key if label == "k" else draw(WORDS) for label in labels] for key in keys]
    return Version(labels, rows)


def records(version: Version | Merged) -> dict[str, dict[str, str]]:
    rows = (dict(zip(version.labels, row, strict=True)) for row in version.rows)
    return {row["k"]: row for row in rows}


def same(merged: Merged, version: Version) -> bool:
    return (list(merged.labels), list(map(list, merged.rows)), merged.conflicts) == (
        list(version.labels),
        list(map(list, version.rows)),
        (),
    )


@settings(max_examples=300, deadline=None)
@given(versions(), versions())
def test_a_side_that_changed_nothing_has_no_say(base: Version, side: Version) -> None:
    assert same(merge_tables(resource(), base, side, base), side)
    assert same(merge_tables(resource(), base, base, side), side)
    assert same(merge_tables(resource(), base, side, side), side)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_edits_of_other_cells_never_conflict_and_are_both_there(data: st.DataObject) -> None:
    base = data.draw(versions())
    places = [(r, c) for r in range(len(base.rows)) for c in range(len(base.labels))]
    places = [(r, c) for r, c in places if base.labels[c] != "k"]
    edited = data.draw(st.lists(st.sampled_from(places), unique=True)) if places else []
    ours, theirs = ([list(row) for row in base.rows] for _ in range(2))
    for number, (row, column) in enumerate(edited):
        (ours if number % 2 else theirs)[row][column] = f"new {number}"
    for rows, names in ((ours, "20 21"), (theirs, "30")):
        for key in names.split():
            at = data.draw(st.integers(0, len(rows)))
            rows.insert(at, [key if label == "k" else "added" for label in base.labels])
    done = merge_tables(resource(), base, Version(base.labels, ours), Version(base.labels, theirs))
    assert done.conflicts == ()
    found = records(done)
    for number, (row, column) in enumerate(edited):
        key = base.rows[row][list(base.labels).index("k")]
        assert found[key][base.labels[column]] == f"new {number}"
    assert set(found) == {*records(base), "20", "21", "30"}


@settings(max_examples=500, deadline=None)
@given(versions(), versions(), versions())
def test_no_record_and_no_cell_is_lost(base: Version, ours: Version, theirs: Version) -> None:
    try:
        done = merge_tables(resource(), base, ours, theirs)
    except Unmergeable:
        return
    old, our, their = map(records, (base, ours, theirs))
    found = records(done)
    assert len(found) == len(done.rows)
    renamed = {text for c in done.conflicts if c.column == "k" for text in (c.ours, c.theirs)}
    for text in renamed - {None}:
        assert any(f" {text} " in key for key in found)
    for key in {**old, **our, **their}:
        if key in renamed:  # stands in the conflict of the key
            continue
        sides: Sequence[dict[str, str]] = [s[key] for s in (our, their) if key in s]
        if key not in found:
            # Removed by one side, and as it was on the other.
            assert key in old
            assert len(sides) < 2
            for side in sides:
                assert all(side[c] == old[key].get(c, "") for c in side)
            continue
        for column, cell in found[key].items():
            texts = [side[column] for side in sides if column in side]
            marked = [f"<<<<<<< {t} ======= " in cell or f" ======= {t} >>" in cell for t in texts]
            was = old.get(key, {}).get(column, "")
            for text, told in zip(texts, marked, strict=True):
                assert text in (cell, was) or told
        for side in sides:
            for column in set(side) - set(found[key]):  # removed by the other side
                assert side[column] == old.get(key, {}).get(column, "")
