"""The verbs of `reviewdata release` that speak to a server, as they are typed."""

from __future__ import annotations

import json
import logging
import re
import sys
import uuid
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import keyring
import pytest
from actions import Ended, Runner
from conftest import Command
from deposits import Maker
from keyring.backend import KeyringBackend
from mini import write_mini
from publications import Publisher, awake
from releasable import write_releasable
from repositories import commit, git
from servers.faults import FAULTS, Proxy, run_proxy
from servers.running import ORGANISATION, Running
from test_workflows import TEMPLATES

from reviewdata import open as open_review
from reviewdata import release_fetch
from reviewdata.model import ReviewdataError
from reviewdata.release import publication, targets
from reviewdata.release.concept import find_concept, keep_concept
from reviewdata.release.deposit import Builder, Deposit
from reviewdata.release.invenio import InvenioRDM
from reviewdata.release.servers import find_server, find_token
from reviewdata.release.web import Web

SIZE = re.compile(r"\d+ B")
SECRET = "synthetic-secret-0123456789"


@pytest.fixture
def review(tmp_path: Path) -> Path:
    return write_mini(tmp_path / "review")


@pytest.fixture
def made(review: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Maker:
    """Return what builds in the place of `release build`: a synthetic review of its own name."""
    made = Publisher("", "", tmp_path / "built").made
    rename(review, made.name)
    monkeypatch.setattr(publication, "make_builder", lambda project, publisher, since: made)
    return made


def rename(review: Path, name: str) -> None:
    """Give a review a name, and no DOI."""
    content = json.loads((review / "datapackage.json").read_text("utf-8"))
    content.pop("id", None)
    (review / "datapackage.json").write_text(json.dumps(content | {"name": name}), "utf-8")


def variable(address: str) -> str:
    return find_server(address).variable


@pytest.mark.parametrize("verb", ["plan", "draft", "verify"])
def test_a_missing_token_is_told_with_its_variable(
    verb: str, review: Path, reviewdata: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REVIEWDATA_TOKEN_SANDBOX", raising=False)
    ended = reviewdata("release", verb, review)
    assert (ended.code, ended.out) == (2, "")
    assert "no token for sandbox.zenodo.org: set the variable REVIEWDATA_TOKEN_SANDBOX" in ended.err


class Held(KeyringBackend):
    """A keyring of this test: one token."""

    priority = 1

    def set_password(self, service: str, username: str, password: str) -> None:
        """Hold no other."""

    def get_password(self, service: str, username: str) -> str | None:
        """Return the one token, and None for every other user."""
        return SECRET if (service, username) == ("reviewdata", "rdm.example.org") else None


@pytest.fixture
def held() -> Iterator[None]:
    before = keyring.get_keyring()
    keyring.set_keyring(Held())  # type: ignore[no-untyped-call]
    yield
    keyring.set_keyring(before)


def test_a_token_is_of_the_environment_or_else_of_the_keyring(
    held: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = find_server("https://rdm.example.org")
    monkeypatch.delenv("REVIEWDATA_TOKEN_RDM_EXAMPLE_ORG", raising=False)
    assert find_token(server).secret == SECRET
    monkeypatch.setenv("REVIEWDATA_TOKEN_RDM_EXAMPLE_ORG", "another-synthetic-secret")
    token = find_token(server)
    assert token.secret == "another-synthetic-secret"
    assert token.secret not in f"{token} {token!r} {vars(server)}"
    monkeypatch.delenv("REVIEWDATA_TOKEN_SANDBOX", raising=False)
    with pytest.raises(ReviewdataError, match=r"keyring set reviewdata sandbox\.zenodo\.org"):
        find_token(find_server("sandbox"))
    monkeypatch.setenv("REVIEWDATA_TOKEN_SANDBOX", "a secret\nwith a line")
    with pytest.raises(ReviewdataError, match="holds is no token"):
        find_token(find_server("sandbox"))


def test_publish_asks_for_a_yes(review: Path, reviewdata: Command) -> None:
    ended = reviewdata("release", "publish", review)
    assert (ended.code, ended.err) == (
        2,
        "reviewdata: what is published cannot be taken back: give --yes\n",
    )


def test_ctrl_c_says_how_to_go_on(
    review: Path, reviewdata: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make_builder(project: Path, publisher: str, since: str | None) -> Builder:
        def build(doi: str | None, concept: str | None) -> Deposit:
            raise KeyboardInterrupt

        return build

    monkeypatch.setattr(publication, "make_builder", make_builder)
    monkeypatch.setenv("REVIEWDATA_TOKEN_SANDBOX", SECRET)
    ended = reviewdata("release", "draft", review)
    assert ended.code == 130
    assert ended.err == "reviewdata: stopped; the same command goes on where this one ended\n"


def test_git_has_the_concept_of_its_own_server_alone() -> None:
    zenodo, sandbox = find_server("zenodo"), find_server("sandbox")
    other = find_server("https://rdm.example.org")
    for text in ("10.5281/zenodo.7", "https://doi.org/10.5281/zenodo.7", "doi:10.5281/zenodo.7"):
        found = {"id": text}
        assert find_concept(found, zenodo) == "10.5281/zenodo.7"
        assert find_concept(found, sandbox) is find_concept(found, other) is None
    assert find_concept({"id": "10.1234/x"}, other) == "10.1234/x"
    for content in ({}, {"id": ""}, {"id": 7}, {"id": "urn:uuid:1"}, {"id": "10.1234/x"}):
        assert find_concept(content, zenodo) is None


def test_the_concept_is_written_and_nothing_else_is_changed(review: Path) -> None:
    file = review / "datapackage.json"
    before = file.read_text("utf-8")
    assert keep_concept(file, "10.1234/x")
    lines = file.read_text("utf-8").splitlines(keepends=True)
    [added] = [line for line in lines if '"id": "https://doi.org/10.1234/x"' in line]
    assert "".join(line for line in lines if line != added) == before
    assert not keep_concept(file, "10.1234/other")
    file.write_text('{"id": "", "resources": [{"id": ""}]}', "utf-8")
    assert keep_concept(file, "10.1234/x")
    assert json.loads(file.read_text("utf-8"))["resources"] == [{"id": ""}]


contract = pytest.mark.contract


@contract
def test_the_verbs_in_their_order_on_invenio(
    review: Path,
    made: Maker,
    invenio: Running,
    reviewdata: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(variable(invenio.address), invenio.token)
    where = ("--server", invenio.address)
    ended = reviewdata("release", "plan", review, *where)
    assert ended.code == 0
    assert f"first version on {invenio.address[7:]}: {made.name} 1.0.0\nbegins" in ended.out
    assert "  send  codebook.md  11 B\n" in ended.out
    ended = reviewdata("release", "publish", review, "--yes", *where)
    assert ended.code == 2
    assert "there is no draft" in ended.err
    ended = reviewdata("release", "draft", review, *where)
    assert ended.code == 0
    size = SIZE.search(ended.out)
    assert size
    assert f"2 files, {size[0]}: 2 sent, 0 there already; every one compared by" in ended.out
    assert f"reviewdata release publish --yes --server {invenio.address}\n" in ended.out
    assert "sent codebook.md  11 B in 0." in ended.err
    plan = json.loads(reviewdata("release", "plan", review, *where, "--format", "json").out)
    assert (plan["action"], plan["exact"], plan["send"]) == ("first version", True, [])
    ended = reviewdata("release", "publish", review, "--yes", *where)
    assert ended.code == 0
    assert (
        f"2 files, {size[0]} read back, the same as what is built here, byte for byte; "
        in ended.out
    )
    assert "is now the id in datapackage.json: commit it" in ended.out
    concept = json.loads((review / "datapackage.json").read_text())["id"]
    assert f"all versions: {concept.removeprefix('https://doi.org/')}\n" in ended.out
    ended = reviewdata("release", "plan", review, *where)
    assert ended.out.startswith("nothing to do: 127.0.0.1")
    assert "nothing to send" in reviewdata("release", "draft", review, *where).out
    assert reviewdata("release", "publish", review, "--yes", *where).code == 0
    made.bump("1.1.0", results=b"id,mean\na,1.3\n")
    assert ", after 1.0.0 as 10.5072/" in reviewdata("release", "plan", review, *where).out
    assert reviewdata("release", "draft", review, *where).code == 0
    assert reviewdata("release", "publish", review, "--yes", *where).code == 0
    ended = reviewdata("release", "verify", review, *where)
    assert ended.out.startswith("1.1.0 is published as 10.5072/")
    assert "commit it" not in ended.out
    into = tmp_path / "fetched"
    ended = reviewdata("release", "fetch", f"{concept}@1.0.0", "--output", into, *where)
    assert ended.code == 0
    assert "checked: 1 file by the server's md5, 2 files by SHA256SUMS; " in ended.out
    assert (into / "data" / "results.csv").read_bytes() == b"id,mean\na,1.2\n"


@contract
def test_the_verbs_in_their_order_on_ckan(
    review: Path,
    made: Maker,
    ckan: Running,
    reviewdata: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The server is asked what it is."""
    monkeypatch.setenv(variable(ckan.address), ckan.token)
    where = ("--server", ckan.address, "--organisation", ORGANISATION)
    assert "first version" in reviewdata("release", "plan", review, *where).out
    ended = reviewdata("release", "draft", review, *where)
    assert f"publish --yes --server {ckan.address} --organisation {ORGANISATION}\n" in ended.out
    ended = reviewdata("release", "publish", review, "--yes", *where)
    assert ended.code == 0
    assert f"{ckan.address}/dataset/{made.name}-1-0-0\n" in ended.out
    assert "id" not in json.loads((review / "datapackage.json").read_text())
    other = ("--server", ckan.address, "--organisation", "another")
    made.change(title="Another title", version="1.1.0")
    made.bump("1.1.0", results=b"x\n")
    ended = reviewdata("release", "plan", review, *other)
    assert ended.code == 1
    assert "may not make datasets in another on 127.0.0.1" in ended.out


@pytest.fixture
def releasable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a review in git, at an address where no other test has published."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1770000000")
    name = f"synthetic-{uuid.uuid4().hex[:8]}"
    folder = write_releasable(tmp_path / "review", patch={"datapackage.json": {"name": name}})
    commit(folder)
    return folder


def release_again(folder: Path) -> None:
    """Add a study, raise the version and commit."""
    content = json.loads((folder / "datapackage.json").read_text("utf-8"))
    text = json.dumps(content | {"version": "1.1.0"}, indent=2)
    (folder / "datapackage.json").write_text(text, "utf-8")
    (folder / "CHANGELOG.md").write_text("## 1.1.0\n\n- A study more.\n", "utf-8")
    with (folder / "data" / "studies.csv").open("a", encoding="utf-8", newline="") as table:
        table.write("S3,2020,cohort\n")
    commit(folder)


@contract
def test_a_review_is_published_twice_and_fetched_on_invenio(
    releasable: Path,
    invenio: Running,
    reviewdata: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With nothing that stands in for anything: `build` builds, git has the history."""
    monkeypatch.setenv(variable(invenio.address), invenio.token)
    where = ("--server", invenio.address)

    def run(verb: str, *options: str) -> str:
        ended = reviewdata("release", verb, releasable, *options, *where)
        assert ended.code == 0, ended.err
        return ended.out

    run("draft")
    git(releasable, "tag", "v1.0.0")
    assert "the same as what is built here, byte for byte" in run("publish", "--yes")
    concept = json.loads((releasable / "datapackage.json").read_text("utf-8"))["id"]
    git(releasable, "diff", "--stat", "--exit-code", "--", "data", "schemas")
    commit(releasable, "the DOI of all versions")
    # git has an identifier that the published bytes could not have yet.
    assert "the same as what is built here, byte for byte" in run("verify")
    assert run("plan").startswith("nothing to do")
    release_again(releasable)
    assert "new version" in run("plan")
    assert "\nDOI 10.5072/" in run("draft")
    published = run("publish", "--yes")
    assert "the same as what is built here, byte for byte" in published
    assert f"all versions: {concept.removeprefix('https://doi.org/')}\n" in published

    for number in ("1.0.0", "1.1.0"):
        into = tmp_path / number
        ended = reviewdata("release", "fetch", f"{concept}@{number}", "--output", into, *where)
        assert ended.code == 0, ended.err
        told = json.loads((into / "datapackage.json").read_text("utf-8"))
        doi = told["id"].removeprefix("https://doi.org/")
        assert doi.startswith("10.5072/")
        assert told["id"] != concept
        assert f'doi: "{doi}"\n' in (into / "CITATION.cff").read_text("utf-8")
        named = [entry["relatedIdentifier"] for entry in told.get("relatedIdentifiers", [])]
        assert named == ([concept] if number == "1.1.0" else [])
    ended = reviewdata("query", "pooled", "--project", tmp_path / "1.1.0", "--format", "csv")
    assert ended.out == (tmp_path / "1.1.0" / "results" / "pooled.csv").read_text("utf-8")
    ended = reviewdata("diff", tmp_path / "1.0.0", tmp_path / "1.1.0")
    assert "S3" in ended.out


def test_what_stands_against_a_release_is_shown_as_findings(
    releasable: Path, reviewdata: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the server is asked anything: nobody listens at this address."""
    monkeypatch.setenv(variable("http://127.0.0.1:9"), SECRET)
    content = json.loads((releasable / "datapackage.json").read_text("utf-8"))
    (releasable / "datapackage.json").write_text(json.dumps(content | {"licenses": []}), "utf-8")
    for verb in ("plan", "draft"):
        where = ("--server", "http://127.0.0.1:9", "--target", "invenio")
        ended = reviewdata("release", verb, releasable, *where)
        assert ended.code == 1
        assert "RD605" in ended.out


@contract
def test_a_review_is_published_twice_and_fetched_on_ckan(
    releasable: Path,
    ckan: Running,
    reviewdata: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(variable(ckan.address), ckan.token)
    where = ("--server", ckan.address)
    for number in ("1.0.0", "1.1.0"):
        if number == "1.1.0":
            git(releasable, "tag", "data-1.0.0")
            release_again(releasable)
        for verb in (("draft",), ("publish", "--yes"), ("verify",)):
            ended = reviewdata("release", *verb, releasable, *where)
            assert ended.code == 0, ended.err
        assert "the same as what is built here, byte for byte" in ended.out
    name = json.loads((releasable / "datapackage.json").read_text("utf-8"))["name"]
    for number in ("1.0.0", "1.1.0"):
        into = tmp_path / number
        address = f"{ckan.address}/dataset/{name}-1-0-0@{number}"
        ended = reviewdata("release", "fetch", address, "--output", into)
        assert ended.code == 0, ended.err
        assert json.loads((into / "datapackage.json").read_text("utf-8"))["version"] == number


@contract
def test_every_verb_is_the_same_word_in_python(
    releasable: Path, invenio: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable(invenio.address), invenio.token)
    review = open_review(releasable)
    assert review.release_plan(invenio.address).action == "first version"
    drafted = review.release_draft(invenio.address)
    assert drafted.draft is not None
    done = review.release_publish(invenio.address)
    assert (done.published.doi, done.identical, done.kept) == (drafted.draft.doi, True, True)
    assert review.release_verify(invenio.address).kept is False
    assert review.release_plan(invenio.address).action == "nothing"
    fetched = release_fetch(done.published.address, tmp_path / "fetched")
    assert fetched.query("pooled").records() == review.query("pooled").records()


@contract
def test_the_workflow_builds_drafts_and_publishes_what_is_tagged(
    releasable: Path, invenio: Running, tmp_path: Path
) -> None:
    """The jobs of the template as GitHub runs them; a server of this machine is both Zenodos."""
    template = TEMPLATES / "github" / "reviewdata-release.yml"
    text = template.read_text("utf-8")
    for name in ("sandbox", "zenodo"):
        assert text.count(f"SERVER: {name}\n") == 1
        text = text.replace(f"SERVER: {name}\n", f"SERVER: {invenio.address}\n")
    workflow = tmp_path / "workflow.yml"
    workflow.write_text(text, "utf-8")
    kept: list[str] = []

    def run(job: str, tag: str = "data-1.0.0") -> tuple[int, Runner]:
        (temp := tmp_path / f"temp-{len(list(tmp_path.iterdir()))}").mkdir()
        runner = Runner(releasable, temp, {"ref_name": tag})
        runner.environment[variable(invenio.address)] = invenio.token
        runner.stands_in = {
            "actions/checkout": lambda given: None,
            "actions/upload-artifact": lambda given: kept.append(given["path"]),
            "OWNER/reviewdata": lambda given: Ended(0, {"python": sys.executable}),
        }
        return runner.run_job(workflow, job).code, runner

    code, runner = run("build", "data-2.0.0")
    assert (code, [a.message for a in runner.annotations]) == (
        1,
        ["the tag names another version than datapackage.json has"],
    )
    for job in ("build", "rehearse", "publish"):
        code, runner = run(job)
        assert code == 0, runner.log
        assert runner.summary.startswith("```\n")
        assert invenio.token not in "".join(runner.log) + runner.summary
    assert "byte for byte" in runner.summary
    assert kept[-1] == "datapackage.json"
    assert "10.5072/" in json.loads((releasable / "datapackage.json").read_text("utf-8"))["id"]


@pytest.fixture
def proxy(invenio: Running) -> Iterator[Proxy]:
    with run_proxy(invenio.address) as running:
        yield running


@contract
def test_the_token_is_in_nothing_that_is_printed_logged_or_written(
    review: Path,
    made: Maker,
    proxy: Proxy,
    invenio: Running,
    reviewdata: Command,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whatever goes wrong: each fault at one request of `draft`, of `publish` and of `plan`."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr("reviewdata.release.web.TRIES", 2)
    monkeypatch.setattr(targets, "Web", partial(Web, wait=awake))
    monkeypatch.setattr(targets, "InvenioRDM", partial(InvenioRDM, wait=awake))
    monkeypatch.setenv(variable(proxy.address), invenio.token)
    where = ("--server", proxy.address, "--target", "invenio", "--verbose")
    proxy.timeout = 0.0
    printed = []
    name = made.name
    for number, fault in enumerate(FAULTS, start=4):
        made.name = f"{name}-{number}"
        rename(review, made.name)
        for verb in (("draft",), ("publish", "--yes"), ("plan",)):
            proxy.set(fault, number)
            printed.append(reviewdata("release", *verb, str(review), *where))
    proxy.set()
    rename(review, made.name)
    printed.append(reviewdata("release", "draft", review, *where))
    printed.append(reviewdata("release", "publish", review, "--yes", *where))
    assert printed[-1].code == 0
    assert any(ended.code == 2 for ended in printed)
    assert proxy.requests
    texts = [ended.out + ended.err for ended in printed]
    files = [p.read_bytes() for p in review.parent.rglob("*") if p.is_file()]
    assert not any(invenio.token in text for text in [*texts, caplog.text])
    assert not any(invenio.token.encode() in content for content in files)
    assert not any(invenio.token in repr(headers) for headers in proxy.stolen)
