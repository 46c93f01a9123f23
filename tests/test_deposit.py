"""What is checked of a deposit before anything is sent, and how its metadata are worded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from deposits import METADATA, Maker

from reviewdata.model import ReviewdataError
from reviewdata.release.ckanmetadata import dataset_metadata, dataset_name, find_licence
from reviewdata.release.deposit import Creator, Deposit, check_deposit, check_name, measure_file
from reviewdata.release.rdmmetadata import identity, record_metadata
from reviewdata.release.state import State


@pytest.fixture
def deposit(tmp_path: Path) -> Deposit:
    return Maker(tmp_path / "built", "synthetic")(None, None)


def test_a_deposit_as_it_is_built_may_be_sent(deposit: Deposit) -> None:
    check_deposit(deposit)
    assert deposit.size == sum(file.size for file in deposit.files.values())


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"licences": ()}, "has no licence: datapackage.json must name one"),
        ({"creators": ()}, "has no creator: datapackage.json must name contributors"),
        ({"creators": (Creator(" "),)}, "a creator of the deposit has no name"),
        ({"creators": (Creator("A", orcid="0000"),)}, "the ORCID '0000' of A is not of its form"),
        ({"title": " "}, "has no title"),
        ({"version": ""}, "has no version"),
    ],
)
def test_metadata_that_lack_what_a_publication_needs_are_refused(
    change: dict[str, Any], told: str, deposit: Deposit
) -> None:
    with pytest.raises(ReviewdataError, match=told):
        check_deposit(replace(deposit, metadata=replace(METADATA, **change)))


def test_names_and_hashes_of_another_form_are_refused(deposit: Deposit) -> None:
    file = next(iter(deposit.files.values()))
    for change, told in (
        ({"name": "Two Words"}, "the name 'Two Words' is none that a server takes"),
        ({"name": "a" * 81}, "at most 80"),
        ({"content_hash": "sha256:" + 64 * "0"}, "is no SHA-256"),
        ({"files": {}}, "has no file"),
        ({"files": {"a.csv": file, "A.csv": file}}, "'a.csv' and 'A.csv' have one name"),
        ({"files": {"e\u0301": file, "\u00e9": file}}, "have one name"),
    ):
        with pytest.raises(ReviewdataError, match=told):
            check_deposit(replace(deposit, **change))


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "..", "../x", "a/../x", "/x", "a//b", "a/", "x\0", "x\n", "\u202ex", "C:x"),
        *("a\\b", " x", "x ", "\ud800", "ü" * 128),
    ],
)
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ReviewdataError, match="is no name that a file is sent under"):
        check_name(name)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ReviewdataError, match="cannot be read: No such file"):
        measure_file(tmp_path / "none")


def test_the_own_run_id_follows_from_the_name_alone(deposit: Deposit) -> None:
    assert identity("synthetic") == identity("synthetic") != identity("synthetic2")
    said = record_metadata(deposit, "Zenodo")["identifiers"]
    assert said == [
        {"scheme": "urn", "identifier": identity("synthetic")},
        {"scheme": "other", "identifier": f"reviewdata:sha256:{deposit.content_hash}"},
    ]


def test_what_is_not_said_is_not_sent(deposit: Deposit) -> None:
    bare = replace(METADATA, description="", keywords=(), related=(), language="")
    content = record_metadata(replace(deposit, metadata=bare), "Zenodo")
    assert not {"description", "subjects", "related_identifiers", "languages"} & set(content)
    dataset = dataset_metadata(replace(deposit, metadata=bare), "cc-by")
    assert dataset["tags"] == []
    assert "language" not in {extra["key"] for extra in dataset["extras"]}


def test_ckan_has_words_of_its_own(deposit: Deposit) -> None:
    assert dataset_name("Name.x", "1.2.0-rc.1+b") == "name-x-1-2-0-rc-1-b"
    assert len(dataset_name("n" * 80, "1." * 40)) <= 100
    assert find_licence("CC-BY-4.0", ["cc-by", "other"]) == "cc-by"
    assert find_licence("CC-BY-4.0", ["CC-BY-4.0", "cc-by"]) == "CC-BY-4.0"
    assert find_licence("MIT", ["cc-by"]) is None
    metadata = replace(METADATA, keywords=("a", "C++ & R", "meta-analysis", "C++ R"))
    tags = dataset_metadata(replace(deposit, metadata=metadata), None)["tags"]
    assert tags == [{"name": "C R"}, {"name": "meta-analysis"}]


def test_the_state_may_be_lost_or_broken(tmp_path: Path) -> None:
    state = State(tmp_path / "dist" / "state.json")
    state.keep_draft("h", "n", None)
    assert not state.path.exists()
    state.keep_draft("h", "n", "d1")
    state.keep_draft("h", "m", "d2")
    assert (state.find_draft("h", "n"), state.find_draft("other", "n")) == ("d1", None)
    state.keep_draft("h", "n", None)
    assert (state.find_draft("h", "n"), state.find_draft("h", "m")) == (None, "d2")
    for broken in ("{", "[]", '{"h m": 7}'):
        state.path.write_text(broken)
        assert state.find_draft("h", "m") is None
