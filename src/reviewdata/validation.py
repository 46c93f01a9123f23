"""A validation: the stages in their order, their findings folded, graded and waived."""

from __future__ import annotations

import datetime as dt
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from reviewdata.cache import open_cache
from reviewdata.model import (
    LEVELS,
    STAGES,
    Finding,
    Review,
    ReviewdataError,
    Run,
    Stage,
    StageResult,
    TableRead,
    Validation,
)
from reviewdata.package import Package, open_package
from reviewdata.rules import make_finding, nearest, relevel
from reviewdata.stages.broken import tell_broken
from reviewdata.stages.dataset import start_suites
from reviewdata.waivers import apply_waivers, read_waivers

if TYPE_CHECKING:
    from reviewdata.tables import Tables, TableSieve

Trace = Callable[[str], None]
Step = Callable[[str], None]
Meanwhile = Callable[["Tables"], None]


class Work(NamedTuple):
    """Who is told of what happens while the stages run, and what is done with the tables."""

    trace: Trace
    step: Step
    meanwhile: Meanwhile | None


def _say_nothing(_: str) -> None: ...


def validate(
    project: Path | str = ".",
    *,
    stages: Sequence[str] = (),
    select: Sequence[str] = (),
    today: dt.date | None = None,
    trace: Trace | None = None,
    step: Step | None = None,
    meanwhile: Meanwhile | None = None,
    kept: bool = True,
) -> Validation:
    """Run the stages (all, or those given) and return what they found.

    `select` keeps only the rules whose codes start with one of the given texts; a rule that
    broke is always kept. `trace` gets the traceback of a stage that breaks, and which engine
    judged each table; `step` is told in a few words what is done next. `meanwhile` is called
    with the loaded tables after the stages that read them, while the suites may still run.
    Where `kept`, what a stage found before is not found anew (see `cache`). Raises
    ReviewdataError for an unknown stage or code, and where the descriptor, the review's
    rules.toml or its waivers.toml cannot be read.
    """
    wanted = _stages(stages)
    package = open_package(project)
    _check_codes(package, select)
    waivers = read_waivers(package.root)
    work = Work(trace or _say_nothing, step or _say_nothing, meanwhile)
    results, read = _find_results(package, project, wanted, work, kept=kept)
    runs = [run for result in results for run in result.runs]
    findings = _fold([finding for result in results for finding in result.findings])
    if select:
        runs = [r for r in runs if r.code.startswith(tuple(select)) or r.status == "broken"]
        if not runs:
            codes, where = " or ".join(select), " or ".join(wanted)
            raise ReviewdataError(f"no rule of {where} has a code that starts with {codes}")
        findings = [f for f in findings if f.code.startswith((*select, "RD901"))]
    findings = [relevel(finding, package.config.levels) for finding in findings]
    for run, finding in _tell_unread(package, read, findings):
        runs.append(run)
        findings.append(finding)
    judged = frozenset(run.code for run in runs if run.status in ("pass", "fail"))
    waived = apply_waivers(package, findings, waivers, today or dt.date.today(), judged=judged)
    claims = tuple(claim for result in results for claim in result.claims)
    runs.sort(key=lambda run: (*STAGES, "run").index(run.stage))
    texts = {k: v for k, v in package.descriptor.items() if isinstance(v, str)}
    name = texts.get("name", "")
    review = Review(name, texts.get("title") or name, texts.get("version", ""), "")
    return Validation(
        tuple(runs),
        sort_findings(waived),
        claims,
        rules=package.rules,
        waivers=waivers,
        review=review,
        tables=tuple(read),
    )


