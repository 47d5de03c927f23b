"""A file -> temporary tables, whatever its format. Knows nothing of contracts.

In: CSV, TSV, NDJSON (each plain or gzipped) or Parquet.
Out: `source`, one row a record: the file's columns as text, trimmed, empty as null, no personal data, in its order;
`unreadable(line, reason, detail, payload)`, the lines that no record could be made of; and, once `number_lines` was
called, `source_lines(_row, line)`, the line on which each row of `source` (by its rowid) starts.

A well-formed CSV file goes through DuckDB's parser. Its recovery from a malformed one loses rows and their lines
(tried: it eats the rest of the file after an unclosed quote, and gives up on mixed line ends), so what it refuses is
read again by Python's parser (ingestion/files/csv_fallback.py), which fails only the lines that are broken.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from glob import escape
from pathlib import Path
from tempfile import TemporaryFile
from typing import NamedTuple

import duckdb

from ingestion.files import csv_fallback as lines
from ingestion.files.contracts import ContractError
from ingestion.privacy.patterns import kind_of
from ingestion.privacy.sql import redacted
from ingestion.sql import Connection, literal, quoted


class Read(NamedTuple):
    path: Path
    layout: lines.Layout
    columns: list[str]  # of `source`


def read(connection: Connection, path: Path, is_id: Callable[[str], bool]) -> Read:
    """Make `source` and `unreadable` of the file; `is_id` tells which columns are ids."""
    layout = lines.layout_of(path)
    make_unreadable(connection)
    if layout.kind == "parquet":
        columns = _read_parquet(connection, path, is_id)
    elif layout.kind == "ndjson":
        columns = _read_ndjson(connection, path, layout, is_id)
    else:
        columns = _read_csv(connection, path, layout, is_id)
    connection.execute("update unreadable set payload = redact_text(payload)")
    return Read(path, layout, columns)


def make_unreadable(connection: Connection) -> None:
    """Make `unreadable`, empty."""
    connection.execute(
        "create or replace temp table unreadable (line bigint, reason varchar, detail varchar, payload varchar)"
    )


def number_lines(connection: Connection, source: Read) -> None:
    """Make `source_lines`. Separate, because only failed rows need it and it reads a CSV file once more."""
    tables = {
        name for (name,) in connection.execute("select table_name from duckdb_tables() where temporary").fetchall()
    }
    if "source_lines" in tables:
        return
    if source.layout.kind == "parquet":
        connection.execute("create temp table source_lines as select rowid as _row, rowid + 1 as line from source")
        return
    with lines.records(source.path, source.layout) as records:
        starts = (line for line, _, fields in records if fields)
        next(starts)  # the header
        _spool(connection, "source_lines", {"_row": "bigint", "line": "bigint"}, enumerate(starts))


def _create_source(
    connection: Connection,
    texts: dict[str, str],
    relation: str,
    is_id: Callable[[str], bool] | None,
    further: Iterable[str] = (),
) -> list[str]:
    """`source` from `relation`: column -> SQL of its text. The only place where the original text is seen."""
    kept = {
        column: redacted(column, text, is_id=is_id(column)) if is_id else text
        for column, text in texts.items()
        if kind_of(column) != "ip"
    }
    select = [f"nullif(trim({text}), '') as {quoted(column)}" for column, text in kept.items()]
    columns = ", ".join([*select, *further]) or "null as _nothing"
    connection.execute(f"create temp table source as select {columns} from {relation}")
    return list(kept)


def _read_csv(connection: Connection, path: Path, layout: lines.Layout, is_id: Callable[[str], bool]) -> list[str]:
    with lines.records(path, layout) as records:
        first = next((record for record in records if record[2]), None)
    if first is None:
        raise ContractError(f"{path}: the file is empty: its first line must name the columns")
    line, _, header = first
    names = unique_names(header)
    texts = {name: quoted(name) for name in names}
    if line == 1:
        try:
            return _create_source(connection, texts, _csv(str(path), names, layout, header=True), is_id)
        except duckdb.Error:
            pass  # malformed somewhere: read it again, line by line
    good, bad = {"line": "bigint"} | dict.fromkeys(names, "varchar"), []
    with lines.records(path, layout) as records:
        rows = iter(_sound(records, len(names), bad))
        next(rows)  # the header
        _spool(connection, "mended", good, rows)
    columns = _create_source(connection, texts, "mended", is_id)
    connection.execute("create temp table source_lines as select rowid as _row, line from mended")
    connection.execute("drop table mended")
    _refuse(connection, bad)
    return columns


def _sound(records: Iterable[lines.Record], width: int, bad: list[tuple]) -> Iterable[tuple]:
    """(line, *fields) of the records that have the header's width; the others go to `bad`."""
    for line, text, fields in records:
        if isinstance(fields, str):
            bad.append((line, fields, lines.EXPLAINED[fields], lines.readable(text)))
        elif len(fields) == width:
            yield (line, *fields)
        elif fields:
            detail = f"the header has {width} columns and this line {len(fields)}: is a quote or a separator missing?"
            bad.append((line, "wrong_column_count", detail, lines.readable(text)))


