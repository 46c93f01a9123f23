"""Patterns: RE2 says what Python says, and no pattern runs without end."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reviewdata.patterns import find_cell_limit, read_as_frictionless, to_re2

TEXTS = [
    *("", "a", "b", "ab", "abc", "a\n", "a\n\n", "\n", "\na", "aab", "S12", "S12\n", "12", "١٢"),
    *("é", "_", " ", "\u00a0", "\x1c", "a b", "a-b", "A", "ß", "二", "½", "a.b", "\U0001f600"),
]


def agree(pattern: str, texts: list[str]) -> None:
    known = read_as_frictionless(pattern)
    translated = to_re2(pattern)
    assert translated is not None
    for text in texts:
        [(found,)] = duckdb.execute("SELECT regexp_matches(?, ?)", [text, translated]).fetchall()
        assert found == bool(known.match(text)), (pattern, text)


@pytest.mark.parametrize(
    "pattern",
    [
        *(
            "S[0-9]+",
            "^S[0-9]+$",
            r"\d+",
            r"\D+",
            r"\w+",
            r"\W",
            r"\s",
            r"\S+",
            r"[\w.-]+",
            r"[^\d]+",
        ),
        *("a|b", "a|b|", "(a|b)+", "(a$|b)", "^(a|ab)(c|bcd)?$", "a{2}b", "a{0,3}", "a*?b", "."),
        *(
            ".*",
            r"a\.b",
            "[^a]",
            "[a-c]+",
            "",
            "é",
            "(?P<x>a)b",
            r"\Aa\Z",
            r"a\Z",
            "a?b?c?",
            r"[\]a]",
        ),
        r"[\S\s]",
        "(a+)+",
    ],
)
def test_a_pattern_allows_the_same_texts_in_both(pattern: str) -> None:
    agree(pattern, TEXTS)


PIECES = st.sampled_from(
    ["a", "b", ".", "[ab]", "[^a]", r"\d", r"\w", r"\s", r"\W", "^", "$", "\n", "é", r"\Z"]
)
TREES = st.recursive(
    PIECES,
    lambda inner: st.one_of(
        st.builds("{}{}".format, inner, inner),
        st.builds("(?:{}|{})".format, inner, inner),
        st.builds("({})*".format, inner),
        st.builds("({}){{1,2}}".format, inner),
        st.builds("{}|{}".format, inner, inner),
    ),
    max_leaves=6,
)


@settings(max_examples=400, deadline=None)
@given(pattern=TREES, texts=st.lists(st.text("ab1_ \né", max_size=5), max_size=4))
def test_any_pattern_that_is_translated_says_the_same(pattern: str, texts: list[str]) -> None:
    if to_re2(pattern) is not None:
        agree(pattern, texts)


@pytest.mark.parametrize(
    "pattern",
    [r"(?=a)a", r"(a)\1", r"\bab", "a$\n", "(?i:a)", "a{2000}", "(?<!b)a", "a++", "(?>a)"],
)
def test_what_re2_does_not_have_is_left_to_python(pattern: str) -> None:
    assert to_re2(pattern) is None


@pytest.mark.parametrize(
    ("pattern", "limit"),
    [
        ("(?=a)a", 10_000),
        ("(?=.*a).+", 1_000),
        (r"(?=.*\d)(?=.*[a-z]).{8,}", 99),
        ("(?=a)(a+)+", None),
        ("(?=a)(a|a)+", None),
        ("(?=(a+)+)a", None),
        ("(?=a)(a?)?", 10_000),
    ],
)
def test_python_tries_texts_up_to_a_length(pattern: str, limit: int | None) -> None:
    assert find_cell_limit(pattern) == limit
