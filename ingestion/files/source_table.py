"""Create the temporary tables of a file's rows: `source`, `source_lines`, `unreadable_lines`.

In: a relation, rows from Python, or JSON objects. Out: `source`, trimmed text without personal data, null if empty.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from ingestion.privacy.patterns import LONG_NUMBER, kind_of
from ingestion.privacy.redact import redact_text
from ingestion.privacy.sql import redacted
from ingestion.sql import Connection, literal, quoted, scalar

IsId = Callable[[str], bool]  # whether a column is an id
Row = tuple[Any, ...]

# Columns of `source` that do not come from the file.
_RESERVED = {"rowid", "_row", "_row_org", "_row_site", "_failed_id", "_failed_at", "_failed_for", "_written"}
_KEYS = "select distinct unnest(json_keys(text)) as key from objects"
_WIDE = 60  # columns
_FEW = 10_000  # rows
_SPOOLED_LINE = 20_000_000  # bytes: a record has RECORD_LIMIT characters of at most 4 bytes, and quotes


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
    rows = scalar(connection, "select count(*) from members")
    columns = create_source(connection, texts, "members", is_id, rows=rows, further=further)
    connection.execute("drop table members")
    return columns


def create_source(
    connection: Connection,
    texts: dict[str, str],
    relation: str,
    is_id: IsId | None,
    *,
    rows: int,
    further: Iterable[str] = (),
) -> list[str]:
    """Create `source` from `relation`: column -> SQL of its text. Only this statement sees the original text.

    rows: their number in `relation`.
    """
    in_python = len(texts) > _WIDE or rows <= _FEW
    kept = {
        column: redacted(column, text, is_id=is_id(column), in_python=in_python) if is_id else text
        for column, text in texts.items()
        if kind_of(column) != "ip"
    }
    # Databases export a null as \N.
    select = [f"nullif(nullif(trim({text}), ''), '\\N') as {quoted(column)}" for column, text in kept.items()]
    columns = ", ".join([*select, *further]) or "null as _nothing"
    connection.execute(f"create temp table source as select {columns} from {relation}")
    return list(kept)


def csv_relation(path: str, columns: dict[str, str], *, max_line: int, options: str) -> str:
    """Return SQL that reads a CSV file in one fixed dialect. Detection could read two files differently.

    columns: name -> type.
    """
    declared = ", ".join(f"{literal(name)}: {literal(type_)}" for name, type_ in columns.items())
    return (
        f"read_csv({literal(path)}, auto_detect = false, quote = '\"', escape = '\"', strict_mode = true,"
        f" columns = {{{declared}}}, max_line_size = {max_line}, {options})"
    )


def temporary_folder(connection: Connection) -> Path | None:
    """Return DuckDB's folder for temporary files; None if it has none yet."""
    folder = scalar(connection, "select current_setting('temp_directory')")
    return Path(folder) if folder and Path(folder).is_dir() else None


def spool(connection: Connection, table: str, columns: dict[str, str], rows: Iterable[Row]) -> int:
    """Copy rows from Python to a temporary table, and return their number.

    They pass through a file without a name: a crash leaves nothing behind.
    """
    with TemporaryFile("w+", encoding="utf-8", newline="", dir=temporary_folder(connection)) as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
        written = 0
        for row in rows:
            writer.writerow(row)
            written += 1
        file.flush()
        options = r"header = false, delim = ',', new_line = '\n'"
        relation = csv_relation(f"/dev/fd/{file.fileno()}", columns, max_line=_SPOOLED_LINE, options=options)
        connection.execute(f"create or replace temp table {table} as select * from {relation}")
    return written


def reject_lines(connection: Connection, rejected: list[Row], *, has_phones: bool = False) -> None:
    """Add lines to `unreadable_lines` and redact them.

    has_phones: the file has a column of phone numbers. It is unknown which part of a line that is, so every long
    number is redacted.
    """
    if rejected:
        columns = {"line": "bigint", "reason": "varchar", "detail": "varchar", "payload": "varchar"}
        spool(connection, "rejected_lines", columns, rejected)
        connection.execute("insert into unreadable_lines by name from rejected_lines; drop table rejected_lines")
    payload = f"if({has_phones}, regexp_replace(payload, {literal(LONG_NUMBER)}, '(number)', 'g'), payload)"
    connection.execute(f"update unreadable_lines set payload = redact_text({payload})")


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
