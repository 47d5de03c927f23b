"""Find the separator and the header of a table: its dialect.

In: the first records of a file. Out: the separator, the line of the header, and the names of the columns.

The content decides, never the name of the file. A separator is right if most records have one number of fields, and if
few fields have another separator in them. Lines before the header are a preamble: titles, date ranges, notes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ingestion.files.contracts import ContractError
from ingestion.files.csv_fallback import EXPLAINED, Record, csv_records

IsHeader = Callable[[list[str]], bool]  # whether a record is the header of a known layout
Headerless = Callable[[list[str]], "list[str] | None"]  # the names of the columns if a first record is data

SEPARATORS = ",;\t|"
HEADER_RECORDS = 50  # the header is among the first ones
_SEPARATOR_LINE = re.compile(r'"?sep=(?P<separator>[^\w\s"]|\t)"?\s*', re.IGNORECASE)
_SIGN = r"[^\w\s]{0,3}\s?"
_VALUE = re.compile(
    rf"{_SIGN}\d[\d.,:/TZ' +-]*(%|[^\w\s]|[A-Z]{{3}})?"  # a number, a date or a time
    r"|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\S+@\S+|\(email\)",
    re.IGNORECASE,
)


class Dialect(NamedTuple):
    """How a file is written."""

    kind: str  # csv, ndjson, json, parquet, xlsx, ods
    is_gzip: bool = False
    separator: str = ","
    start: int = 1  # the line of the header, or of the first record of a file without one
    has_header: bool = True

    @property
    def first_row(self) -> int:
        """The first line on which a row can start."""
        return self.start + self.has_header


class Table(NamedTuple):
    """The start of a table of text."""

    separator: str
    line: int  # of the header, or of the first record of a file without one
    names: list[str]
    has_header: bool = True
    preamble: int = 0  # records before it


class _Score(NamedTuple):
    share: float
    width: int


def find_table(
    label: str, lines: Sequence[tuple[int, str]], is_header: IsHeader | None, headerless: Headerless | None
) -> Table:
    """Return the start of the table in the first lines of a CSV file. ContractError if no line can be its header."""
    given = _SEPARATOR_LINE.fullmatch(lines[0][1]) if lines else None
    if given:
        lines = lines[1:]
    separators = given["separator"] if given else SEPARATORS
    parsed = {
        separator: [record for record in csv_records(iter(lines), separator) if record[2]] for separator in separators
    }
    preamble = int(bool(given))
    for separator, records in parsed.items():
        position = is_header and first_header(records, is_header)
        if position is not None and is_header:
            return _table(label, separator, records, position, preamble)
    for separator, records in parsed.items():
        first = records[0][2] if records else ""
        names = headerless(first) if headerless and isinstance(first, list) else None
        if names and len(names) == len(first):
            return Table(separator, records[0][0], names, has_header=False, preamble=preamble)
    scores = {separator: _score(records, separator) for separator, records in parsed.items()}
    separator = max(parsed, key=lambda separator: scores[separator])
    records = parsed[separator]
    return _table(label, separator, records, likely_header(records, scores[separator].width), preamble)


def first_header(records: Sequence[Record], is_header: IsHeader) -> int | None:
    """Return the position of the first record that is the header of a known layout."""
    for position, (_, _, fields) in enumerate(records[:HEADER_RECORDS]):
        if isinstance(fields, list) and is_header([field.strip() for field in fields]):
            return position
    return None


def likely_header(records: Sequence[Record], width: int) -> int:
    """Return the position of the first record with the width of the table and names as its fields, else 0."""
    for position, (_, _, fields) in enumerate(records[:HEADER_RECORDS]):
        if isinstance(fields, list) and len(fields) >= width and has_names(fields):
            return position
    return 0


def table_width(records: Sequence[Record]) -> int:
    """Return the number of fields that explains most of the separators."""
    widths = Counter(len(fields) for _, _, fields in records if isinstance(fields, list))
    return max(widths, key=lambda width: (widths[width] * (width - 1), width), default=1)


def has_names(fields: Sequence[str]) -> bool:
    """Return whether the fields can be names of columns: no values, and few are empty."""
    texts = [text for text in (field.strip() for field in fields) if text]
    return 2 * len(texts) > len(fields) and not any(map(is_value, texts))


def is_value(text: str) -> bool:
    """Return whether a text is a number, a date, a UUID or an address, which is no name of a column."""
    return bool(_VALUE.fullmatch(text))


def _score(records: Sequence[Record], separator: str) -> _Score:
    width = table_width(records)
    rows = [fields for _, _, fields in records if isinstance(fields, list) and len(fields) == width]
    if width == 1:
        return _Score(0, 1)
    others = set(SEPARATORS) - {separator}
    fields = [field.strip() for row in rows for field in row]
    clean = sum(not others.intersection(field) or is_value(field) for field in fields)
    return _Score(len(rows) / len(records) * clean / len(fields), width)


def _table(label: str, separator: str, records: Sequence[Record], position: int, preamble: int) -> Table:
    if not records:
        raise ContractError(f"{label}: the file is empty. Its first line must name the columns.")
    line, _, names = records[position]
    if isinstance(names, str):
        raise ContractError(f"{label}: line {line} must name the columns: {EXPLAINED[names]}.")
    return Table(separator, line, names, preamble=preamble + position)
