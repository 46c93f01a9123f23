"""A row from the command line: its cells as options, or asked for until it may stand."""

from __future__ import annotations

from collections.abc import Sequence

from reviewdata.adding.add import Added, find_table
from reviewdata.adding.questions import ask_row
from reviewdata.adding.records import read_table_file
from reviewdata.asking import ask
from reviewdata.model import ReviewdataError
from reviewdata.project import Project
from reviewdata.render.findings import finding_line
from reviewdata.terminal import talk


def parse_cells(given: Sequence[str]) -> dict[str, str]:
    """Return the cells of `COLUMN=VALUE` texts. Raises ReviewdataError for one that is none."""
    row: dict[str, str] = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise ReviewdataError(f"{text!r} is no cell; write COLUMN=VALUE")
        if name in row:
            raise ReviewdataError(f"{name} is given twice")
        row[name] = value
    return row


def ask_and_add(review: Project, table: str, *, check: bool, force: bool) -> Added:
    """Ask for a row and add it; what an error names is asked for again until it may stand."""
    package = review.package
    records = find_table(package, table)

    def keys(resource: str, column: str) -> list[str]:
        other = read_table_file(package.resources[resource])
        place = other.position.get(column)
        cells = [] if place is None else [s.cells[place] for s in other.sources if s.cells]
        return list(dict.fromkeys(cell for cell in cells if cell))

    talk(f"{table}: a blank answer is a value that was not seen; Ctrl-D stops without a row.")
    row = ask_row(package, records, ask, keys=keys)
    while True:
        done = review.add(table, row, check=check, force=force)
        wrong = [f for f in done.validation.findings if f.level == "error" and f.counts]
        again = {f.field for f in wrong if f.table == table and f.field in records.position}
        if not again or done.written:
            return done
        for finding in wrong:
            talk(finding_line(finding))
        row = ask_row(package, records, ask, only=[str(n) for n in again], known=row, keys=keys)
