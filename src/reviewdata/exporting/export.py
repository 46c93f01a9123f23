"""An export of a review: which format, where to, and what could not be taken along."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from reviewdata.exporting.databases import write_duckdb, write_sqlite
from reviewdata.exporting.delimited import write_csv
from reviewdata.exporting.metafor import write_metafor
from reviewdata.exporting.parquet import write_parquet, write_text
from reviewdata.exporting.whole import count_unreadable, file_names, load_whole
from reviewdata.exporting.workbook import write_workbook
from reviewdata.model import ReviewdataError
from reviewdata.package import DESCRIPTOR, Package, open_package
from reviewdata.pathnames import is_git
from reviewdata.rules import nearest
from reviewdata.tables import Tables
from reviewdata.trust import FOLDERS

OUTPUT = "export"
"""The folder of exports, in the folder of the review, unless another is named."""

FOLDER_FORMATS = ("csv", "parquet", "metafor")
FORMATS = ("xlsx", "metafor", "parquet", "sqlite", "duckdb", "csv")
TYPED = ("parquet", "sqlite", "duckdb")


@dataclass(frozen=True)
class Exported:
    """What an export wrote: a file, or the files of a folder; `notes` is what must be known.

    `rows` are those of all tables; None where the export is not of the tables themselves.
    """

    format: str
    path: Path
    files: tuple[Path, ...]
    rows: int | None
    notes: tuple[str, ...]


def export(
    project: Path | str,
    format_: str,
    *,
    output: Path | str | None = None,
    force: bool = False,
) -> Exported:
    """Write the tables of a review in a format, and return what was written.

    `output` is the file, or of `csv`, `parquet` and `metafor` the folder; `export/` in the folder
    of the review has it unless it is given. What is there is replaced in `export/` only, or with
    `force`; a workbook that is there with other content only with `force`, as somebody may have
    filled it in. Raises ReviewdataError for an unknown format, a table that cannot be read whole,
    a place that cannot be written, and one that is the review's own or a link.
    """
    if format_ not in FORMATS:
        raise ReviewdataError(f"there is no format {format_}; {nearest(format_, list(FORMATS))}")
    package = open_package(project)
    path = _find_place(package, Path(project), format_, output)
    _check_free(path, format_, ours=output is None or force)
    notes: list[str] = []
    with _writing(path), load_whole(package) as tables:
        if not tables.columns:
            raise ReviewdataError("the review has no table to export")
        rows = None
        if format_ != "metafor":
            rows = sum(tables.count(name) for name in tables.columns)
        folder = path if format_ in FOLDER_FORMATS else path.parent
        folder.mkdir(parents=True, exist_ok=True)
        if format_ in FOLDER_FORMATS:
            files = tuple(_write_folder(tables, format_, path, notes))
        else:
            _write_file(tables, format_, path, notes, force=force)
            files = (path,)
        if format_ in TYPED:
            for name in tables.columns:
                if number := count_unreadable(tables, name):
                    cells = f"{number} cell{'s' * (number != 1)}"
                    notes.append(f"{name}: {cells} of another type; their text is in raw alone")
    if format_ in FOLDER_FORMATS:
        notes += _list_others(path, files)
    return Exported(format_, path, files, rows, tuple(notes))


def _find_place(package: Package, project: Path, format_: str, output: Path | str | None) -> Path:
    if output is not None:
        path = Path(output)
    else:
        [plain] = file_names([str(package.descriptor.get("name") or "review")]).values()
        plain = plain if plain != "table" else "review"
        folder = (project if project.is_dir() else project.parent) / OUTPUT
        path = folder / format_ if format_ in FOLDER_FORMATS else folder / f"{plain}.{format_}"
    real = os.path.realpath(path)
    for part in FOLDERS:
        if Path(real).is_relative_to(os.path.realpath(package.root / part)):
            raise ReviewdataError(
                f"{path} lies in {part}/, which is the review's own; name another"
            )
    if any(r.file and os.path.realpath(r.file) == real for r in package.resources.values()):
        raise ReviewdataError(f"{path} is a table of the review; name another")
    inside = Path(real).is_relative_to(os.path.realpath(package.root))
    parts = Path(real).parts
    if real == os.path.realpath(package.root / DESCRIPTOR) or any(map(is_git, parts)):
        raise ReviewdataError(f"{path} is the review's own, or git's; name another")
    if inside and ".github" in parts:
        raise ReviewdataError(f"{path} lies in .github/, which is the review's own; name another")
    files = [os.path.realpath(r.file) for r in package.resources.values() if r.file]
    if format_ in FOLDER_FORMATS and (
        real == str(package.root) or any(Path(file).is_relative_to(real) for file in files)
    ):
        raise ReviewdataError(f"{path} holds the review, or a table of it; name another")
    return path


def _check_free(path: Path, format_: str, *, ours: bool) -> None:
    """Raise ReviewdataError for a link, and for what is there and not `ours` to replace.

    A link in the place of an export may be of whoever made the review. Of a workbook, whoever
    writes it looks at what is there.
    """
    links = [path.parent, path, *(path.rglob("*") if path.is_dir() else ())]
    for place in links if ours else [path]:
        if place.is_symlink():
            raise ReviewdataError(f"{place} is a link; move it away, or name its target")
    if ours or format_ == "xlsx":
        return
    if path.is_dir() and any(path.iterdir()) and format_ in FOLDER_FORMATS:
        raise ReviewdataError(f"{path} is not empty; --force writes into it")
    if path.is_file():
        raise ReviewdataError(f"{path} is there already; --force replaces it")


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn what the system says against writing, a full disk too, into one line."""
    try:
        yield
    except OSError as error:
        why = error.strerror or str(error)
        raise ReviewdataError(f"{path} cannot be written: {why}") from error


def _write_folder(tables: Tables, format_: str, folder: Path, notes: list[str]) -> Iterator[Path]:
    match format_:
        case "csv":
            yield from write_csv(tables, folder)
        case "parquet":
            yield from write_parquet(tables, folder)
            yield from write_text(tables, folder)
        case _:
            yield from write_metafor(tables, folder, notes)


def _write_file(tables: Tables, format_: str, path: Path, notes: list[str], *, force: bool) -> None:
    if path.is_dir():
        raise ReviewdataError(f"{path} is a folder; name a file")
    if format_ == "xlsx":
        write_workbook(tables, path, keep=not force)
        return
    writers: dict[str, Callable[[Tables, Path], list[str]]] = {
        "sqlite": write_sqlite,
        "duckdb": write_duckdb,
    }
    notes += [f"not declared: {why}" for why in writers[format_](tables, path)]


def _list_others(folder: Path, files: tuple[Path, ...]) -> Iterator[str]:
    """Yield what stands in a folder of the same kind, and is not of this export."""
    endings = {file.suffix for file in files}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path not in files and path.suffix in endings:
            yield f"left as it was: {path}"
