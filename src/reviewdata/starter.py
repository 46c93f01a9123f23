"""A new review: the whole layout, with two synthetic studies that show what a row looks like.

The words are under `templates/review/`; what differs between the kinds of outcome is in one file
for each of them.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from reviewdata.cells import LineWriter
from reviewdata.gitconfig import attribute_line
from reviewdata.model import ReviewdataError
from reviewdata.output import umask, write_output
from reviewdata.package import DESCRIPTOR
from reviewdata.records import Dialect
from reviewdata.render.markdown import markdown_text
from reviewdata.rules import nearest

OUTCOMES = ("sample-mean", "mean-difference", "two-by-two", "correlation", "estimate")
"""The kinds of statistic that the results of a new review can be."""

CI = ("github", "gitlab", "both", "none")

WORKFLOWS = ("reviewdata.yml", "reviewdata-comment.yml", "reviewdata-release.yml")
"""Of GitHub: they check, comment, and publish what is tagged."""

KEPT = ".orig"
"""The ending under which the old content of a replaced file is kept."""

MOST_TITLE = 300
_ACTION = re.compile(r"[\w.-]+/[\w.-]+(/[\w./-]+)?@[0-9a-f]{40}")
_NAME = re.compile(r"[a-z0-9]([a-z0-9._-]{0,98}[a-z0-9])?")


@dataclass(frozen=True)
class Started:
    """What was written: paths in the folder, and under which the content of replaced ones is kept.

    `same` were there already with the same content. `placeholder` says that the workflows need
    the address of reviewdata before they run.
    """

    folder: Path
    written: tuple[str, ...]
    same: tuple[str, ...]
    replaced: Mapping[str, str]
    placeholder: bool


def check_title(title: str, what: str = "title") -> str:
    """Return a title, or a name, on one line. Raises ReviewdataError for one that is none."""
    said = " ".join(title.split())
    if not said:
        raise ReviewdataError(f"the {what} is empty")
    if len(said) > MOST_TITLE:
        raise ReviewdataError(f"the {what} has {len(said)} characters; it has {MOST_TITLE} at most")
    for character in said:
        if not character.isprintable():
            code = f"U+{ord(character):04X}"
            raise ReviewdataError(f"the {what} has the character {code}, which cannot be seen")
    return said


def check_outcome(kind: str) -> str:
    """Return a kind of outcome. Raises ReviewdataError where there is no template of it."""
    if kind not in OUTCOMES:
        raise ReviewdataError(
            f"there is no kind of outcome {kind}; {nearest(kind, list(OUTCOMES))}"
        )
    return kind


def init(
    folder: Path | str,
    *,
    title: str,
    kind: str,
    name: str | None = None,
    author: str | None = None,
    ci: str = "github",
    action: str | None = None,
    force: bool = False,
) -> Started:
    """Write a new review into a folder, and return what was written.

    `kind` is one of OUTCOMES. `name` is that of the data package, by default made of the folder's.
    `author` is who is named as contributor. `ci` says whose workflows are written, `action` the
    address and commit of reviewdata for them (OWNER/NAME@HASH). A folder that has anything but
    `.git` in it is refused unless `force`; then a file of other content is replaced, and its old
    content kept beside it. Raises ReviewdataError for what cannot be used, before anything is
    written.
    """
    target = Path(folder)
    content = dict(
        _files(
            check_title(title),
            check_outcome(kind),
            _check_name(name) if name else _make_name(target),
            check_title(author, "author") if author else None,
            _check_ci(ci),
            _check_action(action),
        )
    )
    _check_folder(target, content, force)
    placeholder = action is None and ci in ("github", "both")
    if not os.path.exists(target):  # also where its name is none
        with _beside(target) as made:
            for path, data in content.items():
                (made / path).parent.mkdir(parents=True, exist_ok=True)
                (made / path).write_bytes(data)
            made.replace(target)
        return Started(target, tuple(content), (), {}, placeholder)
    same = [path for path, data in content.items() if _holds(target / path, data)]
    replaced = {}
    written = [path for path in content if path not in same]
    for path in written:
        file = target / path
        with _writing(file):
            file.parent.mkdir(parents=True, exist_ok=True)
            if file.exists():
                replaced[path] = _keep(file).relative_to(target).as_posix()
        write_output(file, content[path])
    return Started(target, tuple(written), tuple(same), replaced, placeholder)


def _make_name(folder: Path) -> str:
    """Return a name for the data package, made of the name of its folder."""
    plain = unicodedata.normalize("NFKD", Path(os.path.abspath(folder)).name)
    name = re.sub(r"[^a-z0-9]+", "-", plain.encode("ascii", "ignore").decode().lower())
    return name[:100].strip("-") or "review"


def _check_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        form = "up to 100 lower-case letters, digits and . - _"
        raise ReviewdataError(f"{name!r} is no name of a data package; it is {form}")
    return name


def _check_ci(ci: str) -> str:
    if ci not in CI:
        raise ReviewdataError(f"ci is {ci}; known are: {', '.join(CI)}")
    return ci


def _check_action(action: str | None) -> str | None:
    if action is not None and not _ACTION.fullmatch(action):
        form = "OWNER/NAME@COMMIT, the commit as its full hash of 40 digits"
        raise ReviewdataError(f"{action!r} is no address of an action; it is {form}")
    return action


def _files(
    title: str, kind: str, name: str, author: str | None, ci: str, action: str | None
) -> Iterator[tuple[str, bytes]]:
    """Yield the path and content of each file of the review, its descriptor last."""
    own = json.loads(_template(f"kinds/{kind}.json"))
    results = json.loads(_template("results.schema.json"))
    place = [field["name"] for field in results["fields"]].index("basis")
    results["fields"][place:place] = own["fields"]
    results["statistics"] = own["statistics"]
    columns = [field["name"] for field in results["fields"]]
    claims = json.loads(_template("claims.schema.json"))
    claimed = [field["name"] for field in claims["fields"]]
    yield "schemas/studies.json", _json(json.loads(_template("studies.schema.json")))
    yield "schemas/results.json", _json(results)
    yield "schemas/claims.json", _json(claims)
    yield "data/studies.csv", _template("studies.csv").encode()
    yield "data/results.csv", _csv(columns, own["rows"])
    yield "data/claims.csv", _csv(claimed, [_CLAIM | own["claim"]])
    yield "queries/coverage.sql", _template("coverage.sql").encode()
    for query in ("effects", "pooled"):
        yield f"queries/{query}.sql", _template(f"kinds/{kind}.{query}.sql").encode()
    for rule in ("study_without_result", "synthetic_example"):
        yield f"validations/relations/{rule}.sql", _template(f"{rule}.sql").encode()
    for path in ("rules.toml", "waivers.toml"):
        yield f"validations/{path}", _template(path).encode()
    yield from _workflows(ci, action)
    descriptor = json.loads(_template(DESCRIPTOR)) | {"name": name, "title": title}
    descriptor["contributors"] = [{"title": author, "roles": ["compiler"]}] if author else []
    if not author:
        del descriptor["contributors"]
    tables = [resource["path"] for resource in descriptor["resources"]]
    yield ".gitattributes", "".join(f"{attribute_line(t)} text eol=lf\n" for t in tables).encode()
    yield ".gitignore", _template("gitignore.txt").encode()
    yield "CHANGELOG.md", _template("CHANGELOG.md").encode()
    yield "README.md", _readme(title, own["words"], ci, action).encode()
    yield DESCRIPTOR, _json(descriptor)


_CLAIM = {
    "claim_id": "example",
    "query": "pooled",
    "k_column": "studies",
    "k_required": "2",
    "locator": "SYNTHETIC: nowhere",
}


def _workflows(ci: str, action: str | None) -> Iterator[tuple[str, bytes]]:
    if ci in ("github", "both"):
        for name in WORKFLOWS:
            text = _shipped(f"github/{name}")
            if action:
                text = text.replace("uses: OWNER/reviewdata@COMMIT", f"uses: {action}")
            yield f".github/workflows/{name}", text.encode()
    if ci in ("gitlab", "both"):
        yield ".gitlab-ci.yml", _shipped("gitlab/reviewdata.yml").encode()


def _readme(title: str, words: str, ci: str, action: str | None) -> str:
    git = (
        "\n## In git\n\nAfter `git init`, `reviewdata merge install` lets git merge the tables by"
        " record and cell; each clone\nneeds it once."
    )
    if ci in ("github", "both"):
        git += (
            " The workflows in `.github/` check each pull request and publish what is"
            " tagged `data-VERSION`"
        )
        git += (
            ".\n"
            if action
            else (
                "; before they run, put the address\nand the commit of reviewdata in place of"
                " `OWNER/reviewdata@COMMIT` in each.\n"
            )
        )
    else:
        git += "\n"
    text = _template("README.md").replace("@WORDS@", words).replace("@GIT@\n", git)
    return text.replace("@TITLE@", markdown_text(title))  # last: a title may hold such a mark


def _template(path: str) -> str:
    return _shipped(f"review/{path}")


def _shipped(path: str) -> str:
    return files("reviewdata").joinpath(f"templates/{path}").read_text("utf-8")


def _json(content: Any) -> bytes:
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def _csv(columns: Sequence[str], rows: Sequence[Mapping[str, str]]) -> bytes:
    writer = LineWriter(Dialect())
    lines = [writer.line(columns, first=True)]
    lines += [writer.line([row.get(column, "") for column in columns]) for row in rows]
    return "".join(f"{line}\n" for line in lines).encode()


def _check_folder(target: Path, content: Mapping[str, bytes], force: bool) -> None:
    """Raise ReviewdataError where the files cannot be written into a folder, or must not be."""
    with _writing(target):
        if not os.path.lexists(target):
            return
        if not target.is_dir():
            raise ReviewdataError(f"{target} is there and is no folder")
        found = sorted(entry.name for entry in target.iterdir() if entry.name != ".git")
        if found and not force:
            few = ", ".join(found[:3]) + (f" and {len(found) - 3} more" if len(found) > 3 else "")
            raise ReviewdataError(f"{target} is not empty: it has {few}; --force writes into it")
        root = os.path.realpath(target)
        for path in content:
            file = target / path
            inside = Path(os.path.realpath(file)).is_relative_to(root)
            if file.is_symlink() or not inside:
                raise ReviewdataError(f"{file} is a link, or lies behind one; move it away")
            if file.exists() and not file.is_file():
                raise ReviewdataError(f"{file} is there and is no file; move it away")
            for parent in file.parents:
                if parent == target:
                    break
                if parent.exists() and not parent.is_dir():
                    raise ReviewdataError(f"{parent} is there and is no folder; move it away")


def _holds(file: Path, data: bytes) -> bool:
    with _writing(file):
        return file.is_file() and file.stat().st_size == len(data) and file.read_bytes() == data


def _keep(file: Path) -> Path:
    """Copy a file to a new name beside it, and return that."""
    for number in range(1, 10_000):
        kept = file.with_name(f"{file.name}{KEPT}{number if number > 1 else ''}")
        if not os.path.lexists(kept):
            write_output(kept, file.read_bytes())
            return kept
    raise ReviewdataError(f"{file} has been kept too often; remove what ends in {KEPT}")


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """Yield an empty folder beside the target, which is gone at the end unless it was renamed."""
    with _writing(target):
        parent = Path(os.path.realpath(target)).parent
        parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=".reviewdata-", dir=parent))
        try:
            made.chmod(0o777 & ~umask())
            yield made
        finally:
            shutil.rmtree(made, ignore_errors=True)


@contextmanager
def _writing(target: Path) -> Iterator[None]:
    """Turn what the system says against a path into a ReviewdataError of one line."""
    try:
        yield
    except ValueError as error:  # a NUL in a path
        raise ReviewdataError(f"{str(target)!r} is no path: {error}") from error
    except OSError as error:
        why = error.strerror or str(error)
        raise ReviewdataError(f"{target} cannot be written: {why}") from error
