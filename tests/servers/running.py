"""Install the servers into a cache outside the tree, start them on free ports, and end them."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import platformdirs

HERE = Path(__file__).parent

INVENIO = "invenio-app-rdm[opensearch2]==14.0.5"
CKAN = "ckan[requirements]==2.12.0"
SERVICES = ("fakeredis[lua]==2.40.0", "pgserver==0.1.4")

OLDEST, NEWEST = (3, 11), (3, 12)
"""The versions of Python that InvenioRDM 14 runs on."""

STARTING = 240.0
"""Seconds that a server may take until it answers; on two idle cores it is 30."""


class MissingError(Exception):
    """What a server needs is not on this machine; the text says what, in capitals."""


@dataclass(frozen=True)
class Running:
    """A server that answers, and the tokens of two of its users."""

    address: str
    token: str
    stranger: str
    folder: Path


def cache() -> Path:
    """Return the folder of what is installed; it may be deleted at any time."""
    given = os.environ.get("REVIEWDATA_TEST_SERVERS")
    return Path(given) if given else Path(platformdirs.user_cache_dir("reviewdata-tests"))


def find_python() -> str:
    """Return a Python that InvenioRDM runs on. Raises MissingError where there is none."""
    names = [f"python3.{minor}" for minor in range(NEWEST[1], OLDEST[1] - 1, -1)]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    found = [str(p) for name in names for p in sorted(pyenv.glob(f"*/bin/{name}"), reverse=True)]
    found += [path for name in names if (path := shutil.which(name))]
    for path in [*found, sys.executable]:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
        version = re.match(r"Python (\d+)\.(\d+)", said.stdout)
        if version and OLDEST <= (int(version[1]), int(version[2])) <= NEWEST:
            return path
    raise MissingError("NO PYTHON FROM 3.11 TO 3.12 IS INSTALLED: InvenioRDM was not started")


def install(name: str, python: str, *packages: str) -> Path:
    """Return the Python of an environment that has the packages; make it where it is not there."""
    folder = cache() / name
    ours = folder / "bin" / "python"
    done = folder / "installed"
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / "lock").open("w") as lock:  # for two test processes at once
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists() or done.read_text() != "\n".join(packages):
            shutil.rmtree(folder, ignore_errors=True)
            uv = install_uv()
            run([python, "-m", "venv", "--without-pip", str(folder)])
            run([str(uv), "pip", "install", "--quiet", "--python", str(ours), *packages])
            done.write_text("\n".join(packages))
    return ours


def install_uv() -> Path:
    """Return uv, which installs these three hundred packages in seconds."""
    folder = cache() / "uv"
    uv = folder / "bin" / "uv"
    if not uv.exists():
        run([sys.executable, "-m", "venv", str(folder)])
        run([str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "uv"])
    return uv


def run(command: Sequence[str], **more: str) -> str:
    """Run a command to its end and return what it prints. Its errors are in the exception."""
    environment = {**os.environ, **more}
    environment.pop("PYTHONPATH", None)
    ended = subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment, timeout=900
    )
    if ended.returncode:
        raise RuntimeError(f"{' '.join(command)}:\n{ended.stdout[-2000:]}\n{ended.stderr[-4000:]}")
    return ended.stdout


def free_port() -> int:
    """Return a port at which nothing listens."""
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        port: int = opened.getsockname()[1]
        return port


@contextmanager
def process(command: Sequence[str], log: Path, cwd: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process, with all that it starts, until the block ends."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    with log.open("wb") as out:
        running = subprocess.Popen(
            command, stdout=out, stderr=out, cwd=cwd, env=environment, start_new_session=True
        )
    try:
        yield running
    finally:
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(running.pid, number)
                running.wait(10)
            except ProcessLookupError:
                break
            except subprocess.TimeoutExpired:
                continue
        running.wait()


def wait_for(address: str, running: subprocess.Popen[bytes], log: Path) -> None:
    """Return once an address is answered. Raises RuntimeError with the log where it is not."""
    end = time.monotonic() + STARTING
    while time.monotonic() < end and running.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=10):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError(f"{address} does not answer:\n{log.read_text('utf-8', 'replace')[-4000:]}")


def wait_for_port(port: int, running: subprocess.Popen[bytes], log: Path) -> None:
    """Return once something listens at a port."""
    end = time.monotonic() + STARTING
    while time.monotonic() < end and running.poll() is None:
        with socket.socket() as opened:
            if opened.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"nothing listens at {port}:\n{log.read_text('utf-8', 'replace')[-4000:]}")


@contextmanager
def run_service(command: Sequence[str], port: int, folder: Path, name: str) -> Iterator[None]:
    """Run what a server needs, and which listens at a port."""
    log = folder / f"{name}.log"
    with process(command, log, folder) as running:
        wait_for_port(port, running, log)
        yield


REDIS = (
    "import sys; from fakeredis import TcpFakeServer;"
    "TcpFakeServer(('127.0.0.1', int(sys.argv[1])), server_type='redis').serve_forever()"
)


@contextmanager
def run_invenio(folder: Path, limits: str = "90000 per hour;9000 per minute") -> Iterator[Running]:
    """Run a new InvenioRDM until the block ends. Raises MissingError."""
    python = install("invenio", find_python(), INVENIO)
    services = install("services", sys.executable, *SERVICES)
    port, search, redis = free_port(), free_port(), free_port()
    instance = folder / "instance"
    with ExitStack() as stack:
        standing_in = [sys.executable, str(HERE / "opensearch.py"), str(search)]
        stack.enter_context(run_service(standing_in, search, folder, "opensearch"))
        storing = [str(services), "-c", REDIS, str(redis)]
        stack.enter_context(run_service(storing, redis, folder, "redis"))
        log = folder / "invenio.log"
        script = [str(python), str(HERE / "invenio_server.py"), str(port), str(instance)]
        running = stack.enter_context(
            process([*script, str(search), str(redis), limits], log, folder)
        )
        address = f"http://127.0.0.1:{port}"
        wait_for(f"{address}/api/records", running, log)
        token, stranger = ((instance / name).read_text() for name in ("token", "stranger"))
        yield Running(address, token, stranger, folder)


CKAN_SETTINGS = {
    "sqlalchemy.url": "{database}",
    "solr_url": "http://127.0.0.1:{solr}/solr/ckan",
    "ckan.redis.url": "redis://127.0.0.1:{redis}/0",
    "ckan.site_url": "http://127.0.0.1:{port}",
    "ckan.storage_path": "{storage}",
    "ckan.plugins": "activity",
    "ckan.auth.user_create_organizations": "true",
}
"""Plain uploads, and no plugins but the one that shows what was done."""

PASSWORD = "password=loopback-test-only"
ORGANISATION = "synthetic-organisation"


@contextmanager
def run_ckan(folder: Path) -> Iterator[Running]:
    """Run a new CKAN, with an organisation that its owner may publish in, until the block ends."""
    python = install("ckan", sys.executable, CKAN)
    services = install("services", sys.executable, *SERVICES)
    ckan = [str(python.parent / "ckan"), "-c", str(folder / "ckan.ini")]
    port, solr, redis = free_port(), free_port(), free_port()
    with ExitStack() as stack:
        standing_in = [sys.executable, str(HERE / "solr.py"), str(solr)]
        stack.enter_context(run_service(standing_in, solr, folder, "solr"))
        storing = [str(services), "-c", REDIS, str(redis)]
        stack.enter_context(run_service(storing, redis, folder, "redis"))
        database = stack.enter_context(run_postgres(str(services), folder))
        run([*ckan[:1], "generate", "config", str(folder / "ckan.ini")])
        given = {"database": database, "solr": solr, "redis": redis, "port": port}
        configure(folder / "ckan.ini", given | {"storage": folder / "storage"})
        run([*ckan, "db", "init"])
        token, stranger = make_user(ckan, "owner"), make_user(ckan, "stranger")
        log = folder / "ckan.log"
        command = [*ckan, "run", "-H", "127.0.0.1", "-p", str(port), "--disable-reloader"]
        running = stack.enter_context(process(command, log, folder))
        address = f"http://127.0.0.1:{port}"
        wait_for(f"{address}/api/3/action/status_show", running, log)
        make_organisation(address, token)
        yield Running(address, token, stranger, folder)


@contextmanager
def run_postgres(python: str, folder: Path) -> Iterator[str]:
    """Run PostgreSQL and yield the address of its database.

    It does not run as root but as a user of its own, which cannot enter the folders of pytest.
    """
    with tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True) as data:
        Path(data).chmod(0o755)
        told, log = folder / "database", folder / "postgres.log"
        command = [python, str(HERE / "postgres.py"), f"{data}/db", str(told)]
        with process(command, log, folder) as running:
            end = time.monotonic() + STARTING
            while not told.exists() or not told.read_text():
                if running.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"PostgreSQL does not start:\n{log.read_text()[-4000:]}")
                time.sleep(0.1)
            yield told.read_text()


def configure(file: Path, given: Mapping[str, object]) -> None:
    """Set the settings of a generated configuration, where they stand or at its head."""
    text = file.read_text("utf-8")
    for name, template in CKAN_SETTINGS.items():
        line = f"{name} = {template.format(**given)}"
        pattern = re.compile(rf"(?m)^#?\s*{re.escape(name)}\s*=.*$")
        text, found = pattern.subn(line.replace("\\", "\\\\"), text, count=1)
        if not found:
            text = text.replace("[app:main]", f"[app:main]\n{line}", 1)
    file.write_text(text, "utf-8")


def make_user(ckan: Sequence[str], name: str) -> str:
    """Make a user and return a token of theirs."""
    run([*ckan, "user", "add", name, PASSWORD, f"email={name}@example.org"])
    said = run([*ckan, "user", "token", "add", name, "tests"])
    return said.split()[-1]


def make_organisation(address: str, token: str) -> None:
    """Let a user make an organisation, of which they are then the administrator."""
    request = urllib.request.Request(
        f"{address}/api/3/action/organization_create",
        data=json.dumps({"name": ORGANISATION}).encode(),
        headers={"Authorization": token, "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60):
        pass
