# ruff: noqa: RUF001 - texts in many alphabets
"""Read one table in every dialect: it loads to the same rows with the lines of the original file, or is refused."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion.files.contracts import ContractError
from ingestion.files.input_file import open_input
from ingestion.files.load import load_file
from ingestion.files.read import number_lines, read_file
from ingestion.home import Home
from ingestion.settings.model import Org, Settings
from ingestion.sql import drop_temporary_tables
from ingestion.warehouse import connect

SETTINGS = Settings(orgs=[Org("default", "EUR")])
COLUMNS = ("date", "campaign", "spend", "note")
ORDERS = "order_id,occurred_at,value\n"
ORDER = "A1,2026-01-01T00:00:00Z,10\n"


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    home = Home(tmp_path_factory.mktemp("dialects"))
    home.temporary.mkdir()
    with connect(home) as connection:
        yield connection


@pytest.fixture
def put(tmp_path):
    def write(content: str | bytes, name: str = "file.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def read(raw, path: Path, **options) -> list[tuple[int, dict[str, str | None]]]:
    """Return the line and the fields of each row, then the line and the reason of each unreadable line."""
    try:
        with open_input(path) as file:
            source = read_file(raw, file, None, **options)
            number_lines(raw, source)
            names = [name.lower() for name in source.columns]
            rows = raw.execute(
                "select line, source.* from source join source_lines on source.rowid = source_lines._row order by line"
            ).fetchall()
            broken = raw.execute("select line, reason from unreadable_lines order by line").fetchall()
            assert raw.execute("select count(*) from source").fetchone() == (len(rows),)
            assert len(rows) + len(broken) == source.size.records
        return [(line, dict(zip(names, fields, strict=True))) for line, *fields in rows] + broken
    finally:
        drop_temporary_tables(raw)


def refusal(raw, path: Path, **options) -> str:
    with pytest.raises(ContractError) as error:
        read(raw, path, **options)
    return str(error.value)


# --- one table in any dialect --------------------------------------------------------------------------------

TEXT = st.sampled_from(
    ["", "Ernte", "Früchte & Öl", "a,b", "x;y", "tab\tbed", "Search | Brand", 'say "hi"', "two\nlines", "10 €", "007"]
)
ROW = st.tuples(
    st.sampled_from(["2026-07-01", "2026-07-02"]),
    TEXT,
    st.sampled_from(["12,50", "1.234,50", "3", "-0.5", "1,020.50"]),
    TEXT,
)
PREAMBLE = st.lists(
    st.sampled_from(
        ["Campaign report", '"July 1, 2026 - July 31, 2026"', "July 1, 2026 - July 31, 2026", "", "Org,Öl", "# ---"]
    ),
    max_size=3,
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    rows=st.lists(ROW, min_size=2, max_size=6),
    order=st.permutations(COLUMNS),
    case=st.sampled_from([str, str.upper, str.title]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]),
    separator=st.sampled_from(",;\t|"),
    has_separator_line=st.booleans(),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    preamble=PREAMBLE,
    container=st.sampled_from(["plain", "gzip", "zip"]),
)
def test_a_table_is_read_alike_in_every_dialect(  # noqa: PLR0917
    raw, tmp_path_factory, rows, order, case, encoding, separator, has_separator_line, quoting, line_end, preamble,
    container,
):  # fmt: skip
    lines = [f"sep={separator}"] * has_separator_line + preamble
    text = "".join(line + line_end for line in lines)
    expected = []
    for row in [tuple(map(case, COLUMNS)), *rows]:
        fields = dict(zip(COLUMNS, (value.replace("\n", line_end) for value in row), strict=True))
        line = len(re.findall("\r\n|\r|\n", text)) + 1
        expected.append((line, {name: value.strip() or None for name, value in fields.items()}))
        record = io.StringIO()
        csv.writer(record, delimiter=separator, quoting=quoting, lineterminator=line_end).writerow(
            [fields[name] for name in order]
        )
        text += record.getvalue()
    content = text.encode(encoding)
    if container == "gzip":
        content = gzip.compress(content)
    elif container == "zip":
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("export.csv", content)
            archive.writestr("__MACOSX/._export.csv", b"x")
        content = packed.getvalue()
    path = tmp_path_factory.mktemp("any") / "file.csv"
    path.write_bytes(content)

    def is_header(fields: list[str]) -> bool:
        return {field.lower() for field in fields} == set(COLUMNS)

    assert read(raw, path, is_header=is_header) == expected[1:]
    try:
        found = read(raw, path)
    except ContractError:
        return
    assert found == expected[1:] or not set(COLUMNS) <= set(found[0][1])


def test_the_content_decides_the_separator(raw, put):
    """Not the name; and neither decimal commas, user agents, pipes in names nor a broken line mislead."""
    tables = {
        "x.tsv": "a;b;c\n1,5;2,5;3,5\n1,5;2,5;3,5\n",
        "x.csv": "a\tb\tc\n1,020.50\t2\tx, y\n",
        "agents.csv": "a,b,c\n1,Mozilla (X11; Linux; x64),2\n2,Mozilla (X11; Linux; x64),3\n",
        "pipes.csv": "a,b,c\n1,G | Search | Kettle,2\n2,G | Search | Pot,3\n3,G | Search, | Pan,4\n",
        "short.csv": '"a";"b";"c"\n',
    }
    for name, text in tables.items():
        with open_input(put(text, name)) as file:
            source = read_file(raw, file, None)
        assert source.columns == ["a", "b", "c"], name
        drop_temporary_tables(raw)


def test_a_first_record_can_name_no_columns(raw, put):
    def headerless(fields: list[str]) -> list[str] | None:
        return ["at", "who", "what"] if len(fields) == 3 else None

    path = put("2026-07-01\tv1\tx\n2026-07-02\tv2\ty\n2026\n")
    assert read(raw, path, headerless=headerless) == [
        (1, {"at": "2026-07-01", "who": "v1", "what": "x"}),
        (2, {"at": "2026-07-02", "who": "v2", "what": "y"}),
        (3, "wrong_column_count"),
    ]
    assert read(raw, put("2026-07-01\tv1\tx\n2026-07-02\tv2\ty\n"), headerless=headerless)[1][0] == 2
    message = refusal(raw, put("jane@x.example,5,5\nbob@x.example,6,6\n"))
    assert "values instead of the names" in message
    assert "jane" not in message


@pytest.mark.parametrize(
    ("footer", "left"),
    [
        ("\n© 2026 Vendor Corporation. All rights reserved.", []),
        ("Copyright (c) 2026 vendor, inc.\nConfidential - do not share\n", []),
        ("Kupfer Kessel\n", ["wrong_column_count"]),
        ("\n\nFiltered by;all sites\n\nGenerated by: Jane\n", []),
        ("Kupfer Kessel", ["wrong_column_count"]),  # a row that is cut short
        ("A1\n", ["wrong_column_count"]),
        ("\n2026-07-03\n", ["wrong_column_count"]),
        ("Kupfer Kessel;1\n", ["wrong_column_count"]),
        ('Kupfer;"two\n\nsome words\n";2026-07-01;12\n', ["Kupfer"]),
    ],
)
def test_a_footer_is_no_row_and_a_row_is_no_footer(raw, put, footer, left):
    text = "Name;Note;Day;Cost\nKessel;a b;2026-07-01;12,50\n" + footer
    for path in (put(text), put(gzip.compress(text.encode()), "x.gz")):
        first, *rest = read(raw, path)
        assert first == (2, {"name": "Kessel", "note": "a b", "day": "2026-07-01", "cost": "12,50"})
        assert [found if isinstance(found, str) else found["name"] for _, found in rest] == left


def test_repeated_headers_are_named(raw, put):
    assert "several columns are called Cost, cost. Rename" in refusal(raw, put("Day,Cost,cost,,\n1,2,3,,\n"))


@pytest.mark.parametrize(
    ("name", "content", "line", "reason"),
    [
        ("utf16.csv", f"Orders\n\n{ORDERS}{ORDER}A2,soon,5\n".encode("utf-16"), 5, "bad_timestamp"),
        ("sep.csv", f"sep=,\r\n{ORDERS}{ORDER}A2,soon,5\r\n", 4, "bad_timestamp"),
        ("fallback.csv", f'"Orders\n{ORDERS}{ORDER}A2,soon,5\n', 4, "bad_timestamp"),
        ("a.json", '[\n{"order_id": 1,\n"occurred_at": "2026-01-01T00:00:00Z"},\n{"order_id": 2}]', 4, "missing_value"),
    ],
)  # fmt: skip
def test_a_failed_row_has_its_line_in_the_file(raw, put, name, content, line, reason):  # noqa: PLR0917
    raw.execute("delete from raw.conversions; delete from raw.failed_events")
    report = load_file(raw, "conversions", put(content, name), SETTINGS)
    assert (report.loaded, report.failed) == (1, 1)
    ((found, why),) = raw.execute("select line, reason from raw.failed_events").fetchall()
    assert (found, why) == (line, reason)


# --- encodings -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("Kühl – 10 €,Été,SÃO PAULO".encode("cp1252"), "Kühl – 10 €,Été,SÃO PAULO"),
        ("Kühl,x,y\nz".encode() + b"\xfc,a,b", "bad_encoding"),  # valid UTF-8 elsewhere
        (b"Fr\xc3chte,x,y", "bad_encoding"),  # half of a character of UTF-8
        ("Łódź,święto,źle\nŁódź,święto,źle\nŁódź,święto,źle".encode("cp1250"), "neither UTF-8"),
        ("Осень,лето,весна\nОсень,лето,весна\nОсень,лето,весна".encode("cp1251"), "Windows-1251"),
        ("a,b,c\ud800".encode("utf-16-le", "surrogatepass"), "neither text"),
    ],
    ids=range(6),
)
def test_an_encoding_is_found_or_named(raw, put, body, expected):
    head = b"".join(b"%d,b,c\n" % number for number in range(3))
    path = put(b"p,q,r\n" + head + body + b"\n")
    try:
        found = read(raw, path)[-1][1]
    except ContractError as error:
        found = str(error)
    assert expected in found if isinstance(found, str) else expected.split(",") == list(found.values())


def test_half_of_a_utf16_character_fails_its_line(raw, put):
    text = "\ufeffa,b\n1,\ud800\n2,ü\n".encode("utf-16-le", "surrogatepass")
    assert read(raw, put(text)) == [(3, {"a": "2", "b": "ü"}), (2, "bad_encoding")]
    assert "damaged or cut short" in refusal(raw, put(text[:-1]))


# --- JSON ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "is_read"),
    [
        ("[{}, {}]", True),
        (' {{"data": [{},\n{}]}}\n', True),
        ("{}\n{}", True),
        ("[{}, {}", False),
        ("[{}] [{}]", False),
        ("[{}, 5, {}]", False),
        ('{{"data": [{}, {}], "next": "page2"}}\n', False),
        ("{{\n{}\n}}{}", False),
    ],
    ids=range(8),
)  # fmt: skip
def test_json_of_objects_is_read_or_refused(raw, put, template, is_read):
    objects = ['{"id": "1.10", "n": 120214012345678912}', '{"id": "[{", "n": [{"x": null}]}']
    path = put(template.format(*objects), "x.json")
    try:
        found = [fields for _, fields in read(raw, path)]
    except ContractError:
        found = []
    whole = [{"id": "1.10", "n": "120214012345678912"}, {"id": "[{", "n": '[{"x":null}]'}]
    assert (found == whole) == is_read
    assert is_read or not any(fields in whole for fields in found)


# --- archives and spreadsheets -------------------------------------------------------------------------------


def zipped(**members: bytes | str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), content)
    return packed.getvalue()


def workbook(**sheets: list[list[object]]) -> bytes:
    """Return an .xlsx file. A cell is text, a number, or (serial number, style): 1 is a date, 2 a time of day too."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"

    def cell(value: object) -> str:
        if isinstance(value, str):
            return f'<c t="inlineStr"><is><t>{value}</t></is></c>'
        number, style = value if isinstance(value, tuple) else (value, 0)
        return f'<c s="{style}"><v>{number}</v></c>' if number is not None else "<c/>"

    members = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1"'
        f' Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        + "".join(f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"/>' for n, name in enumerate(sheets, 1))
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        + "".join(
            f'<Relationship Id="r{n}" Type="{office}/worksheet" Target="worksheets/sheet{n}.xml"/>'
            for n in range(1, len(sheets) + 1)
        )
        + f'<Relationship Id="s" Type="{office}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{main}"><cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="14"/>'
        '<xf numFmtId="22"/></cellXfs></styleSheet>',
    }
    for number, rows in enumerate(sheets.values(), 1):
        body = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
        sheet = f'<worksheet xmlns="{main}"><sheetData>{body}</sheetData></worksheet>'
        members[f"xl/worksheets/sheet{number}.xml"] = sheet
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


