"""A validation: the stages in their order, their findings folded, graded and waived."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from reviewdata.model import (
    STAGES,
    Claim,
    Finding,
    ReviewdataError,
    Run,
    Stage,
    StageResult,
    Validation,
)
from reviewdata.package import Package, open_package
from reviewdata.rules import make_finding, relevel
from reviewdata.tables import Tables, load_tables
from reviewdata.waivers import apply_waivers, read_waivers


def validate(
    project: Path | str = ".",
    *,
    stages: Sequence[Stage] = (),
    select: Sequence[str] = (),
    today: dt.date | None = None,
    trace: Callable[[str], None] | None = None,
) -> tuple[Validation, tuple[Claim, ...]]:
    """Run the stages (all, or those given) and return the validation and the claims.

    `select` keeps only the rules whose codes start with one of the given texts. `trace` gets
    the traceback of a stage that breaks. Raises ReviewdataError where there is no package
    that can be read.
    """
    root = _root(project)
    wanted = [stage for stage in STAGES if not stages or stage in stages]
    process = _start(root) if "dataset" in wanted else None
    try:
        package = open_package(project)
        results, claims = _run(package, wanted, process, trace)
    finally:
        if process is not None and process.poll() is None:
            process.kill()
            process.wait()
    runs = [run for result in results for run in result.runs]
    findings = _fold([finding for result in results for finding in result.findings])
    if select:
        known = (*package.rules,)
        for code in select:
            if not any(rule.startswith(code) for rule in known):
                raise ReviewdataError(f"--select {code}: no rule has a code that starts so")
        runs = [run for run in runs if run.code.startswith(tuple(select)) or run.status == "broken"]
        kept = (*select, "RD901")
        findings = [finding for finding in findings if finding.code.startswith(kept)]
    findings = [relevel(finding, package.config.levels) for finding in findings]
    try:
        waivers = read_waivers(package.root)
    except ReviewdataError as error:
        waivers = ()
        findings.append(_broken(package, "the waivers", str(error)))
        runs.append(Run("run", "RD901", "broken", str(error)))
    judged = frozenset(run.code for run in runs if run.status in ("pass", "fail"))
    waived = apply_waivers(
        package, findings, waivers, today or dt.date.today(), judged=judged
    )
    return Validation(tuple(runs), tuple(sorted(waived, key=_order(package)))), claims


def _run(
    package: Package,
    wanted: Sequence[Stage],
    process: subprocess.Popen[bytes] | None,
    trace: Callable[[str], None] | None,
) -> tuple[list[StageResult], tuple[Claim, ...]]:
    results: list[StageResult] = []
    claims: tuple[Claim, ...] = ()

    def claims_stage(tables: Tables) -> StageResult:
        nonlocal claims
        from reviewdata.stages.claims import check_claims_stage

        result, claims = check_claims_stage(tables)
        return result

    def package_stage(_: Tables) -> StageResult:
        from reviewdata.stages.package import check_package

        return check_package(package)

    def structure_stage(tables: Tables) -> StageResult:
        from reviewdata.stages.structure import check_structure

        return check_structure(tables)

    def rows_stage(tables: Tables) -> StageResult:
        from reviewdata.stages.rows import check_rows

        return check_rows(tables)

    def relations_stage(tables: Tables) -> StageResult:
        from reviewdata.stages.relations import check_relations

        return check_relations(tables)

    def dataset_stage(_: Tables) -> StageResult:
        from reviewdata.stages.dataset import collect_dataset

        return collect_dataset(package, process)

    steps: dict[Stage, Callable[[Tables], StageResult]] = {
        "package": package_stage,
        "structure": structure_stage,
        "rows": rows_stage,
        "relations": relations_stage,
        "dataset": dataset_stage,
        "claims": claims_stage,
    }
    try:
        rules = package.rules
    except ReviewdataError as error:
        from reviewdata.rules import builtin_rules

        object.__setattr__(package, "rules", builtin_rules())
        finding = _broken(package, "the review's rules", str(error))
        results.append(StageResult((Run("run", "RD901", "broken", str(error)),), (finding,)))
    else:
        del rules
    with load_tables(package) as tables:
        for stage in sorted(wanted, key=lambda s: s == "dataset"):  # the slow one last
            try:
                results.append(steps[stage](tables))
            except Exception as error:  # the runner of rules: a stage that breaks is told
                if trace is not None:
                    trace(traceback.format_exc())
                why = f"{type(error).__name__}: {' '.join(str(error).split())}"[:500]
                finding = _broken(package, f"the stage {stage}", why)
                results.append(StageResult((Run(stage, "RD901", "broken", why),), (finding,)))
    return results, claims


def _root(project: Path | str) -> Path:
    path = Path(project)
    return path if path.is_dir() else path.parent


def _start(root: Path) -> subprocess.Popen[bytes] | None:
    from reviewdata.stages.dataset import start_dataset

    return start_dataset(root)


def _broken(package: Package, subject: str, why: str) -> Finding:
    return make_finding(package.rules["RD901"], {"subject": subject, "why": why})


def _fold(findings: Sequence[Finding]) -> list[Finding]:
    """Drop what pandera says of a cell that the structure stage has told already."""
    told = {(f.table, f.row, f.field) for f in findings if f.code.startswith("RD1")}
    return [f for f in findings if f.code != "RD200" or (f.table, f.row, f.field) not in told]


def _order(package: Package) -> Callable[[Finding], tuple[int, str, str, int, str]]:
    levels = {"error": 0, "warning": 1, "note": 2}

    def key(finding: Finding) -> tuple[int, str, str, int, str]:
        place = (finding.path or "", finding.line or 0, finding.field or "")
        return (levels[finding.level], finding.code, *place)

    return key
