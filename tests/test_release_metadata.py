"""The metadata of a release: each file against its official schema, and what stands in it."""

from __future__ import annotations

import copy
import datetime as dt
import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import datacite.schema45
import mlcroissant
import pyshacl
import pytest
import rdflib
import yaml
from conftest import ROOT, copy_review
from html_reader import read_tables
from jsonschema.validators import validator_for
from markdown_it import MarkdownIt
from mini import write_mini
from releasable import ORCID, write_releasable
from rocrate.rocrate import ROCrate

from reviewdata.model import ReviewdataError, Validation
from reviewdata.package import open_package
from reviewdata.release.archive import read_sums
from reviewdata.release.build import Release, build_release, write_release
from reviewdata.release.citation import citation_cff, known_licences
from reviewdata.release.datacite import datacite_json
from reviewdata.release.identifiers import (
    find_doi,
    find_orcid,
    has_orcid_checksum,
    spell_licence,
)
from reviewdata.release.metadata import Metadata, read_metadata
from reviewdata.release.readiness import judge_readiness

# rdflib uses what it has deprecated itself.
pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph:DeprecationWarning")

SHAPES = Path(__file__).parent / "schemas" / "ro-crate-1.1"


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Release:
    """Return a release with DOIs, persons and groups, a codelist and a unit."""
    schema = json.loads((Path(__file__).parent / "packages/mini/schemas/studies.json").read_text())
    year, design = schema["fields"][1:]
    year |= {"title": "Year", "description": "When <it> was | printed", "unit": "a"}
    design["categories"] = [{"value": "trial", "label": "*randomised*"}, {"value": "cohort"}]
    folder = write_releasable(
        tmp_path_factory.mktemp("released") / "review",
        patch={"schemas/studies.json": {"fields": schema["fields"]}},
    )
    return build_release(folder, doi="10.1000/2", concept_doi="10.1000/1", publisher="A server")


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Metadata:
    """Return the metadata of a review that says no more of itself than it must."""
    folder = write_mini(tmp_path_factory.mktemp("bare"))
    return read_metadata(open_package(folder), dt.date(2026, 1, 31))


def content(released: Release, name: str) -> Any:
    return json.loads((released.folder / name).read_text("utf-8"))


def faults(schema: Mapping[str, Any], instance: Any) -> list[str]:
    return [error.message for error in validator_for(schema)(schema).iter_errors(instance)]


def cff_schema() -> Any:
    """Return the schema of CFF 1.2.0 as check-jsonschema has it."""
    file = files("check_jsonschema").joinpath("builtin_schemas/vendor/citation-file-format.json")
    return json.loads(file.read_text("utf-8"))


def package_schema() -> Any:
    """Return the profile of Data Package 2.0 as dplib has it."""
    return json.loads(files("dplib").joinpath("profiles/2.0/datapackage.json").read_text("utf-8"))


def read_cff(text: str) -> Any:
    return json.loads(json.dumps(yaml.safe_load(text), default=str))


def test_the_citation_is_of_the_format_and_names_everybody(released: Release) -> None:
    cff = read_cff((released.folder / "CITATION.cff").read_text("utf-8"))
    assert faults(cff_schema(), cff) == []
    assert cff["doi"] == "10.1000/2"
    assert [i["value"] for i in cff["identifiers"]] == ["10.1000/2", "10.1000/1"]
    assert cff["authors"] == [
        {
            "family-names": "Carberry",
            "given-names": "Josiah",
            "affiliation": "Brown University",
            "orcid": f"https://orcid.org/{ORCID}",
        },
        {"name": "A synthetic group"},
    ]
    assert cff["license"] == "CC0-1.0"
    assert cff["date-released"] == "2026-01-31"
    assert "1 of 1 published claims is reproduced" in cff["abstract"]


def test_a_citation_holds_any_text(bare: Metadata) -> None:
    title = 'Ünïcode: "quotes" \\ # no comment\nand - lines \u200c \U0001f642 \x85 \u2028 \ufeff'
    cff = read_cff(citation_cff(replace(bare, title=title)))
    assert cff["title"] == title
    assert faults(cff_schema(), cff) == []


def test_the_licences_of_the_citation_format_are_those_of_its_schema(bare: Metadata) -> None:
    assert known_licences() == set(cff_schema()["definitions"]["license-enum"]["enum"])
    newer = replace(bare.licences[0], id="CDLA-Permissive-2.0", url="https://example.org/l")
    cff = read_cff(citation_cff(replace(bare, licences=(newer,))))
    assert "license" not in cff
    assert cff["license-url"] == "https://example.org/l"
    assert faults(cff_schema(), cff) == []


