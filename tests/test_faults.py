"""Whatever goes wrong on the way to a real server, a second run ends in one published version."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from publications import Look, Publisher, close_all, read_member
from servers.faults import FAULTS, Fault, Proxy, run_proxy
from servers.running import Running

from reviewdata.model import ReviewdataError
from reviewdata.release.web import TIMEOUT

pytestmark = [pytest.mark.contract, pytest.mark.usefixtures("connections")]

IMPATIENT = 2.0
"""Seconds that the first run waits for an answer: less than the proxy holds a slow one back."""


@pytest.fixture
def proxy(invenio: Running) -> Iterator[Proxy]:
    with run_proxy(invenio.address) as running:
        yield running


@pytest.fixture
def look(invenio: Running) -> Look:
    return Look(invenio.address, invenio.token)


def begin(proxy: Proxy, invenio: Running, folder: Path, versions: int = 1) -> Publisher:
    """Return a publisher with one version to publish, and those before it published."""
    proxy.set()
    publisher = Publisher(proxy.address, invenio.token, folder)
    publisher.made.change(language="", related=())  # which are so many requests fewer
    for number in range(1, versions):
        publisher.publish()
        publisher.made.bump(f"1.{number}.0", results=b"id,mean\na,1.%d\n" % number)
    return publisher


def count_requests(proxy: Proxy, publisher: Publisher) -> list[tuple[str, str]]:
    """Publish, and return the requests of `draft` and `publish`."""
    proxy.set()
    publisher.send()
    return list(proxy.requests)


def suffer(proxy: Proxy, publisher: Publisher, fault: Fault, at: int) -> ReviewdataError | None:
    """Run into a fault, and return the error that the run has ended with, if it has."""
    proxy.timeout = publisher.timeout = IMPATIENT
    proxy.set(fault, at)
    try:
        publisher.send()
    except ReviewdataError as error:
        return error
    finally:
        publisher.timeout = TIMEOUT
        proxy.set()
    return None


def check_published(publisher: Publisher, look: Look, versions: int) -> None:
    """Check that this many versions are published, the last with the right bytes, and no draft."""
    name = publisher.made.name
    records = look.published(name)
    assert len(records) == versions
    assert not look.drafts(name)
    assert len({record["parent"]["id"] for record in records}) == 1
    record = records[-1]
    doi = record["pids"]["doi"]["identifier"]
    version = publisher.made.metadata.version
    assert record["metadata"]["version"] == version
    files = look.files(record)
    assert set(files) == {f"{name}-{version}.zip", "codebook.md"}
    assert files["codebook.md"] == publisher.made.loose["codebook.md"]
    archive = files[f"{name}-{version}.zip"]
    assert f'"id": "https://doi.org/{doi}"'.encode() in read_member(archive, "datapackage.json")
    table = publisher.made.tables["data/results.csv"]
    assert read_member(archive, "data/results.csv") == table


SECOND: tuple[Fault, ...] = ("504", "gone")
"""The faults that a new version of a concept meets as well: what differs there is its draft."""


@pytest.mark.parametrize("fault", FAULTS)
def test_after_a_fault_at_each_request_a_second_run_publishes_once(
    fault: Fault, proxy: Proxy, look: Look, invenio: Running, tmp_path: Path
) -> None:
    """The state of the first run is lost in every other case. A read is met by some faults only."""
    requests = count_requests(proxy, begin(proxy, invenio, tmp_path))
    for number, (method, path) in enumerate(requests, start=1):
        if method == "GET" and not concerns_reading(fault, number, path):
            continue
        publisher = begin(proxy, invenio, tmp_path)
        meet(fault, number, proxy, publisher)
        check_published(publisher, look, 1)
        close_all()
    assert not any("Authorization" in headers for headers in proxy.stolen)


@pytest.mark.parametrize("fault", SECOND)
def test_after_a_fault_at_each_request_a_second_run_publishes_one_version_more(
    fault: Fault, proxy: Proxy, look: Look, invenio: Running, tmp_path: Path
) -> None:
    """One concept, and a version more for each request that is met."""
    requests = count_requests(proxy, begin(proxy, invenio, tmp_path, 2))
    publisher = begin(proxy, invenio, tmp_path, 2)
    publisher.publish()
    versions = 2
    for number, (method, path) in enumerate(requests, start=1):
        if method == "GET" and not concerns_reading(fault, number, path):
            continue
        versions += 1
        publisher.made.bump(f"1.{versions}.0", results=b"id,mean\na,1.%d\n" % versions)
        meet(fault, number, proxy, publisher)
        check_published(publisher, look, versions)
        close_all()


def meet(fault: Fault, number: int, proxy: Proxy, publisher: Publisher) -> None:
    """Run into a fault at a request, and run again."""
    error = suffer(proxy, publisher, fault, number)
    assert publisher.token not in str(error)
    if number % 2:
        publisher.forget()
    publisher.send()


def concerns_reading(fault: Fault, number: int, path: str) -> bool:
    """Whether a fault at a GET is tried: all of them are at some GET, and those that differ at all.

    To a GET, being refused and being done without an answer are the same.
    """
    if fault == "checksum":
        return path.endswith("/files")
    return number % len(FAULTS) == FAULTS.index(fault)


def test_a_killed_run_goes_on_with_its_draft(
    proxy: Proxy, look: Look, invenio: Running, tmp_path: Path
) -> None:
    """Killed after the draft was made, a run finds it by our own run id and makes no other."""
    requests = count_requests(proxy, begin(proxy, invenio, tmp_path))
    created = requests.index(("POST", "/api/records")) + 1
    publisher = begin(proxy, invenio, tmp_path)
    assert suffer(proxy, publisher, "gone", created)
    [draft] = look.drafts(publisher.made.name)
    publisher.forget()
    done = publisher.publish()
    assert done.id == draft["id"]


def test_a_redirect_to_another_host_is_not_followed(
    proxy: Proxy, invenio: Running, tmp_path: Path
) -> None:
    publisher = begin(proxy, invenio, tmp_path)
    error = suffer(proxy, publisher, "redirect", 1)
    assert "redirects to another host" in str(error)
    assert not proxy.stolen