TABLE = [
    ["Report"],
    [],
    ["day", "at", "spend", "id"],
    [(46204, 1), (46204.4375, 2), 12.500000000000002, 120214000000000123],
    [(46205, 1), (46205, 2), 1000, "120214000000000123"],
]
CELLS = [
    (4, {"day": "2026-07-01", "at": "2026-07-01T10:30:00", "spend": "12.5", "id": "1.20214E+17"}),
    (5, {"day": "2026-07-02", "at": "2026-07-02T00:00:00", "spend": "1000", "id": "120214000000000123"}),
]


def test_cells_of_a_workbook_become_exact_text(raw, put):
    assert read(raw, put(workbook(Data=TABLE, Empty=[]), "x.xlsx")) == CELLS
    assert read(raw, put(zipped(x_dot_xlsx=workbook(Data=TABLE)), "x.zip")) == CELLS


def test_cells_of_an_open_document_become_exact_text(raw, put):
    office = "urn:oasis:names:tc:opendocument:xmlns"

    def text(value: str) -> str:
        return f'<t:table-cell o:value-type="string"><p:p>{value}</p:p></t:table-cell>'

    def day(value: str) -> str:
        return f'<t:table-cell o:value-type="date" o:date-value="{value}"/>'

    def number(value: object) -> str:
        return f'<t:table-cell o:value-type="float" o:value="{value}"/>'

    rows = [
        [text("Report")],
        [],
        [text(name) for name in ("day", "at", "spend", "id")],
        [day("2026-07-01"), day("2026-07-01T10:30:00"), number(12.500000000000002), number(120214000000000123)],
        [day("2026-07-02"), day("2026-07-02"), number(1000), text("120214000000000123")],
    ]
    body = "".join(f"<t:table-row>{''.join(row)}</t:table-row>" for row in rows)
    content = (
        f'<o:document-content xmlns:o="{office}:office:1.0" xmlns:t="{office}:table:1.0" xmlns:p="{office}:text:1.0">'
        f'<o:body><o:spreadsheet><t:table t:name="S">{body}'
    )
    for prefix, name in (("o:", "office:"), ("t:", "table:"), ("p:", "text:")):
        content = content.replace(f"<{prefix}", f"<{name}").replace(f"</{prefix}", f"</{name}")
        content = content.replace(f" {prefix}", f" {name}").replace(f"xmlns:{prefix[0]}=", f"xmlns:{name[:-1]}=")
    content += "</table:table></office:spreadsheet></office:body></office:document-content>"
    mime = "application/vnd.oasis.opendocument.spreadsheet"
    packed = zipped(mimetype=mime, content_dot_xml=content, **{"META-INF__manifest_dot_xml": "<x/>"})
    assert read(raw, put(packed, "x.ods")) == CELLS


