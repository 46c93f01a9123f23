"""The main job on one screen: verdict, summaries, claims."""

from __future__ import annotations

from reviewdata.model import QueryResult
from reviewdata.project import Overview
from reviewdata.render.claims import claims_text
from reviewdata.render.findings import finding_line, project_hint, stage_line, verdict_line
from reviewdata.render.values import Paint, plain, plural, shown, unpainted

ROWS = 5
"""Rows of a headline summary that are shown; `reviewdata query NAME` gives all."""

FINDINGS = 10
"""Errors and warnings that are shown; `reviewdata validate` gives all."""


def overview_text(overview: Overview, paint: Paint = unpainted) -> str:
    """Return the screen: what is wrong first, then each query's rows, then the claims."""
    descriptor = overview.package.descriptor
    title = plain(descriptor.get("title") or descriptor.get("name") or overview.package.root.name)
    lines = [paint(f"{title} {plain(descriptor.get('version') or '')}".strip(), "bold"), ""]
    lines += _verdict(overview, paint)
    if overview.results:
        lines += ["", paint("Summaries", "bold")]
    for query, result in sorted(overview.results, key=lambda pair: not pair[0].headline):
        head = f"{paint(plain(query.name), 'cyan')}  {plain(query.title)}"
        if isinstance(result, str):
            lines += [head, f"  could not be run: {plain(result)}"]
        elif query.headline or len(result.rows) == 1:
            lines += [head, *(f"  {line}" for line in _rows(result))]
        else:  # one screen: the figures first, the tables on request
            lines.append(f"{head}: {plural(len(result.rows), 'row')}")
    if any(isinstance(r, QueryResult) and not q.headline for q, r in overview.results):
        lines.append(f"all rows of a summary: reviewdata query NAME{project_hint(overview.path)}")
    if overview.validation.claims:
        lines += ["", paint("Published claims", "bold")]
        lines += claims_text(overview.validation.claims, paint).splitlines()
    return "".join(line + "\n" for line in lines)


def _verdict(overview: Overview, paint: Paint) -> list[str]:
    validation = overview.validation
    grave = [f for f in validation.findings if f.level != "note" and f.counts]
    lines = [finding_line(finding, paint) for finding in grave[:FINDINGS]]
    failed = [query.name for query, result in overview.results if isinstance(result, str)]
    lines += [verdict_line(validation, paint, failed=failed), stage_line(validation, paint)]
    command = f"reviewdata validate{project_hint(overview.path, '')}"
    if len(grave) > FINDINGS:
        lines.append(f"{plural(len(grave) - FINDINGS, 'finding')} more: {command}")
    elif validation.findings:
        lines.append(f"what was found and how to mend it: {command}")
    return lines


def _rows(result: QueryResult) -> list[str]:
    """Return one row as `column value` pairs, several as aligned columns."""
    names = [name for name, _ in result.columns]
    texts = [[shown(value) for value in row] for row in result.rows]
    if not texts:
        return ["no rows"]
    if len(texts) == 1:
        pairs = zip(names, texts[0], strict=True)
        return [" | ".join(f"{plain(name)} {text or '-'}" for name, text in pairs)]
    listed = [[plain(name) for name in names], *texts[:ROWS]]
    widths = [max(len(row[number]) for row in listed) for number in range(len(names))]
    lines = [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in listed
    ]
    if len(texts) > ROWS:
        lines.append(f"... and {plural(len(texts) - ROWS, 'row')} more")
    return lines