def test_the_datacite_record_is_of_the_schema_and_ready_for_a_doi(released: Release) -> None:
    record = content(released, "datacite.json")
    assert [e.message for e in datacite.schema45.validator.iter_errors(record)] == []
    assert record["doi"] == "10.1000/2"
    assert record["publisher"] == {"name": "A server"}
    assert record["publicationYear"] == "2026"
    person, group = record["creators"]
    assert person["name"] == "Carberry, Josiah"
    assert person["nameIdentifiers"][0]["nameIdentifier"] == f"https://orcid.org/{ORCID}"
    assert person["affiliation"] == [{"name": "Brown University"}]
    assert group == {"name": "A synthetic group"}
    kinds = {c["name"]: c["contributorType"] for c in record["contributors"]}
    assert kinds == {"A synthetic editor": "Editor", "A synthetic fund": "Other"}
    related = {(r["relatedIdentifier"], r["relationType"]) for r in record["relatedIdentifiers"]}
    assert related == {
        ("10.1000/1", "IsVersionOf"),
        ("10.1000/182", "IsDerivedFrom"),
        ("https://example.org/page", "IsDerivedFrom"),
    }


def test_a_datacite_record_without_a_doi_and_a_publisher_says_so(bare: Metadata) -> None:
    record = datacite_json(bare)
    assert [e.message for e in datacite.schema45.validator.iter_errors(record)] == []
    assert "doi" not in record
    assert record["publisher"] == {"name": ":tba"}


def test_the_descriptor_is_of_data_package_2(released: Release) -> None:
    assert faults(package_schema(), content(released, "datapackage.json")) == []


def broken_rules(crate: Any) -> set[str]:
    """Return what the validator of RO-Crate says a crate must have and has not.

    The context of 1.1 has the terms under the same names as the later one that the library
    brings; nothing is fetched.
    """
    context = json.loads(files("rocrate").joinpath("data/ro-crate.jsonld").read_text("utf-8"))
    base = "file:///crate/"
    local = json.dumps({**crate, "@context": context["@context"]})
    graph = rdflib.Graph().parse(data=local, format="json-ld", publicID=base)
    shapes, ontology = rdflib.Graph(), rdflib.Graph()
    for file in sorted(SHAPES.glob("*.ttl")):
        (ontology if file.stem == "ontology" else shapes).parse(file, publicID=base)
    _, report, _ = pyshacl.validate(
        graph, shacl_graph=shapes, ont_graph=ontology, advanced=True, inference="owlrl"
    )
    message = rdflib.URIRef("http://www.w3.org/ns/shacl#resultMessage")
    return {str(said).strip() for said in report.objects(None, message)}


def test_the_crate_has_what_a_crate_must_have(released: Release) -> None:
    crate = content(released, "ro-crate-metadata.json")
    assert crate["@context"] == "https://w3id.org/ro/crate/1.1/context"
    assert broken_rules(crate) == set()
    without = copy.deepcopy(crate)
    del without["@graph"][1]["license"]
    [said] = broken_rules(without)
    assert said.startswith("The Root Data Entity MUST have a `license` property")


def test_the_crate_names_every_file_but_itself_with_its_checksum(released: Release) -> None:
    crate = ROCrate(released.folder)
    assert crate.root_dataset["identifier"] == "https://doi.org/10.1000/2"
    named = {entity.id: entity for entity in crate.data_entities}
    assert set(named) == {f.path for f in released.files if f.path != "ro-crate-metadata.json"}
    sums = read_sums((released.folder / "SHA256SUMS").read_text())
    assert all(named[p]["sha256"] == sums[p] for p in named if p != "SHA256SUMS")


def test_the_dataset_is_one_of_schema_org_and_croissant(released: Release) -> None:
    file = released.folder / "schema.org.jsonld"
    found = mlcroissant.Dataset(jsonld=str(file)).metadata
    assert found.ctx.issues.errors == set()
    assert found.ctx.issues.warnings == set()
    assert [record.name for record in found.record_sets] == ["studies", "results", "claims"]
    dataset = content(released, file.name)
    assert dataset["@type"] == "sc:Dataset"
    assert dataset["identifier"] == "https://doi.org/10.1000/2"
    assert dataset["exampleOfWork"] == {"@id": "https://doi.org/10.1000/1"}
    assert [creator["@type"] for creator in dataset["creator"]] == ["Person", "Organization"]
    graph = rdflib.Graph().parse(file, format="json-ld")
    kinds = graph.subjects(rdflib.RDF.type, rdflib.URIRef("https://schema.org/Dataset"))
    assert [str(kind) for kind in kinds] == ["https://doi.org/10.1000/2"]
    fields = {field["@id"]: field for field in dataset["recordSet"][1]["field"]}
    assert fields["results/study_id"]["references"] == {"field": {"@id": "studies/study_id"}}


