"""The API of GitHub: where the token goes, what is waited for, and what an error tells."""

from __future__ import annotations

import pytest
from fakehub import REPOSITORY, TOKEN, Hub, run_hub

from reviewdata.github import LONGEST_WAIT, MOST_REDIRECTS, TRIES, GitHub, TooLargeError
from reviewdata.model import ReviewdataError

ZIP = f"/repos/{REPOSITORY}/actions/artifacts/5/zip"
PULLS = f"/repos/{REPOSITORY}/pulls"


def test_the_token_goes_to_the_api_and_not_to_the_storage(hub: Hub) -> None:
    hub.keep(b"a zip")
    assert GitHub(hub.api, TOKEN).fetch(ZIP, 5) == b"a zip"
    [fetched] = hub.fetched
    assert "authorization" not in fetched.headers
    assert [r.headers["authorization"] for r in hub.requests] == [f"Bearer {TOKEN}"]


def test_another_name_of_the_same_host_is_another_host(hub: Hub) -> None:
    hub.location = f"{hub.api.replace('127.0.0.1', 'localhost')}{ZIP}"
    hub.keep(b"a zip")
    with pytest.raises(ReviewdataError, match="401 Unauthorized"):
        GitHub(hub.api, TOKEN).fetch(ZIP, 5)
    assert ["authorization" in r.headers for r in hub.requests] == [True, False]


def test_more_bytes_than_wanted_are_not_read(hub: Hub) -> None:
    hub.keep(b"a zip")
    with pytest.raises(TooLargeError, match="5 bytes; at most 4 are read"):
        GitHub(hub.api, TOKEN).fetch(ZIP, 4)


@pytest.mark.parametrize(
    "location",
    [
        "http://example.org/x?sig=SIGNED",
        "ftp://127.0.0.1/x?sig=SIGNED",
        "file:///etc/passwd?sig=SIGNED",
        "http://user@127.0.0.1/x?sig=SIGNED",
        "http://[1/x?sig=SIGNED",
        "http://127.0.0.1:99999/x?sig=SIGNED",
        "https:///x?sig=SIGNED",
    ],
)
def test_a_redirect_to_elsewhere_is_refused(location: str, hub: Hub) -> None:
    hub.location = location
    hub.keep(b"x")
    with pytest.raises(ReviewdataError, match="address") as refused:
        GitHub(hub.api, TOKEN).fetch(ZIP, 9)
    assert "SIGNED" not in str(refused.value)


def test_redirects_end(hub: Hub) -> None:
    hub.location = ZIP
    hub.keep(b"x")
    with pytest.raises(ReviewdataError, match="without end"):
        GitHub(hub.api, TOKEN).fetch(ZIP, 9)
    asked = [r for r in hub.requests if r.path.endswith("/zip")]
    assert len(asked) == MOST_REDIRECTS + 1


def test_an_error_of_the_storage_does_not_tell_the_signed_address(hub: Hub) -> None:
    hub.location = f"{hub.storage}/other?sig=SIGNED"
    hub.keep(b"x")
    with pytest.raises(ReviewdataError, match=r"/artifacts/5/zip: 403 Forbidden") as refused:
        GitHub(hub.api, TOKEN).fetch(ZIP, 9)
    assert "SIGNED" not in str(refused.value)


def test_waits_are_those_asked_for_and_bounded(hub: Hub) -> None:
    waited: list[float] = []
    github = GitHub(hub.api, TOKEN, waited.append)
    hub.troubles = [("GET", 503, {"Retry-After": "7"}), ("GET", 502, {})]
    assert list(github.pages(PULLS, state="open", head="x:y")) == [[]]
    assert waited == [7.0, 2.0]
    hub.troubles = [("GET", 429, {"Retry-After": f"{LONGEST_WAIT + 1:.0f}"})]
    with pytest.raises(ReviewdataError, match="not before 61 seconds"):
        github.get(PULLS, state="open", head="x:y")
    hub.troubles = [("GET", 500, {})] * TRIES
    with pytest.raises(ReviewdataError, match="500 Internal Server Error"):
        github.get(PULLS, state="open", head="x:y")
    assert len(waited) == 2 + TRIES - 1


def test_a_server_that_is_gone_is_one_line(hub: Hub) -> None:
    with run_hub() as gone:
        address = gone.api
    waited: list[float] = []
    with pytest.raises(ReviewdataError, match="GET /pulls: no answer, URLError"):
        GitHub(address, TOKEN, waited.append).get("/pulls")
    assert len(waited) == TRIES - 1


def test_a_next_page_elsewhere_is_not_followed(hub: Hub) -> None:
    hub.page_size = 1
    hub.comments = [{"id": n, "body": "", "user": None} for n in range(2)]
    github = GitHub(hub.api.replace("127.0.0.1", "localhost"), TOKEN)
    with pytest.raises(ReviewdataError, match="on another host"):
        list(github.pages(f"/repos/{REPOSITORY}/issues/7/comments"))


@pytest.mark.parametrize(
    ("api", "token", "says"),
    [
        ("http://api.example.org", TOKEN, "https"),
        ("https://user:secret@api.example.org", TOKEN, "https"),
        ("https://api.example.org", "", "token"),
        ("https://api.example.org", f"{TOKEN}\r\nX: y", "token"),
    ],
    ids=["no https", "a user", "no token", "a line break"],
)
def test_no_request_is_made_with_a_bad_address_or_token(api: str, token: str, says: str) -> None:
    with pytest.raises(ReviewdataError, match=says) as refused:
        GitHub(api, token)
    assert TOKEN not in str(refused.value)
    assert "secret" not in str(refused.value)


def test_the_token_is_in_no_representation() -> None:
    assert TOKEN not in repr(GitHub("https://api.example.org", TOKEN))
