"""The shape of the code: one direction of imports, no words of a review, nothing loaded idly."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from conftest import ROOT

from reviewdata.statistics import KINDS

SOURCE = ROOT / "src" / "reviewdata"

ORDER = (
    ("changes",),
    ("model",),
    ("artefacts", "github"),
    ("compressed",),
    ("pathnames", "rules", "output", "columns", "records", "tableschema", "patterns"),
    ("files", "git", "archives", "cells", "descriptor"),
    ("checksums",),
    ("package",),
    ("cache",),
    ("order",),
    ("form", "merging"),
    ("formatting", "gitconfig"),
    ("mergedriver",),
    ("revisions", "trust", "declarations"),
    ("jsontables", "workbooks"),
    ("foreign",),
    ("scans", "plans"),
    ("direct",),
    ("loading", "synthesis.macros", "statements"),
    ("pools",),
    ("tables",),
    ("keys", "properties", "places", "joins", "queries", "frames"),
    ("statistics", "exporting.whole", "exporting.constraints"),
    ("measures", "attribution", "exporting.delimited", "exporting.parquet"),
    ("exporting.databases", "computable"),
    ("across.question",),
    ("across.numbers", "across.studies", "across.flows"),
    ("across.rules",),
    ("plausibility.columns",),
    ("plausibility.intervals", "plausibility.counts"),
    ("plausibility.scales",),
    ("plausibility.spread", "plausibility.granularity", "plausibility.medians"),
    ("plausibility.significance", "plausibility.differences", "plausibility.shares"),
    ("plausibility.estimates", "plausibility.tables2x2"),
    ("plausibility.checks",),
    (
        *("claims", "waivers", "stages.schemas", "stages.tally", "stages.broken"),
        *("stages.hygiene", "stages.errors"),
    ),
    ("stages.verdicts", "stages.wording", "stages.compiled.beyond", "stages.compiled.types"),
    ("stages.compiled.constraints",),
    ("stages.compiled.columns", "stages.compiled.labels", "stages.compiled.schemas"),
    ("stages.compiled.odd", "stages.compiled.listing"),
    ("stages.compiled.sheet",),
    ("stages.compiled.records", "stages.compiled.keys"),
    ("stages.compiled.cells",),
    ("stages.compiled.sieve",),
    ("stages.compiled.judge",),
    ("stages.engines", "stages.faults"),
    ("stages.statistics",),
    ("stages.package", "stages.structure", "stages.rows", "stages.relations", "stages.claims"),
    ("stages.runners", "stages.expectations"),
    ("stages.dataset",),
    ("comparison", "effects", "versions"),
    ("difference",),
    ("since", "validation"),
    ("contribution",),
    ("decoding",),
    ("saved", "render.values"),
    ("render.json", "render.markdown", "exporting.sheets", "exporting.rscript"),
    ("exporting.workbook", "exporting.metafor"),
    ("exporting.export", "adding.records"),
    ("adding.add", "adding.questions"),
    ("adding.filled",),
    ("render.findings", "render.results", "render.pages", "render.changes"),
    ("render.forms", "render.merges"),
    ("render.claims", "render.diff", "render.sarif", "render.junit"),
    ("release.deposit", "release.semver", "release.identifiers"),
    (*("release.moment", "release.changelog", "release.statements"),),
    ("release.contents",),
    ("release.metadata", "release.history"),
    ("release.archive", "release.readiness", "release.citation", "release.datacite"),
    ("release.linked", "release.exports", "release.codebook"),
    ("release.pages", "release.rocrate", "release.schemaorg"),
    ("release.build",),
    ("release.servers", "release.answers", "release.bodies", "release.state"),
    ("release.exchange",),
    ("release.web", "release.repository", "release.rdmmetadata", "release.ckanmetadata"),
    ("release.rdmrecords", "release.ckandatasets"),
    ("release.places", "release.sums"),
    ("release.concept",),
    ("release.invenio", "release.ckan", "release.plan"),
    ("release.publishing", "release.targets"),
    ("release.fetching", "starter"),
    ("release.handover",),
    ("release.publication",),
    ("project",),
    ("render.overview", "render.comment", "render.github", "render.releases"),
    ("render.formats",),
    (
        "render.publications",
        "render.starting",
        "render.exports",
        "render.additions",
        "render.stats",
    ),
    ("terminal",),
    ("progress", "asking"),
    ("adding.session",),
    ("options",),
    ("releasing", "authoring", "querying"),
    ("publishing",),
    ("cli", "pullrequest"),
    ("__main__",),
)
"""The modules from upstream to downstream; those of one line do not import each other,
but for the few pairs of FRIENDS."""

FRIENDS = {("columns", "records")}


@cache
def modules() -> dict[str, Path]:
    found = {}
    for path in SOURCE.rglob("*.py"):
        name = ".".join(path.relative_to(SOURCE).with_suffix("").parts)
        if not name.endswith("__init__"):
            found[name] = path
    return found


def imports(path: Path) -> set[str]:
    """Return the modules of the project that a file imports, at its head or in a function."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and "reviewdata." in node.module + ".":
            inside = node.module.partition("reviewdata")[2].lstrip(".")
            known = modules()
            names = [f"{inside}.{alias.name}".strip(".") for alias in node.names]
            found |= {name if name in known else inside for name in names} - {""}
    return found