def test_the_codebook_says_of_each_field_what_it_holds(released: Release) -> None:
    html = (released.folder / "codebook.html").read_text("utf-8")
    markdown = (released.folder / "codebook.md").read_text("utf-8")
    for page in (html, MarkdownIt("commonmark").enable("table").render(markdown)):
        tables = read_tables(page)
        studies = next(t for t in tables if t[0][0] == "field" and t[1][0] == "study_id")
        assert dict(zip(studies[0], studies[2], strict=True)) == {
            "field": "year",
            "type": "integer",
            "unit": "a",
            "what it holds": "Year. When <it> was | printed.",
            "must be": "minimum 1900; maximum 2100",
            "values": "2",
            "missing": "0",
            "distinct": "2",
            "lowest": "2019",
            "highest": "2021",
        }
        assert ["trial", "*randomised*", "1"] in next(t for t in tables if t[0][0] == "value")
        assert "Two paragraphs, &lt;b&gt;&amp;&lt;/b&gt; a | bar." in page
        assert "study_id refers to studies.study_id." in page
    assert "<script" not in html
    assert "https://doi.org/10.1000/2" in html


@pytest.mark.parametrize("name", [".", "examples/bcg-vaccine"])
def test_the_reviews_of_this_repository_can_be_released(name: str, tmp_path: Path) -> None:
    folder = copy_review(ROOT / name, tmp_path / "review")
    for file in (ROOT / name).glob("[A-Z]*"):
        shutil.copy(file, folder)
    # That they validate is tested elsewhere.
    released = write_release(judge_readiness(open_package(folder), Validation((), ())))
    cff = read_cff((released.folder / "CITATION.cff").read_text("utf-8"))
    assert faults(cff_schema(), cff) == []
    record = content(released, "datacite.json")
    assert [e.message for e in datacite.schema45.validator.iter_errors(record)] == []
    assert faults(package_schema(), content(released, "datapackage.json")) == []
    found = mlcroissant.Dataset(jsonld=str(released.folder / "schema.org.jsonld")).metadata
    assert found.ctx.issues.errors == set()
    assert f"parquet/{found.record_sets[0].name}.parquet" in {f.path for f in released.files}


def test_contributors_of_the_first_data_package_and_of_the_second_are_read(tmp_path: Path) -> None:
    listed = [
        {"title": "A", "role": "Wrangler"},
        {"givenName": "B", "familyName": "C", "path": f"http://orcid.org/{ORCID.lower()}/"},
        {"title": "D", "orcid": "0000-0002-1694-233x", "path": "https://example.org/ö d"},
        {"title": "E", "roles": ["publisher"], "path": "https://example.org/ö"},
        {"title": " "},
        "no object",
    ]
    change = {"contributors": listed, "keywords": ["a\u00a0b", "a b", 7, ""], "sources": ["x", {}]}
    folder = write_mini(tmp_path, patch={"datapackage.json": change})
    found = read_metadata(open_package(folder), dt.date(2026, 1, 31))
    assert [(c.name, c.orcid) for c in found.creators] == [
        ("A", None),
        ("B C", ORCID),
        ("D", "0000-0002-1694-233X"),
    ]
    assert [(c.name, c.url) for c in found.contributors] == [("E", "https://example.org/%C3%B6")]
    assert found.publisher == "E"
    assert found.keywords == ("a b",)
    assert found.sources == ()


@pytest.mark.parametrize(
    ("text", "doi"),
    [
        ("10.1000/182", "10.1000/182"),
        ("https://doi.org/10.1002/(SICI)1(2)<3>", "10.1002/(SICI)1(2)<3>"),
        ("doi:10.1000/182 ", "10.1000/182"),
        ("https://example.org/10.1000/182", None),
        ("10.1000/a b", None),
        (None, None),
    ],
)
def test_a_doi_is_known_in_each_of_its_spellings(text: str | None, doi: str | None) -> None:
    assert find_doi(text) == doi


@pytest.mark.parametrize(
    "orcid", ["0000-0002-1825-0097", "0000-0001-5109-3700", "0000-0002-1694-233X"]
)
def test_the_examples_of_orcid_have_their_checksum_and_no_other_digit_has(orcid: str) -> None:
    assert find_orcid(f"https://orcid.org/{orcid}") == orcid
    fitting = [digit for digit in "0123456789X" if has_orcid_checksum(orcid[:-1] + digit)]
    assert fitting == [orcid[-1]]


def test_a_licence_is_known_by_its_spdx_id_alone() -> None:
    assert spell_licence("CC-BY-4.0") == "CC-BY-4.0"
    assert spell_licence("mit") == "MIT"
    for text in ("", "CC BY 4.0", "MIT OR CC0-1.0", "LicenseRef-own", "(MIT)", "CC-BY", "MIT\n"):
        assert spell_licence(text) is None, text


def test_a_list_of_checksums_of_another_form_is_refused() -> None:
    with pytest.raises(ReviewdataError, match="SHA256SUMS, line 2 is not a checksum and a path"):
        read_sums(f"{'0' * 64}  data/a.csv\n{'0' * 63}  data/b.csv\n")