def test_the_sheet_with_a_known_header_is_read(raw, put):
    path = put(workbook(Notes=[["read me", "first"]], Data=TABLE), "x.xlsx")
    assert "2 sheets have a table: Notes, Data." in refusal(raw, path)
    assert read(raw, path, is_header=lambda fields: "spend" in fields) == CELLS


def test_a_small_workbook_can_describe_too_many_cells(raw, put):
    packed = workbook(Data=[["a"]])
    far = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    members = {}
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        for name in archive.namelist():
            members[name] = archive.read(name).replace(b"</sheetData>", far.encode() + b"</sheetData>")
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    assert "too much memory or time" in refusal(raw, put(bomb.getvalue(), "x.xlsx"))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"%PDF-1.7\n", "a PDF document. Export the report as CSV."),
        (b"\x89PNG\r\n\x1a\n", "an image."),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "an old Excel workbook (.xls)"),
        (b"\n<!DOCTYPE html><html><body>Log in</body></html>", "a web page (HTML)"),
        ('<?xml version="1.0"?><Workbook/>'.encode("utf-16"), "an XML file."),
        (b"", "the file is empty."),
        (zipped(a_dot_csv="a", b_dot_csv="b"), "an archive of 2 data files. Expand it, and import each file."),
        (zipped(x__readme_dot_md="a", y_dot_png="b"), "an archive without a data file."),
        (zipped(x_dot_csv_dot_gz=gzip.compress(b"a")), "compressed twice."),
        (zipped(x_dot_zip=zipped(x_dot_csv="a")), "compressed twice."),
        (zipped(word__document_dot_xml="a", mimetype="x"), "a document that is no .xlsx or .ods."),
        (zipped(x_dot_csv=b"0" * 150_000_000), "Tributary reads at most 200 times the size."),
        (b"\0\0\2\3" * 100, "neither text nor a spreadsheet nor Parquet."),
        (zipped(x_dot_csv="a,b\n")[:-8], "the zip file is damaged or cut short"),
    ],
    ids=range(14),
)  # fmt: skip
def test_another_kind_of_file_is_named(raw, put, content, sentence):
    assert sentence in refusal(raw, put(content))