def _read_ndjson(connection: Connection, path: Path, layout: lines.Layout, is_id: Callable[[str], bool]) -> list[str]:
    bad: list[tuple] = []
    with lines.text_lines(path, layout) as numbered:
        rows = _sound(((line, text, lines.decoded(text)) for line, text in numbered if text.strip()), 1, bad)
        _spool(connection, "texts", {"line": "bigint", "text": "varchar"}, rows)
    connection.execute(
        "create temp table objects as select * from texts where json_valid(text) and json_type(text) = 'OBJECT'"
    )
    connection.execute(
        """
        insert into unreadable
        select line, 'bad_json', 'this line is not one whole JSON object', text
        from texts where not json_valid(text) or json_type(text) <> 'OBJECT'
        """
    )
    _refuse(connection, bad)
    connection.execute("drop table texts")
    return source_of_objects(connection, is_id)


def source_of_objects(connection: Connection, is_id: Callable[[str], bool] | None) -> list[str]:
    """`source` and `source_lines` of the temporary table objects(line, text, ...): one JSON object a row.

    Without is_id nothing is scrubbed: the objects have been. Further columns of `objects` are columns of `source` that
    are not among those returned: begin their names with an underscore.
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
    values = f"(select {objects} from objects order by line)"
    columns = _create_source(connection, texts, values, is_id, further)
    connection.execute(
        "create temp table source_lines as select row_number() over (order by line) - 1 as _row, line from objects"
    )
    connection.execute("drop table objects")
    return columns


def _read_parquet(connection: Connection, path: Path, is_id: Callable[[str], bool]) -> list[str]:
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


def _csv(path: str, names: list[str], layout: lines.Layout, *, header: bool, types: Iterable[str] = ()) -> str:
    """One fixed dialect, RFC 4180: nothing is guessed, so that no file is read in another way than the one before."""
    types = list(types) or ["varchar"] * len(names)
    columns = ", ".join(f"{literal(name)}: {literal(type_)}" for name, type_ in zip(names, types, strict=True))
    return (
        f"read_csv({literal(escape(path))}, auto_detect = false, header = {header},"
        f" delim = {literal(layout.separator)},"
        f" quote = '\"', escape = '\"', strict_mode = true, columns = {{{columns}}},"
        f" compression = {literal('gzip' if layout.is_gzip else 'none')})"
    )


def _spool(connection: Connection, table: str, columns: dict[str, str], rows: Iterable[tuple]) -> None:
    """Rows from Python -> a temporary table, by way of a file without a name: a crash leaves nothing behind."""
    folder = connection.execute("select current_setting('temp_directory')").fetchone()
    with TemporaryFile(
        "w+", encoding="utf-8", newline="", dir=folder[0] if folder and Path(folder[0]).is_dir() else None
    ) as file:
        csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
        file.flush()
        plain = lines.Layout("csv", is_gzip=False, separator=",")
        relation = _csv(f"/dev/fd/{file.fileno()}", list(columns), plain, header=False, types=columns.values())
        connection.execute(f"create or replace temp table {table} as select * from {relation}")


def _refuse(connection: Connection, bad: list[tuple]) -> None:
    if bad:
        columns = {"line": "bigint", "reason": "varchar", "detail": "varchar", "payload": "varchar"}
        _spool(connection, "refused_lines", columns, bad)
        connection.execute("insert into unreadable select * from refused_lines; drop table refused_lines")


def unique_names(names: list[str]) -> list[str]:
    """Names that differ even without case: a repeated one gets a number, an empty one its position."""
    taken = {"rowid", "_row", "_landed_org", "_landed_site", "_failed_id", "_failed_at", "_failed_for"}  # ours
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
