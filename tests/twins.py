"""Small packages of every kind of schema and of hostile files, for two engines to judge."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

V2 = "https://datapackage.org/profiles/2.0/datapackage.json"

CELLS: dict[str, list[str]] = {
    "integer": [
        *("1", "0", "-5", "+7", "12", "30", "1_000", " 7 ", "\uff17", "٣", "9" * 40, "1.0", "1e3"),
        *("0x10", "-", "--1", "1,000", "€5", "5%", "1__0", "_1", "\u00a05", "-0", "007", "7"),
        *(str(2**63 - 1), str(2**63), str(-(2**63)), "\t8", "3 4", "²", "1\n", "9" * 5000),
    ],
    "number": [
        *("1", "1.5", "-0.25", "0", "0.0", "-0", ".5", "5.", "+3", "1e3", "1E-2", "inf", "nan"),
        *(
            "-Infinity",
            "1e400",
            "1e-400",
            "1_000.5",
            " 2.5 ",
            "\uff12.\uff15",
            "1,5",
            "1.000,5",
            "1 000",
        ),
        *("12345678901234567890", "0.1000000000000000055511151231257827", "1.50", "15e-1"),
        *("1..2", "e5", "--2", "€2.5", "2.5%", "sNaN", "NaN123", "0x1p3", "1.5.2", "9" * 400),
        *("0.3", "0.30", "0.30000000000000004", "100", "99.999999999999999", "infinit"),
    ],
    "boolean": ["true", "True", "TRUE", "1", "false", "0", "yes", "no", "tRue", " true", "2"],
    "date": [
        *("2020-01-31", "2020-1-5", "2020-02-30", "0001-01-01", "0000-01-01", "9999-12-31"),
        *("31.01.2020", "01/31/2020", "2020/01/31", "20200131", "2020-01-31 ", "\uff12020-01-01"),
        *("2020-01-31T00:00:00", "31 Jan 2020", "2020-001", "2019-12-31", "2020", "20200230"),
    ],
    "time": [
        *("10:00:00", "23:59:59", "24:00:00", "10:00", "10:00:60", "10:00:00.5", "10:00:00Z"),
        *("10:00:00+02:00", "1:00:00", "10.00", "10:00:00.1234567", "10:00:00,5", "00:00:00"),
        *("10:00:00 ", "09:30:00", "noon"),
    ],
    "datetime": [
        *("2020-01-31T10:00:00", "2020-01-31 10:00:00", "2020-02-30T10:00:00", "2020-01-31"),
        *("2020-01-31T10:00:00Z", "2020-01-31T10:00:00.25", "2020-01-31T24:00:00"),
        *("2020-01-31T12:00:00+02:00", "0001-01-01T00:00:00", "2020-01-31T10:00", "31.01.2020"),
        *("2020-01-31X10:00:00", "2020-01-31T10:00:60", "31.01.2020 10:00", "2020-1-31T10:00:00"),
    ],
    "year": [
        "2020",
        "1999",
        "0007",
        " 202",
        "+202",
        "20_2",
        "-202",
        "-000",
        "20",
        "\uff12020",
        "2020.0",
    ],
    "yearmonth": [
        "2020-01",
        "2020-1",
        "2020-13",
        "2020-00",
        " 2020 - 1 ",
        "20-1",
        "2020-01-01",
        "x-1",
    ],
    "duration": [
        *("P1Y", "PT5M", "P1Y2M3D", "P1DT2H", "P", "PT", "P1W", "-P1D", "p1y", "P1.5Y", "1Y"),
        *("P0001-02-03T04:05:06", "PT1H30M", "P12M", "PT0.5S", "P1Y2M", "P99999Y"),
    ],
    "list": [
        "a,b",
        "1,2,3",
        "1",
        "a;b",
        "",
        ",",
        "1, 2",
        "1,x",
        "1.5,2",
        "true,false",
        "2020-01-01",
    ],
    "email": [
        *("ann@example.org", "a.b-c@mail.example.org", "ann@example", "@example.org", "ann@@x.org"),
        *("Ann@Example.ORG", "ann example@x.org", "ann@x_y.org", '"a b"@example.org', "ä@ä.org"),
        *("a" * 70 + "@example.org", "ann@example.org\n", "ann@-x.org", "a..b@example.org"),
    ],
    "uri": [
        *("https://example.org/a?b=c#d", "http://example.org", "example.org", "doi:10.1/x", "x:"),
        *("https://user:pw@example.org/", "//example.org", "1x://y", "http://exa mple.org", ":"),
        *("HTTP://EXAMPLE.ORG/%zz", "mailto:ann@example.org", "https://[::1]/", "https://ä.org"),
    ],
    "uuid": [
        *("95ecc380-afe9-11e4-9b6c-751b66dd541e", "95ECC380AFE911E49B6C751B66DD541E"),
        *("{95ecc380-afe9-11e4-9b6c-751b66dd541e}", "95ecc380", "95ecc380-afe9-11e4-9b6c"),
        *("urn:uuid:95ecc380-afe9-11e4-9b6c-751b66dd541e", "zzecc380-afe9-11e4-9b6c-751b66dd541e"),
        *("00000000-0000-0000-0000-000000000000", "9-5ecc380afe911e49b6c751b66dd541e"),
    ],
    "string": ["a", "b", "ab", "abc", "a b", "S1", "S12", "x\ny", "ä", "e\u0301", "🙂🙂", "a" * 50],
}
"""Texts that each type is tried on, as they come to mind; each type meets those of others too."""

ANY = [
    "",
    "NA",
    "-",
    " ",
    "a",
    "1",
    "0",
    "None",
    "null",
    "\t",
    "true",
    "2020-01-01",
    "1,5",
    '"',
    "x\r\ny",
]

FORMATS = {
    "date": ["default", "any", "%d.%m.%Y", "%Y/%m/%d", "%m/%d/%Y", "%Y%m%d", "%d %b %Y"],
    "time": ["default", "any", "%H:%M", "%H.%M", "%H:%M:%S", "%I %p"],
    "datetime": ["default", "any", "%d.%m.%Y %H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"],
    "string": ["default", "default", "email", "uri", "uuid"],
}

BOUNDS: dict[str, list[Any]] = {
    "integer": [0, 7, -5, 30, 1000, 2**63, "7", 7.0],
    "number": [0, 1, 0.3, 1.5, -0.25, 100, "1.5", 1e300, 0.1, 0.30000000000000004],
    "date": ["2020-01-31", "2019-12-31"],
    "time": ["10:00:00", "23:59:59"],
    "datetime": ["2020-01-31T10:00:00", "2019-01-01T00:00:00"],
    "year": [2020, 7, "1999"],
    "yearmonth": ["2020-01", "0020-01"],
}

PATTERNS = ["[a-c]+", r"S\d+", "a.*", "(?=a).+", r"\w+", ".{2,3}", "^a|b$", r"(a|b)\1", "(a+)+"]


@st.composite
def fields(draw: st.DrawFn, name: str, version: int = 2) -> dict[str, Any]:
    """Draw a field of any type, with options and constraints."""
    kind = draw(st.sampled_from([*_KINDS, "any"]))
    field: dict[str, Any] = {"name": name, "type": kind}
    if kind in FORMATS:
        field["format"] = draw(st.sampled_from(FORMATS[kind]))
    if kind in ("integer", "number") and draw(st.integers(0, 3)) == 0:
        field["bareNumber"] = draw(st.booleans())
    if kind == "number" and draw(st.integers(0, 2)) == 0:
        field["groupChar"] = draw(st.sampled_from([",", " ", ".", "'", "e", ""]))
    if kind == "number" and draw(st.integers(0, 2)) == 0:
        field["decimalChar"] = draw(st.sampled_from([",", ".", "x"]))
    if kind == "boolean" and draw(st.booleans()):
        field["trueValues"] = draw(st.sampled_from([["yes"], ["1", "true"], ["", "Y"], []]))
        field["falseValues"] = draw(st.sampled_from([["no"], ["0", "1"], ["NA"]]))
    if kind == "list":
        field["delimiter"] = draw(st.sampled_from([",", ";", "a", "-", ", "]))
        field["itemType"] = draw(st.sampled_from(_ITEMS))
    if draw(st.integers(0, 3)) == 0:
        field["missingValues"] = draw(st.sampled_from(MISSING[: None if version == 2 else 4]))
    constraints = draw(_constraints(field))
    return field | ({"constraints": constraints} if constraints else {})


_KINDS = ["string", "string", "integer", "integer", "number", "number", "boolean", "date"]
_KINDS += ["time", "datetime", "year", "yearmonth", "duration", "list"]
_ITEMS = ["string", "integer", "boolean", "number", "datetime", "date", "time"]
MISSING: list[Any] = [["", "NA"], ["-"], [], ["", "0"], [{"value": "NA", "label": "x"}]]


@st.composite
def _constraints(draw: st.DrawFn, field: dict[str, Any]) -> dict[str, Any]:
    kind, form = field["type"], field.get("format", "default")
    found: dict[str, Any] = {}
    if draw(st.integers(0, 3)) == 0:
        found["required"] = True
    if draw(st.integers(0, 5)) == 0:
        found["unique"] = True
    if kind in BOUNDS and form == "default":
        for name in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
            if draw(st.integers(0, 5)) == 0:
                found[name] = draw(st.sampled_from(BOUNDS[kind]))
    if kind != "list" and draw(st.integers(0, 4)) == 0:
        words: list[Any] = CELLS[kind if kind in CELLS else "string"] + ["a", "1"]
        words = words + BOUNDS.get(kind, []) + ([True] if kind == "boolean" else [])
        found["enum"] = draw(st.lists(st.sampled_from(words), min_size=1, max_size=4))
    if kind in ("string", "list"):
        for name in ("minLength", "maxLength"):
            if draw(st.integers(0, 4)) == 0:
                found[name] = draw(st.integers(0, 4))
    if kind == "string" and draw(st.integers(0, 3)) == 0:
        found["pattern"] = draw(st.sampled_from(PATTERNS))
    return found


def cells(field: dict[str, Any]) -> st.SearchStrategy[str]:
    """Return texts for a field: most that its type is tried on, some of any kind."""
    kind = field.get("type", "string")
    form = field.get("format", "default")
    own = CELLS.get(form) or CELLS.get(kind) or CELLS["string"]
    enum = [w for w in field.get("constraints", {}).get("enum", ()) if isinstance(w, str)]
    usual = st.sampled_from(own[:5])
    other = st.sampled_from(ANY) | st.text("019.,-+e_: Paé\u0661", max_size=6)
    return usual | usual | st.sampled_from(own) | st.sampled_from([*enum, *own[:2]]) | other


@dataclass(frozen=True)
class Twin:
    """A package: its descriptor, and its files as bytes."""

    descriptor: dict[str, Any]
    files: dict[str, bytes]

    def write(self, folder: Path) -> None:
        """Write the package into a folder."""
        (folder / "datapackage.json").write_text(json.dumps(self.descriptor), "utf-8")
        for name, content in self.files.items():
            (folder / name).write_bytes(content)


@st.composite
def packages(draw: st.DrawFn, *, tidy: bool = False) -> Twin:
    """Draw a package of a table `t` and, at times, a table `u` to which it refers.

    In one that is `tidy`, each record has the cells of the schema; what they hold is odd enough.
    """
    first = [draw(fields(name)) for name in draw(_more_names if tidy else _names)]
    second = [draw(fields(name)) for name in ("uid", "k")]
    schema: dict[str, Any] = {"fields": first}
    other: dict[str, Any] = {"fields": second}
    named = [field["name"] for field in first]
    if draw(st.booleans()):
        keys = st.lists(st.sampled_from(named), min_size=1, max_size=2, unique=True)
        schema["primaryKey"] = draw(keys)
    if draw(st.integers(0, 3)) == 0:
        schema["missingValues"] = draw(st.sampled_from(MISSING))
    if draw(st.integers(0, 2)) == 0:
        schema["fieldsMatch"] = draw(
            st.sampled_from(["exact", "equal", "subset", "superset", "partial"])
        )
    schema["foreignKeys"] = draw(_foreign_keys(first, second))
    rows = [[draw(cells(f)) for f in first] for _ in range(draw(st.integers(0, 7)))]
    if rows:
        rows += draw(st.lists(st.sampled_from(rows), max_size=1))
    pool = [row[0] for row in rows] or ["a"]
    parents = [
        [draw(cells(second[0]) | st.sampled_from(pool)), draw(cells(second[1]))]
        for _ in range(draw(st.integers(0, 4)))
    ]
    dialect = {} if tidy else draw(_dialects)
    resources = [
        {"name": "t", "path": "t.csv", "schema": schema, **dialect},
        {"name": "u", "path": "u.csv", "schema": other},
    ]
    files = {
        "t.csv": draw(_written(named, rows, dialect, tidy=tidy)),
        "u.csv": draw(_written(["uid", "k"], parents, {}, tidy=tidy)),
    }
    return Twin({"$schema": V2, "name": "x", "resources": resources}, files)


_more_names = st.sampled_from([["a", "b"], ["a", "b", "c"], ["a", "b", "c", "d"]])
_names = _more_names | st.just(["a"])

_NO_DIALECT: list[dict[str, Any]] = [{}]
_dialects = st.sampled_from(
    [
        *(_NO_DIALECT * 6),
        {"dialect": {"delimiter": ";"}},
        {"dialect": {"header": False}},
        {"dialect": {"commentChar": "#"}},
        {"encoding": "latin-1"},
        {"dialect": {"skipInitialSpace": True}},
        {"dialect": {"quoteChar": "'"}},
        {"dialect": {"skipBlankRows": True}},
        {"dialect": {"commentRows": [2, 4]}},
        {"dialect": {"headerRows": [1, 2]}},
    ]
)


@st.composite
def _foreign_keys(
    draw: st.DrawFn, first: list[dict[str, Any]], second: list[dict[str, Any]]
) -> list[Any]:
    found = []
    for _ in range(draw(st.sampled_from([0, 0, 1, 1, 2]))):
        size = draw(st.integers(1, min(2, len(first))))
        there = draw(st.sampled_from(["u", ""]))
        target = second if there else first
        fields = draw(st.permutations([f["name"] for f in first]))[:size]
        reference = draw(st.permutations([f["name"] for f in target]))[:size]
        if len(reference) == size:
            if draw(st.booleans()):  # of one type, so that most are compared
                for name, other in zip(fields, reference, strict=True):
                    given = next(f for f in first if f["name"] == name)
                    known = next(f for f in target if f["name"] == other)
                    known["type"] = given["type"]
                    for option in ("format", "constraints"):
                        known.pop(option, None)
            found.append({"fields": fields, "reference": {"resource": there, "fields": reference}})
    return found


_HEADERS: list[str | None] = ["drop", "more", "twice", "blank", "turn", "case"]
_RECORDS: list[str | None] = ["short", "long", "blank", "empty", "line"]


@st.composite
def _written(
    draw: st.DrawFn,
    labels: list[str],
    rows: list[list[str]],
    resource: dict[str, Any],
    *,
    tidy: bool,
) -> bytes:
    """Draw a file of the rows: its header, its line ends, what is broken in it."""
    dialect = resource.get("dialect", {})
    labels, rows = list(labels), [list(row) for row in rows]
    match None if tidy else draw(st.sampled_from([None] * 8 + _HEADERS)):
        case "drop":
            labels = labels[:-1] or labels
        case "more":
            labels = [*labels, draw(st.sampled_from(["z", "a", "", " a"]))]
        case "twice":
            labels[-1] = labels[0]
        case "blank":
            labels[0] = draw(st.sampled_from(["", " "]))
        case "turn":
            labels.reverse()
        case "case":
            labels[0] = draw(st.sampled_from([labels[0].upper(), f" {labels[0]} "]))
    for row in rows:
        match None if tidy else draw(st.sampled_from([None] * 10 + _RECORDS)):
            case "short":
                del row[-1]
            case "long":
                row += draw(st.sampled_from([["x"], [""], ["x", "y"]]))
            case "blank":
                row[:] = [""] * draw(st.integers(1, 4))
            case "empty":
                row[:] = [draw(st.sampled_from(["NA", "-", ""]))] * len(row)
            case "line":
                row[:] = []
    if "header" not in dialect:
        rows = [labels, *rows]
    if "commentChar" in dialect:
        rows.insert(draw(st.integers(0, len(rows))), ["#x"])
    end = draw(st.sampled_from(["\n", "\n", "\n", "\r\n"]))
    out = io.StringIO(newline="")
    writer = csv.writer(
        out,
        delimiter=dialect.get("delimiter", ","),
        quotechar=dialect.get("quoteChar", '"'),
        lineterminator=end,
        quoting=draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
    )
    writer.writerows(rows)
    text = out.getvalue()
    if draw(st.integers(0, 9)) == 0:
        text = text.removesuffix(end)
    if resource.get("encoding") == "latin-1":
        return text.encode("latin-1", "ignore")
    mark = b"" if tidy else draw(st.sampled_from([b"", b"", b"", b"\xef\xbb\xbf"]))
    return mark + text.encode()
