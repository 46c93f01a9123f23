"""PostgreSQL out of a wheel, until the process is ended: `python postgres.py FOLDER ADDRESS_FILE`.

The address of an empty database `ckan` is written to the file once it can be used.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path


def main(folder: Path, told: Path) -> None:
    """Run the database."""
    import pgserver

    signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    server = pgserver.get_server(folder)
    server.psql("create database ckan;")
    told.write_text(server.get_uri("ckan"))
    signal.sigwait(signals)
    server.cleanup()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
