"""Requests to a server: what is tried again, what never is, and where the token goes."""

from __future__ import annotations

import gzip
import logging
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
from scripted import Said, Scripted, run_scripted

from reviewdata.model import ReviewdataError
from reviewdata.release.exchange import BusyError, RefusedError
from reviewdata.release.servers import Token, find_server, find_token
from reviewdata.release.web import TRIES, Web

SECRET = "synthetic-secret-0123456789"


@pytest.fixture
def script() -> Iterator[Scripted]:
    with run_scripted() as running:
        yield running


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def web(script: Scripted, waits: list[float]) -> Iterator[Web]:
    opened = Web(find_server(script.address), Token(SECRET), wait=waits.append, timeout=0.5)
    yield opened
    opened.close()


def silent(more: int) -> None:
    pass


PASSING = [
    Said(429, {"message": "slow down"}, {"Retry-After": "7"}),
    Said(502, b"<html>bad gateway", cut=True),
    Said(503),
    Said(504),
    Said(drop=True),
    Said(body={"whole": True}, cut=True),
    Said(body=b"<html>no JSON"),
    Said(hang=True),
]


@pytest.mark.parametrize("trouble", PASSING, ids=str)
def test_a_get_is_made_again_after_what_passes(
    trouble: Said, script: Scripted, web: Web, waits: list[float]
) -> None:
    script.answers = [trouble, Said(body={"whole": True})]
    assert web.get("/api/x", q='a "b"') == {"whole": True}
    assert [r.path for r in script.requests] == ["/api/x?q=a+%22b%22"] * 2
    assert len(waits) == 1


@pytest.mark.parametrize("trouble", PASSING[1:], ids=str)
def test_a_post_is_not_made_again_where_the_server_may_have_acted(
    trouble: Said, script: Scripted, web: Web
) -> None:
    script.answers = [trouble, Said(body={})]
    with pytest.raises(BusyError, match=r"POST /api/x at 127.0.0.1"):
        web.send("/api/x", {"a": 1})
    assert len(script.requests) == 1


def test_a_post_is_made_again_where_the_server_says_that_it_has_not_acted(
    script: Scripted, web: Web, waits: list[float]
) -> None:
    script.answers = [Said(429, {}, {"Retry-After": "7"}), Said(201, {"id": "r"})]
    assert web.send("/api/x", {"a": 1}) == {"id": "r"}
    assert 7 <= waits[0] < 10


def test_a_post_that_is_safe_is_made_again(script: Scripted, web: Web) -> None:
    script.answers = [Said(504), Said(201, {"id": "r"})]
    assert web.send("/api/x", safe=True) == {"id": "r"}


def test_a_server_that_cannot_be_reached_is_named(waits: list[float]) -> None:
    with run_scripted() as gone:
        address = gone.address
    web = Web(find_server(address), Token(SECRET), wait=waits.append)
    with pytest.raises(BusyError, match=r"127.0.0.1:\d+: cannot be reached"):
        web.send("/api/x", {})  # nothing was done, so that it is tried again
    assert len(waits) == TRIES - 1
    web.close()


def test_tries_end_and_waits_grow(script: Scripted, web: Web, waits: list[float]) -> None:
    script.answers = [Said(503)]
    with pytest.raises(BusyError, match="503 Service Unavailable"):
        web.get("/api/x")
    assert len(script.requests) == TRIES
    assert waits[-1] > waits[0]


def test_a_server_that_asks_for_an_hour_is_not_waited_for(
    script: Scripted, web: Web, waits: list[float]
) -> None:
    script.answers = [Said(429, {}, {"Retry-After": "3600"})]
    with pytest.raises(BusyError, match="it asks to wait for 3600 seconds"):
        web.get("/api/x")
    assert not waits


def test_a_refusal_tells_what_the_server_says(script: Scripted, web: Web) -> None:
    errors = [{"field": "metadata.title", "messages": ["Missing data"]}]
    script.answers = [Said(400, {"message": "A validation error", "errors": errors})]
    with pytest.raises(
        RefusedError, match=r"400 Bad Request: A validation error; metadata.title: "
    ):
        web.get("/api/x")
    script.answers = [Said(409, {"error": {"name": ["in use"], "__type": "V"}})]
    with pytest.raises(RefusedError, match=r"409 Conflict: name: in use$"):
        web.get("/api/x")


def test_a_crash_of_the_server_is_not_asked_for_again(script: Scripted, web: Web) -> None:
    script.answers = [Said(500)]
    with pytest.raises(BusyError, match="500"):
        web.get("/api/x")
    assert len(script.requests) == 1


def test_what_is_deleted_already_is_deleted(script: Scripted, web: Web) -> None:
    script.answers = [Said(504), Said(404)]
    web.delete("/api/x")
    script.answers = [Said(403)]
    with pytest.raises(RefusedError):
        web.delete("/api/x")


