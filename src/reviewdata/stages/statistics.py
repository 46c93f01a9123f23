"""The rules on declared statistics, run chunk by chunk, their failures taken from pandera.

The arithmetic stands in `plausibility`; here is what surrounds it: which checks a statistic
gets, which rows they judged, and findings with the printed numbers in their messages.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
import pandas as pd
import pandera.pandas as pa
from numpy.typing import NDArray
from pandera.errors import SchemaErrors

from reviewdata.columns import quote_name
from reviewdata.model import Level, Origin, Read, ReviewdataError
from reviewdata.package import Resource
from reviewdata.places import Place, find_places
from reviewdata.plausibility.checks import CHECKS
from reviewdata.plausibility.columns import LEVEL_NAMES, SILENT, Check, Columns, Outcome
from reviewdata.rules import make_finding
from reviewdata.stages.tally import Tally
from reviewdata.statistics import KINDS, Statistic, bind_statistics
from reviewdata.tables import Tables

WORKERS = 2
"""Threads that judge chunks, and chunks that are read ahead."""

UNREADABLE = "with a value that cannot be read"
LACKING = "without the values it needs"


@dataclass(frozen=True)
class Hit:
    """One row that a check found: how grave, for which reason, and what its message names."""

    check: Check
    row: int
    level: int
    reason: str | None
    facts: Mapping[str, str]
    roles: frozenset[str]


@dataclass(frozen=True)
class Chunk:
    """What the checks found in some records.

    `rows` are the numbers of those that could be read, `unread` counts the others; `judged`
    has for each check how many it judged, and its outcome where it found something; `read` the
    roles that it read.
    """

    rows: NDArray[np.int64]
    unread: int
    judged: Mapping[Check, tuple[int, Outcome | None]]
    read: Mapping[Check, frozenset[str]]


def check_statistics(tables: Tables, resource: Resource, tallies: Mapping[str, Tally]) -> None:
    """Run every check on every statistic that a table declares, into the tallies by code."""
    for statistic in bind_statistics(tables.package, resource):
        if isinstance(statistic, Statistic):  # the package stage tells of the others
            _check(tables, statistic, tallies)


def applicable(statistic: Statistic) -> list[Check]:
    """Return the checks whose roles a statistic binds."""
    bound = statistic.bindings.keys()
    return [
        check
        for check in CHECKS
        if check.kind == statistic.kind and check.role in bound and bound >= set(check.needs)
    ]


def _check(tables: Tables, statistic: Statistic, tallies: Mapping[str, Tally]) -> None:
    checks = applicable(statistic)
    if not checks:
        return
    hits: list[Hit] = []
    try:
        for chunk in _judge_chunks(tables.frames(statistic.sql), statistic, checks):
            hits += _count(chunk, tallies)
        _collect(tables, statistic, hits, tallies)
    except ReviewdataError as error:  # the `where` of the declaration is the review's SQL
        for check in checks:
            broken = f"statistic {statistic.number} of {statistic.table}: {error}"
            tallies[check.code].broken = broken


def _judge_chunks(
    frames: Iterator[pd.DataFrame], statistic: Statistic, checks: Sequence[Check]
) -> Iterator[Chunk]:
    """Yield what the checks found in each chunk, in order, some chunks ahead.

    NumPy gives the interpreter free while it computes, so two threads use two cores; the number
    of chunks in flight is bounded, and so is memory.
    """
    with ThreadPoolExecutor(WORKERS) as pool:
        ahead: deque[Future[Chunk]] = deque()
        for frame in frames:
            ahead.append(pool.submit(_judge, frame, statistic, checks))
            if len(ahead) > WORKERS:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _judge(frame: pd.DataFrame, statistic: Statistic, checks: Sequence[Check]) -> Chunk:
    unread = frame["_unreadable"].to_numpy(dtype=bool)
    if unread.any():
        frame = frame.loc[~unread]
    arrays = {str(name): frame[name].to_numpy() for name in frame.columns}
    columns = Columns(len(frame), arrays, KINDS[statistic.kind].words)
    judged, read = {}, {}
    for check in checks:
        columns.read.clear()
        outcome = check.run(columns)
        read[check] = frozenset(columns.read)
        # What a check computed is kept only where it found something.
        judged[check] = int(outcome.judged.sum()), outcome if outcome.levels.any() else None
    return Chunk(arrays["_row"], int(unread.sum()), judged, read)


def _count(chunk: Chunk, tallies: Mapping[str, Tally]) -> Iterator[Hit]:
    """Count what each check judged in a chunk, and yield what it found, as far as it is listed."""
    for check, (judged, outcome) in chunk.judged.items():
        tally = tallies[check.code]
        tally.judged += judged
        tally.skipped[LACKING] += len(chunk.rows) - judged
        tally.skipped[UNREADABLE] += chunk.unread
        if outcome is None:
            continue
        failing = _failing(check.code, outcome.levels)
        for level in np.unique(outcome.levels[failing]):
            positions = failing[outcome.levels[failing] == level]
            for position in positions[: tally.admit(len(positions), int(level))]:
                yield Hit(
                    check,
                    int(chunk.rows[position]),
                    int(level),
                    outcome.reason(position),
                    {name: number_text(values[position]) for name, values in outcome.facts.items()},
                    chunk.read[check],
                )


def _failing(code: str, levels: NDArray[np.int8]) -> NDArray[np.int64]:
    """Return the positions of the failing rows, as pandera's failure cases say.

    The outcome is one column with the check that it is silent; a chunk in which nothing
    fails is not handed over, since pandera's verdict on it is known.
    """
    schema = pa.DataFrameSchema({code: pa.Column("int8", pa.Check.eq(SILENT, name=code))})
    try:
        schema.validate(pd.DataFrame({code: levels}), lazy=True)
    except SchemaErrors as errors:
        cases = errors.schema_errors[0].failure_cases
        return np.sort(np.asarray(cases["index"].to_numpy(), dtype=np.int64))
    return np.empty(0, dtype=np.int64)


def _collect(
    tables: Tables, statistic: Statistic, hits: Sequence[Hit], tallies: Mapping[str, Tally]
) -> None:
    if not hits:
        return
    rows = sorted({hit.row for hit in hits})
    places = find_places(tables, statistic.table, rows)
    texts = _printed(tables, statistic, rows)
    origin = Origin("pandera", version("pandera"))
    for hit in hits:
        rule = tables.package.rules[hit.check.code]
        message = rule.messages.get(hit.reason or "", rule.message)
        level: Level = LEVEL_NAMES[hit.level]
        values = {**_absent(statistic), **texts[hit.row], **hit.facts, "role": hit.check.role}
        values["printed"] = values.get(hit.check.role, "")
        place = places[hit.row].at(statistic.field(hit.check.role))
        place["reads"] = _reads(statistic, places[hit.row], hit.roles)
        if place["field"] is None:
            place["value"] = values["printed"] or None
        tallies[hit.check.code].findings.append(
            make_finding(rule, values, origin=origin, level=level, message=message, **place)
        )


def _reads(statistic: Statistic, place: Place, roles: Collection[str]) -> tuple[Read, ...]:
    """Return the cells that a check read: those of the roles that it asked for."""
    reads = []
    for role, binding in statistic.bindings.items():
        if binding.cell is None or role not in roles:
            continue
        own = binding.cell.field or binding.given.split(".")[0]
        reads.append(Read(place.table, place.row, own))
        if binding.cell.field is None:
            owner = binding.cell.owner.name
            # Behind one key, the record that it names; behind several, all of the column.
            named = (place.cells.get(own, ""),) if binding.given.count(".") == 1 else ()
            # All of the record that it names: another label in it is another record.
            field = None if named else binding.cell.column
            reads.append(Read(owner, field=field, naming=named))
    words = re.findall(r"\w+", statistic.where or "")
    reads += [Read(place.table, place.row, name) for name in place.numbers if name in words]
    if any(role.startswith("peers_") for role in roles):
        sd = statistic.field("sd")
        reads += [Read(place.table, field=sd), Read(place.table, field=statistic.field("group"))]
    return tuple(dict.fromkeys(reads))


def _absent(statistic: Statistic) -> dict[str, str]:
    """Return a blank for each role that a message may name and the statistic does not bind."""
    return dict.fromkeys(KINDS[statistic.kind].roles, "") | {"operator": "=", "dfs": ""}


def _printed(
    tables: Tables, statistic: Statistic, rows: Sequence[int]
) -> dict[int, dict[str, str]]:
    """Return the printed text of each role for some rows, with what messages make of them."""
    columns = [f"{b.text} AS {quote_name(role)}" for role, b in statistic.bindings.items()]
    found = tables.fetch(
        f"SELECT * FROM (SELECT t._row AS _row, {', '.join(columns)} {statistic.source})"
        f" WHERE _row IN (SELECT unnest({list(rows)}))"
    )
    texts = {}
    for row, *printed in found:
        pairs = zip(statistic.bindings, printed, strict=True)
        values = {role: str(text) for role, text in pairs if text is not None}
        values |= {"operator": values["p_operator"]} if values.get("p_operator") else {}
        dfs = [values[r] for r in ("df1", "df2", "df") if values.get(r)]
        texts[row] = values | ({"dfs": f"({', '.join(dfs)})"} if dfs else {})
    return texts


def number_text(value: float) -> str:
    """Return a computed number for a message: three digits, whole thousands whole."""
    return f"{value:.0f}" if 1000 <= abs(value) < 1e15 else f"{value:.3g}"
