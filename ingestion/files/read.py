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
import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from glob import escape
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, NamedTuple

import duckdb

from ingestion.files.contracts import ContractError
from ingestion.files.csv_fallback import EXPLAINED, Record, decoded, readable, records, text_lines
from ingestion.privacy.patterns import kind_of
from ingestion.privacy.sql import redacted
from ingestion.sql import Connection, literal, quoted, scalar

IsId = Callable[[str], bool]  # whether a column is an id
Row = tuple[Any, ...]

# Columns of `source` that do not come from the file.
_RESERVED = {"rowid", "_row", "_row_org", "_row_site", "_failed_id", "_failed_at", "_failed_for"}


class Layout(NamedTuple):
    """The format of a file."""

    kind: str  # csv, ndjson, parquet
    is_gzip: bool = False
    separator: str = ","


class SourceFile(NamedTuple):
    """A file with its records in `source`."""

    path: Path
    layout: Layout
    columns: list[str]  # of `source`


def read_file(connection: Connection, path: Path, is_id: IsId) -> SourceFile:
    """Create `source` and `unreadable_lines` from the file."""
    layout = detect_layout(path)
    connection.execute(
        "create or replace temp table unreadable_lines (line bigint, reason varchar, detail varchar, payload varchar)"
    )
    if layout.kind == "parquet":
        columns = _read_parquet(connection, path, is_id)
    elif layout.kind == "ndjson":
        columns = _read_ndjson(connection, path, layout, is_id)
    else:
        columns = _read_csv(connection, path, layout, is_id)
    connection.execute("update unreadable_lines set payload = redact_text(payload)")
    return SourceFile(path, layout, columns)


def detect_layout(path: Path) -> Layout:
    """Return the format of a file by its content, or by its name if the content fits several formats."""
    try:
        with path.open("rb") as file:
            start = file.read(4)
        is_gzip = start[:2] == b"\x1f\x8b"
        with gzip.open(path) if is_gzip else path.open("rb") as file:
            start = file.read(4096)
    except (OSError, EOFError, zlib.error) as error:
        raise ContractError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if start[:4] == b"PAR1":
        return Layout("parquet", is_gzip)
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    name = path.name.lower().removesuffix(".gz")
    if b"\0" in start or start[:2] in (b"\xff\xfe", b"\xfe\xff", b"PK"):
        raise ContractError(f"{path}: neither UTF-8 text nor Parquet. Export it as CSV (UTF-8), NDJSON or Parquet.")
    if text[:1] == b"[":
        raise ContractError(f"{path}: a JSON array. Write one object a line instead, for example with: jq -c '.[]'")
    if text[:1] == b"{" or name.endswith((".ndjson", ".jsonl", ".json")):  # the first line may be a torn one
        return Layout("ndjson", is_gzip)
    return Layout("csv", is_gzip, "\t" if name.endswith((".tsv", ".tab")) else ",")


def number_lines(connection: Connection, source: SourceFile) -> None:
    """Create `source_lines`, if it is missing. Only failed rows need it, and it reads a CSV file once more."""
    if scalar(connection, "select count(*) from duckdb_tables() where temporary and table_name = 'source_lines'"):
        return
    if source.layout.kind == "parquet":
        connection.execute("create temp table source_lines as select rowid as _row, rowid + 1 as line from source")
        return
    with _csv_records(source.path, source.layout) as found:
        starts = (line for line, _, fields in found if fields)
        next(starts)  # the header
        _spool(connection, "source_lines", {"_row": "bigint", "line": "bigint"}, enumerate(starts))


def source_of_objects(connection: Connection, is_id: IsId | None) -> list[str]:
    """Create `source` from the temporary table objects(line, text, ...), one JSON object a row, and drop it.

    is_id: None if the objects have no personal data. Further columns of `objects` become columns of `source`, and are
    not among the returned ones: begin their names with an underscore.
    """
    further = [name for name, *_ in connection.execute("describe objects").fetchall() if name not in ("line", "text")]
    keys = [
        key
        for (key,) in connection.execute(
            "select distinct unnest(json_keys(text)) as key from objects order by key"
        ).fetchall()
    ]
    pointers = ", ".join(literal("/" + key.replace("~", "~0").replace("/", "~1")) for key in keys)
    value = "case when json_type(v[{0}]) in ('OBJECT', 'ARRAY') then v[{0}]::varchar else v[{0}] ->> '$' end"
    texts = {name: f"({value.format(i)})" for i, name in enumerate(unique_names(keys), 1)}
    objects = ", ".join([f"json_extract(text, [{pointers}]) as v" if keys else "null as v", *further])
    columns = _create_source(
        connection, texts, f"(select {objects} from objects order by line)", is_id, further=further
    )
    connection.execute("drop table objects")
    return columns