def test_a_file_is_put_again_from_its_start_and_counted_once(
    script: Scripted, web: Web, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x" * 1_000_000)
    counted: list[int] = []
    script.answers = [Said(503), Said(body={"fine": 1})]
    assert web.put_file("/f", file, 1_000_000, counted.append) == {"fine": 1}
    assert [len(r.content) for r in script.requests] == [1_000_000] * 2
    assert sum(counted) == 1_000_000
    assert min(counted) < 0


def test_a_form_goes_once_with_its_fields(script: Scripted, web: Web, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"bytes of it")
    script.answers = [Said(body={"success": True})]
    assert web.send_form("/f", {"name": "ü"}, file, "a.csv", silent) == {"success": True}
    assert b"bytes of it" in script.requests[0].content
    script.answers = [Said(504)]
    with pytest.raises(BusyError):
        web.send_form("/f", {"name": "ü"}, file, "a.csv", silent)


def test_a_download_that_breaks_off_begins_again(
    script: Scripted, web: Web, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    script.answers = [Said(body=b"0123456789", cut=True), Said(body=b"0123456789")]
    web.download("/f", out, 10, silent)
    assert out.read_bytes() == b"0123456789"
    script.answers = [Said(body=b"0123456789+")]
    with pytest.raises(ReviewdataError, match="more than the 10 bytes"):
        web.download("/f", out, 10, silent)


def test_the_token_goes_to_its_server_and_to_no_other(
    script: Scripted, web: Web, tmp_path: Path
) -> None:
    with run_scripted() as other:
        other.answers = [Said(body=b"bytes")]
        script.answers = [Said(302, headers={"Location": f"{other.address}/x"})]
        with pytest.raises(ReviewdataError, match=r"redirects to another host, 127.0.0.1"):
            web.get("/api/x")
        with pytest.raises(ReviewdataError, match="redirects a POST"):
            web.send("/api/x", {})
        with pytest.raises(ReviewdataError, match="redirects a PUT"):
            web.replace("/api/x", {})
        assert not other.requests
        web.download("/f", tmp_path / "out", 10, silent)
        assert [r.headers.get("authorization") for r in other.requests] == [None]
    assert {r.headers["authorization"] for r in script.requests} == {f"Bearer {SECRET}"}


def test_an_answer_that_is_packed_is_read_as_it_says(script: Scripted, web: Web) -> None:
    """Nobody asks for it; some servers pack all the same."""
    packed = {"Content-Encoding": "gzip"}
    script.answers = [Said(200, gzip.compress(b'{"y": 1}'), packed)]
    assert web.get("/api/x") == {"y": 1}
    script.answers = [Said(200, b"junk", packed)]
    with pytest.raises(BusyError, match="the answer is not packed as it says"):
        web.get("/api/x")


def test_a_redirect_on_the_same_server_is_followed(script: Scripted, web: Web) -> None:
    script.answers = [Said(301, {}, {"Location": "/api/y"}), Said(body={"y": 1})]
    assert web.get("/api/x", a=1) == {"y": 1}
    assert script.requests[-1].path == "/api/y"
    script.answers = [Said(301, {}, {"Location": "/api/x"})]
    with pytest.raises(ReviewdataError, match="redirects without end"):
        web.get("/api/x")


def test_a_download_is_not_led_to_another_scheme(
    script: Scripted, web: Web, tmp_path: Path
) -> None:
    for location in ("http://example.org/f", "file:///etc/passwd", "ftp://example.org/f"):
        script.answers = [Said(302, headers={"Location": location})]
        with pytest.raises(ReviewdataError, match="only https is spoken"):
            web.download("/f", tmp_path / "out", 10, silent)


def test_no_error_log_or_traceback_holds_the_token(
    script: Scripted, web: Web, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    echo = Said(400, {"message": f"Bad token {SECRET}"}, {"Location": f"http://{SECRET}.org"})
    for said in (
        echo,
        Said(302, headers=echo.headers),
        Said(drop=True),
        Said(503),
        Said(body=b"<"),
    ):
        script.answers = [said]
        with pytest.raises(ReviewdataError) as caught:
            web.get("/api/x")
        told = "".join(traceback.format_exception(caught.value))
        assert SECRET not in told + repr(caught.value) + repr(web.__dict__)
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    ("given", "variable"),
    [
        ("sandbox", "REVIEWDATA_TOKEN_SANDBOX"),
        ("zenodo", "REVIEWDATA_TOKEN_ZENODO"),
        ("https://zenodo.org/", "REVIEWDATA_TOKEN_ZENODO"),
        ("https://data.example.org/repo", "REVIEWDATA_TOKEN_DATA_EXAMPLE_ORG"),
        ("http://127.0.0.1:5000", "REVIEWDATA_TOKEN_127_0_0_1_5000"),
    ],
)
def test_a_server_has_its_variable(
    given: str, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = find_server(given)
    monkeypatch.delenv(variable, raising=False)
    with pytest.raises(ReviewdataError, match=f"set the variable {variable}, or keep it with: key"):
        find_token(server)
    monkeypatch.setenv(variable, SECRET + "\n")
    assert find_token(server) == Token(SECRET)
    assert SECRET not in repr(find_token(server))
    monkeypatch.setenv(variable, "two words")
    with pytest.raises(ReviewdataError, match="holds is no token"):
        find_token(server)


@pytest.mark.parametrize(
    "given",
    [
        *("", "nowhere", "http://example.org", "ftp://example.org", "https://u:p@example.org"),
        *("https://example.org/?token=x", "https://", "https://[", "http://127.0.0.1:x"),
        "https://a b",
    ],
)
def test_an_address_that_no_token_may_go_to_is_refused(given: str) -> None:
    with pytest.raises(ReviewdataError):
        find_server(given)
