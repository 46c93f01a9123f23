"""Publishing on a real InvenioRDM: what is on the server afterwards, seen by another client."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from deposits import Maker
from publications import Look, Publisher, read_member
from servers.running import Running, run_invenio

from reviewdata.model import ReviewdataError
from reviewdata.release.deposit import Creator, Deposit, Related, UnreadyError
from reviewdata.release.exchange import BusyError
from reviewdata.release.plan import plan
from reviewdata.release.publishing import publish, verify
from reviewdata.release.servers import Token, find_server
from reviewdata.release.web import Web

pytestmark = [pytest.mark.contract, pytest.mark.usefixtures("connections")]


@pytest.fixture
def look(invenio: Running) -> Look:
    return Look(invenio.address, invenio.token)


@pytest.fixture
def publisher(invenio: Running, tmp_path: Path) -> Publisher:
    return Publisher(invenio.address, invenio.token, tmp_path)


def archive_of(publisher: Publisher, version: str) -> str:
    return f"{publisher.made.name}-{version}.zip"


def test_a_first_version_has_its_doi_inside_and_its_metadata_outside(
    publisher: Publisher, look: Look
) -> None:
    done = publisher.publish()
    [record] = look.published(publisher.made.name)
    assert not look.drafts(publisher.made.name)
    assert record["pids"]["doi"]["identifier"] == done.doi
    assert record["parent"]["pids"]["doi"]["identifier"] == publisher.concept
    files = look.files(record)
    assert set(files) == {archive_of(publisher, "1.0.0"), "codebook.md"}
    archive = files[archive_of(publisher, "1.0.0")]
    assert f'"id": "https://doi.org/{done.doi}"'.encode() in read_member(
        archive, "datapackage.json"
    )
    metadata = record["metadata"]
    assert metadata["title"] == "A synthetic review, for tests"
    assert metadata["version"] == "1.0.0"
    assert metadata["publication_date"] == "2026-11-25"
    assert metadata["resource_type"]["id"] == "dataset"
    assert [right["id"] for right in metadata["rights"]] == ["cc-by-4.0"]
    assert metadata["description"] == (
        "<p>Nothing of it is of a paper.</p><p>Two &lt;paragraphs&gt; &amp; signs.</p>"
    )
    people = [entry["person_or_org"] for entry in metadata["creators"]]
    assert [who["name"] for who in people] == ["Carberry, Josiah", "The synthetic group"]
    assert people[0]["identifiers"][0]["identifier"] == "0000-0002-1825-0097"
    assert metadata["creators"][0]["affiliations"] == [{"name": "Brown"}]
    [related] = metadata["related_identifiers"]
    assert (related["identifier"], related["relation_type"]["id"]) == (
        "10.3389/fdgth.2021.689750",
        "isderivedfrom",
    )


def test_a_new_version_is_under_the_same_concept_and_sends_what_changed(
    publisher: Publisher, look: Look
) -> None:
    first = publisher.publish()
    publisher.made.bump("1.1.0", results=b"id,mean\na,1.3\n")
    found = plan(publisher.publication)
    assert (found.action, found.files.same) == ("new version", ("codebook.md",))
    assert publisher.draft().sent == (archive_of(publisher, "1.1.0"),)
    second = publisher.publish()
    assert second.concept == first.concept
    assert second.doi != first.doi
    records = look.published(publisher.made.name)
    assert [r["metadata"]["version"] for r in records] == ["1.0.0", "1.1.0"]
    files = look.files(records[1])
    assert set(files) == {archive_of(publisher, "1.1.0"), "codebook.md"}
    described = read_member(files[archive_of(publisher, "1.1.0")], "datapackage.json")
    assert f'"id": "https://doi.org/{second.doi}"'.encode() in described
    assert f"https://doi.org/{first.concept}".encode() in described
    assert archive_of(publisher, "1.0.0") in look.files(records[0])


def test_where_nothing_changed_nothing_is_sent(publisher: Publisher, look: Look) -> None:
    first = publisher.publish()
    publisher.made.bump("2.0.0")
    assert plan(publisher.publication).action == "nothing"
    drafted = publisher.draft()
    assert (drafted.draft, drafted.sent) == (None, ())
    assert publish(publisher.publication).doi == first.doi
    assert len(look.own(publisher.made.name)) == 1


def test_a_plan_leaves_no_trace(publisher: Publisher, look: Look, tmp_path: Path) -> None:
    before = look.get("/api/user/records", size=1)["hits"]["total"]
    found = plan(publisher.publication)
    assert (found.action, found.draft, found.exact) == ("first version", None, False)
    assert set(found.files.send) == {archive_of(publisher, "1.0.0"), "codebook.md"}
    assert look.get("/api/user/records", size=1)["hits"]["total"] == before
    assert not list(tmp_path.glob("*.json"))


def test_a_plan_compares_with_the_draft(publisher: Publisher) -> None:
    publisher.draft()
    found = plan(publisher.publication)
    assert found.exact
    assert not found.files.differ
    publisher.made.bump("1.0.0", results=b"id,mean\na,1.4\n")
    found = plan(publisher.publication)
    assert found.files.send == found.files.drop == (archive_of(publisher, "1.0.0"),)


def test_other_content_is_not_published_under_a_version_that_is_there(
    publisher: Publisher,
) -> None:
    publisher.publish()
    publisher.made.bump("1.0.0", results=b"id,mean\na,1.3\n")
    for verb in (lambda: plan(publisher.publication), publisher.draft, publisher.publish):
        with pytest.raises(ReviewdataError, match=r"version 1\.0\.0 is published already, with o"):
            verb()


def test_a_review_of_the_same_name_is_not_taken_for_the_version_before(
    publisher: Publisher, look: Look
) -> None:
    first = publisher.publish()
    publisher.concept = None
    publisher.made.bump("1.1.0", results=b"id,mean\na,1.3\n")
    with pytest.raises(ReviewdataError, match=f"already, as {first.concept}"):
        publisher.draft()
    assert len(look.own(publisher.made.name)) == 1


def test_what_is_published_is_found_where_git_has_no_concept_yet(publisher: Publisher) -> None:
    first = publisher.publish()
    publisher.concept = None
    publisher.forget()
    assert publisher.publish() == first


def test_a_concept_that_is_not_there_is_named(publisher: Publisher) -> None:
    publisher.concept = "10.5072/aaaaa-bbbbb"
    with pytest.raises(ReviewdataError, match=r"has no record of 10\.5072/aaaaa-bbbbb"):
        plan(publisher.publication)


def test_a_draft_whose_files_are_not_those_built_here_is_not_published(
    publisher: Publisher, look: Look
) -> None:
    drafted = publisher.draft()
    publisher.made.bump("1.0.0", results=b"id,mean\na,1.4\n")
    with pytest.raises(ReviewdataError, match=r"is not what is built here; it differs in syn"):
        publish(publisher.publication)
    assert not look.published(publisher.made.name)
    again = publisher.draft()
    assert (again.draft and again.draft.id) == (drafted.draft and drafted.draft.id)
    assert publisher.publish()


def test_without_a_draft_nothing_is_published(publisher: Publisher, look: Look) -> None:
    with pytest.raises(ReviewdataError, match="there is no draft of synthetic"):
        publish(publisher.publication)
    with pytest.raises(ReviewdataError, match="has no version of synthetic"):
        verify(publisher.publication)
    assert not look.own(publisher.made.name)


def test_verify_tells_where_the_review_has_changed_since(publisher: Publisher) -> None:
    publisher.publish()
    publisher.made.bump("1.1.0", results=b"id,mean\na,1.3\n")
    read = verify(publisher.publication)
    assert not read.matches
    assert read.size == sum(f.size for f in read.published.files.values())


def test_a_stray_file_of_the_draft_is_dropped(
    publisher: Publisher, look: Look, invenio: Running
) -> None:
    drafted = publisher.draft()
    assert drafted.draft is not None
    headers = {"Authorization": f"Bearer {invenio.token}"}
    home = f"{invenio.address}/api/records/{drafted.draft.id}/draft/files"
    answer = httpx.post(home, json=[{"key": "stray.txt"}], headers=headers)
    assert answer.status_code == 201
    publisher.publish()
    [record] = look.published(publisher.made.name)
    assert "stray.txt" not in look.files(record)


def test_a_token_without_rights_is_told(publisher: Publisher, invenio: Running) -> None:
    publisher.token = "synthetic-but-no-token"
    with pytest.raises(ReviewdataError, match="403 FORBIDDEN: Permission denied"):
        publisher.draft()
    publisher.token = invenio.token
    publisher.publish()
    publisher.made.bump("1.1.0", results=b"id,mean\na,1.3\n")
    publisher.token = invenio.stranger
    with pytest.raises(ReviewdataError, match="403 FORBIDDEN: Permission denied"):
        publisher.draft()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"licences": ("LGPL-3.0-only",)}, "does not know the licence LGPL-3.0-only"),
        ({"language": "xxx"}, "does not know the language xxx"),
        ({"related": (Related("10.1/x", "doi", "Adores"),)}, "not know the relation Adores"),
    ],
    ids=["licence", "language", "relation"],
)
def test_a_term_that_the_server_does_not_know_is_told_before_anything_is_sent(
    change: dict[str, object], told: str, publisher: Publisher, look: Look
) -> None:
    publisher.made.change(**change)
    assert told in " ".join(plan(publisher.publication).problems)
    with pytest.raises(ReviewdataError, match=told):
        publisher.draft()
    assert not look.own(publisher.made.name)


def test_metadata_that_the_server_only_warns_of_is_an_error(publisher: Publisher) -> None:
    publisher.made.change(creators=(Creator("C", "G", "F", "0000-0000-0000-0000"),))
    with pytest.raises(ReviewdataError, match=r"does not take: metadata\.creators"):
        publisher.draft()


def test_who_is_no_creator_is_named_too_and_a_person_by_the_family_name(
    publisher: Publisher, look: Look
) -> None:
    editor = Creator("Ann Roe", "Ann", "Roe", role="Editor")
    publisher.made.change(contributors=(editor, Creator("A fund", role="Other")))
    publisher.publish()
    [record] = look.published(publisher.made.name)
    named = record["metadata"]["contributors"]
    assert [(who["person_or_org"]["name"], who["role"]["id"]) for who in named] == [
        ("Roe, Ann", "editor"),
        ("A fund", "other"),
    ]
    publisher.made.bump("1.1.0", results=b"id,mean\na,1.3\n")
    publisher.made.change(creators=(Creator("Jane Doe", orcid="0000-0002-1825-0097"),))
    [problem] = plan(publisher.publication).problems
    assert problem.startswith("Jane Doe is a person by the ORCID iD or given name, and 127.0.0.1")
    with pytest.raises(ReviewdataError, match="give givenName and familyName"):
        publisher.draft()


def test_a_version_is_above_the_one_before_and_was_held_against_it(publisher: Publisher) -> None:
    publisher.publish()
    publisher.made.bump("0.9.0", results=b"id,mean\na,1.3\n")
    with pytest.raises(ReviewdataError, match=r"version 0\.9\.0 is not above 1\.0\.0, which"):
        publisher.draft()
    publisher.made.change(version="1.1.0")
    publisher.made.more = {"follows": False}
    with pytest.raises(ReviewdataError, match=r"`git tag data-1\.0\.0 COMMIT`"):
        plan(publisher.publication)
    publisher.made.more = {}
    assert publisher.send()


def test_what_git_does_not_have_is_drafted_and_not_published(publisher: Publisher) -> None:
    publisher.made.more = {"unsaved": ("data/results.csv",)}
    publisher.draft()
    with pytest.raises(ReviewdataError, match=r"must be in git as it is, and data/results\.csv is"):
        publish(publisher.publication)
    publisher.made.more = {}
    assert publish(publisher.publication)


def test_what_is_published_is_read_where_the_review_cannot_be_built(publisher: Publisher) -> None:
    publisher.publish()

    def unready(doi: str | None, concept: str | None) -> Deposit:
        raise UnreadyError("the review is not ready")

    read = verify(replace(publisher.publication, build=unready))
    assert (read.matches, read.unready, read.compared) == (False, "the review is not ready", 2)


def test_names_that_lead_out_of_a_folder_are_not_sent(publisher: Publisher, look: Look) -> None:
    for name in ("../x.csv", "a/../../x", "/etc/x", "a//b", "x\n", "C:\\x", ""):
        publisher.made.loose = {name: b"x"}
        with pytest.raises(ReviewdataError, match="is no name that a file is sent under"):
            publisher.draft()
    assert not look.own(publisher.made.name)


def test_names_with_folders_spaces_and_other_letters_are_kept(
    publisher: Publisher, look: Look
) -> None:
    names = ["docs/codebook.md", "ü und % ?.txt", "数据#1.csv", "a+b&c.txt"]
    publisher.made.loose = {name: name.encode() for name in names}
    publisher.publish()
    [record] = look.published(publisher.made.name)
    entries = look.get(f"/api/records/{record['id']}/files")["entries"]
    sums = {entry["key"]: entry["checksum"] for entry in entries}
    for name in names:
        assert sums[name] == f"md5:{hashlib.md5(name.encode()).hexdigest()}"


def test_a_hundred_files_go_one_by_one_and_more_do_not_go_at_all(
    publisher: Publisher, look: Look
) -> None:
    publisher.made.loose = {f"table-{n:03}.csv": b"%d" % n for n in range(99)}
    publisher.publish()
    [record] = look.published(publisher.made.name)
    assert len(look.get(f"/api/records/{record['id']}/files")["entries"]) == 100
    publisher.made.loose = {f"table-{n:03}.csv": b"%d" % n for n in range(120)}
    publisher.made.change(version="1.1.0")
    with pytest.raises(ReviewdataError, match=r"has 121 files, and .* takes 100 of a record: send"):
        publisher.draft()
    assert len(look.own(publisher.made.name)) == 1


def test_a_tree_of_120_files_goes_as_one_zip(publisher: Publisher, look: Look) -> None:
    publisher.made.bump("1.0.0", **{f"table-{n}": b"%d" % n for n in range(120)})
    publisher.publish()
    [record] = look.published(publisher.made.name)
    archive = look.files(record)[archive_of(publisher, "1.0.0")]
    assert read_member(archive, "data/table-119.csv") == b"119"


def test_an_empty_file_is_a_file(publisher: Publisher, look: Look) -> None:
    publisher.made.loose = {"empty.txt": b""}
    publisher.publish()
    [record] = look.published(publisher.made.name)
    assert look.files(record)["empty.txt"] == b""


def run_together(*work: Callable[[], object]) -> list[BaseException]:
    """Run functions at once, and return what they have raised."""
    raised: list[BaseException] = []

    def run(one: Callable[[], object]) -> None:
        try:
            one()
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=run, args=(one,)) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


@pytest.mark.parametrize("number", range(3))
def test_two_runs_at_once_publish_once(
    number: int, publisher: Publisher, look: Look, invenio: Running, tmp_path: Path
) -> None:
    other = Publisher(invenio.address, invenio.token, tmp_path / "other")
    other.made = Maker(tmp_path / "other", publisher.made.name)
    (tmp_path / "other").mkdir()
    versions = [("1.0.0", b"1"), ("1.1.0", b"2")]
    for count, (version, content) in enumerate(versions, start=1):
        for one in (publisher, other):
            one.made.bump(version, results=content)
        raised = run_together(publisher.publish, other.publish)
        assert all(isinstance(error, ReviewdataError) for error in raised), raised
        publisher.publish()  # where one run has got into the way of the other
        other.concept = publisher.concept
        assert len(look.published(publisher.made.name)) == count
        assert not look.drafts(publisher.made.name)


def test_a_server_that_limits_requests_is_waited_for(tmp_path: Path) -> None:
    with run_invenio(tmp_path, "1000 per hour;20 per minute") as running:
        waited: list[float] = []
        web = Web(find_server(running.address), Token(running.token), wait=waited.append)
        with closing(web), pytest.raises(BusyError, match="429 TOO MANY REQUESTS"):
            ask_often(web)
        assert waited
        assert all(seconds > 1 for seconds in waited)


def ask_often(web: Web) -> None:
    for _ in range(30):
        web.get("/api/records")