def sort_findings(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings in the order in which they are shown: gravest first, then by rule."""
    return tuple(sorted(findings, key=_order))


def _tell_unread(
    package: Package, read: Sequence[TableRead], findings: Sequence[Finding]
) -> Iterator[tuple[Run, Finding]]:
    """Yield the tables that nothing judged and no error tells of: what holds is not known."""
    told = {finding.table for finding in findings if finding.level == "error"}
    for table in read:
        if table.why is not None and table.table not in told:
            place = {"table": table.table, "path": package.resources[table.table].path or None}
            subject = f"what asks for the table {table.table}"
            yield tell_broken(package, "run", "RD901", subject, table.why, **place)


def _stages(names: Sequence[str]) -> list[Stage]:
    for name in names:
        if name not in STAGES:
            raise ReviewdataError(f"there is no stage {name}; {nearest(name, list(STAGES))}")
    return [stage for stage in STAGES if not names or stage in names]


def _check_codes(package: Package, select: Sequence[str]) -> None:
    for code in select:
        if not any(known.startswith(code) for known in package.rules):
            raise ReviewdataError(f"no rule has a code that starts with {code or 'nothing'}")


def _find_results(
    package: Package,
    project: Path | str,
    wanted: Sequence[Stage],
    work: Work,
    *,
    kept: bool,
) -> tuple[list[StageResult], Sequence[TableRead]]:
    """Return what each stage finds, or found before, and how much of each table was read."""
    cache = open_cache(package) if kept else None
    if cache is None:
        return _run_stages(package, project, wanted, work)
    known = {stage: cache.find_result(stage) for stage in wanted}
    results = {stage: result for stage, result in known.items() if result is not None}
    for stage in results:
        work.trace(f"the stage {stage} is as it was found before; --no-cache finds it anew")
    known_tables = cache.find_tables()
    read: Sequence[TableRead] = known_tables or ()
    missing = [stage for stage in wanted if stage not in results]
    if missing or known_tables is None or work.meanwhile is not None:
        found, read = _run_stages(package, project, missing, work)
        made = dict(zip(_order_run(missing), found, strict=True))
        cache.keep(made, read)
        results |= made
    return [results[stage] for stage in _order_run(wanted)], read


def _order_run(stages: Sequence[Stage]) -> list[Stage]:
    """Return stages in the order of their results: the suites, which run meanwhile, come last."""
    return sorted(stages, key=lambda stage: stage == "dataset")


def _run_stages(
    package: Package, project: Path | str, wanted: Sequence[Stage], work: Work
) -> tuple[list[StageResult], Sequence[TableRead]]:
    """Run each stage on the loaded tables; the suites run meanwhile in a process of their own.

    Returns what the stages found, and how much of each table was read.
    """
    suites = start_suites(package, project) if "dataset" in wanted else None
    try:
        from reviewdata.tables import load_tables  # DuckDB: imported while the suites start

        sieve = _find_sieve(wanted, work.meanwhile)
        with load_tables(package, sieve=sieve, step=work.step) as tables:
            tables.tell = work.trace
            results = []
            for stage in wanted:
                if stage != "dataset":
                    work.step(f"checking {stage}")
                    results.append(_run_stage(stage, tables, work.trace))
            if work.meanwhile is not None:
                work.step("running queries")
                work.meanwhile(tables)
            read = [_describe_read(package, tables, name) for name in package.resources]
        if suites is not None:
            work.step("checking dataset")
            results.append(suites.collect())
    finally:
        if suites is not None:
            suites.stop()
    return results, read


def _find_sieve(wanted: Sequence[Stage], meanwhile: Meanwhile | None) -> TableSieve | None:
    """Return what leaves few records to be loaded, where the structure is all that is asked."""
    if meanwhile is not None or not set(wanted) <= {"package", "structure"}:
        return None
    from reviewdata.stages.engines import sieve

    return sieve


def _describe_read(package: Package, tables: Tables, name: str) -> TableRead:
    loaded = tables.loaded.get(name)
    if loaded is None:
        return TableRead(name, None, None, _why_unread(package, tables, name))
    return TableRead(name, loaded.records, loaded.refused)


def _why_unread(package: Package, tables: Tables, name: str) -> str:
    refusal = tables.refusals.get(name)
    if refusal is not None:
        return make_finding(package.rules[refusal.code], refusal.values).message
    told = [finding.message for finding in package.findings if finding.table == name]
    return told[0] if told else "it has no file"


def _run_stage(stage: Stage, tables: Tables, trace: Trace) -> StageResult:
    """Run one stage; its module is imported only here, since some take a second to import."""
    check: Callable[[Tables], StageResult] = import_module(f"reviewdata.stages.{stage}").check
    try:
        return check(tables)
    except Exception as error:  # the runner of rules: a stage that breaks is told
        trace(traceback.format_exc())
        why = f"{type(error).__name__}: {' '.join(str(error).split())}"[:500]
        run, finding = tell_broken(tables.package, stage, "RD901", f"the stage {stage}", why)
        return StageResult((run,), (finding,))


def _fold(findings: Sequence[Finding]) -> list[Finding]:
    """Drop what pandera says of a cell that the structure stage has told already.

    What two statistics of a table say of one cell in the same words is said once.
    """
    told = {(f.table, f.row, f.field) for f in findings if f.code.startswith("RD1")}
    once: dict[tuple[object, ...], Finding] = {}
    for finding in findings:
        place = (finding.table, finding.row, finding.field)
        if finding.code == "RD200" and place in told:
            continue
        said: tuple[object, ...] = (finding.code, finding.level, finding.path, *place)
        said = (*said, finding.line, finding.message)
        if finding.row is None:
            said = (*said, len(once))
        elif said in once:
            finding = replace(finding, reads=(*once[said].reads, *finding.reads))
        once[said] = finding
    return list(once.values())


def _order(finding: Finding) -> tuple[int, str, str, int, str]:
    """Gravest first, then by rule, and within a rule by place."""
    place = (finding.path or "", finding.line or 0, finding.field or "")
    return (LEVELS.index(finding.level), finding.code, *place)
