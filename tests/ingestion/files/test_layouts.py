"""Every layout of ingestion/files/formats/ reads its fixtures as an independent computation reads them.

tests/fixtures/layouts/<layout>/ has files in the shape of the vendor's export, and check.yaml: how to compute counts
and sums from each file with the csv module and Decimal (docs/add-a-layout.md).
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ingestion.files.column_mapping import ImportOptions
from ingestion.files.contracts import CONTRACTS
from ingestion.files.layouts import all_layouts
from ingestion.files.load import import_file
from ingestion.settings.model import Org, Settings

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "layouts"
SETTINGS = Settings(orgs=[Org("default", "USD")])
CASES = {
    f"{folder.name}/{name}": check
    for folder in sorted(FIXTURES.iterdir())
    for name, check in msgspec.yaml.decode((folder / "check.yaml").read_bytes()).items()
}
Row = tuple[int, dict[str, Any]]  # the line of the file on which it starts, and header -> text


def test_every_layout_has_a_fixture():
    loading = {name for name, layout in all_layouts().items() if not layout.refuse}
    assert loading == {case.partition("/")[0] for case in CASES}


@pytest.mark.parametrize("case", CASES)
def test_a_layout_loads_what_its_file_states(raw, case):
    check = CASES[case]
    options = options_of(check)
    reports = import_file(raw, FIXTURES / case, SETTINGS, options)
    assert {report.layout for report in reports} == {case.partition("/")[0]}
    assert {report.kind: report.loaded for report in reports} == {
        kind: expected["rows"] for kind, expected in check["kinds"].items()
    }
    assert not any(report.failed for report in reports), [report.reasons for report in reports]
    rows = list(rows_of(FIXTURES / case, check))
    for kind, expected in check["kinds"].items():
        counted = list(counting_rows(rows, check, expected))
        for column, origin in expected.get("sums", {}).items():
            stored = next(each.stored for each in CONTRACTS[kind].columns if each.name == column)
            unit = 1_000_000 if stored.endswith("_micros") else 1
            (total,) = raw.execute(f"select sum({stored}) from {CONTRACTS[kind].table}").fetchone()
            assert Decimal(total or 0) / unit == sum_of(counted, origin, check), column
    again = import_file(raw, FIXTURES / case, SETTINGS, options)
    assert [report.loaded for report in again] == [0] * len(again), "a second import changes nothing"


@pytest.mark.parametrize("case", [case for case, check in CASES.items() if "break" in check])
def test_a_failed_row_has_its_line(raw, tmp_path, case):
    """check.yaml names the column to break in the last row that counts."""
    check, path = CASES[case], tmp_path / Path(case).name
    kind, expected = next(iter(check["kinds"].items()))
    line, row = list(counting_rows(list(rows_of(FIXTURES / case, check)), check, expected))[-1]
    encoding = check.get("encoding", "utf-8-sig")
    lines = (FIXTURES / case).read_bytes().decode(encoding).splitlines(keepends=True)
    (fields,) = csv.reader([lines[line - 1]], delimiter=check.get("separator", ","))
    fields[list(row).index(check["break"])] = "broken"
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=check.get("separator", ",")).writerow(fields)
    lines[line - 1] = text.getvalue()
    path.write_bytes("".join(lines).encode(encoding))
    options = options_of(check)._replace(partial=kind == "spend")
    assert any(report.failed for report in import_file(raw, path, SETTINGS, options))
    assert raw.execute("select distinct line from raw.failed_events").fetchall() == [(line,)]


def options_of(check: dict[str, Any]) -> ImportOptions:
    options = dict(check.get("options", {}))
    return ImportOptions(constants=options.pop("set", {}), **options)


def rows_of(path: Path, check: dict[str, Any]) -> Iterator[Row]:
    """Yield the records of a file, read by nothing of Tributary."""
    form = check.get("separator", ",")
    if form in ("ndjson", "json"):
        text = path.read_text(encoding=check.get("encoding", "utf-8"))
        objects = json.loads(text, parse_float=Decimal) if form == "json" else None
        lines = enumerate(text.splitlines(), 1)
        yield from (
            ((1, each) for each in objects)
            if objects is not None
            else ((line, json.loads(each, parse_float=Decimal)) for line, each in lines if each.strip())
        )
        return
    text = path.read_bytes().decode(check.get("encoding", "utf-8-sig")).lstrip("\ufeff")
    header_line = check.get("header", 1)  # 0: the file has none, and its columns are column1, column2, …
    skipped = max(header_line - 1, 0)
    lines = re.split(r"(?<=\n)|(?<=\r)(?!\n)", text)
    reader = csv.reader(io.StringIO("".join(lines[skipped:]), newline=""), delimiter=form)
    header = next(reader) if header_line else [f"column{n}" for n in range(1, lines[0].count(form) + 2)]
    starts_on = skipped + reader.line_num + 1
    for fields in reader:
        if len(fields) == len(header):
            yield (
                starts_on,
                dict(zip((name.strip() for name in header), (field.strip() for field in fields), strict=True)),
            )
        starts_on = skipped + reader.line_num + 1


def counting_rows(rows: list[Row], check: dict[str, Any], expected: dict[str, Any]) -> Iterator[Row]:
    """Yield the rows that are no summaries and meet the conditions of a kind."""
    for line, row in rows:
        skipped = any(text_at(row, column) in values for column, values in check.get("skip", {}).items())
        if not skipped and all(
            meets(text_at(row, column), wanted) for column, wanted in expected.get("where", {}).items()
        ):
            yield line, row


def meets(text: str, wanted: object) -> bool:
    if wanted == "nonzero":
        return bool(re.search("[1-9]", text))
    return text in wanted if isinstance(wanted, list) else text == wanted


def text_at(row: dict[str, Any], path: str) -> str:
    """Return the text at a header, or at a dotted path of a JSON object."""
    if path in row:
        return "" if row[path] is None else str(row[path])
    found: Any = row
    for part in path.split("."):
        found = (found or {}).get(part)
    return "" if found is None else str(found)


def sum_of(rows: list[Row], origin: str, check: dict[str, Any]) -> Decimal:
    """Return the sum of a column of the file; a number in check.yaml stands for itself."""
    if re.fullmatch(r"-?[\d.]+", origin):
        return Decimal(origin)
    return sum((number(text_at(row, origin), check) for _, row in rows), Decimal(0))


def number(text: str, check: dict[str, Any]) -> Decimal:
    """Return the number of a text in the locale that check.yaml states."""
    decimal, grouping = (",", ".") if check.get("decimal") == "comma" else (".", ",")
    digits = "".join(re.findall(rf"[\d\-\{decimal}]", text.replace(grouping, ""))).replace(decimal, ".")
    return Decimal(digits) if re.search(r"\d", digits) else Decimal(0)
