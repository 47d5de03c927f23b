"""Read a file of any format into temporary tables. Contracts apply later.

In: CSV, TSV, NDJSON (each plain or gzipped) or Parquet.
Out: `source`, one row a record, in the file's order: its columns as trimmed text without personal data, null if empty;
`unreadable_lines`(line, reason, detail, payload), the lines without a record; and, after `number_lines`,
`source_lines`(_row, line), the line on which each row of `source` (by its rowid) starts.

DuckDB parses a well-formed CSV file. Its recovery from a malformed one loses rows and their lines (tried: it swallows
the rest of the file after an unclosed quote, and fails on mixed line ends). Python's parser reads such a file again
(ingestion/files/csv_fallback.py) and rejects only the broken lines.
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, NamedTuple

import duckdb

from ingestion.files.contracts import ContractError
from ingestion.files.csv_fallback import EXPLAINED, RECORD_LIMIT, Record, decoded, readable, records, text_lines
from ingestion.files.input_file import InputFile
from ingestion.files.limits import (
    Size,
    check_columns,
    first_bytes,
    incomplete,
    measure_csv,
    measure_ndjson,
    measure_parquet,
)
from ingestion.privacy.patterns import LONG_NUMBER, WHITESPACE, kind_of
from ingestion.privacy.redact import redact_text
from ingestion.privacy.sql import redacted
from ingestion.sql import Connection, has_temporary_table, literal, quoted, scalar

IsId = Callable[[str], bool]  # whether a column is an id
Row = tuple[Any, ...]

# Columns of `source` that do not come from the file.
_RESERVED = {"rowid", "_row", "_row_org", "_row_site", "_failed_id", "_failed_at", "_failed_for"}
_KEYS = "select distinct unnest(json_keys(text)) as key from objects"
_WIDE = 60  # columns
_SHOWN = 40  # columns in a message
_VALUE = re.compile(r"[+-]?\d[\d.,:/TZ +-]*|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\S+@\S+|\(email\)", re.IGNORECASE)
# One such name is enough: no column is called so.
_CERTAIN_VALUE = re.compile(
    r"\d{4}-\d{2}-\d{2}.*|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\S+@\S+|\(email\)|\(ip\)", re.IGNORECASE
)
_QUOTED = re.compile("[\"'`].*[\"'`]")
_SPOOLED_END = r" new_line = '\n',"
_SPOOLED_LINE = 20_000_000  # bytes: a record has RECORD_LIMIT characters of at most 4 bytes, and quotes


class Layout(NamedTuple):
    """The format of a file."""

    kind: str  # csv, ndjson, parquet
    is_gzip: bool = False
    separator: str = ","


class SourceFile(NamedTuple):
    """A file with its records in `source`."""

    file: InputFile
    layout: Layout
    columns: list[str]  # of `source`
    size: Size
    repeated: frozenset[str] = frozenset()  # headers that several columns of a CSV file have, in lower case

    @property
    def label(self) -> str:
        """The file's path for messages."""
        return self.file.label

    @property
    def names(self) -> list[str]:
        """The names of the columns for messages; none if the file has no header, but values there."""
        names = [" ".join(name.split()) for name in self.columns]
        has_values = any(map(_CERTAIN_VALUE.fullmatch, names)) or sum(bool(_VALUE.fullmatch(n)) for n in names) > 1
        return [] if has_values else names

    @property
    def shown_columns(self) -> str:
        """A sentence with the names of the columns."""
        names = self.names
        if self.columns and not names:
            return "Its first line has values instead of the names of columns. Add a line with the names."
        more = f" and {len(names) - _SHOWN} others" if len(names) > _SHOWN else ""
        return f"The file's columns: {', '.join(names[:_SHOWN])}{more}."


