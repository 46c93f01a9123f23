"""Where our verdict is not frictionless's, on purpose: each line of docs/structure.md, both run."""

from __future__ import annotations

import csv
import io
import json
import re
import threading
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import frictionless
import pytest
from frictionless.formats.csv.settings import FIELD_SIZE_LIMIT
from sheets import row, sheet, workbook

from reviewdata.validation import validate

PAGE = Path(__file__).parent.parent / "docs" / "structure.md"
V2 = "https://datapackage.org/profiles/2.0/datapackage.json"
HEAD = "id,n,note\n"

Theirs = tuple[int | None, int | None, str]
Ours = tuple[str, int | None, int | None]


def schema(*changed: dict[str, Any], **properties: Any) -> dict[str, Any]:
    """Return the schema of a table of three columns, with fields changed, and with properties."""
    entries: list[dict[str, Any]] = [{"name": "id"}, {"name": "n", "type": "integer"}]
    entries.append({"name": "note"})
    fields = [entry | more for entry, more in zip(entries, [*changed, {}, {}, {}], strict=False)]
    return {"fields": fields, "primaryKey": ["id"], **properties}


@dataclass(frozen=True)
class Case:
    """A package of a table `t`, and what each of the two says of it.

    Of frictionless: row, column and type of its errors, or the error that it raises; of us:
    code, line and column.
    """

    rows: str | bytes = "a,1,x\n"
    resource: dict[str, Any] = field(default_factory=dict)
    package: dict[str, Any] = field(default_factory=dict)
    files: dict[str, str | bytes] = field(default_factory=dict)
    before: Callable[[Path], object] = lambda _: None
    theirs: list[Theirs] | type[Exception] = field(default_factory=list)
    ours: list[Ours] = field(default_factory=list)

    def write(self, folder: Path) -> Path:
        """Write the package and return its descriptor."""
        table = {"name": "t", "path": "t.csv", "schema": schema(), **self.resource}
        resources = [{k: v for k, v in table.items() if v is not None}]
        resources += self.package.get("resources", [])
        basic = {"$schema": V2, "name": "x", "licenses": [{"name": "MIT"}], **self.package}
        rows = HEAD + self.rows if isinstance(self.rows, str) else self.rows
        for name, content in {"t.csv": rows, **self.files}.items():
            data = content if isinstance(content, bytes) else content.encode()
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        self.before(folder)
        descriptor = folder / "datapackage.json"
        descriptor.write_text(json.dumps({**basic, "resources": resources}))
        return descriptor


def pack(name: str, content: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, content)
    return out.getvalue()


def lead_out(folder: Path) -> None:
    """Let the table be a link to a file beside the package."""
    outside = folder.parent / f"{folder.name}-outside.csv"
    outside.write_text(HEAD + "a,wrong,x\n")
    (folder / "t.csv").unlink()
    (folder / "t.csv").symlink_to(outside)


ZONED = {"type": "datetime", "constraints": {"minimum": "2020-01-01T00:00:00"}}
KEY: dict[str, Any] = {"fields": [{"name": "k", "type": "integer"}]}
OTHER: dict[str, Any] = {"name": "u", "path": "u.csv", "schema": KEY}
AWAY = {"fields": ["note"], "reference": {"resource": "away", "fields": ["id"]}}
SELF = {"fields": ["note", "n"], "reference": {"resource": "", "fields": ["id", "n"]}}
THERE = {"fields": ["k"], "reference": {"resource": "t", "fields": ["n"]}}
HERE = {"fields": ["n"], "reference": {"resource": "u", "fields": ["k"]}}
WIDE = [{"name": f"c{number}"} for number in range(12)]

TYPE, BROKEN, MISSING = "type-error", "constraint-error", "missing-label"

