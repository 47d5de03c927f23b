"""Read a file of any format into temporary tables. Contracts apply later.

In: CSV in any dialect, NDJSON, a JSON array (each plain, gzipped or zipped), Parquet, .xlsx or .ods.
Out: `source`, one row a record, in the file's order: its columns as trimmed text without personal data, null if empty;
`unreadable_lines`(line, reason, detail, payload), the lines without a record; and, after `number_lines`,
`source_lines`(_row, line), the line on which each row of `source` (by its rowid) starts.

DuckDB parses a well-formed CSV file. Its recovery from a malformed one loses rows and their lines (tried: it swallows
the rest of the file after an unclosed quote, and fails on mixed line ends). Python's parser reads such a file again
(ingestion/files/csv_fallback.py) and rejects only the broken lines.
"""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

import duckdb

from ingestion.files.container import Content, open_container, refuse_markup
from ingestion.files.contracts import ContractError
from ingestion.files.csv_fallback import EXPLAINED, RECORD_LIMIT, Record, decoded, readable, records, text_lines
from ingestion.files.dialect import (
    Dialect,
    Headerless,
    IsHeader,
    Table,
    find_table,
    first_header,
    footer_size,
    is_value,
    likely_header,
    table_width,
)
from ingestion.files.encoding import utf16_decoded, windows_decoded
from ingestion.files.input_file import InputFile, spooled
from ingestion.files.json_array import array_objects, is_array, refuse_spread_object
from ingestion.files.limits import (
    Size,
    check_columns,
    content,
    first_bytes,
    incomplete,
    last_bytes,
    measure_csv,
    measure_ndjson,
    measure_parquet,
)
from ingestion.files.source_table import (
    IsId,
    Row,
    count_keys,
    create_source,
    csv_relation,
    reject_lines,
    source_of_objects,
    spool,
    temporary_folder,
    unique_names,
)
from ingestion.files.spreadsheet import sheet_records
from ingestion.privacy.patterns import WHITESPACE, kind_of
from ingestion.privacy.redact import redact_text
from ingestion.sql import Connection, has_temporary_table, literal, quoted, scalar
from ingestion.text import counted

_END = 65_536  # bytes in which a footer is found
_START = 65_536  # bytes by which the format of a text is recognised
_SAMPLE_LINES, _SAMPLE_SIZE = 500, 1_000_000  # lines and characters by which the dialect is recognised
_SHOWN = 40  # columns in a message
# One such name is enough: no column is called so.
_CERTAIN_VALUE = re.compile(
    r"\d{4}-\d{2}-\d{2}.*|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\S+@\S+|\(email\)|\(ip\)", re.IGNORECASE
)
_QUOTED = re.compile("[\"'`].*[\"'`]")


class SourceFile(NamedTuple):
    """A file with its records in `source`."""

    file: InputFile  # its content as it was read: out of its archive, in UTF-8
    dialect: Dialect
    columns: list[str]  # of `source`
    size: Size
    notes: int = 0  # lines of a footer, which are no rows

    @property
    def label(self) -> str:
        """The file's path for messages."""
        return self.file.label

    @property
    def names(self) -> list[str]:
        """The names of the columns for messages; none if the file has no header, but values there."""
        return [] if _are_values(self.columns) else [" ".join(name.split()) for name in self.columns]

    @property
    def shown_columns(self) -> str:
        """A sentence with the names of the columns."""
        names = self.names
        if not names:
            return _NO_HEADER if self.columns else "The file has no columns. It may be cut short: export it again."
        more = f" and {len(names) - _SHOWN} others" if len(names) > _SHOWN else ""
        return f"The file's columns: {', '.join(names[:_SHOWN])}{more}."


_NO_HEADER = "Its first line has values instead of the names of columns. Add a line with the names."