def read_file(connection: Connection, file: InputFile, is_id: IsId | None) -> SourceFile:
    """Create `source` and `unreadable_lines` from the file. is_id: None if the file has no personal data.

    ContractError if it is beyond a limit, or if the tables have another number of records than the file.
    """
    layout = detect_layout(file)
    connection.execute(
        "create or replace temp table unreadable_lines (line bigint, reason varchar, detail varchar, payload varchar)"
    )
    try:
        if layout.kind == "parquet":
            source = _read_parquet(connection, file, layout, is_id)
        elif layout.kind == "ndjson":
            source = _read_ndjson(connection, file, layout, is_id)
        else:
            source = _read_csv(connection, file, layout, is_id)
    except duckdb.Error as error:
        raise ContractError(f"{file.label}: DuckDB cannot read the file: {_without_values(error)}") from None
    read = scalar(connection, "select (select count(*) from source) + (select count(*) from unreadable_lines)")
    if read != source.size.records:
        raise ContractError(incomplete(file, source.size.records, read))
    return source


def detect_layout(file: InputFile) -> Layout:
    """Return the format of a file by its content, or by its name if the content fits several formats."""
    path = file.label
    with file.open() as stream:
        start = stream.read(4)
    is_gzip = start[:2] == b"\x1f\x8b"
    start = first_bytes(file, 4096, is_gzip=is_gzip)
    if start[:4] == b"PAR1":
        return Layout("parquet", is_gzip)
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    name = file.path.name.lower().removesuffix(".gz")
    if is_gzip and start[:2] == b"\x1f\x8b":
        raise ContractError(f"{path}: compressed twice. Expand it once.")
    if b"\0" in start or start[:2] in (b"\xff\xfe", b"\xfe\xff", b"PK"):
        raise ContractError(f"{path}: neither UTF-8 text nor Parquet. Export it as CSV (UTF-8), NDJSON or Parquet.")
    if text[:1] == b"[":
        raise ContractError(f"{path}: a JSON array. Write one object a line instead, for example with: jq -c '.[]'")
    if text[:1] == b"{" or name.endswith((".ndjson", ".jsonl", ".json")):  # the first line may be a torn one
        return Layout("ndjson", is_gzip)
    return Layout("csv", is_gzip, "\t" if name.endswith((".tsv", ".tab")) else ",")


def number_lines(connection: Connection, source: SourceFile, rows: str = "source") -> None:
    """Create `source_lines`, if it is missing. Only failed rows need it, and it reads a CSV file once more.

    rows: the temporary table that has the file's rows now.
    """
    if has_temporary_table(connection, "source_lines"):
        return
    if source.layout.kind == "parquet":
        connection.execute(
            f"create temp table source_lines as select rowid as _row, rowid + 1 as line from temp.{rows}"
        )
        return
    with _csv_records(source.file, source.layout, source.size) as found:
        starts = (line for line, _, fields in found if fields)
        next(starts)  # the header
        _spool(connection, "source_lines", {"_row": "bigint", "line": "bigint"}, enumerate(starts))


def count_keys(connection: Connection) -> int:
    """Return the number of different names in the temporary table `objects`, which become columns of `source`."""
    count: int = scalar(connection, f"select count(*) from ({_KEYS})")
    return count


def source_of_objects(connection: Connection, is_id: IsId | None) -> list[str]:
    """Create `source` from the temporary table objects(line, text, ...), one JSON object a row, and drop it.

    is_id: None if the objects have no personal data. Further columns of `objects` become columns of `source`, and are
    not among the returned ones: begin their names with an underscore.
    """
    further = [name for name, *_ in connection.execute("describe objects").fetchall() if name not in ("line", "text")]
    keys = [key for (key,) in connection.execute(f"{_KEYS} order by key").fetchall()]
    # A struct has no two members that differ in case only, so such keys go to further structs.
    structs: list[dict[str, str]] = []
    texts = {}
    for key, name in zip(keys, unique_names(keys), strict=True):
        if not key:  # json_transform knows no empty name
            texts[name] = "nameless"
            continue
        number = next((n for n, names in enumerate(structs) if key.lower() not in names), len(structs))
        structs += [{}] * (number == len(structs))
        structs[number][key.lower()] = key
        texts[name] = f"v{number}.{quoted(key)}"
    selected = ["text ->> '/' as nameless"] if "" in keys else []
    selected += [
        f"json_transform(text, {literal(json.dumps(dict.fromkeys(names.values(), 'VARCHAR')))}) as v{number}"
        for number, names in enumerate(structs)
    ]
    # A table of its own: DuckDB would transform the object once more for every column.
    connection.execute(
        f"create temp table members as select {', '.join([*selected, *further]) or 'null as _nothing'}"
        " from objects order by line"
    )
    connection.execute("drop table objects")
    columns = _create_source(connection, texts, "members", is_id, further=further)
    connection.execute("drop table members")
    return columns