CASES: dict[str, Case] = {
    "`uniqueKeys`": Case(
        "a,1,x\nb,1,x\nc,1,\nd,1,\n",
        {"schema": schema(uniqueKeys=[["n", "note"]])},
        ours=[("RD127", 3, 2)],
    ),
    "`categories`": Case(
        "a,1,x\nb,3,X\nc,,\n",
        {
            "schema": schema(
                {}, {"categories": [{"value": 1, "label": "one"}]}, {"categories": ["x"]}
            )
        },
        ours=[("RD139", 3, 2), ("RD139", 3, 3)],
    ),
    "the key of a blank record": Case(
        "a,1,x\n\nb,2,y\n",
        theirs=[(3, None, "blank-row"), (3, None, "primary-key")],
        ours=[("RD115", 3, None)],
    ),
    "a value that no database type holds": Case(
        f"a,{'9' * 20},1e400\nb,2,nan\n",
        {"schema": schema({}, {}, {"type": "number"})},
        ours=[("RD125", 2, 2), ("RD125", 2, 3), ("RD125", 3, 3)],
    ),
    "a pattern that may run without end": Case(
        "a,1,ab\n",
        {"schema": schema({}, {}, {"constraints": {"pattern": "(?=a)(a+)+"}})},
        theirs=[(2, 3, BROKEN)],
        ours=[("RD199", None, None)],
    ),
    "a long cell and a pattern with look-around or back-references": Case(
        f"a,1,{'a' * 1500}\n",
        {"schema": schema({}, {}, {"constraints": {"pattern": r"(a*)(b*)\1"}})},
        ours=[("RD121", 2, 3)],
    ),
    "what frictionless breaks down on": Case(
        "a,2020-02-01T00:00:00Z,x\n",
        {"schema": schema({}, ZONED)},
        {"resources": [OTHER]},
        {"u.csv": "k,l\nx,y\n"},
        theirs=TypeError,
        ours=[("RD113", 1, 2), ("RD120", 2, 1), ("RD199", None, None)],
    ),
    "more than 1,000 errors": Case(
        "".join(f"{number},x,y\n" for number in range(1200)),
        theirs=[(row, 2, TYPE) for row in range(2, 1002)],
        ours=[("RD120", line, 2) for line in range(2, 1202)],
    ),
    "the line of a finding": Case(
        'a,1,"x\ny"\n\nb,x,y\n',
        {"schema": schema(primaryKey=[])},
        theirs=[(3, None, "blank-row"), (4, 2, TYPE)],
        ours=[("RD115", 4, None), ("RD120", 5, 2)],
    ),
    "the column of a foreign key": Case(
        "a,1,b\nb,2,\n",
        {"schema": schema(foreignKeys=[SELF])},
        theirs=[(2, None, "foreign-key"), (3, None, "foreign-key")],
        ours=[("RD124", 2, 3), ("RD124", 3, 3)],
    ),
    "more than 100 cells too many": Case(
        f"a,1,x{',9' * 150}\n",
        theirs=[(2, number, "extra-cell") for number in range(4, 154)],
        ours=[("RD117", 2, 4)],
    ),
    "a column without a name behind the others": Case(
        b"id,n,note,\na,1,x,\n", theirs=[(None, 4, "extra-label")], ours=[("RD110", 1, 4)]
    ),
    "a separator that is not declared": Case(
        b"id;n;note\na;1;x\nb;2;y\n", ours=[("RD106", 1, None)]
    ),
    "an encoding that is not declared": Case(
        "id,n,note\nä,1,übel\nb,2,größe\n".encode("latin-1"), ours=[("RD101", 2, None)]
    ),
    "lines above the header, without `headerRows`": Case(
        ("A title\n" + f"{','.join(f'c{n}' for n in range(12))}\n" * 20).encode(),
        {"schema": {"fields": WIDE}},
        ours=[
            ("RD114", 1, 1),
            *(("RD112", 1, number) for number in range(2, 13)),
            *(("RD117", line, number) for line in range(2, 22) for number in range(2, 13)),
        ],
    ),
    "a quote that is never closed": Case('a,1,"x\nb,y,z\n', ours=[("RD104", 2, None)]),
    "NUL bytes": Case("a,1,x\0\n", ours=[("RD103", 2, None)]),
    "a cell of more than 8 million characters": Case(
        f"a,1,{'x' * (8 * 1024 * 1024 + 1)}\n", ours=[("RD105", 2, None)]
    ),
    "a key of JSON that is twice in a record, or not in the first": Case(
        resource={"path": "t.json", "type": "table"},
        files={"t.json": '[{"id": "a", "n": 1, "note": "x"},\n{"id": "b", "n": 1, "n": 2}]'},
        ours=[("RD106", 2, None)],
    ),
    "a formula that was never computed": Case(
        resource={"path": "t.xlsx"},
        files={"t.xlsx": workbook(["id", "n", "note"], ["a", "=1+1", "x"])},
        ours=[("RD106", None, None)],
    ),
    "a workbook that gives a wrong size of its sheet": Case(
        resource={"path": "t.xlsx"},
        files={
            "t.xlsx": sheet(
                row(1, "id", "n", "note") + row(2, "a", "y", "x") + row(3, "b", "y", "x"),
                before='<dimension ref="A1:C2"/>',
            )
        },
        theirs=[(2, 2, TYPE)],
        ours=[("RD120", None, 2), ("RD120", None, 2)],
    ),
    "empty rows below the table of a sheet, and empty cells beside it": Case(
        resource={"path": "t.xlsx", "schema": schema(primaryKey=[])},
        files={
            "t.xlsx": sheet(
                row(1, "id", "n", "note") + "<row/>" + row(3, "a", 1, "x") + "<row/>",
                before='<dimension ref="A1:D4"/>',
            )
        },
        theirs=[(None, 4, "extra-label"), (2, None, "blank-row"), (4, None, "blank-row")],
        ours=[("RD115", None, None)],
    ),
    "other settings of a sheet than its name (`fillMergedCells`)": Case(
        resource={"path": "t.xlsx", "dialect": {"excel": {"fillMergedCells": True}}},
        files={"t.xlsx": workbook(["id", "n", "note"], ["a", 1, "x"])},
        ours=[("RD106", None, None)],
    ),
    "other formats, as YAML and ODS": Case(
        resource={"path": "t.yaml", "type": "table"},
        files={"t.yaml": "- [id, n, note]\n- [a, 1, x]\n"},
        ours=[("RD107", None, None)],
    ),
    "a file that is no table": Case(
        resource={"path": "t.txt", "type": "text", "schema": None},
        files={"t.txt": "a letter"},
        ours=[("RD007", None, None), ("RD107", None, None)],
    ),
    "other compressions than gzip": Case(
        resource={"path": "t.csv.zip"},
        files={"t.csv.zip": pack("t.csv", HEAD + "a,1,x\n")},
        ours=[("RD107", None, None)],
    ),
    "`headerCase` and `nullSequence`": Case(
        b"ID,N,NOTE\na,1,x\n",
        {"dialect": {"headerCase": False}},
        ours=[("RD106", None, None)],
    ),
    "data in the descriptor, and a table in several files": Case(
        resource={"path": ["t.csv", "u.csv"]},
        files={"u.csv": "b,2,y\n"},
        ours=[("RD012", None, None)],
    ),
    "a table without a schema": Case(
        resource={"schema": None}, ours=[("RD007", None, None), ("RD199", None, None)]
    ),
    "links that leave the package": Case(
        before=lead_out, theirs=[(2, 2, TYPE)], ours=[("RD003", None, None)]
    ),
    "what git keeps of itself": Case(
        resource={"path": ".git/t.csv"},
        files={".git/t.csv": HEAD + "a,1,x\n"},
        ours=[("RD003", None, None)],
    ),
    "a remote file": Case(
        resource={"path": "http://127.0.0.1:PORT/t.csv"}, ours=[("RD004", None, None)]
    ),
    "one schema of several is wrong": Case(
        resource={"schema": schema({}, {"type": "strng"})},
        package={"resources": [OTHER]},
        files={"u.csv": "k\nx\n"},
        theirs=[(None, None, "field-error")],
        ours=[("RD001", None, None), ("RD120", 2, 1), ("RD199", None, None)],
    ),
    "a key that names no field or no table": Case(
        "a,x,y\n",
        {"schema": schema(foreignKeys=[AWAY])},
        theirs=[(None, None, "resource-error")],
        ours=[("RD009", None, None), ("RD120", 2, 2)],
    ),
    "names that differ in case only, or are ours": Case(
        b"id,ID,_row\na,1,x\n",
        {"schema": {"fields": [{"name": "id"}, {"name": "ID"}, {"name": "_row"}]}},
        {"resources": [{**OTHER, "name": "T"}]},
        {"u.csv": "k\n1\n"},
        ours=[("RD010", None, None), ("RD014", None, None), ("RD014", None, None)],
    ),
    "foreign keys in a circle": Case(
        resource={"schema": schema(foreignKeys=[HERE])},
        package={"resources": [OTHER | {"schema": {**KEY, "foreignKeys": [THERE]}}]},
        files={"u.csv": "k\n1\n"},
        ours=[("RD011", None, None)],
    ),
    "a checksum of another kind than MD5 or SHA-256": Case(
        resource={"hash": "sha1:00"}, ours=[("RD015", None, None)]
    ),
    "a property whose name is nearly one of the standard": Case(
        resource={"schema": schema({}, {"constraint": {"minimum": 5}})},
        ours=[("RD016", None, None)],
    ),
    "no licence": Case(package={"licenses": []}, ours=[("RD002", None, None)]),
    "stray quotes, byte order marks and line ends": Case(
        '\ufeffid,n,note\na,1,"x"y\r\nb,2,"z\nz"\n'.encode(),
        ours=[("RD129", 2, None), ("RD130", 1, None), ("RD131", None, None)],
    ),
    "conflicts, control characters and formulas": Case(
        "a,1,<<<<<<< x ======= y >>>>>>>\nb,2,x\x07\nc,3,=1+1\n",
        ours=[("RD132", 2, None), ("RD133", 3, None), ("RD134", 4, 3)],
    ),
    "addresses, characters that cannot be seen, spaces, look-alikes and spellings": Case(
        "a,1,ann@example.org\nb,2,x\u200by\nc,3, z\nd,4,n\u043e\ne,5,trial\nf,6,trial\ng,7,Trial\n",
        ours=[
            ("RD128", 2, 3),
            ("RD135", 3, 3),
            ("RD136", 4, 3),
            ("RD137", 5, 3),
            ("RD138", 8, 3),
        ],
    ),
}
"""By the first cell of each line of the page."""


