"""Fetching a package: from a path here, from real servers in the contract tests."""

from __future__ import annotations

import hashlib
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Command
from deposits import write_zip
from mini import write_mini
from publications import Publisher, open_ckan
from servers.running import Running

from reviewdata.model import ReviewdataError
from reviewdata.release.fetching import fetch
from reviewdata.release.places import Page, Place, read_page, read_place
from reviewdata.release.repository import silent

Members = dict[str, bytes]

EMPTY_ZIP = b"PK\x05\x06" + bytes(18)


def with_sums(members: Members, folder: str = "") -> Members:
    """Return the members of a package with their SHA256SUMS, beneath a folder."""
    lines = [f"{hashlib.sha256(c).hexdigest()}  {name}\n" for name, c in members.items()]
    listed = members | {"SHA256SUMS": "".join(lines).encode()}
    return {folder + name: content for name, content in listed.items()}


@pytest.fixture
def members(tmp_path: Path) -> Members:
    """Return the files of a small synthetic review, as they would be packed."""
    root = write_mini(tmp_path / "mini")
    files = (path for path in sorted(root.rglob("*")) if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


@pytest.fixture
def into(tmp_path: Path) -> Path:
    return tmp_path / "fetched"


def test_a_zip_is_unpacked_and_checked(
    members: Members, tmp_path: Path, into: Path, reviewdata: Command
) -> None:
    archive = tmp_path / "mini.zip"
    write_zip(archive, with_sums(members, "mini-1.0.0/"))
    done = fetch(str(archive), into, told=silent)
    assert (done.folder, done.listed) == (into, len(members))
    assert reviewdata("query", "--project", into, "--sql", "SELECT 1 AS one").code == 0
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".reviewdata-")]
    with pytest.raises(ReviewdataError, match="is there already: name another with --output"):
        fetch(str(archive), into, told=silent)


def test_a_folder_is_checked_where_it_is(members: Members, tmp_path: Path) -> None:
    root = tmp_path / "package"
    for name, content in with_sums(members).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    assert fetch(str(root), told=silent).folder == root
    (root / "stray.txt").write_bytes(b"x")
    with pytest.raises(ReviewdataError, match=r"stray\.txt is in the package and not in SHA256SUM"):
        fetch(str(root), told=silent)
    (root / "stray.txt").unlink()
    (root / "datapackage.json").write_bytes(members["datapackage.json"] + b"\n")
    with pytest.raises(ReviewdataError, match=r"datapackage\.json is not the file that SHA256SUMS"):
        fetch(str(root), told=silent)
    (root / "datapackage.json").unlink()
    with pytest.raises(ReviewdataError, match=r"datapackage\.json is in SHA256SUMS and not in the"):
        fetch(str(root), told=silent)


def test_a_package_without_sums_is_said_to_have_none(
    members: Members, tmp_path: Path, into: Path
) -> None:
    write_zip(tmp_path / "mini.zip", members)
    assert fetch(str(tmp_path / "mini.zip"), into, told=silent).listed is None


def test_the_version_must_be_the_one_that_is_asked_for(
    members: Members, tmp_path: Path, into: Path
) -> None:
    archive = tmp_path / "mini.zip"
    write_zip(archive, members)
    with pytest.raises(ReviewdataError, match=r"has version .*, not 9\.9\.9"):
        fetch(f"{archive}@9.9.9", into, told=silent)
    assert not into.exists()


def make_bomb(archive: Path) -> None:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("datapackage.json", b" " * 80_000_000)


def make_link(archive: Path) -> None:
    link = zipfile.ZipInfo("datapackage.json")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(archive, "w") as out:
        out.writestr(link, "/etc/passwd")


def make_many(archive: Path) -> None:
    write_zip(archive, {f"{number}": b"" for number in range(10_001)})


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda a: write_zip(a, {"../x": b"x", "datapackage.json": b"{}"}), "leaves its folder"),
        (lambda a: write_zip(a, {"a/../../x": b"x"}), "leaves its folder"),
        (lambda a: write_zip(a, {"/etc/x": b"x"}), "leaves its folder"),
        (make_link, r"datapackage\.json is a link"),
        (make_bomb, r"a bomb\?"),
        (make_many, "it has 10,001 files"),
        (lambda a: a.write_bytes(b"PK no zip"), "is no zip that can be read"),
        (lambda a: write_zip(a, {"paper.pdf": b"x"}), r"is no data package: it has no datapackage"),
        (lambda a: write_zip(a, {}), r"is no data package: it has no datapackage"),
    ],
    ids=["up", "up-later", "absolute", "link", "bomb", "many", "no-zip", "paper", "empty"],
)
def test_what_is_unsafe_or_no_package_is_refused_and_leaves_nothing(
    make: Callable[[Path], object], told: str, tmp_path: Path, into: Path
) -> None:
    archive = tmp_path / "hostile.zip"
    make(archive)
    with pytest.raises(ReviewdataError, match=told):
        fetch(str(archive), into, told=silent)
    assert [path.name for path in tmp_path.iterdir()] == ["hostile.zip"]


