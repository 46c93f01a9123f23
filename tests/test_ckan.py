"""Publishing on a real CKAN: what is on the site afterwards, seen by another client."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from deposits import Maker
from publications import LookCKAN, Publisher, close_all, open_ckan, read_member
from servers.faults import FAULTS, Fault, Proxy, run_proxy
from servers.running import ORGANISATION, Running
from test_invenio import run_together

from reviewdata.model import ReviewdataError
from reviewdata.release.ckan import CKAN
from reviewdata.release.ckanmetadata import CONTENT, NAME
from reviewdata.release.fetching import fetch
from reviewdata.release.plan import plan
from reviewdata.release.publishing import publish, verify
from reviewdata.release.web import TIMEOUT

pytestmark = [pytest.mark.contract, pytest.mark.usefixtures("connections")]

IMPATIENT = 4.0
"""Seconds that a first run waits for an answer."""


@pytest.fixture
def look(ckan: Running) -> LookCKAN:
    return LookCKAN(ckan.address, ckan.token)


@pytest.fixture
def publisher(ckan: Running, tmp_path: Path) -> Publisher:
    return Publisher(ckan.address, ckan.token, tmp_path, open_ckan)


def test_a_first_version_is_a_public_dataset_with_its_files(
    publisher: Publisher, look: LookCKAN
) -> None:
    found = plan(publisher.publication)
    assert (found.action, found.exact) == ("first version", True)
    assert not look.own(publisher.made.name)
    drafted = publisher.draft()
    [dataset] = look.drafts(publisher.made.name)
    assert dataset["organization"]["name"] == ORGANISATION
    assert drafted.draft is not None
    assert httpx.get(drafted.draft.address).status_code == 404  # nobody else sees it
    assert plan(publisher.publication).files.differ is False
    publisher.publish()
    [dataset] = look.published(publisher.made.name)
    assert dataset["name"] == f"{publisher.made.name}-1-0-0"
    assert (dataset["version"], dataset["license_id"]) == ("1.0.0", "cc-by")
    assert dataset["author"] == "Josiah Carberry; The synthetic group"
    assert {tag["name"] for tag in dataset["tags"]} == {"synthetic", "test"}
    extras = {entry["key"]: entry["value"] for entry in dataset["extras"]}
    assert extras["licences"] == "CC-BY-4.0"
    assert "0000-0002-1825-0097" in extras["creators"]
    files = look.files(dataset)
    assert files["codebook.md"] == b"# Codebook\n"
    archive = files[f"{publisher.made.name}-1.0.0.zip"]
    assert b"doi.org" not in read_member(archive, "datapackage.json")


def test_a_new_version_is_a_dataset_beside_the_first(publisher: Publisher, look: LookCKAN) -> None:
    publisher.publish()
    publisher.made.bump("2.0.0")
    assert plan(publisher.publication).action == "nothing"
    assert publisher.draft().draft is None
    publisher.made.bump("1.1.0", results=b"id,mean\na,1.3\n")
    publisher.publish()
    versions = [entry["version"] for entry in look.published(publisher.made.name)]
    assert versions == ["1.0.0", "1.1.0"]
    publisher.made.bump("1.1.0", results=b"id,mean\na,1.4\n")
    with pytest.raises(ReviewdataError, match=r"version 1\.1\.0 is published already, with other"):
        publisher.draft()


def test_a_draft_is_compared_by_reading_it_back(
    publisher: Publisher, look: LookCKAN, ckan: Running
) -> None:
    drafted = publisher.draft()
    assert drafted.draft is not None
    [resource] = [r for r in drafted.draft.files.values() if r.name == "codebook.md"]
    answer = httpx.post(
        f"{ckan.address}/api/3/action/resource_patch",
        data={"id": resource.id},
        files={"upload": ("codebook.md", b"# Codebooc\n")},
        headers={"Authorization": ckan.token},
    )
    assert answer.status_code == 200
    with pytest.raises(
        ReviewdataError, match=r"not what is built here; it differs in codebook\.md"
    ):
        publish(publisher.publication)
    assert publisher.draft().sent == ("codebook.md",)
    publisher.publish()
    assert verify(publisher.publication).matches
    [dataset] = look.published(publisher.made.name)
    assert look.files(dataset)["codebook.md"] == b"# Codebook\n"


def test_what_was_exchanged_on_the_server_is_not_vouched_for(
    publisher: Publisher, look: LookCKAN, ckan: Running
) -> None:
    """By whoever may: the record still says that it has our content."""
    publisher.publish()
    [dataset] = look.published(publisher.made.name)
    [resource] = [r for r in dataset["resources"] if r["name"].endswith(".zip")]
    other = Maker(publisher.folder / "other", publisher.made.name)
    other.bump("1.0.0", results=b"id,mean\na,9.9\n")
    [forged] = [file.path for name, file in other(None, None).files.items() if ".zip" in name]
    answer = httpx.post(
        f"{ckan.address}/api/3/action/resource_patch",
        data={"id": resource["id"]},
        files={"upload": (resource["name"], forged.read_bytes())},
        headers={"Authorization": ckan.token},
    )
    assert answer.status_code == 200
    with pytest.raises(ReviewdataError, match="it is not what was published from here"):
        verify(publisher.publication)


def ask(ckan: Running, action: str, token: str, **content: object) -> dict[str, Any]:
    """Do something on the site with another client, and return what it answers."""
    address = f"{ckan.address}/api/3/action/{action}"
    answer = httpx.post(address, json=content, headers={"Authorization": token})
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()["result"]
    return result


def test_a_dataset_of_somebody_else_under_our_name_is_no_version_of_ours(
    publisher: Publisher, look: LookCKAN, ckan: Running, tmp_path: Path
) -> None:
    """The stranger has an organisation, in which the name and the content hash are ours."""
    first = publisher.publish()
    publisher.made.bump("1.1.0", results=b"id,mean\na,1.3\n")
    organisation = ask(ckan, "organization_create", ckan.stranger, name=f"o-{publisher.made.name}")
    extras = {NAME: publisher.made.name, CONTENT: publisher.made(None, None).content_hash}
    squatting = ask(
        ckan,
        "package_create",
        ckan.stranger,
        name=f"innocent-{publisher.made.name}",
        owner_org=organisation["id"],
        version="1.1.0",
        extras=[{"key": key, "value": value} for key, value in extras.items()],
    )
    assert squatting["version"] == "1.1.0"
    with pytest.raises(ReviewdataError, match=r"has no version 1\.1\.0; it has 1\.0\.0"):
        fetch(f"{first.address}@1.1.0", tmp_path / "no")
    assert publisher.send().address.endswith(f"/{publisher.made.name}-1-1-0")


def test_who_may_not_publish_is_told(publisher: Publisher, ckan: Running) -> None:
    def open_ours(address: str, token: str, timeout: float) -> CKAN:
        return CKAN(open_ckan(address, token, timeout).web, ORGANISATION)

    publisher.token, publisher.open = ckan.stranger, open_ours
    with pytest.raises(ReviewdataError, match=f"may not make datasets in {ORGANISATION}"):
        publisher.draft()
    publisher.token, publisher.open = "synthetic-but-no-token", open_ckan
    with pytest.raises(
        ReviewdataError, match=r"is none of .* may make datasets in no organisation"
    ):
        publisher.draft()


def test_what_the_site_does_not_know_is_told_before_anything_is_sent(
    publisher: Publisher, look: LookCKAN
) -> None:
    publisher.made.change(licences=("LGPL-3.0-only",))
    assert "does not know the licence LGPL-3.0-only" in plan(publisher.publication).problems[0]
    with pytest.raises(ReviewdataError, match="does not know the licence LGPL"):
        publisher.draft()
    publisher.made.change(licences=("CC0-1.0",))
    publisher.made.loose = {"../x.csv": b"x"}
    with pytest.raises(ReviewdataError, match="is no name that a file is sent under"):
        publisher.draft()
    assert not look.own(publisher.made.name)


def test_names_with_folders_and_other_letters_are_kept_and_a_tree_goes_as_one_zip(
    publisher: Publisher, look: LookCKAN
) -> None:
    names = ["docs/codebook.md", "ü und % ?.txt", "数据#1.csv", "a+b&c.txt", "noending"]
    publisher.made.loose = {name: name.encode() for name in names}
    publisher.made.bump("1.0.0", **{f"table-{n}": b"%d" % n for n in range(120)})
    publisher.publish()
    [dataset] = look.published(publisher.made.name)
    files = look.files(dataset)
    assert all(files[name] == name.encode() for name in names)
    archive = files[f"{publisher.made.name}-1.0.0.zip"]
    assert read_member(archive, "data/table-119.csv") == b"119"


@pytest.mark.parametrize("number", range(3))
def test_two_runs_at_once_publish_once(
    number: int, publisher: Publisher, look: LookCKAN, ckan: Running, tmp_path: Path
) -> None:
    other = Publisher(ckan.address, ckan.token, tmp_path, open_ckan)
    other.made = Maker(tmp_path / "other", publisher.made.name)
    raised = run_together(publisher.publish, other.publish)
    assert all(isinstance(error, ReviewdataError) for error in raised), raised
    publisher.publish()  # where one run has got into the way of the other
    [dataset] = look.own(publisher.made.name)
    assert set(look.files(dataset)) == {"codebook.md", f"{publisher.made.name}-1.0.0.zip"}


@pytest.fixture
def proxy(ckan: Running) -> Iterator[Proxy]:
    with run_proxy(ckan.address) as running:
        yield running


@pytest.mark.parametrize("fault", FAULTS)
def test_after_a_fault_at_each_request_a_second_run_publishes_once(
    fault: Fault, proxy: Proxy, look: LookCKAN, ckan: Running, tmp_path: Path
) -> None:
    proxy.timeout = IMPATIENT
    publisher = Publisher(proxy.address, ckan.token, tmp_path, open_ckan)
    publisher.send()
    requests = list(proxy.requests)
    for number, (method, _) in enumerate(requests, start=1):
        if method == "GET" and number % len(FAULTS) != FAULTS.index(fault):
            continue
        publisher = Publisher(proxy.address, ckan.token, tmp_path, open_ckan, timeout=IMPATIENT)
        proxy.set(fault, number)
        with suppress(ReviewdataError):
            publisher.send()
        proxy.set()
        publisher.timeout = TIMEOUT
        if number % 2:
            publisher.forget()
        publisher.send()
        [dataset] = look.own(publisher.made.name)
        assert not dataset["private"]
        files = look.files(dataset)
        assert set(files) == {"codebook.md", f"{publisher.made.name}-1.0.0.zip"}
        assert files["codebook.md"] == publisher.made.loose["codebook.md"]
        close_all()
    assert not any("Authorization" in headers for headers in proxy.stolen)
