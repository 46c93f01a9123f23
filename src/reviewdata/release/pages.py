"""The blocks of a codebook as a page: Markdown, and HTML that needs nothing but itself."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

from reviewdata.release.codebook import Block, Heading, Listing, Paragraph
from reviewdata.render.values import plain

_MARKS = re.compile(r"([\\`*_{}\[\]<>#|~$&])")
_FIRST = re.compile(r"^(\s*)([-+=]|\d+[.)])")

_STYLE = """\
body{font:1rem/1.5 system-ui,sans-serif;max-width:75rem;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse;margin:1rem 0;font-size:.9rem}
th,td{border-bottom:1px solid #ccc;padding:.25rem .6rem;text-align:left;vertical-align:top}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
.wide{overflow-x:auto}
"""


def write_markdown(blocks: Iterable[Block]) -> str:
    """Return a codebook as Markdown in which every text is text."""
    parts = []
    for block in blocks:
        match block:
            case Heading(level, text):
                parts.append(f"{'#' * level} {_marked(text)}")
            case Paragraph(text):
                parts.append(_FIRST.sub(r"\1\\\2", _marked(text)))
            case Listing(header, rows, numbers):
                rule = ["---:" if name in numbers else "---" for name in header]
                lines = [list(header), rule, *([_marked(cell) for cell in row] for row in rows)]
                parts.append("\n".join(f"| {' | '.join(line)} |" for line in lines))
    return "\n\n".join(parts) + "\n"


def write_html(blocks: Iterable[Block], title: str) -> str:
    """Return a codebook as one HTML page without scripts and without anything from outside."""
    parts = [
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{_escaped(title)}</title>\n<style>\n{_STYLE}</style>\n</head>\n<body>\n<main>",
    ]
    for block in blocks:
        match block:
            case Heading(level, text):
                parts.append(f"<h{level}>{_escaped(text)}</h{level}>")
            case Paragraph(text):
                parts.append(f"<p>{_escaped(text)}</p>")
            case Listing():
                parts.append(_html_table(block))
    parts.append("</main>\n</body>\n</html>\n")
    return "\n".join(parts)


def _html_table(listing: Listing) -> str:
    right = [' class="n"' if name in listing.numbers else "" for name in listing.header]

    def line(tag: str, cells: Iterable[str]) -> str:
        scope = ' scope="col"' if tag == "th" else ""
        filled = (
            f"<{tag}{scope}{side}>{_escaped(cell)}</{tag}>"
            for side, cell in zip(right, cells, strict=True)
        )
        return f"<tr>{''.join(filled)}</tr>"

    head = line("th", listing.header)
    rows = "\n".join(line("td", row) for row in listing.rows)
    return (
        f'<div class="wide"><table>\n<thead>{head}</thead>\n'
        f"<tbody>\n{rows}\n</tbody>\n</table></div>"
    )


def _marked(text: str) -> str:
    return _MARKS.sub(r"\\\1", plain(text))


def _escaped(text: str) -> str:
    return escape(plain(text))
