"""Read the table of a spreadsheet: the one sheet with data, or the one with the header of a known layout.

In: an .xlsx or .ods file. Out: its records (row, text, cells), or a ContractError that names the sheets.
"""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from ingestion.files.contracts import ContractError
from ingestion.files.csv_fallback import Record
from ingestion.files.dialect import HEADER_RECORDS, IsHeader, first_header
from ingestion.files.input_file import InputFile
from ingestion.privacy.redact import redact_text
from ingestion.text import printable

_CELL = 100_000_000  # characters
_READER = Path(__file__).with_name("spreadsheet_reader.py")


@contextmanager
def sheet_records(file: InputFile, is_header: IsHeader | None, folder: Path | None) -> Iterator[Iterator[Record]]:
    """Yield the records of the sheet with the table."""
    with TemporaryFile(dir=folder) as output:
        with file.open() as stream:
            # -P: modules beside the program hide none of the standard library.
            command = [sys.executable, "-P", str(_READER)]
            done = subprocess.run(command, stdin=stream, stdout=output, stderr=subprocess.PIPE, check=False)
        if done.returncode == 1 and not done.stderr:
            raise ContractError(
                f"{file.label}: not a readable spreadsheet, or one with a password. Open it and save it as CSV (UTF-8)."
            )
        if done.returncode:
            raise ContractError(
                f"{file.label}: the spreadsheet takes too much memory or time. Save the sheet as CSV (UTF-8)."
            )
        sheet = _sheet_with_table(file.label, output, is_header)
        yield (record for number, record in _records(output) if number == sheet)


def _sheet_with_table(label: str, output: IO[bytes], is_header: IsHeader | None) -> str | None:
    """Return the number of the sheet with the table; None if no sheet has data."""
    starts: dict[str, list[Record]] = {}
    names = {}
    for number, records in groupby(_records(output), key=itemgetter(0)):
        (_, _, name), *start = (record for _, record in islice(records, HEADER_RECORDS + 1))
        if start:
            starts[number], names[number] = start, name[0]
    known = [number for number, start in starts.items() if is_header and first_header(start, is_header) is not None]
    found = known or list(starts)
    if len(found) > 1:
        shown = ", ".join(printable(redact_text(names[number])) for number in found)
        raise ContractError(
            f"{label}: {len(found)} sheets have a table: {shown}. Save the sheet that you want to import as a file of"
            " its own, or delete the others."
        )
    return found[0] if found else None


def _records(output: IO[bytes]) -> Iterator[tuple[str, Record]]:
    output.seek(0)
    csv.field_size_limit(_CELL)
    text = TextIOWrapper(output, encoding="utf-8", newline="")
    try:
        for number, row, *cells in csv.reader(text):
            yield number, (int(row), ",".join(cells), cells)
    finally:
        text.detach()
