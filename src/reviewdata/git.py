"""git, asked by its own command: which commit a name means, and the files of a commit.

Nothing of a repository is run: no hook, no filter, no attribute; files are the bytes that git
stores. Only the tree of the commit that is asked for is read, so the length of a history does
not matter.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from reviewdata.model import ReviewdataError

STAGED = ":staged"
"""The name of what is staged for the next commit, where a commit is asked for."""

_SETTINGS = (
    *("-c", "core.fsmonitor=false", "-c", "core.quotePath=false"),
    # A contribution may hold a folder that looks like a repository, with settings of its own.
    *("-c", "safe.bareRepository=explicit"),
)


@dataclass(frozen=True)
class Repository:
    """A repository, and the folder in it (`prefix`, blank for its top) that a review is."""

    top: Path
    prefix: str


@dataclass(frozen=True)
class Entry:
    """A file of a commit: its path from the top of the repository, and its content's name."""

    path: str
    mode: str
    sha: str

    @property
    def is_link(self) -> bool:
        """Whether the content is the target of a symbolic link."""
        return self.mode == "120000"


def run_git(folder: Path, *arguments: str) -> bytes:
    """Return what a git command prints.

    Raises ReviewdataError with git's own words where it fails, and where there is no git.
    """
    ended = ask_git(arguments, folder)
    if ended.returncode:
        raise ReviewdataError(f"git: {last_word(ended)}")
    return ended.stdout


def find_repository(folder: Path) -> Repository | None:
    """Return the repository that a folder lies in, None where it lies in none or git is absent.

    git itself is asked only where there is a `.git`, which no commit can hold.
    """
    if shutil.which("git") is None:
        return None
    here = Path(os.path.abspath(folder))
    top = next((f for f in (here, *here.parents) if os.path.lexists(f / ".git")), None)
    if top is None:
        return None
    for part in (here, *here.parents):
        if part == top:
            break
        if part.is_symlink():
            raise ReviewdataError(f"{part} is a link; name the folder that it leads to")
    ended = ask_git(("rev-parse", "--show-prefix"), top)
    if ended.returncode:
        if b"dubious ownership" in ended.stderr:  # git does not read what is somebody else's
            raise ReviewdataError(f"git: {last_word(ended)}; see git's safe.directory")
        return None
    prefix = here.relative_to(top).as_posix()
    return Repository(top, "" if prefix == "." else prefix)


def find_commit(repository: Repository, name: str) -> str | None:
    """Return the full name of the commit that a name means, None where it means none."""
    if not name or name.startswith("-") or "\0" in name:
        return None
    asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    ended = ask_git(asked, repository.top)
    return ended.stdout.decode().strip() if not ended.returncode else None


def explain_unknown(repository: Repository, name: str) -> str:
    """Return why a name means no commit, and what to do."""
    if run_git(repository.top, "rev-parse", "--is-shallow-repository").strip() == b"true":
        fetch = f"git fetch --depth=1 origin {name}" if name.isalnum() else "git fetch --unshallow"
        return (
            f"{name} is not in this clone, which is shallow; get it with `{fetch}`"
            " (in CI: the checkout's fetch-depth)"
        )
    listed = run_git(repository.top, "for-each-ref", "--count=1000", "--format=%(refname:short)")
    close = get_close_matches(name, os.fsdecode(listed).split(), n=1)
    hint = f"did you mean {close[0]}?" if close else "git fetch gets what is missing"
    return f"git has no revision {name}; {hint}"


def list_entries(repository: Repository, commit: str, paths: Iterable[str]) -> list[Entry]:
    """Return the files of a commit (STAGED for the index) at some paths, or beneath them.

    Paths are from the review's folder; submodules are left out. Raises ReviewdataError for
    what is staged while it is in conflict.
    """
    wanted = [str(PurePosixPath(repository.prefix, path)) for path in paths]
    if commit == STAGED:
        out = run_git(
            repository.top, "--literal-pathspecs", "ls-files", "--stage", "-z", "--", *wanted
        )
    else:
        out = run_git(repository.top, "ls-tree", "-r", "-z", "--full-tree", commit, "--", *wanted)
    entries = []
    for line in out.split(b"\0"):
        if not line:
            continue
        about, _, path = line.partition(b"\t")
        mode, second, third = about.decode().split()
        if commit == STAGED and third != "0":
            raise ReviewdataError(f"{os.fsdecode(path)} is in conflict; merge it first")
        if mode != "160000":
            entries.append(Entry(os.fsdecode(path), mode, second if commit == STAGED else third))
    return entries


def write_content(repository: Repository, entry: Entry, file: Path) -> None:
    """Write the content of an entry to a file. Raises ReviewdataError where git lacks it."""
    with file.open("wb") as out:
        ended = ask_git(("cat-file", "blob", entry.sha), repository.top, out)
    if ended.returncode:
        raise ReviewdataError(f"git has not the content of {entry.path}; is the clone complete?")


def read_content(repository: Repository, entry: Entry) -> bytes:
    """Return the content of an entry. Raises ReviewdataError where git lacks it."""
    return run_git(repository.top, "cat-file", "blob", entry.sha)


def ask_git(
    arguments: Sequence[str],
    folder: Path | None = None,
    out: BinaryIO | int = subprocess.PIPE,
) -> subprocess.CompletedProcess[bytes]:
    """Run git in a folder, without a shell and without input, and return how it ended.

    Raises ReviewdataError where git is not installed or cannot be run.
    """
    try:
        return subprocess.run(
            ["git", *_SETTINGS, *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.PIPE,
            check=False,
            env=_environment(),
        )
    except FileNotFoundError as error:
        raise ReviewdataError("git is not installed, or not in PATH") from error
    except OSError as error:
        raise ReviewdataError(f"git cannot be run: {error.strerror}") from error


def last_word(ended: subprocess.CompletedProcess[bytes]) -> str:
    """Return the first line that git wrote to standard error."""
    lines = ended.stderr.decode("utf-8", "replace").strip().splitlines()
    return lines[0] if lines else f"it ended with {ended.returncode}"


def _environment() -> dict[str, str]:
    """Return the environment in which git speaks English and asks nobody for a password.

    No object stands in for another, whatever the repository's refs/replace says.
    """
    said = {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}
    return {**os.environ, **said, "GIT_NO_REPLACE_OBJECTS": "1"}