def test_sums_that_are_none_are_refused(members: Members, tmp_path: Path, into: Path) -> None:
    archive = tmp_path / "mini.zip"
    for sums, told in (
        (b"nonsense", "SHA256SUMS, line 1 is not"),
        (b"0" * 64 + b"  ../x", "leaves"),
    ):
        write_zip(archive, members | {"SHA256SUMS": sums})
        with pytest.raises(ReviewdataError, match=told):
            fetch(str(archive), into, told=silent)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("10.5281/zenodo.12", Place(doi="10.5281/zenodo.12")),
        ("doi:10.5281/zenodo.12@1.2.0", Place(doi="10.5281/zenodo.12", version="1.2.0")),
        ("https://doi.org/10.1/%61b@v2", Place(doi=None, address="https://doi.org/10.1/%61b")),
        ("https://doi.org/10.1234/%61b@v2", Place(doi="10.1234/ab", version="2")),
        ("https://zenodo.org/records/1@1.0", Place(address="https://zenodo.org/records/1")),
    ],
)
def test_a_place_is_a_doi_or_an_address_with_a_version(text: str, place: Place) -> None:
    found = read_place(text)
    assert (found.doi, found.address) == (place.doi, place.address)
    assert place.version is None or found.version == place.version


def test_what_is_no_place_is_told() -> None:
    for text in ("nowhere", "10.5281", "nowhere@1.0", ""):
        with pytest.raises(ReviewdataError, match="is no DOI, no address, and no file or folder"):
            read_place(text)
    with pytest.raises(ReviewdataError, match="is no page of a record"):
        fetch("https://example.org/x", told=silent)


@pytest.mark.parametrize(
    ("address", "page"),
    [
        ("https://zenodo.org/records/12", Page("https://zenodo.org", "invenio", "12")),
        ("https://zenodo.org/records/12/files/x", Page("https://zenodo.org", "invenio", "12")),
        (
            "https://zenodo.org/doi/10.5281/z.1",
            Page("https://zenodo.org", "invenio", "10.5281/z.1"),
        ),
        ("https://h.org/repo/api/records/a-b", Page("https://h.org/repo", "invenio", "a-b")),
        ("https://h.org/dataset/x-1-0-0", Page("https://h.org", "ckan", "x-1-0-0")),
        ("https://h.org/x", None),
    ],
)
def test_a_page_names_its_record(address: str, page: Page | None) -> None:
    assert read_page(address) == page


@pytest.mark.contract
@pytest.mark.usefixtures("connections")
def test_what_is_published_on_invenio_is_fetched_by_doi_address_and_version(
    invenio: Running, tmp_path: Path
) -> None:
    publisher = Publisher(invenio.address, invenio.token, tmp_path / "p")
    first = publisher.publish()
    publisher.made.bump("1.1.0", results=b"id,mean\na,1.3\n")
    second = publisher.publish()
    assert first.doi
    assert second.doi
    asked = {
        first.doi: "1.0.0",
        f"https://doi.org/{second.doi}": "1.1.0",
        second.concept: "1.1.0",
        f"{second.concept}@1.0.0": "1.0.0",
        f"{first.doi}@1.1.0": "1.1.0",
        first.address: "1.0.0",
    }
    for number, (text, version) in enumerate(asked.items()):
        into = tmp_path / str(number)
        server = None if "://127" in text else invenio.address
        done = fetch(text, into, server=server, told=silent)
        assert done.published is not None
        assert (done.published.version, done.compared, done.listed) == (version, 1, 2)
        expected = b"1.3" if version == "1.1.0" else b"1.2"
        assert expected in (into / "data" / "results.csv").read_bytes()
    for text, told in (
        (f"{first.doi}@3.0", r"has no version 3\.0; it has 1\.0\.0, 1\.1\.0"),
        ("10.5072/aaaaa-bbbbb", "has no published record"),
        (f"{invenio.address}/records/aaaaa-bbbbb", "has no published record"),
    ):
        with pytest.raises(ReviewdataError, match=told):
            fetch(text, tmp_path / "no", server=invenio.address, told=silent)


@pytest.mark.contract
@pytest.mark.usefixtures("connections")
def test_a_record_that_is_no_data_package_is_told(invenio: Running, tmp_path: Path) -> None:
    publisher = Publisher(invenio.address, invenio.token, tmp_path / "p")
    publisher.made.packed = False
    publisher.made.loose = {"paper.pdf": b"%PDF synthetic"}
    done = publisher.publish()
    with pytest.raises(ReviewdataError, match=r"is no data package: neither .* \(paper\.pdf\)"):
        fetch(done.address, tmp_path / "no", told=silent)
    publisher.made.loose |= {"a.zip": EMPTY_ZIP, "b.zip": EMPTY_ZIP}
    publisher.made.bump("1.1.0", results=b"id,mean\na,1.3\n")
    done = publisher.publish()
    with pytest.raises(ReviewdataError, match="is no data package: several zips among"):
        fetch(done.address, tmp_path / "no", told=silent)


@pytest.mark.contract
@pytest.mark.usefixtures("connections")
def test_what_is_published_on_ckan_is_fetched(ckan: Running, tmp_path: Path) -> None:
    publisher = Publisher(ckan.address, ckan.token, tmp_path / "p", open_ckan)
    first = publisher.publish()
    publisher.made.bump("1.1.0", results=b"id,mean\na,1.3\n")
    second = publisher.publish()
    asked = {first.address: "1.0.0", second.address: "1.1.0", f"{second.address}@1.0.0": "1.0.0"}
    for number, (text, version) in enumerate(asked.items()):
        done = fetch(text, tmp_path / str(number), told=silent)
        assert done.published is not None
        assert (done.published.version, done.listed) == (version, 2)
    with pytest.raises(ReviewdataError, match="has no public dataset nothing-1"):
        fetch(f"{ckan.address}/dataset/nothing-1", tmp_path / "no", told=silent)