def read_file(
    connection: Connection,
    file: InputFile,
    is_id: IsId | None,
    is_header: IsHeader | None = None,
    headerless: Headerless | None = None,
) -> SourceFile:
    """Create `source` and `unreadable_lines` from the file. is_id: None if the file has no personal data.

    is_header: whether a record is the header of a known layout. The first of the first 50 records that is one becomes
    the header, else the first record that looks like one.
    headerless: the names of the columns if the first record is data of a known layout without a header.
    ContractError if the file is beyond a limit, or if the tables have another number of records than the file.
    """
    folder = temporary_folder(connection)
    found = open_container(file, folder)
    connection.execute(
        "create or replace temp table unreadable_lines (line bigint, reason varchar, detail varchar, payload varchar)"
    )
    try:
        if found.kind == "parquet":
            source = _read_parquet(connection, found, is_id)
        elif found.kind != "text":
            source = _read_spreadsheet(connection, found, is_id, is_header)
        else:
            found = utf16_decoded(found, folder)
            start = first_bytes(found.file, _START, is_gzip=found.is_gzip).decode("utf-8-sig", "replace").lstrip()
            refuse_markup(file.label, start)
            if is_array(start):
                source = _read_array(connection, found, is_id)
            # The first line of NDJSON may be a torn one.
            elif start.startswith("{") or found.name.endswith((".ndjson", ".jsonl", ".json")):
                refuse_spread_object(file.label, start)
                source = _read_ndjson(connection, found, is_id)
            else:
                source = _read_csv(connection, windows_decoded(found, folder), is_id, is_header, headerless)
    except duckdb.Error as error:
        raise ContractError(f"{file.label}: DuckDB cannot read the file: {_without_values(error)}") from None
    read = scalar(connection, "select (select count(*) from source) + (select count(*) from unreadable_lines)")
    if read != source.size.records:
        raise ContractError(incomplete(file, source.size.records, read))
    return source


def number_lines(connection: Connection, source: SourceFile, rows: str = "source") -> None:
    """Create `source_lines`, if it is missing. Only failed rows need it, and it reads a CSV file once more.

    rows: the temporary table that has the file's rows now.
    """
    if has_temporary_table(connection, "source_lines"):
        return
    if source.dialect.kind == "parquet":
        connection.execute(
            f"create temp table source_lines as select rowid as _row, rowid + 1 as line from temp.{rows}"
        )
        return
    with _csv_records(source.file, source.dialect, source.size) as found:
        starts = (line for line, _, fields in found if fields and line >= source.dialect.first_row)
        spool(connection, "source_lines", {"_row": "bigint", "line": "bigint"}, enumerate(starts))


def _read_csv(
    connection: Connection,
    found: Content,
    is_id: IsId | None,
    is_header: IsHeader | None,
    headerless: Headerless | None,
) -> SourceFile:
    size = measure_csv(found.file, is_gzip=found.is_gzip)
    table = _find_table(found, size, is_header, headerless)
    found, notes = _without_footer(found, table, temporary_folder(connection))
    if notes:
        size = measure_csv(found.file, is_gzip=False)
    file = found.file
    dialect = Dialect("csv", found.is_gzip, table.separator, table.line, table.has_header)
    names = _names(file.label, table.names)
    columns = dict.fromkeys(names, "varchar")
    texts = {name: quoted(name) for name in names}
    counted = size._replace(records=size.records - table.preamble - table.has_header)
    options = (
        f"header = {table.has_header}, skip = {table.line - 1}, delim = {literal(table.separator)},"
        f" compression = {literal('gzip' if found.is_gzip else 'none')}"
    )
    try:
        relation = csv_relation(file.duckdb_path, columns, max_line=RECORD_LIMIT, options=options)
        kept = create_source(connection, texts, relation, is_id, rows=counted.records)
    except duckdb.Error:
        pass  # malformed somewhere: read it again, line by line
    else:
        if scalar(connection, "select count(*) from source") == counted.records:
            return SourceFile(file, dialect, kept, counted, notes)
        connection.execute("drop table source")
    with _csv_records(file, dialect, size) as found_records:
        rows = (record for record in found_records if record[0] >= dialect.first_row)
        kept, records = _create_from_records(connection, rows, names, is_id)
    return SourceFile(file, dialect, kept, size._replace(records=records), notes)