def _create_source(
    connection: Connection, texts: dict[str, str], relation: str, is_id: IsId | None, *, further: Iterable[str] = ()
) -> list[str]:
    """Create `source` from `relation`: column -> SQL of its text. Only this statement sees the original text."""
    kept = {
        column: redacted(column, text, is_id=is_id(column), is_wide=len(texts) > _WIDE) if is_id else text
        for column, text in texts.items()
        if kind_of(column) != "ip"
    }
    # Databases export a null as \N.
    select = [f"nullif(nullif(trim({text}), ''), '\\N') as {quoted(column)}" for column, text in kept.items()]
    columns = ", ".join([*select, *further]) or "null as _nothing"
    connection.execute(f"create temp table source as select {columns} from {relation}")
    return list(kept)


def _read_csv(connection: Connection, file: InputFile, layout: Layout, is_id: IsId | None) -> SourceFile:
    size = measure_csv(file, is_gzip=layout.is_gzip)
    with _csv_records(file, layout, size) as found:
        line, _, header = next((record for record in found if record[2]), (0, "", ""))
    if not line:
        raise ContractError(f"{file.label}: the file is empty. Its first line must name the columns.")
    if isinstance(header, str):
        raise ContractError(f"{file.label}: line {line} must name the columns: {EXPLAINED[header]}.")
    check_columns(file.label, len(header))
    names = unique_names(header)
    texts = {name: quoted(name) for name in names}
    lower = Counter(redact_text(name.strip()).lower() for name in header)
    repeated = frozenset(name for name, times in lower.items() if name and times > 1)
    counted = size._replace(records=size.records - 1)
    if line == 1:
        try:
            columns = _create_source(connection, texts, _csv(file.duckdb_path, names, layout, header=True), is_id)
        except duckdb.Error:
            pass  # malformed somewhere: read it again, line by line
        else:
            if scalar(connection, "select count(*) from source") == counted.records:
                return SourceFile(file, layout, columns, counted, repeated)
            connection.execute("drop table source")
    rejected: list[Row] = []
    with _csv_records(file, layout, size) as found:
        rows = _whole_records(found, len(names), rejected)
        next(rows)  # the header
        read = _spool(connection, "parsed_lines", {"line": "bigint"} | dict.fromkeys(names, "varchar"), rows)
    columns = _create_source(connection, texts, "parsed_lines", is_id)
    connection.execute("create temp table source_lines as select rowid as _row, line from parsed_lines")
    connection.execute("drop table parsed_lines")
    _reject_lines(connection, rejected, has_phones=any(kind_of(name) == "phone" for name in names))
    return SourceFile(file, layout, columns, size._replace(records=read + len(rejected)), repeated)


def _csv_records(file: InputFile, layout: Layout, size: Size) -> AbstractContextManager[Iterator[Record]]:
    return records(file, is_gzip=layout.is_gzip, separator=layout.separator, lines=size.lines)


def _whole_records(found: Iterable[Record], width: int, rejected: list[Row]) -> Iterator[Row]:
    """Yield (line, *fields) of the records with the header's width; append the others to `rejected`."""
    for line, text, fields in found:
        if isinstance(fields, str):
            rejected.append((line, fields, EXPLAINED[fields], readable(text)))
        elif len(fields) == width:
            yield (line, *fields)
        elif fields:
            detail = f"the header has {width} columns and this line {len(fields)}: is a quote or a separator missing?"
            rejected.append((line, "wrong_column_count", detail, readable(text)))


def _read_ndjson(connection: Connection, file: InputFile, layout: Layout, is_id: IsId | None) -> SourceFile:
    size = measure_ndjson(file, is_gzip=layout.is_gzip)
    rejected: list[Row] = []
    # \n alone ends a line of NDJSON: a lone \r is white space there.
    with text_lines(file, is_gzip=layout.is_gzip, newline="\n", lines=size.lines) as numbered:
        found = ((line, text, decoded(text)) for line, text in numbered if text.strip(WHITESPACE))
        rows = _whole_records(found, 1, rejected)
        _spool(connection, "texts", {"line": "bigint", "text": "varchar"}, rows)
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
    _reject_lines(connection, rejected)
    check_columns(file.label, count_keys(connection))
    return SourceFile(file, layout, source_of_objects(connection, is_id), size)


