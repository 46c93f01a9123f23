"""Servers, archives and reviews that mean harm: one clear line, and nothing outside its folder."""

from __future__ import annotations

import json
import os
import time
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import Command
from deposits import write_zip
from releasable import write_releasable
from repositories import commit
from scripted import Said, Scripted, run_scripted

from reviewdata.archives import extract_zip
from reviewdata.model import ReviewdataError
from reviewdata.pathnames import is_git
from reviewdata.release import exchange, handover, web
from reviewdata.release.build import build_release, write_release
from reviewdata.release.deposit import check_name
from reviewdata.release.fetching import fetch
from reviewdata.release.readiness import Readiness, check_readiness
from reviewdata.release.servers import Token, check_public, find_server
from reviewdata.release.state import State

SECRET = "synthetic-Secret-0123456789"
RECORD: dict[str, Any] = {"id": "1", "metadata": {"version": "1"}}
PARTS = ("pids", "parent", "metadata", "versions", "links")


@pytest.fixture
def script() -> Iterator[Scripted]:
    with run_scripted() as running:
        yield running


@pytest.mark.parametrize(
    "part", [".git", ".GIT", ".git.", ".git ", "git~1", ".g\u200cit", ".gi\ufefft", "GIT~1"]
)
def test_no_system_gets_a_folder_of_git(part: str, tmp_path: Path) -> None:
    assert is_git(part)
    archive = tmp_path / "a.zip"
    write_zip(archive, {"datapackage.json": b"{}", f"{part}/config": b"[core]"})
    with pytest.raises(ReviewdataError, match="leaves its folder, or is none that is safe"):
        extract_zip(archive, tmp_path / "tree")
    with pytest.raises(ReviewdataError, match="is no name that a file is sent under"):
        check_name(f"{part}/config")
    assert not is_git(".gitignore")
    assert not is_git("digit")


def test_a_folder_is_not_named_by_who_sends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (".git", "..", "-rf", "$(id)", ["a"], "a/b", ""):
        package = {"name": name, "resources": []}
        write_zip(tmp_path / "a.zip", {"datapackage.json": json.dumps(package).encode()})
        if name == "":
            assert fetch("a.zip").folder == Path("package")
            continue
        with pytest.raises(ReviewdataError, match="is no name for a folder: give --output"):
            fetch("a.zip")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zip", "package"]


ODD: Mapping[str, tuple[Any, Any]] = {
    "a record that is a list": ([], {"entries": []}),
    "a record that is null": (None, {"entries": []}),
    "a record without an id": ({"metadata": {}}, {"entries": []}),
    "an id that is a number": (RECORD | {"id": 5}, {"entries": []}),
    "parts that are null": (
        RECORD | dict.fromkeys(PARTS),
        {"entries": []},
    ),
    "parts that are lists": (
        RECORD | {part: [] for part in PARTS},
        {"entries": []},
    ),
    "an index that is a text": (RECORD | {"versions": {"index": "x"}}, {"entries": []}),
    "files that are a list": (RECORD, []),
    "files that are null": (RECORD, {"entries": None}),
    "a file that is a text": (RECORD, {"entries": ["x"]}),
    "a file without a name": (RECORD, {"entries": [{}]}),
    "a size that is a text": (RECORD, {"entries": [{"key": "a.zip", "size": "x"}]}),
    "a size below nothing": (RECORD, {"entries": [{"key": "a.zip", "size": -1}]}),
    "a size without end": (RECORD, b'{"entries": [{"key": "a.zip", "size": 1e999}]}'),
    "JSON without bottom": (b"[" * 200_000, {"entries": []}),
    "half a letter": (b'{"id": "a\\ud800"}', {"entries": []}),
}


@pytest.mark.parametrize("case", ODD)
def test_an_answer_of_another_form_is_one_line(
    case: str, script: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "TRIES", 1)
    record, files = ODD[case]
    script.answers = [Said(body={"hits": {}}), Said(body=record), Said(body=files)]
    with pytest.raises(ReviewdataError) as caught:
        fetch(f"{script.address}/records/1", tmp_path / "no")
    assert "\n" not in str(caught.value)
    assert [path for path in tmp_path.iterdir() if path.name != "no"] == []