def read_page() -> dict[str, set[str]]:
    """Return the first cell of each line of the table, and the codes in its last."""
    lines = [
        line.strip("| ").split(" | ")
        for line in PAGE.read_text("utf-8").splitlines()
        if line.startswith("| ") and not line.startswith("| what |")
    ]
    return {cells[0]: set(re.findall(r"RD\d{3}", cells[-1])) for cells in lines}


def test_the_page_has_a_line_for_each_case_and_its_codes() -> None:
    told = {line: {code for code, _, _ in case.ours} for line, case in CASES.items()}
    page = read_page()
    assert list(page) == list(told)
    assert {line: codes - told[line] for line, codes in page.items() if codes - told[line]} == {}
    assert all(codes for codes in page.values())


@contextmanager
def serve(folder: Path) -> Iterator[int]:
    """Serve the tables of a folder on the loopback address; yields the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write((folder / Path(self.path).name).read_bytes())

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def ask_frictionless(descriptor: Path) -> list[Theirs]:
    csv.field_size_limit(FIELD_SIZE_LIMIT)  # we set our own, and it is the process's
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        report = frictionless.validate(str(descriptor))
    return [tuple(e) for e in report.flatten(["rowNumber", "fieldNumber", "type"])]


@pytest.mark.parametrize("line", CASES)
def test_frictionless_says_one_thing_and_we_another(line: str, tmp_path: Path) -> None:
    case = CASES[line]
    descriptor = case.write(tmp_path)
    with serve(tmp_path) as port:
        descriptor.write_text(descriptor.read_text().replace("PORT", str(port)))
        if isinstance(case.theirs, type):
            with pytest.raises(case.theirs):
                ask_frictionless(descriptor)
        else:
            assert ask_frictionless(descriptor) == case.theirs
        found = validate(tmp_path, stages=["package", "structure"]).findings
    ours = [(f.code, f.line, f.field_number) for f in found]
    assert sorted(ours, key=str) == sorted(case.ours, key=str)