def test_every_module_has_its_place() -> None:
    placed = [name for line in ORDER for name in line]
    assert sorted(placed) == sorted(modules())


def test_a_module_imports_only_from_modules_before_it() -> None:
    rank = {name: number for number, line in enumerate(ORDER) for name in line}
    backwards = [
        f"{name} imports {other}"
        for name, path in modules().items()
        for other in imports(path)
        if rank[other] >= rank[name] and (name, other) not in FRIENDS
    ]
    assert not backwards


@cache
def words_of_the_reviews() -> set[str]:
    """Return the names of columns and tables that only a review has."""
    found = set()
    for review in (ROOT, *sorted((ROOT / "examples").iterdir())):
        descriptor = json.loads((review / "datapackage.json").read_text("utf-8"))
        claims = descriptor["reviewdata"]["claims"]
        for resource in descriptor["resources"]:
            found.add(resource["name"])
            if resource["name"] != claims:
                schema = json.loads((review / resource["schema"]).read_text("utf-8"))
                found |= {field["name"] for field in schema["fields"]}
    return found - {role for kind in KINDS.values() for role in kind.roles} - OWN_WORDS


OWN_WORDS = {"claims", "studies", "source_id", "locator", "note", "year", "doi", "citation"}
OWN_WORDS |= {"label", "kind", "basis", "sources", "title", "outcome", "statistic", "role"}
"""Words of the framework's own contracts, which a review may use as names too."""


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda p: p.name)
def test_the_framework_names_no_column_of_a_review(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    prose = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    texts = {
        word
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose
        for word in re.findall(r"[A-Za-z_][A-Za-z0-9_]+", node.value)
    }
    assert not texts & words_of_the_reviews()


@pytest.mark.parametrize(
    ("command", "idle"),
    [
        (["--help"], {"duckdb", "pandas", "numpy", "pandera", "frictionless", "rich", "scipy"}),
        (["rule", "RD231"], {"duckdb", "pandas", "pandera", "frictionless", "rich", "scipy"}),
        (["query", "coverage"], {"pandas", "pandera", "frictionless", "great_expectations"}),
        (["reproduce"], {"pandas", "pandera", "frictionless", "great_expectations", "scipy"}),
        (["fmt", "--check"], {"duckdb", "pandas", "numpy", "frictionless", "rich", "scipy"}),
        (["merge", "driver", "--", "", "", "", ""], {"duckdb", "pandas", "frictionless", "rich"}),
        (["render", "tests/golden/validate.jsonl"], {"duckdb", "pandas", "numpy", "frictionless"}),
        (
            ["validate", "--stage", "structure"],
            {"pandera", "great_expectations", "scipy", "frictionless"},
        ),
        (["validate", "--stage", "rows"], {"frictionless", "great_expectations"}),
    ],
)
def test_a_command_imports_only_what_it_uses(command: list[str], idle: set[str]) -> None:
    code = (
        "import sys; from reviewdata.cli import main; main(sys.argv[1:]);"
        "print(*{name.split('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, *command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert not set(ended.stderr.splitlines()[-1].split()) & idle