def _without_footer(found: Content, table: Table, folder: Path | None) -> tuple[Content, int]:
    """Return the content up to the notes at its end, and the number of notes: DuckDB would read no row of the file."""
    end, total = last_bytes(found.file, _END, is_gzip=found.is_gzip)
    lines = end.splitlines(keepends=True)[total > len(end) :]
    notes = lines[len(lines) - footer_size(lines, table.separator, len(table.names)) :]
    if not notes:
        return found, 0
    left = total - sum(map(len, notes))

    def before_notes() -> Iterator[bytes]:
        position = 0
        for piece in content(found.file, is_gzip=found.is_gzip):
            yield piece[: max(0, left - position)]
            position += len(piece)

    cut = spooled(found.file, before_notes(), folder)
    return found._replace(file=cut, is_gzip=False), sum(bool(line.strip()) for line in notes)


def _create_from_records(
    connection: Connection, found: Iterable[Record], names: list[str], is_id: IsId | None
) -> tuple[list[str], int]:
    """Create `source` and `source_lines`, and reject broken records. Return the columns and the number of records."""
    rejected: list[Row] = []
    rows = _whole_records(found, len(names), rejected)
    read = spool(connection, "parsed_lines", {"line": "bigint"} | dict.fromkeys(names, "varchar"), rows)
    columns = create_source(connection, {name: quoted(name) for name in names}, "parsed_lines", is_id, rows=read)
    connection.execute("create temp table source_lines as select rowid as _row, line from parsed_lines")
    connection.execute("drop table parsed_lines")
    reject_lines(connection, rejected, has_phones=any(kind_of(name) == "phone" for name in names))
    return columns, read + len(rejected)


def _find_table(found: Content, size: Size, is_header: IsHeader | None, headerless: Headerless | None) -> Table:
    with text_lines(found.file, is_gzip=found.is_gzip, newline="", lines=size.lines) as numbered:
        lines: list[tuple[int, str]] = []
        characters = 0
        for line in numbered:
            lines.append(line)
            characters += len(line[1])
            if len(lines) == _SAMPLE_LINES or characters > _SAMPLE_SIZE:
                break
    return find_table(found.file.label, lines, is_header, headerless)


def _names(label: str, header: list[str]) -> list[str]:
    """Return the names of the columns. ContractError if there are too many, or if two are equal except for case."""
    check_columns(label, len(header))
    times = Counter(name.strip().lower() for name in header)
    repeated = {name for name, number in times.items() if name and number > 1}
    if repeated and _are_values(header):
        raise ContractError(f"{label}: {_NO_HEADER}")
    if repeated:
        shown = dict.fromkeys(redact_text(name.strip()) for name in header if name.strip().lower() in repeated)
        raise ContractError(
            f"{label}: several columns are called {', '.join(shown)}. Rename or remove all but one of them."
        )
    return unique_names(header)


def _are_values(names: list[str]) -> bool:
    return any(map(_CERTAIN_VALUE.fullmatch, names)) or sum(map(is_value, names)) > min(1, len(names) - 1)


def _csv_records(file: InputFile, dialect: Dialect, size: Size) -> AbstractContextManager[Iterator[Record]]:
    return records(file, is_gzip=dialect.is_gzip, separator=dialect.separator, lines=size.lines)


def _whole_records(found: Iterable[Record], width: int, rejected: list[Row]) -> Iterator[Row]:
    """Yield (line, *fields) of the records with the header's width; append the others to `rejected`."""
    for line, text, fields in found:
        if isinstance(fields, str):
            rejected.append((line, fields, EXPLAINED[fields], readable(text)))
        elif len(fields) == width:
            yield (line, *fields)
        elif fields:
            detail = (
                f"the header has {counted(width, 'column')} and this line {len(fields)}:"
                " is a quote or a separator missing?"
            )
            rejected.append((line, "wrong_column_count", detail, readable(text)))


def _read_ndjson(connection: Connection, found: Content, is_id: IsId | None) -> SourceFile:
    size = measure_ndjson(found.file, is_gzip=found.is_gzip)
    # \n alone ends a line of NDJSON: a lone \r is white space there.
    with text_lines(found.file, is_gzip=found.is_gzip, newline="\n", lines=size.lines) as numbered:
        lines = ((line, text) for line, text in numbered if text.strip(WHITESPACE))
        columns, _ = _create_from_objects(connection, found, lines, is_id)
    return SourceFile(found.file, Dialect("ndjson", found.is_gzip), columns, size)


