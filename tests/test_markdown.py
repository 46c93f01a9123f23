"""Markdown, held against two readers of it and what GitHub does to the text that they render."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options
from hostile import CELLS, hostile_run
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from synthetic import DIFF, finding, saved_run

from reviewdata.changes import CellChange, RowChange
from reviewdata.model import QueryResult, Run
from reviewdata.render.comment import MARKER, validation_markdown
from reviewdata.render.diff import diff_markdown
from reviewdata.render.markdown import MAX_BYTES, Part, code_text, fitted, markdown_text, raw_lines
from reviewdata.render.results import result_markdown
from reviewdata.render.values import plain, shortened
from reviewdata.saved import SavedRun

NOTHING = "\u200b"


def by_github(text: str) -> str:
    """Return the HTML of GitHub's own reader, with tags of the source left in to be seen."""
    read: str = cmarkgfm.github_flavored_markdown_to_html(text, Options.CMARK_OPT_UNSAFE)
    return read


def by_markdown_it(text: str) -> str:
    """Return the HTML of a second reader, which shares no code with the first."""
    read: str = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(text)
    return read


READERS = {"github": by_github, "markdown-it": by_markdown_it}
Reader = Callable[[str], str]


@dataclass
class Page(HTMLParser):
    """The tags, links and comments of HTML, and its text outside of code, piece by piece."""

    tags: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    cells: list[list[str]] = field(default_factory=list)
    whole: str = ""

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._code = 0
        self._last = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag, its links, and where a row or a cell begins."""
        self.tags.add(tag)
        self._last = tag
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        assert not [name for name, _ in attrs if name.startswith("on")]
        if tag == "tr":
            self.cells.append([])
        if tag in ("td", "th"):
            self.cells[-1].append("")
        self._code += tag in ("pre",)

    def handle_endtag(self, tag: str) -> None:
        """Note where a tag ends, and a piece of text with it."""
        self._last = tag
        self._code -= tag in ("pre",)

    def handle_comment(self, data: str) -> None:
        """Note a comment."""
        self.comments.append(data)
        self._last = "comment"

    def handle_data(self, data: str) -> None:
        """Note text, of its cell and of its piece."""
        self.whole += data
        if self.cells and self.cells[-1]:
            self.cells[-1][-1] += data
        if self._code:
            return
        if self._last or not self.pieces:
            self.pieces.append(data)
        else:
            self.pieces[-1] += data
        self._last = ""


def read(document: str, reader: Reader) -> Page:
    page = Page()
    page.feed(reader(document))
    page.close()
    return page


GITHUB_READS = {
    "a mention": r"(?:^|\W)@[a-z0-9]",
    "an issue": r"#\d|\bGH-\d",
    "a commit": r"(?<![0-9a-z])[0-9a-f]{7,40}(?![0-9a-z])",
    "a link": r"//|\bwww\.|\w@\w",
    "an emoji": r":[\w+-]+:",
    "mathematics": r"\$.*\$",
}
"""What GitHub looks for in the text between two tags of what was rendered."""


def assert_only_text(page: Page, tags: set[str]) -> None:
    assert page.tags <= tags
    assert page.links == []
    for piece in page.pieces:
        for kind, pattern in GITHUB_READS.items():
            assert not re.search(pattern, piece, re.IGNORECASE), (kind, piece)


def shown(text: str) -> str:
    """Return how a cell's text looks on a page: no space at its ends, one elsewhere."""
    return re.sub(r"\s+", " ", text.replace(NOTHING, "")).strip()


TABLE = {"table", "thead", "tbody", "tr", "th", "td", "span"}


def assert_cell_stays_text(cell: str, reader: Reader) -> None:
    result = QueryResult("q", (("a", "VARCHAR"), (cell, "VARCHAR")), ((cell, "x"), ("y", cell)))
    page = read(result_markdown(result), reader)
    assert_only_text(page, TABLE)
    assert page.comments == []
    text = shown(plain(cell))
    assert [[shown(c) for c in row] for row in page.cells] == [
        ["a", text],
        [text, "x"],
        ["y", text],
    ]


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: repr(cell[:20]))
def test_a_hostile_cell_stays_text_in_a_table(cell: str, reader: Reader) -> None:
    assert_cell_stays_text(cell, reader)


MARKS = st.text(st.sampled_from("\\`*_{}[]()<>#+-.!|~&;:/@$%^=\"' \n\tabwx019é\u200b\u202e"))


@settings(deadline=None)
@given(st.one_of(MARKS, st.text(), st.lists(st.sampled_from(CELLS[:57])).map("".join)))
def test_any_cell_stays_text_in_a_table(cell: str) -> None:
    for reader in READERS.values():
        assert_cell_stays_text(cell, reader)


@settings(deadline=None)
@given(st.one_of(MARKS, st.text()))
def test_any_text_stays_text_in_code(text: str) -> None:
    for reader in READERS.values():
        page = read(f"- {code_text(text)}: x", reader)
        assert_only_text(page, {"ul", "li", "code", "span"})
        assert shown("".join(page.pieces)) == shown(f"{plain(shortened(text))}: x")


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: repr(cell[:20]))
def test_a_hostile_text_stays_in_its_block_of_code(cell: str) -> None:
    lines = ["<details>", "", "<pre>", *raw_lines(f"{cell}\n\n{cell}"), "</pre>", "", "after"]
    for reader in READERS.values():
        page = read("\n".join(lines), reader)
        assert page.tags == {"details", "pre", "p"}
        assert page.comments == []
        assert "".join(page.pieces).strip() == "after"
        for line in cell.split("\n"):
            assert plain(line) in page.whole