def _read_parquet(connection: Connection, file: InputFile, layout: Layout, is_id: IsId | None) -> SourceFile:
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
        columns = _create_source(connection, texts, relation, is_id)
        rows = scalar(connection, f"select num_rows from parquet_file_metadata({path})")
    except duckdb.Error as error:
        raise ContractError(f"{file.label}: not a readable Parquet file: {_without_values(error)}") from None
    return SourceFile(file, layout, columns, Size(rows, rows))


def _parquet_text(column: str, type_: str) -> str:
    if type_ == "VARCHAR":
        return column
    if type_ == "TIMESTAMP WITH TIME ZONE":
        return f"(({column} at time zone 'UTC')::varchar || 'Z')"
    nested = type_.endswith("]") or type_.startswith(("STRUCT", "MAP"))
    return f"(to_json({column})::varchar)" if nested else f"({column}::varchar)"


def _csv(path: str, names: list[str], layout: Layout, *, header: bool, types: Iterable[str] = ()) -> str:
    """Return SQL that reads a CSV file in one fixed dialect (RFC 4180). Detection could read two files differently."""
    types = list(types) or ["varchar"] * len(names)
    columns = ", ".join(f"{literal(name)}: {literal(type_)}" for name, type_ in zip(names, types, strict=True))
    return (
        f"read_csv({literal(path)}, auto_detect = false, header = {header},"
        f" delim = {literal(layout.separator)},"
        f" quote = '\"', escape = '\"', strict_mode = true, columns = {{{columns}}},"
        f" max_line_size = {RECORD_LIMIT if header else _SPOOLED_LINE},{'' if header else _SPOOLED_END}"
        f" compression = {literal('gzip' if layout.is_gzip else 'none')})"
    )


def _spool(connection: Connection, table: str, columns: dict[str, str], rows: Iterable[Row]) -> int:
    """Copy rows from Python to a temporary table, and return their number.

    They pass through a file without a name: a crash leaves nothing behind.
    """
    folder = scalar(connection, "select current_setting('temp_directory')")
    with TemporaryFile(
        "w+", encoding="utf-8", newline="", dir=folder if folder and Path(folder).is_dir() else None
    ) as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
        written = 0
        for row in rows:
            writer.writerow(row)
            written += 1
        file.flush()
        relation = _csv(f"/dev/fd/{file.fileno()}", list(columns), Layout("csv"), header=False, types=columns.values())
        connection.execute(f"create or replace temp table {table} as select * from {relation}")
    return written


def _reject_lines(connection: Connection, rejected: list[Row], *, has_phones: bool = False) -> None:
    """Add lines to `unreadable_lines` and redact them.

    has_phones: the file has a column of phone numbers. It is unknown which part of a line that is, so every long
    number is redacted.
    """
    if rejected:
        columns = {"line": "bigint", "reason": "varchar", "detail": "varchar", "payload": "varchar"}
        _spool(connection, "rejected_lines", columns, rejected)
        connection.execute("insert into unreadable_lines by name from rejected_lines; drop table rejected_lines")
    payload = f"if({has_phones}, regexp_replace(payload, {literal(LONG_NUMBER)}, '(number)', 'g'), payload)"
    connection.execute(f"update unreadable_lines set payload = redact_text({payload})")


def _without_values(error: Exception) -> str:
    """Return the first line of DuckDB's message without quoted texts, which may be values of the file."""
    return redact_text(_QUOTED.sub("…", str(error).splitlines()[0]))


def unique_names(names: list[str]) -> list[str]:
    """Return names without personal data that differ even without case.

    A repeated name gets a number, an empty one its position.
    """
    taken = set(_RESERVED)
    unique = []
    for position, raw in enumerate(names, 1):
        name = base = redact_text(raw.strip()) or f"column{position}"
        number = 0
        while name.lower() in taken:
            number += 1
            name = f"{base}_{number}"
        taken.add(name.lower())
        unique.append(name)
    return unique