def _create_source(
    connection: Connection, texts: dict[str, str], relation: str, is_id: IsId | None, *, further: Iterable[str] = ()
) -> list[str]:
    """Create `source` from `relation`: column -> SQL of its text. Only this statement sees the original text."""
    kept = {
        column: redacted(column, text, is_id=is_id(column)) if is_id else text
        for column, text in texts.items()
        if kind_of(column) != "ip"
    }
    # Databases export a null as \N.
    select = [f"nullif(nullif(trim({text}), ''), '\\N') as {quoted(column)}" for column, text in kept.items()]
    columns = ", ".join([*select, *further]) or "null as _nothing"
    connection.execute(f"create temp table source as select {columns} from {relation}")
    return list(kept)


def _read_csv(connection: Connection, path: Path, layout: Layout, is_id: IsId) -> list[str]:
    with _csv_records(path, layout) as found:
        line, header = next(((line, fields) for line, _, fields in found if fields), (0, ""))
    if not line:
        raise ContractError(f"{path}: the file is empty. Its first line must name the columns.")
    names = unique_names(list(header))
    texts = {name: quoted(name) for name in names}
    if line == 1:
        try:
            return _create_source(connection, texts, _csv(str(path), names, layout, header=True), is_id)
        except duckdb.Error:
            pass  # malformed somewhere: read it again, line by line
    rejected: list[Row] = []
    with _csv_records(path, layout) as found:
        rows = _whole_records(found, len(names), rejected)
        next(rows)  # the header
        _spool(connection, "parsed_lines", {"line": "bigint"} | dict.fromkeys(names, "varchar"), rows)
    columns = _create_source(connection, texts, "parsed_lines", is_id)
    connection.execute("create temp table source_lines as select rowid as _row, line from parsed_lines")
    connection.execute("drop table parsed_lines")
    _reject_lines(connection, rejected)
    return columns


def _csv_records(path: Path, layout: Layout) -> AbstractContextManager[Iterator[Record]]:
    return records(path, is_gzip=layout.is_gzip, separator=layout.separator)


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


def _read_ndjson(connection: Connection, path: Path, layout: Layout, is_id: IsId) -> list[str]:
    rejected: list[Row] = []
    # \n alone ends a line of NDJSON: a lone \r is white space there.
    with text_lines(path, is_gzip=layout.is_gzip, newline="\n") as numbered:
        found = ((line, text, decoded(text)) for line, text in numbered if text.strip())
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
    return source_of_objects(connection, is_id)


def _read_parquet(connection: Connection, path: Path, is_id: IsId) -> list[str]:
    relation = f"read_parquet({literal(escape(str(path)))}, binary_as_string = true)"
    try:
        described = connection.execute(f"describe select * from {relation}").fetchall()
        texts = {name: _parquet_text(quoted(name), type_) for name, type_, *_ in described}
        return _create_source(connection, texts, relation, is_id)
    except duckdb.Error as error:
        raise ContractError(f"{path}: not a readable Parquet file: {str(error).splitlines()[0]}") from None


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
        f"read_csv({literal(escape(path))}, auto_detect = false, header = {header},"
        f" delim = {literal(layout.separator)},"
        f" quote = '\"', escape = '\"', strict_mode = true, columns = {{{columns}}},"
        f" compression = {literal('gzip' if layout.is_gzip else 'none')})"
    )


def _spool(connection: Connection, table: str, columns: dict[str, str], rows: Iterable[Row]) -> None:
    """Copy rows from Python to a temporary table, through a file without a name: a crash leaves nothing behind."""
    folder = scalar(connection, "select current_setting('temp_directory')")
    with TemporaryFile(
        "w+", encoding="utf-8", newline="", dir=folder if folder and Path(folder).is_dir() else None
    ) as file:
        csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
        file.flush()
        relation = _csv(f"/dev/fd/{file.fileno()}", list(columns), Layout("csv"), header=False, types=columns.values())
        connection.execute(f"create or replace temp table {table} as select * from {relation}")


def _reject_lines(connection: Connection, rejected: list[Row]) -> None:
    if rejected:
        columns = {"line": "bigint", "reason": "varchar", "detail": "varchar", "payload": "varchar"}
        _spool(connection, "rejected_lines", columns, rejected)
        connection.execute("insert into unreadable_lines by name from rejected_lines; drop table rejected_lines")


def unique_names(names: list[str]) -> list[str]:
    """Return names that differ even without case: a repeated name gets a number, an empty one its position."""
    taken = set(_RESERVED)
    unique = []
    for position, raw in enumerate(names, 1):
        name = base = raw.strip() or f"column{position}"
        number = 0
        while name.lower() in taken:
            number += 1
            name = f"{base}_{number}"
        taken.add(name.lower())
        unique.append(name)
    return unique
