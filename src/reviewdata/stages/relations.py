"""The relations stage: rules across rows and tables, as SQL that returns the rows at fault.

Those of the framework stand in `across`, those of the review in files. Each
`validations/relations/*.sql` starts with `-- code: CODE`; the words stand under the code in
rules.toml. Its SELECT returns the primary key of the records at fault, of the rule's table, and
the columns that the message names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.metadata import version

from reviewdata.across.question import Question
from reviewdata.across.rules import RULES
from reviewdata.columns import quote_name
from reviewdata.model import (
    LEVELS,
    NOT_DECLARED,
    Finding,
    Origin,
    Read,
    ReviewdataError,
    Run,
    StageResult,
    tell_cut,
)
from reviewdata.places import Place, find_places
from reviewdata.queries import run_sql
from reviewdata.rules import make_finding
from reviewdata.stages.broken import tell_broken
from reviewdata.stages.tally import LIMIT
from reviewdata.tables import Tables

FOLDER = "validations/relations"
_CODE = re.compile(r"--\s*code:\s*(\w+)")


def check(tables: Tables) -> StageResult:
    """Return what each relation rule of the review finds."""
    runs: list[Run] = []
    findings: list[Finding] = []
    for code, ask in RULES.items():
        run, found = _ask(tables, code, list(ask(tables)))
        runs.append(run)
        findings += found
    for path in sorted((tables.package.root / FOLDER).glob("*.sql")):
        subject = f"{FOLDER}/{path.name}"
        code = "RD901"
        try:
            sql = path.read_text("utf-8")
            code = _read_code(sql, tables)
            unread = tables.unread(sql)
            if unread:
                why = f"the table {unread[0]} could not be read"
                runs.append(Run("relations", code, "skipped", why))
                continue
            found, rows = _run(tables, code, sql)
        except (ReviewdataError, UnicodeDecodeError) as error:
            run, finding = tell_broken(
                tables.package, "relations", code, subject, str(error), path=subject
            )
            runs.append(run)
            findings.append(finding)
        else:
            findings += found
            runs.append(Run("relations", code, "fail" if found else "pass", None, rows))
    declared = set(tables.package.rules_of("relations"))
    for code in sorted(declared - {run.code for run in runs}):
        why = f"no file of {FOLDER} has `-- code: {code}`"
        run, finding = tell_broken(tables.package, "relations", code, f"the rule {code}", why)
        runs.append(run)
        findings.append(finding)
    return StageResult(tuple(runs), tuple(findings))


def _ask(tables: Tables, code: str, questions: Sequence[Question]) -> tuple[Run, list[Finding]]:
    """Return how a rule of the framework ended, over all tables that it asks."""
    rule, origin = tables.package.rules[code], Origin("duckdb", version("duckdb"))
    findings: list[Finding] = []
    judged, found = 0, 0
    for question in questions:
        try:
            columns, rows = tables.select(question.sql)
        except ReviewdataError as error:  # the `where` of a declaration is the review's SQL
            subject = f"the rule {code} on {question.table}"
            run, finding = tell_broken(tables.package, "relations", code, subject, str(error))
            return run, [*findings, finding]
        judged += tables.count(question.table)
        found += len(rows)
        names = [name for name, _ in columns]
        if "level" in names:  # an error is not cut for the sake of a note
            at = names.index("level")
            rows.sort(key=lambda row: LEVELS.index(row[at] or rule.level))
        listed = rows[: max(LIMIT - len(findings), 0)]
        places = find_places(tables, question.table, [row[0] for row in listed])
        for row in listed:
            record = dict(zip(names, row, strict=True))
            message = rule.messages.get(record.get("reason") or "", rule.message)
            findings.append(
                make_finding(
                    rule,
                    record,
                    origin=origin,
                    level=record.get("level"),
                    message=message,
                    reads=_reads(tables, question.sql, places[record["_row"]]),
                    **places[record["_row"]].at(question.field),
                )
            )
    why = None if found <= LIMIT else tell_cut(found, LIMIT)
    if not questions:
        return Run("relations", code, "skipped", NOT_DECLARED, 0), []
    return Run("relations", code, "fail" if found else "pass", why, judged), findings


def _read_code(sql: str, tables: Tables) -> str:
    match = _CODE.match(sql)
    if match is None:
        raise ReviewdataError("the first line is not `-- code: CODE`")
    rule = tables.package.rules.get(match[1])
    if rule is None or rule.stage != "relations":
        raise ReviewdataError(f"{match[1]} is no rule of stage relations in rules.toml")
    if rule.table not in tables.package.resources:
        raise ReviewdataError(f"the rule {match[1]} names no table of this package")
    return match[1]


def _run(tables: Tables, code: str, sql: str) -> tuple[list[Finding], int]:
    rule = tables.package.rules[code]
    table = str(rule.table)
    result = run_sql(tables, sql)
    records = result.records()
    origin = Origin("duckdb", version("duckdb"))
    places = _by_key(tables, table, records)
    findings = []
    for record, place in zip(records, places, strict=True):
        where = place.at(rule.column) if place else {"table": table}
        reads = _reads(tables, sql, place)
        findings.append(make_finding(rule, record, origin=origin, reads=reads, **where))
    return findings, tables.count(table)


def _reads(tables: Tables, sql: str, place: Place | None) -> tuple[Read, ...]:
    """Return what a statement read to name a record: that, and others that name one of its keys.

    Without a record it is all of the tables that the statement names.
    """
    named = tables.named(sql)
    read = [name for name in tables.columns if name.lower() in named]
    if place is None:
        return tuple(Read(name) for name in read)
    resource = tables.package.resources[place.table]
    keys = {*resource.primary_key, *(f for key in resource.foreign_keys for f in key.fields)}
    texts = tuple(sorted({place.cells[name] for name in keys if place.cells.get(name)}))
    own = Read(place.table, place.row)
    return (own, *(Read(name, naming=texts) for name in read)) if texts else (own,)


def _by_key(tables: Tables, table: str, records: list[dict[str, object]]) -> list[Place | None]:
    """Return the place of each returned record, found by the primary key of its table."""
    resource = tables.package.resources[table]
    key = resource.primary_key
    if not records:
        return []
    if not key:
        raise ReviewdataError(f"{table} has no primary key, by which a record could be found")
    for name in key:
        if name not in records[0]:
            raise ReviewdataError(f"the SELECT does not return {name}, the key of {table}")
    listed = ", ".join(quote_name(name) for name in key)
    source = quote_name(table)
    rows = tables.fetch(f"SELECT _row, {listed} FROM cells.{source} ORDER BY _row")
    numbers = {tuple(values): row for row, *values in reversed(rows)}
    wanted = [numbers.get(tuple(record[name] for name in key)) for record in records]
    places = find_places(tables, table, [row for row in wanted if row is not None])
    return [places[row] if row is not None else None for row in wanted]