def test_what_is_harmless_is_not_touched() -> None:
    for text in ("mean 9.20 lies outside 1 to 7", "R&D 5 @ 3", "at 12:30, GH 7", "zz2020-wais"):
        assert NOTHING not in html.unescape(markdown_text(text))
        assert html.unescape(markdown_text(text)) == text


def test_a_commit_is_broken_wherever_its_pieces_could_name_another() -> None:
    pieces = html.unescape(markdown_text("0123456789abcdef0123456789abcdef01234567")).split(NOTHING)
    assert max(map(len, pieces)) < 7


PAGE = TABLE | {"h3", "p", "ul", "li", "strong", "code", "sub", "details", "summary", "pre"}


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: repr(cell[:20]))
def test_a_comment_holds_a_hostile_cell_as_text(cell: str, reader: Reader) -> None:
    run = hostile_run(cell)
    assert run.validation.diff is not None
    document = validation_markdown(run)
    page = read(document, reader)
    assert_only_text(page, PAGE)
    assert page.comments == [" reviewdata:validate "]
    assert document.count(MARKER) == 1
    assert document.count("<details>") == document.count("</details>")
    assert_only_text(read(diff_markdown(run.validation.diff), reader), PAGE)


def test_a_comment_is_short_enough_whatever_the_review_holds() -> None:
    for text in ("$" * 300, "a@b " * 300, "\U0001f468" * 300, "\x00" * 300):
        findings = [finding(key={"measure_id": f"{n} {text}"}, message=text) for n in range(400)]
        row = RowChange("changed", {"id": text}, 1, (CellChange(text, text, text),) * 30)
        table = replace(DIFF.tables[0], changed=500, rows=(row,) * 500)
        diff = replace(DIFF, tables=(table,) * 9, changelog=f"{text}\n" * 900)
        run = saved_run(*findings, since=text, diff=diff, title=text * 90)
        for show_all in (False, True):
            document = validation_markdown(run, show_all=show_all)
            assert 20_000 < len(document.encode()) < MAX_BYTES
            assert document.endswith("</code>.\n")
            page = read(document, by_github)
            assert_only_text(page, PAGE)
            assert document.count("<details>") == document.count("</details>")
            shown = document.count("<sub>RD201</sub>")
            assert f"and {400 - shown} findings more" in document
        assert len(diff_markdown(diff).encode()) < MAX_BYTES


def test_what_has_to_be_opened_is_cut_before_the_findings() -> None:
    first = Part("a", ["x" * 100] * 400, "row", rank=1)
    last = Part("b", ["y" * 100] * 400, "finding", rank=2, folded=False)
    document = fitted([], [last, first], [])
    assert document.count("y" * 100) == 400
    assert "and 300 rows more" in document
    both = [replace(last, rows=["y" * 100] * 4000), first]
    document = fitted(["before"], both, ["after"])
    assert len(document) < MAX_BYTES
    assert "400 rows, left out of this page" in document
    assert "and 3500 findings more" in document
    assert document.startswith("before\n")
    assert document.endswith("after\n")


def test_nothing_found_is_said_in_few_lines() -> None:
    lines = validation_markdown(saved_run(runs=(Run("rows", "RD202", "pass"),))).splitlines()
    assert lines == [
        MARKER,
        "### ✓ Ready",
        "",
        "Review: A synthetic review 0.1.0",
        "",
        "1 rule holds",
        "",
        "Checked with reviewdata 0.0.0.",
    ]


@pytest.mark.parametrize(
    ("run", "says"),
    [
        (saved_run(finding()), "### ✗ 1 error to fix\n"),
        (saved_run(finding(), since="main"), "### ✗ 1 error to fix before merging\n"),
        (saved_run(finding(old=True), since="main"), "### ✓ Ready\n"),
        (saved_run(finding(waived=True)), "### ✓ Ready\n"),
        (saved_run(finding("RD203")), "### ✓ Ready, 1 warning to look at\n"),
        (saved_run(runs=(Run("rows", "RD201", "broken"),)), "### ✗ Could not be checked\n"),
        (saved_run(runs=(Run("rows", "RD201", "broken"),)), "rows RD201 could not be run"),
        (saved_run(finding(old=True), since="a_b"), "already in <code>a\\_b</code>: 1 (not of"),
        (saved_run(finding("RD904", level="note")), "**Not applied: needs a maintainer.**"),
        (saved_run(finding(), folder="examples/x"), "0.1.0 in <code>examples/x</code>"),
    ],
)
def test_the_head_of_a_comment_says_how_it_stands(run: SavedRun, says: str) -> None:
    assert says in validation_markdown(run)


def test_all_lists_waived_and_older_findings_too() -> None:
    run = saved_run(finding(waived=True), finding("RD202", old=True), since="main")
    assert "RD201" not in validation_markdown(run)
    assert "| ✗ error (waived) |" in validation_markdown(run, show_all=True)
    assert "| ✗ error (older) |" in validation_markdown(run, show_all=True)


def test_ignored_codes_are_hidden_and_told() -> None:
    run = saved_run(finding(), finding("RD203"))
    document = validation_markdown(run, ignore=["RD201"])
    assert "1 error to fix" in document
    assert "RD201" not in document
    assert "1 finding not shown; the verdict counts them." in document


def test_what_was_not_applied_stands_above_the_table_and_not_in_it() -> None:
    refused = [finding("RD904", path=f"queries/{n}.sql") for n in range(30)]
    document = validation_markdown(saved_run(finding(), *refused, since="main"))
    assert document.index("queries/0.sql") < document.index("| where |")
    assert "and 5 files more" in document
    assert "<sub>RD904</sub>" not in document
    assert "RD904" not in document