def _read_array(connection: Connection, found: Content, is_id: IsId | None) -> SourceFile:
    decoder = getincrementaldecoder("utf-8-sig")("surrogateescape")
    texts = map(decoder.decode, content(found.file, is_gzip=found.is_gzip))
    objects = array_objects(found.file.label, texts)
    columns, records = _create_from_objects(connection, found, objects, is_id)
    return SourceFile(found.file, Dialect("json", found.is_gzip), columns, Size(records, records))


def _create_from_objects(
    connection: Connection, found: Content, texts: Iterable[tuple[int, str]], is_id: IsId | None
) -> tuple[list[str], int]:
    """Create `source` and `source_lines` from JSON texts. Return the columns and the number of texts."""
    rejected: list[Row] = []
    rows = _whole_records(((line, text, decoded(text)) for line, text in texts), 1, rejected)
    read = spool(connection, "texts", {"line": "bigint", "text": "varchar"}, rows)
    connection.execute(
        """
        create temp table objects as select * from texts where json_valid(text) and json_type(text) = 'OBJECT';
        create temp table source_lines as
        select row_number() over (order by line) - 1 as _row, line from objects;
        insert into unreadable_lines by name
        select line, 'bad_json' as reason, 'this line is not one whole JSON object' as detail, text as payload
        from texts where not json_valid(text) or json_type(text) <> 'OBJECT';
        drop table texts
        """
    )
    reject_lines(connection, rejected)
    check_columns(found.file.label, count_keys(connection))
    return source_of_objects(connection, is_id), read + len(rejected)


def _read_spreadsheet(
    connection: Connection, found: Content, is_id: IsId | None, is_header: IsHeader | None
) -> SourceFile:
    label = found.file.label
    with sheet_records(found.file, is_header, temporary_folder(connection)) as sheet:
        start = list(islice(sheet, _SAMPLE_LINES))
        if not start:
            raise ContractError(f"{label}: the spreadsheet is empty. A row must name the columns.")
        known = first_header(start, is_header) if is_header else None
        position = likely_header(start, table_width(start)) if known is None else known
        line, _, header = start[position]
        names = _names(label, list(header))
        rows = (_padded(record, len(names)) for record in chain(start[position + 1 :], sheet))
        columns, records = _create_from_records(connection, rows, names, is_id)
    return SourceFile(found.file, Dialect(found.kind, start=line), columns, Size(records, records))


def _padded(record: Record, width: int) -> Record:
    """Return the record with empty cells at its end: a spreadsheet does not store them."""
    line, text, cells = record
    return line, text, [*cells, *[""] * (width - len(cells))]


def _read_parquet(connection: Connection, found: Content, is_id: IsId | None) -> SourceFile:
    file = found.file
    path = literal(file.duckdb_path)
    relation = f"read_parquet({path}, binary_as_string = true)"
    try:
        if is_id:  # the archive has the rows of accepted files
            measure_parquet(connection, file)
        described = connection.execute(f"describe select * from {relation}").fetchall()
        names = [name for name, *_ in described]
        names = unique_names(names) if is_id else names
        texts = {
            name: _parquet_text(quoted(original), type_)
            for name, (original, type_, *_) in zip(names, described, strict=True)
        }
        rows = scalar(connection, f"select num_rows from parquet_file_metadata({path})")
        columns = create_source(connection, texts, relation, is_id, rows=rows)
    except duckdb.Error as error:
        raise ContractError(f"{file.label}: not a readable Parquet file: {_without_values(error)}") from None
    return SourceFile(file, Dialect("parquet"), columns, Size(rows, rows))


def _parquet_text(column: str, type_: str) -> str:
    if type_ == "VARCHAR":
        return column
    if type_ == "TIMESTAMP WITH TIME ZONE":
        return f"(({column} at time zone 'UTC')::varchar || 'Z')"
    nested = type_.endswith("]") or type_.startswith(("STRUCT", "MAP"))
    return f"(to_json({column})::varchar)" if nested else f"({column}::varchar)"


def _without_values(error: Exception) -> str:
    """Return the first line of DuckDB's message without quoted texts, which may be values of the file."""
    return redact_text(_QUOTED.sub("…", str(error).splitlines()[0]))
