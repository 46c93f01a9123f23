"""InvenioRDM in one process on the loopback address; run by the Python that it is installed in.

`python invenio_server.py PORT FOLDER SEARCH_PORT REDIS_PORT LIMITS` writes two tokens into the
folder, `token` of the owner and `stranger` of another user, and then serves `/api`. The database is
SQLite; DataCite is switched on in its test mode, where DOIs are reserved and none is registered.
"""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

CONFIG = """
SECRET_KEY = "loopback-test-only"
SITE_UI_URL = "http://127.0.0.1:{port}"
SITE_API_URL = "http://127.0.0.1:{port}/api"
TRUSTED_HOSTS = ["127.0.0.1"]
SITE_HOSTNAME = "127.0.0.1:{port}"
SQLALCHEMY_DATABASE_URI = "sqlite:///{folder}/rdm.db"
SQLALCHEMY_ENGINE_OPTIONS = {{}}
SEARCH_HOSTS = [{{"host": "127.0.0.1", "port": {search}}}]
SEARCH_INDEX_PREFIX = "t-"
BROKER_URL = CELERY_BROKER_URL = "redis://127.0.0.1:{redis}/1"
CELERY_RESULT_BACKEND = "redis://127.0.0.1:{redis}/2"
CACHE_REDIS_URL = IIIF_CACHE_REDIS_URL = "redis://127.0.0.1:{redis}/3"
ACCOUNTS_SESSION_REDIS_URL = "redis://127.0.0.1:{redis}/4"
COMMUNITIES_IDENTITIES_CACHE_REDIS_URL = "redis://127.0.0.1:{redis}/5"
RATELIMIT_STORAGE_URI = RATELIMIT_STORAGE_URL = "redis://127.0.0.1:{redis}/6"
RATELIMIT_GUEST_USER = RATELIMIT_AUTHENTICATED_USER = "{limits}"
APP_DEFAULT_SECURE_HEADERS = {{
    "force_https": False,
    "session_cookie_secure": False,
    "content_security_policy": {{"default-src": ["'self'"]}},
}}
DATACITE_ENABLED = True
DATACITE_USERNAME = DATACITE_PASSWORD = "x"
DATACITE_PREFIX = "10.5072"
DATACITE_TEST_MODE = True
"""

VOCABULARIES = (
    ("resourcetypes", "rsrct", "resource_types.yaml", None),
    ("creatorsroles", "crr", "roles.yaml", None),
    ("contributorsroles", "cor", "roles.yaml", None),
    ("descriptiontypes", "dty", "description_types.yaml", None),
    ("datetypes", "dat", "date_types.yaml", None),
    ("relationtypes", "rlt", "relation_types.yaml", None),
    ("titletypes", "ttyp", "title_types.yaml", None),
    ("licenses", "lic", "licenses.csv", {"cc-by-4.0", "cc0-1.0"}),
    ("languages", "lng", "languages.yaml", {"eng"}),
)
"""Each with the terms that are loaded; None for all: those of the long ones take minutes."""


def main(port: int, folder: Path, search: int, redis: int, limits: str) -> None:
    """Set up a new instance in the folder, and serve it until the process is ended."""
    warnings.simplefilter("ignore")
    (folder / "data").mkdir(parents=True)
    settings = {"port": port, "folder": folder, "search": search, "redis": redis}
    (folder / "invenio.cfg").write_text(CONFIG.format(**settings, limits=limits))
    os.environ["INVENIO_INSTANCE_PATH"] = str(folder)
    from invenio_app.factory import create_api

    app = create_api()
    logging.disable(logging.WARNING)
    with app.app_context():
        make_storage(folder / "data")
        make_user("owner@example.org", folder / "token")
        make_user("stranger@example.org", folder / "stranger")
        load_vocabularies()
    serve(app, port)


def make_storage(folder: Path) -> None:
    """Make the tables of the database, the indices, and the place of the files."""
    from invenio_db import db
    from invenio_files_rest.models import Location
    from invenio_search import current_search

    db.create_all()
    search = current_search
    for make in (search.put_templates, search.put_component_templates):
        list(make(ignore=[400]))
    for make in (search.put_index_templates, search.create):
        list(make(ignore=[400]))
    db.session.add(Location(name="default-location", uri=str(folder), default=True))
    db.session.commit()


def make_user(email: str, file: Path) -> None:
    """Make a user who may log in, and write a token of theirs to a file."""
    from flask_security.utils import hash_password
    from invenio_accounts.proxies import current_datastore
    from invenio_db import db
    from invenio_oauth2server.models import Token

    user = current_datastore.create_user(
        email=email,
        password=hash_password("loopback-test-only"),
        active=True,
        confirmed_at=datetime.now(UTC),
    )
    current_datastore.commit()
    token = Token.create_personal("tests", user.id, scopes=[], is_internal=True)
    db.session.commit()
    file.touch(mode=0o600)
    file.write_text(token.access_token)


def load_vocabularies() -> None:
    """Load the terms that a record of ours may use."""
    from invenio_access.permissions import system_identity
    from invenio_vocabularies.proxies import current_service

    for kind, short, name, chosen in VOCABULARIES:
        current_service.create_type(system_identity, kind, short)
        for entry in terms(kind, short, name):
            if chosen is None or entry["id"] in chosen:
                current_service.create(system_identity, entry)


def terms(kind: str, short: str, name: str) -> Iterator[dict[str, Any]]:
    """Yield the terms of a vocabulary, as InvenioRDM ships them."""
    import invenio_rdm_records.fixtures as fixtures
    from invenio_rdm_records.fixtures.vocabularies import GenericVocabularyEntry

    data = Path(fixtures.__file__).parent / "data"
    given = {"pid-type": short, "data-file": f"vocabularies/{name}"}
    yield from GenericVocabularyEntry(data, kind, given).iterate([])


def serve(app: Any, port: int) -> None:
    """Serve the API."""
    from werkzeug.exceptions import NotFound
    from werkzeug.middleware.dispatcher import DispatcherMiddleware
    from werkzeug.serving import run_simple

    run_simple("127.0.0.1", port, DispatcherMiddleware(NotFound(), {"/api": app}), threaded=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
