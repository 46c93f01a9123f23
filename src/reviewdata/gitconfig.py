"""The entries in git's configuration and attributes by which it merges tables as tables."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from reviewdata.git import ask_git, last_word
from reviewdata.model import ReviewdataError
from reviewdata.output import write_output
from reviewdata.package import Package
from reviewdata.records import is_delimited

DRIVER = "reviewdata"
"""The name of the merge driver in git's configuration and attributes."""

ATTRIBUTES = ".gitattributes"


def install_driver(package: Package) -> tuple[str, ...]:
    """Let git merge the package's tables by record and cell; return what was done, in lines.

    The command is set in the configuration of this clone, a line for each table that has none
    added to `.gitattributes` in the folder of the package. Raises ReviewdataError without git,
    outside a repository, and where the entries have no effect.
    """
    ended = ask_git(["rev-parse", "--show-toplevel"], package.root)
    if ended.returncode:
        why = last_word(ended)
        raise ReviewdataError(f"{package.root} is in no working tree of git: {why}")
    paths = [
        str(PurePosixPath(resource.path))
        for resource in package.resources.values()
        if resource.file is not None and is_delimited(resource.descriptor)
    ]
    entries = {
        f"merge.{DRIVER}.name": "tables by record and cell (reviewdata)",
        f"merge.{DRIVER}.driver": driver_command(),
    }
    for name, value in entries.items():
        _config(package.root, name, value)
    wanted = [path for path in paths if path not in _merged_by_driver(package.root, paths)]
    _add_lines(package.root / ATTRIBUTES, [attribute_line(path) for path in wanted])
    done = _merged_by_driver(package.root, paths)
    if missing := [path for path in paths if path not in done]:
        listed = ", ".join(missing)
        raise ReviewdataError(
            f"other attributes of git stand against {ATTRIBUTES}:"
            f" `git check-attr merge -- {listed}` says which"
        )
    tables = f"{len(wanted)} added, {len(paths) - len(wanted)} there already"
    return (
        f"git config: merge.{DRIVER}.driver = {driver_command()}",
        f"{package.root / ATTRIBUTES}: a line for each table, {tables}",
        f"commit {ATTRIBUTES}; the command is set in this clone, and each clone needs its own",
    )


def driver_command() -> str:
    """Return the command for git, which runs it with a shell at the top of the working tree.

    -P keeps Python from importing a module that lies there.
    """
    if not sys.executable:
        raise ReviewdataError("the path of this Python is not known; git could not call it")
    python = shlex.quote(Path(sys.executable).as_posix()).replace("%", "%%")
    return f"{python} -P -m reviewdata merge driver -- %O %A %B %P"


def attribute_line(path: str) -> str:
    """Return the line of `.gitattributes` that names a path, whatever characters it has."""
    pattern = re.sub(r"([\\*?\[]|^!)", r"\\\1", path)
    pattern = pattern if "/" in pattern else f"/{pattern}"  # or it would be of any folder
    if re.search(r"[\s\"\x00-\x1f\x7f]|^#", pattern):
        escaped = pattern.replace("\\", "\\\\").replace('"', '\\"')
        pattern = '"' + re.sub(r"[\x00-\x1f\x7f]", lambda c: f"\\{ord(c[0]):03o}", escaped) + '"'
    return f"{pattern} merge={DRIVER}"


def _config(folder: Path, name: str, value: str) -> None:
    ended = ask_git(["config", "--local", "--replace-all", name, value], folder)
    if ended.returncode:
        raise ReviewdataError(f"git does not take {name}: {last_word(ended)}")


def _merged_by_driver(folder: Path, paths: Sequence[str]) -> set[str]:
    """Return the paths that git would give to the driver."""
    if not paths:
        return set()
    ended = ask_git(["check-attr", "-z", "merge", "--", *paths], folder)
    if ended.returncode:
        raise ReviewdataError(f"git does not tell its attributes: {last_word(ended)}")
    told = ended.stdout.decode("utf-8", "surrogateescape").split("\0")
    return {path for path, value in zip(told[0::3], told[2::3], strict=False) if value == DRIVER}


def _add_lines(file: Path, lines: Sequence[str]) -> None:
    if not lines:
        return
    if file.is_symlink() or (file.exists() and not file.is_file()):
        raise ReviewdataError(f"{file} is no plain file; git reads no other")
    old = file.read_bytes() if file.exists() else b""
    start = b"\n" if old and not old.endswith((b"\n", b"\r")) else b""
    write_output(file, old + start + "".join(f"{line}\n" for line in lines).encode())