def test_a_file_and_a_folder_of_one_name_are_told(script: Scripted, tmp_path: Path) -> None:
    listed = [{"key": key, "size": 2} for key in ("datapackage.json", "data", "data/x")]
    script.answers = [Said(body={"hits": {}}), Said(body=RECORD), Said(body={"entries": listed})]
    script.answers.append(Said(body=b"{}"))
    with pytest.raises(ReviewdataError, match="data cannot be made"):
        fetch(f"{script.address}/records/1", tmp_path / "no")


def test_the_bytes_that_come_are_counted_whatever_the_server_says(
    script: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reviewdata.release.fetching.SIZE_LIMIT", 1_000)
    listed = [{"key": key} for key in ("datapackage.json", "a", "b")]
    script.answers = [Said(body={"hits": {}}), Said(body=RECORD), Said(body={"entries": listed})]
    script.answers.append(Said(body=b"x" * 600))
    with pytest.raises(ReviewdataError, match="more than the 400 bytes that are expected"):
        fetch(f"{script.address}/records/1", tmp_path / "no")


def test_what_a_server_repeats_of_the_token_is_not_told(
    script: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "TRIES", 1)
    long = "x" * 975 + " " + SECRET
    errors = {"errors": [{"field": "x", "messages": [f"Bearer {SECRET.upper()}"]}]}
    opened = web.Web(find_server(script.address), Token(SECRET))
    for said in (
        Said(400, {"message": long}),
        Said(403, errors),
        Said(200, {"a": [long]}),
    ):
        script.answers = [said]
        try:
            told = repr(opened.get("/api/x"))
        except ReviewdataError as error:
            told = str(error)
        assert SECRET[:20].lower() not in told.lower()
        assert "[token]" in told
    script.answers = [Said(302, {}, {"Location": f"https://{SECRET}.example.org/"})]
    with pytest.raises(ReviewdataError, match=r"another host, \[token\]\.example\.org"):
        opened.get("/api/x")
    opened.close()


def test_no_two_hosts_have_the_variable_of_one_token() -> None:
    given = ("zenodo", "sandbox", "https://rdm.example.org", "https://rdm-example.org")
    names = [find_server(text).variable for text in (*given, "https://rdm.example-org.de")]
    assert len(set(names)) == len(names)
    assert find_server("https://SANDBOX.zenodo.org:443/") == find_server("sandbox")
    for text in ("https://zenodo", "https://sandbox"):
        with pytest.raises(ReviewdataError, match="is no whole name of a host"):
            find_server(text)


def test_a_place_that_nobody_has_named_is_none_of_this_machine() -> None:
    for address in ("http://127.0.0.1:5000/x", "https://127.1", "https://0.0.0.0", "https://[::1]"):
        with pytest.raises(ReviewdataError, match="is no address of the public network"):
            check_public(address)
    for address in ("https://[::ffff:127.0.0.1]/x", "https://10.0.0.1", "https://169.254.169.254"):
        with pytest.raises(ReviewdataError, match="is no address of the public network"):
            check_public(address)
    check_public("https://8.8.8.8")


@pytest.mark.parametrize(
    "text",
    [
        *("https://[x/records/1", "https://\u2100.com/records/1", "https://.../records/1"),
        *(
            f"https://{'a' * 300}.org/records/1",
            "https://xn--/records/1",
            "https://h.org:x/records/1",
        ),
    ],
)
def test_an_address_that_is_none_is_one_line(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "TRIES", 1)
    with pytest.raises(ReviewdataError):
        fetch(text, tmp_path / "no")


@pytest.mark.parametrize("location", ["http://[x/", "http://127.0.0.1:99999/"])
def test_a_redirect_to_no_address_is_one_line(location: str, script: Scripted) -> None:
    opened = web.Web(find_server(script.address), Token(SECRET))
    script.answers = [Said(302, {}, {"Location": location})]
    with pytest.raises(ReviewdataError, match="redirects to"):
        opened.get("/api/x")
    opened.close()


def test_an_answer_that_drips_is_not_waited_for(
    script: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "PATIENCE", 0.0)
    monkeypatch.setattr(exchange, "LEAST_RATE", 1e12)
    opened = web.Web(find_server(script.address), Token(SECRET))
    script.answers = [Said(body=b"x" * 100)]
    with pytest.raises(ReviewdataError, match="which is too slow to go on"):
        opened.download("/x", tmp_path / "out", 1_000, lambda more: time.sleep(0.01))
    opened.close()


def test_what_is_neither_a_file_nor_a_folder_is_not_read() -> None:
    with pytest.raises(ReviewdataError, match="/dev/zero is neither a file nor a folder"):
        fetch("/dev/zero")


def test_a_member_without_a_name_and_a_device_are_refused(tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    write_zip(archive, {"": b"1"})
    with pytest.raises(ReviewdataError, match="leaves its folder"):
        extract_zip(archive, tmp_path / "tree")
    for mode in (0o010644, 0o020644, 0o060644, 0o140644):
        info = zipfile.ZipInfo("device")
        info.external_attr = mode << 16
        with zipfile.ZipFile(archive, "w") as out:
            out.writestr(info, b"1")
        with pytest.raises(ReviewdataError, match="device is a link or a device"):
            extract_zip(archive, tmp_path / "tree")


def test_sums_list_a_file_once(tmp_path: Path) -> None:
    line = b"0" * 64 + b"  datapackage.json\n"
    write_zip(tmp_path / "a.zip", {"datapackage.json": b"{}", "SHA256SUMS": line * 2})
    with pytest.raises(ReviewdataError, match="is in SHA256SUMS twice"):
        fetch(str(tmp_path / "a.zip"), tmp_path / "no")


def test_a_link_of_the_review_does_not_lead_what_is_written(
    tmp_path: Path, reviewdata: Command
) -> None:
    review = write_releasable(tmp_path / "review")
    victim = tmp_path / "victim"
    victim.write_text("kept", "utf-8")
    (review / "dist").mkdir()
    (review / "dist" / "mini-1.0.0.zip").symlink_to(victim)
    ended = reviewdata("release", "build", review)
    assert (ended.code, "is a link or no file; move it away" in ended.err) == (2, True)
    (review / "dist" / ".publishing.json").symlink_to(victim)
    with pytest.raises(ReviewdataError, match="lies behind a link"):
        State(review / "dist" / ".publishing.json").keep_draft("h", "n", "1")
    assert victim.read_text("utf-8") == "kept"
    (review / "dist").rename(tmp_path / "elsewhere")
    (review / "dist").symlink_to(tmp_path / "elsewhere")
    ended = reviewdata("release", "build", review)
    assert (ended.code, "is a link; name the folder with --output" in ended.err) == (2, True)


def test_a_state_that_is_nonsense_is_none(tmp_path: Path) -> None:
    for text in ("[" * 200_000, '{"h n": "a\\ud800"}', '{"h n": 5}', "x"):
        (tmp_path / "state").write_text(text, "utf-8")
        assert State(tmp_path / "state").find_draft("h", "n") is None


def test_a_query_that_git_does_not_have_is_no_part_of_a_release(tmp_path: Path) -> None:
    review = write_releasable(tmp_path / "review")
    commit(review)
    (review / "queries" / "private.sql").write_text("SELECT 'unpublished' AS s", "utf-8")
    built = build_release(review, output=tmp_path / "dist")
    assert not [file.path for file in built.files if "private" in file.path]


def test_data_that_change_after_the_check_are_not_packed(tmp_path: Path) -> None:
    review = write_releasable(tmp_path / "review")
    ready = check_readiness(review)
    with (review / "data" / "studies.csv").open("a", encoding="utf-8") as table:
        table.write("S9,no year,trial\n")
    with pytest.raises(ReviewdataError, match=r"studies\.csv has changed since it was checked"):
        write_release(ready, output=tmp_path / "dist")
    assert not list((tmp_path / "dist").iterdir())


def test_the_rules_of_a_review_see_no_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REVIEWDATA_TOKEN_SANDBOX", SECRET)
    seen: list[str] = []

    def check(project: Path, *, since: str | None) -> Readiness:
        seen.extend(text for text in os.environ.values() if text == SECRET)
        raise ReviewdataError("seen")

    monkeypatch.setattr(handover, "check_readiness", check)
    with pytest.raises(ReviewdataError, match="seen"):
        handover.make_builder(tmp_path, "")(None, None)
    assert not seen
    assert os.environ["REVIEWDATA_TOKEN_SANDBOX"] == SECRET
