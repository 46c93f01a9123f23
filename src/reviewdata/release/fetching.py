"""Fetch a published package: by DOI, address or path, checked against every checksum there is."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from reviewdata.archives import FILES_LIMIT, SIZE_LIMIT, extract_zip
from reviewdata.model import ReviewdataError
from reviewdata.package import DESCRIPTOR, Package, open_package
from reviewdata.release.deposit import check_name, measure_file
from reviewdata.release.exchange import BusyError
from reviewdata.release.places import Page, Place, find_zenodo, read_page, read_place
from reviewdata.release.repository import Library, Published, RemoteFile, Told, silent
from reviewdata.release.servers import Server, check_public, find_server
from reviewdata.release.sums import check_sums, find_root
from reviewdata.release.targets import open_library
from reviewdata.release.web import Notice, Web, untold

DOI_HOST = "https://doi.org"


@dataclass(frozen=True)
class Fetched:
    """A package that was fetched: its folder, and what it was checked by.

    `published` is None for a path. `listed` counts the files that SHA256SUMS has, None without
    one; `compared` those whose md5 the server has.
    """

    folder: Path
    name: str
    version: str
    published: Published | None
    size: int
    listed: int | None
    compared: int


def fetch(
    text: str,
    into: Path | None = None,
    *,
    server: str | None = None,
    kind: str | None = None,
    told: Told = silent,
    notice: Notice = untold,
) -> Fetched:
    """Return a published package as a folder that `query` and `diff` take.

    `into` is the folder that is made: NAME-VERSION in the current one unless given. A folder that
    is asked for by its path is checked where it is. Raises ReviewdataError where it is not there,
    is no data package, is unsafe to unpack, or where a byte is not as its checksum says.
    """
    place = read_place(text)
    if place.path is not None:
        return _fetch_path(place.path, place.version, into)
    if into is not None:
        _check_free(into)
    with ExitStack() as stack:
        library, page = _open(place, server, kind, notice)
        stack.callback(library.close)
        work = stack.enter_context(_beside(into))
        found = library.find_version(page.id, place.version)
        files = dict(found.files)
        wanted = _choose(files, found)
        if len(wanted) > FILES_LIMIT:
            raise ReviewdataError(f"{found.address} has more than {FILES_LIMIT:,} files")
        (work / "files").mkdir()
        size = compared = 0
        for remote in wanted:
            check_name(remote.name)
            out = work / "files" / remote.name
            _make_folder(out.parent)
            library.download(remote, out, remote.size or SIZE_LIMIT - size, told)
            size += out.stat().st_size
            if size + remote.size > SIZE_LIMIT:
                raise ReviewdataError(f"{found.address} has more than {SIZE_LIMIT:,} bytes")
            if remote.md5 and measure_file(out).md5 != remote.md5:
                raise ReviewdataError(
                    f"{remote.name} of {found.address} is not the file that the server says"
                )
            compared += bool(remote.md5)
        root = _unpack(work, wanted, found.address)
        return _finish(root, into, found, None, compared)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:  # a file has this name too
        raise ReviewdataError(f"{folder.name} cannot be made: {error.strerror or error}") from error


def _fetch_path(path: Path, version: str | None, into: Path | None) -> Fetched:
    if path.is_dir():
        if into is not None:
            raise ReviewdataError(f"{path} is a folder already; it is checked where it is")
        return _checked(path, None, version, 0)
    if not path.is_file():
        raise ReviewdataError(f"{path} is neither a file nor a folder")
    if into is not None:
        _check_free(into)
    with _beside(into) as work:
        extract_zip(path, work / "tree")
        return _finish(_find_root(work / "tree", path), into, None, version, 0)


def _open(
    place: Place, server: str | None, kind: str | None, notice: Notice
) -> tuple[Library, Page]:
    """Return the server that has what is asked for, and what names it there."""
    page = read_page(place.address) if place.address is not None else None
    if place.address is not None and page is None:
        raise ReviewdataError(
            f"{place.address[:200]} is no page of a record: give that of a record or a dataset"
        )
    if page is None:
        doi = place.doi or ""
        home = server or find_zenodo(doi)
        page = Page(find_server(home).address, kind or "invenio", doi) if home else _resolve(doi)
    return open_library(find_server(page.server), kind or page.kind, notice=notice), page


def _resolve(doi: str) -> Page:
    """Return the record that a DOI leads to, as doi.org says."""
    web = Web(Server(DOI_HOST, ""))
    try:
        address = web.locate(f"/{doi}")
    except BusyError as error:
        raise ReviewdataError(f"{error}; name the server that has it with --server") from None
    finally:
        web.close()
    page = read_page(address) if address else None
    if page is not None:
        check_public(page.server)
    if page is None:
        raise ReviewdataError(f"{doi} leads to no server that is known to keep data packages")
    return page


def _choose(files: dict[str, RemoteFile], found: Published) -> list[RemoteFile]:
    """Return what to download: the one zip, or all files where a descriptor lies among them."""
    if DESCRIPTOR in files:
        return list(files.values())
    zips = [remote for name, remote in files.items() if name.lower().endswith(".zip")]
    if len(zips) == 1:
        return zips
    listed = ", ".join(list(files)[:5]) or "none"
    many = "several zips" if zips else f"neither {DESCRIPTOR} nor a zip"
    raise ReviewdataError(
        f"{found.doi or found.address} is no data package: {many} among its files ({listed})"
    )


def _unpack(work: Path, wanted: list[RemoteFile], address: str) -> Path:
    if any(remote.name == DESCRIPTOR for remote in wanted):
        return work / "files"
    extract_zip(work / "files" / wanted[0].name, work / "tree")
    return _find_root(work / "tree", address)


def _find_root(tree: Path, where: object) -> Path:
    root = find_root(tree)
    if root is None:
        raise ReviewdataError(f"{where} is no data package: it has no {DESCRIPTOR}")
    return root


def _finish(
    root: Path, into: Path | None, found: Published | None, version: str | None, compared: int
) -> Fetched:
    """Check a package that was unpacked, and move it to its place."""
    done = _checked(root, found, version, compared)
    target = into
    if target is None:
        name = f"{done.name}-{done.version}".rstrip("-")
        if not re.fullmatch(r"[a-z0-9][A-Za-z0-9._+-]{0,199}", name):
            raise ReviewdataError(f"{name[:100]!r} is no name for a folder: give --output")
        target = Path(name)
        _check_free(target)
    try:
        shutil.move(root, target)
    except OSError as error:
        raise ReviewdataError(f"{target} cannot be written: {error.strerror or error}") from error
    return Fetched(target, done.name, done.version, found, done.size, done.listed, done.compared)


def _checked(root: Path, found: Published | None, version: str | None, compared: int) -> Fetched:
    listed = check_sums(root)
    package: Package = open_package(root)
    name = str(package.descriptor.get("name") or "package")
    said = str(package.descriptor.get("version") or "")
    if version is not None and said != version:
        raise ReviewdataError(f"{root.name} has version {said or '(none)'}, not {version}")
    size = sum(p.stat().st_size for p in root.rglob("*") if p.is_file())
    return Fetched(root, name, said, found, size, listed, compared)


def _check_free(folder: Path) -> None:
    if folder.exists() or folder.is_symlink():
        raise ReviewdataError(f"{folder} is there already: name another with --output")
    if not folder.parent.is_dir():
        raise ReviewdataError(f"there is no folder {folder.parent}")


@contextmanager
def _beside(into: Path | None) -> Iterator[Path]:
    """Yield a folder beside the one that will be, which goes at the end."""
    parent = into.parent if into is not None else Path()
    try:
        made = tempfile.mkdtemp(prefix=".reviewdata-", dir=parent)
    except OSError as error:
        raise ReviewdataError(f"{parent} cannot be written: {error.strerror or error}") from error
    try:
        yield Path(made)
    finally:
        shutil.rmtree(made, ignore_errors=True)
