"""A release as files: what is in it, that it is the same bytes each time, and its content hash."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import Command
from releasable import write_releasable
from repositories import commit

import reviewdata
from reviewdata.git import find_repository
from reviewdata.model import ReviewdataError
from reviewdata.release.archive import hash_content, hash_sums, read_sums
from reviewdata.release.build import NotReadyError, Release, build_release, write_release
from reviewdata.release.moment import VARIABLE, find_moment
from reviewdata.release.readiness import check_readiness

EXPECTED = {
    *("CHANGELOG.md", "CITATION.cff", "SHA256SUMS", "codebook.html", "codebook.md"),
    *("data/claims.csv", "data/results.csv", "data/studies.csv", "datacite.json"),
    *("datapackage.json", "queries/pooled.sql", "ro-crate-metadata.json", "schema.org.jsonld"),
    *("parquet/claims.parquet", "parquet/results.parquet", "parquet/studies.parquet"),
    *("results/pooled.csv", "results/pooled.json"),
    *("schemas/claims.json", "schemas/results.json", "schemas/studies.json"),
    *("validations/relations/study_without_result.sql", "validations/results.py"),
    "validations/rules.toml",
}


@pytest.fixture(autouse=True)
def _no_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Release:
    """Return a release of the review, with DOIs."""
    folder = write_releasable(tmp_path_factory.mktemp("released") / "review")
    return build_release(folder, doi="10.1000/2", concept_doi="10.1000/1", publisher="Nobody")


def test_a_release_holds_the_package_and_what_is_made_of_it(released: Release) -> None:
    assert {file.path for file in released.files} == EXPECTED
    assert released.folder.name == released.name == "mini-1.0.0"
    assert released.folder.parent.name == "dist"
    on_disk = {p.relative_to(released.folder).as_posix() for p in released.folder.rglob("*.*")}
    assert on_disk < EXPECTED


def test_the_zip_holds_the_folder_stored_in_order_with_one_date_and_one_mode(
    released: Release,
) -> None:
    with zipfile.ZipFile(released.archive) as packed:
        infos = packed.infolist()
        assert packed.testzip() is None
        for info, file in zip(infos, released.files, strict=True):
            assert info.filename == f"mini-1.0.0/{file.path}"
            assert packed.read(info) == (released.folder / file.path).read_bytes()
    assert {info.compress_type for info in infos} == {zipfile.ZIP_STORED}
    assert {info.date_time for info in infos} == {(2026, 1, 31, 0, 0, 0)}
    assert {info.external_attr >> 16 for info in infos} == {0o100644}
    assert [file.path for file in released.files] == [
        *sorted(EXPECTED - {"SHA256SUMS"}),
        "SHA256SUMS",
    ]


def test_every_file_is_told_with_its_size_and_checksums(released: Release) -> None:
    for file in (*released.files, released.zipped):
        data = (
            (released.folder.parent / file.path).read_bytes()
            if file is released.zipped
            else (released.folder / file.path).read_bytes()
        )
        assert file.size == len(data)
        assert file.md5 == hashlib.md5(data, usedforsecurity=False).hexdigest()
        assert file.sha256 == hashlib.sha256(data).hexdigest()
    sums = read_sums((released.folder / "SHA256SUMS").read_text())
    assert sums == {f.path: f.sha256 for f in released.files if f.path != "SHA256SUMS"}


def test_another_machine_writes_the_same_bytes(released: Release, tmp_path: Path) -> None:
    folder = write_releasable(tmp_path / "Größe" / "elsewhere")
    for number, path in enumerate(sorted(folder.rglob("*"))):
        os.utime(path, (number * 1_000_000, number * 1_000_000))
    (folder / "data/studies.csv").chmod(0o600)
    (folder / "validations/__pycache__").mkdir(exist_ok=True)
    (folder / "validations/__pycache__/results.cpython-311.pyc").write_bytes(b"a cache")
    (folder / "data/.DS_Store").write_bytes(b"of a desktop")
    given = {"TZ": "Asia/Kathmandu", "LANG": "de_DE.UTF-8", "LC_ALL": "C", "PYTHONHASHSEED": "7"}
    options = ["--doi", "10.1000/2", "--concept-doi", "10.1000/1", "--publisher", "Nobody"]
    code = "import os, sys; os.umask(0o077); from reviewdata.cli import main; sys.exit(main())"
    subprocess.run(
        [sys.executable, "-c", code, "release", "build", folder, *options, "--output", "built"],
        cwd=tmp_path,
        env={**os.environ, **given},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    other = tmp_path / "built" / "mini-1.0.0"
    for file in released.files:
        assert (other / file.path).read_bytes() == (released.folder / file.path).read_bytes()
        assert (other / file.path).stat().st_mode & 0o777 == 0o644
    assert other.with_name("mini-1.0.0.zip").read_bytes() == released.archive.read_bytes()


def test_what_is_built_from_the_unpacked_archive_has_the_same_content(
    released: Release, tmp_path: Path
) -> None:
    with zipfile.ZipFile(released.archive) as packed:
        packed.extractall(tmp_path)
    again = build_release(tmp_path / "mini-1.0.0", output=tmp_path / "again")
    assert again.content_hash == released.content_hash
    assert (again.metadata.doi, again.metadata.concept_doi) == ("10.1000/2", "10.1000/1")


def test_the_content_hash_passes_over_version_dates_and_identifiers_and_over_nothing_else(
    released: Release, tmp_path: Path
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(released.folder, folder)
    assert hash_content(folder) == released.content_hash
    sums = read_sums((folder / "SHA256SUMS").read_text())
    assert hash_sums(sums, (folder / "datapackage.json").read_bytes()) == released.content_hash

    descriptor = json.loads((folder / "datapackage.json").read_text())
    other = descriptor | {"version": "1.0.1", "created": "2027-01-01", "id": "doi:10.1000/3"}
    del other["relatedIdentifiers"]
    (folder / "datapackage.json").write_text(json.dumps(other))
    (folder / "CHANGELOG.md").write_text("# Changelog\n\n## 1.0.1\n\n- Nothing.\n")
    (folder / "results/pooled.json").write_text("{}")
    assert hash_content(folder) == released.content_hash

    for path, text in {
        "datapackage.json": json.dumps(other | {"title": "Another title"}),
        "data/studies.csv": "study_id,year,design\n",
        "validations/waivers.toml": "",
        "queries/pooled.sql": "SELECT 1 AS one",
    }.items():
        before = (folder / path).read_bytes() if (folder / path).exists() else None
        (folder / path).write_text(text)
        assert hash_content(folder) != released.content_hash, path
        (folder / path).unlink()
        if before is not None:
            (folder / path).write_bytes(before)


def test_the_tables_are_there_as_typed_parquet_in_the_order_of_their_files(
    released: Release,
) -> None:
    file = released.folder / "parquet" / "results.parquet"
    found = duckdb.read_parquet(str(file))
    assert [str(t) for t in found.types] == [
        "VARCHAR",
        "VARCHAR",
        "DOUBLE",
        "DOUBLE",
        "BIGINT",
        "VARCHAR",
    ]
    assert found.fetchall() == [
        ("R1", "S1", 5.2, 1.1, 40, "M = 5.20 (1.10)"),
        ("R2", "S2", 4.8, 1.3, 35, None),
    ]


def test_a_table_is_one_order_and_one_file_however_large(tmp_path: Path) -> None:
    rows = [
        f"R{n},S{1 + n % 2},{4 + n % 3}.20,1.10,{20 + n % 50},\n" for n in range(130_000, 0, -1)
    ]
    data = "result_id,study_id,mean,sd,n,printed\n" + "".join(rows)
    folder = write_releasable(tmp_path / "review", files={"data/results.csv": data})
    (folder / "data/claims.csv").write_text((folder / "data/claims.csv").read_text().split("\n")[0])
    first = build_release(folder, output=tmp_path / "first")
    second = build_release(folder, output=tmp_path / "second")
    assert first.zipped.sha256 == second.zipped.sha256
    file = first.folder / "parquet" / "results.parquet"
    keys = duckdb.read_parquet(str(file)).select("result_id").fetchall()
    assert keys == [(row.split(",")[0],) for row in rows]


def test_the_result_of_a_query_has_all_its_digits(released: Release) -> None:
    text = (released.folder / "results/pooled.csv").read_text()
    [row] = csv.DictReader(io.StringIO(text))
    [computed] = reviewdata.open(released.folder).query("pooled").records()
    assert float(row["mean"]) == computed["mean"]
    held = json.loads((released.folder / "results/pooled.json").read_text())
    assert held["rows"] == [computed]


def test_a_release_is_a_package_that_validates_and_reproduces(released: Release) -> None:
    review = reviewdata.open(released.folder)
    assert review.validate(stages=["package", "structure", "rows"]).findings == ()
    assert [claim.verdict for claim in review.reproduce()] == ["reproduced"]


def test_a_doi_makes_the_id_of_the_package_and_git_keeps_that_of_all_versions(
    tmp_path: Path,
) -> None:
    concept = "https://doi.org/10.1000/1"
    folder = write_releasable(tmp_path, patch={"datapackage.json": {"id": concept}})
    before = (folder / "datapackage.json").read_bytes()
    ready = check_readiness(folder)
    plain = write_release(ready)
    assert (plain.metadata.doi, plain.metadata.concept_doi) == (None, "10.1000/1")
    assert (plain.folder / "datapackage.json").read_bytes() == before
    built = write_release(ready, doi="https://doi.org/10.1000/2")
    assert (built.metadata.doi, built.metadata.concept_doi) == ("10.1000/2", "10.1000/1")
    content = json.loads((built.folder / "datapackage.json").read_text())
    assert content["id"] == "https://doi.org/10.1000/2"
    assert content["relatedIdentifiers"][0]["relatedIdentifier"] == concept
    assert (folder / "datapackage.json").read_bytes() == before
    assert built.content_hash == plain.content_hash


def test_the_date_is_that_of_the_commit_unless_the_environment_says_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_releasable(tmp_path / "review")
    commit(folder)
    repository = find_repository(folder)
    descriptor = {"created": "2025-12-31T23:30:00-05:00"}
    assert find_moment(None, descriptor).isoformat() == "2026-01-01T04:30:00+00:00"
    assert find_moment(repository, descriptor).isoformat() == "2026-01-01T00:00:00+00:00"
    monkeypatch.setenv(VARIABLE, "1772667000")
    assert find_moment(repository, descriptor).isoformat() == "2026-03-04T23:30:00+00:00"
    monkeypatch.setenv(VARIABLE, "86399")
    with pytest.raises(ReviewdataError, match="SOURCE_DATE_EPOCH 86399 is no date from 1980"):
        find_moment(repository, descriptor)
    monkeypatch.setenv(VARIABLE, "yesterday")
    with pytest.raises(ReviewdataError, match="it is a number of seconds since 1970"):
        find_moment(repository, descriptor)


@pytest.mark.parametrize(
    ("descriptor", "says"),
    [
        ({}, "the release has no date: give `created` in datapackage.json, or set SOURCE"),
        ({"created": "last year"}, "is last year; a date is such as 2026-01-31"),
        ({"created": "1066-10-14"}, "is no date from 1980 to 2107"),
    ],
)
def test_a_release_without_a_date_is_refused(descriptor: dict[str, str], says: str) -> None:
    with pytest.raises(ReviewdataError, match=says):
        find_moment(None, descriptor)


def test_a_doi_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReviewdataError, match="the DOI zenodo-1 is no DOI"):
        build_release(write_releasable(tmp_path), doi="zenodo-1")


def test_a_release_replaces_itself_and_nothing_else(tmp_path: Path) -> None:
    folder = write_releasable(tmp_path)
    ready = check_readiness(folder)
    target = write_release(ready).folder
    (target / "left over").write_text("of an older build")
    assert not (write_release(ready).folder / "left over").exists()
    (target / "SHA256SUMS").unlink()
    with pytest.raises(ReviewdataError, match=r"mini-1.0.0 is there and is no release"):
        write_release(ready)
    with pytest.raises(ReviewdataError, match="lies in data/, which is released"):
        write_release(ready, output=folder / "data" / "out")
    (folder / "file").write_text("")
    with pytest.raises(ReviewdataError, match="cannot be made"):
        write_release(ready, output=folder / "file")
    assert {p.name for p in (folder / "dist").iterdir()} == {"mini-1.0.0", "mini-1.0.0.zip"}


def test_a_build_that_is_stopped_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_releasable(tmp_path)

    def press(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("reviewdata.release.build.pack_folder", press)
    with pytest.raises(KeyboardInterrupt):
        build_release(folder)
    assert list((folder / "dist").iterdir()) == []


def test_a_full_disk_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("reviewdata.release.build.write_codebook", fill)
    folder = write_releasable(tmp_path)
    with pytest.raises(ReviewdataError, match=r"mini-1.0.0 cannot be written: No space left"):
        build_release(folder)
    assert list((folder / "dist").iterdir()) == []


def test_the_command_tells_what_it_wrote(reviewdata: Command, tmp_path: Path) -> None:
    folder = write_releasable(tmp_path / "review")
    ended = reviewdata("release", "build", folder)
    assert ended.code == 0
    assert "mini 1.0.0, 2026-01-31; no release comes before it" in ended.out
    assert "24 files" in ended.out
    assert "states: 1 of 1 published claims is reproduced from the data." in ended.out
    told = json.loads(reviewdata("release", "build", folder, "--format", "json").out)
    assert {file["path"] for file in told["files"]} == EXPECTED
    assert told["archive"]["sha256"] in ended.out
    assert told["content_hash"] in ended.out


def test_what_stands_against_a_release_is_told_as_any_finding_and_nothing_is_written(
    reviewdata: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change: dict[str, Any] = {"version": "1.0", "licenses": [], "contributors": []}
    folder = write_releasable(tmp_path / "review", patch={"datapackage.json": change})
    ended = reviewdata("release", "build", folder)
    assert ended.code == 1
    assert "datapackage.json  error RD602  the version is 1.0" in ended.out
    assert "datapackage.json  error RD605  the dataset has no licence" in ended.out
    assert "datapackage.json  error RD606  nobody is named who made the dataset" in ended.out
    assert "release FAIL 6/9" in ended.out
    assert not (folder / "dist").exists()
    told = json.loads(reviewdata("release", "build", folder, "--format", "json").out)
    assert {finding["code"] for finding in told["findings"]} == {"RD602", "RD605", "RD606"}
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert "::error " in reviewdata("release", "build", folder).out
    with pytest.raises(NotReadyError, match="not ready to be released: the version is 1"):
        build_release(folder)


def test_a_rule_that_breaks_leaves_the_release_unchecked(
    reviewdata: Command, tmp_path: Path
) -> None:
    broken = {"validations/relations/study_without_result.sql": "-- code: EX301\nSELECT nothing"}
    folder = write_releasable(tmp_path / "review", files=broken)
    ended = reviewdata("release", "build", folder)
    assert ended.code == 2
    assert "what holds of the data is not known: relations EX301 could not be run" in ended.out


def test_no_project_is_misuse(reviewdata: Command, tmp_path: Path) -> None:
    ended = reviewdata("release", "build", tmp_path)
    assert (ended.code, ended.out) == (2, "")
    assert "no datapackage.json" in ended.err
