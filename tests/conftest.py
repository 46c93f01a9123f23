"""What the tests share: the command line in this process, and copies of the reviews."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from fakehub import Hub, run_hub
from publications import close_all
from servers.running import MissingError, Running, run_ckan, run_invenio

from reviewdata.cli import main

ROOT = Path(__file__).parents[1]

UPDATE = bool(os.environ.get("UPDATE_GOLDEN"))
"""Whether expected outputs are written anew instead of compared."""


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code, and what it printed where."""

    code: int
    out: str
    err: str


Command = Callable[..., Ended]


@pytest.fixture(autouse=True)
def _no_runner(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the tests print the same on a server as elsewhere; those on the server's set it."""
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)


@pytest.fixture(autouse=True)
def _no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the tests find everything anew; those of the cache have a folder of their own."""
    monkeypatch.setenv("REVIEWDATA_CACHE", "off")


@pytest.fixture
def reviewdata(capsys: pytest.CaptureFixture[str]) -> Command:
    """Return a function that runs a command of reviewdata."""

    def run(*arguments: str | Path) -> Ended:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        assert "Traceback" not in printed.out + printed.err
        return Ended(code, printed.out, printed.err)

    return run


@pytest.fixture
def alliance(tmp_path: Path) -> Path:
    """Return a copy of the shipped review, to be changed."""
    return copy_review(ROOT, tmp_path / "review")


@pytest.fixture
def bcg(tmp_path: Path) -> Path:
    """Return a copy of the second review."""
    return copy_review(ROOT / "examples" / "bcg-vaccine", tmp_path / "bcg")


@pytest.fixture
def hub() -> Iterator[Hub]:
    """Return an API like GitHub's, with the pull request 7 from `study` of `contributor`."""
    with run_hub() as running:
        yield running


@pytest.fixture
def connections() -> Iterator[None]:
    """Close, after a test, what publishers have opened in it."""
    yield
    close_all()


@pytest.fixture(scope="session")
def invenio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Return InvenioRDM, the software of Zenodo, running on this machine."""
    try:
        with run_invenio(tmp_path_factory.mktemp("invenio")) as running:
            yield running
    except MissingError as error:
        pytest.fail(f"{error}; NOTHING WAS PUBLISHED", pytrace=False)


@pytest.fixture(scope="session")
def ckan(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Return CKAN running on this machine."""
    with run_ckan(tmp_path_factory.mktemp("ckan")) as running:
        yield running


def copy_review(source: Path, target: Path) -> Path:
    """Copy the parts of a review and nothing else of its repository."""
    target.mkdir(parents=True)
    shutil.copy(source / "datapackage.json", target)
    for folder in ("data", "schemas", "queries", "validations"):
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(source / folder, target / folder, ignore=ignore)
    return target
