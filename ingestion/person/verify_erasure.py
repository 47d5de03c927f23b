"""Verify an erasure: read every file of the home folder, and count the places that still identify the person.

In: an Erasure (erase.py). Out: a Finding for each table and file. Databases and Parquet files are read value by value,
because their blocks are compressed. Then they are read byte by byte, like every other file.
"""

from __future__ import annotations

import gzip
import json
import mmap
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import duckdb

from ingestion.home import Home
from ingestion.person.anonymise import IDENTIFIERS, KINDS
from ingestion.person.erase import Erasure, journal_path
from ingestion.person.pseudonyms import is_distinctive, word_pattern
from ingestion.sql import Connection, literal, quoted
from ingestion.warehouse import WITHOUT_LOCK

_PERSON_KEY_PREFIXES = (("c:", "customer"), ("v:", "visitor"))  # of person_key in the marts
_NOT_READ = {"build.lock"}  # names the running command


class UnreadableFile(Exception):
    """A database or Parquet file is damaged, so that it cannot be searched for the person."""


class Finding(NamedTuple):
    """rows: the rows of a table or a Parquet file; the places in any other file."""

    where: str
    rows: int


def scan_home(home: Home, erasure: Erasure) -> Iterator[Finding]:
    """Read all files, archive and published versions included. The caller holds the build lock.

    Skip files of running pulls: they contain ads, not persons. UnreadableFile if a file is damaged.
    """
    words = _words(erasure)
    for path in sorted(path for path in home.root.rglob("*") if path.is_file() and not path.is_symlink()):
        name = path.relative_to(home.root)
        is_temporary = name.parts[0] == home.temporary.name and name.parts[1].startswith(WITHOUT_LOCK)
        if path == journal_path(home) or str(name) in _NOT_READ or is_temporary:
            continue
        try:
            yield from _scan_file(home, path, erasure, words)
        except (FileNotFoundError, UnreadableFile):
            if path.exists():
                raise
            # The collector has closed this segment since. What it received before the erasure is loaded.


def _scan_file(home: Home, path: Path, erasure: Erasure, words: re.Pattern[bytes]) -> Iterator[Finding]:
    name = str(path.relative_to(home.root))
    others = 0
    if path.suffix in (".duckdb", ".parquet", ".damaged"):  # ingestion/rebuild.py keeps a damaged warehouse
        try:
            with duckdb.connect() as connection:
                tables = list(_count_tables(connection, path, erasure))
        except duckdb.Error as error:
            advice = "Delete it, or restore it from a backup, then erase again."
            raise UnreadableFile(f"{name} cannot be searched for the person: {error}\n{advice}") from None
        for table, rows, others_rows in tables:
            yield Finding(where=f"{name}{table}", rows=rows)
            others += others_rows
    if path.parent == home.landing:
        yield Finding(where=name, rows=_count_in_segment(path, erasure, words))
    # Bytes cannot distinguish the person from one of another org with the same id, or from a new person.
    elif not others:
        yield Finding(where=name, rows=_count_bytes(path, words))


def _words(erasure: Erasure) -> re.Pattern[bytes]:
    words = [value for values in _values(erasure).values() for value in values if is_distinctive(value)]
    return re.compile(word_pattern(words, loosely=False).pattern.encode()) if words else re.compile(rb"(?!)")


def _values(erasure: Erasure) -> dict[str, list[str]]:
    """Return the identifiers that no row may have, by kind."""
    values: dict[str, list[str]] = {}
    for each in erasure.replacements:
        if each.is_exclusive and each.kind in IDENTIFIERS:
            values.setdefault(each.kind, []).append(each.value)
    return values


def _count_tables(connection: Connection, path: Path, erasure: Erasure) -> Iterator[tuple[str, int, int]]:
    """Yield (name, rows of the person, rows of others) for each table of a database, or for a Parquet file."""
    if path.suffix == ".parquet":
        described = connection.execute(f"describe from read_parquet({literal(path)})").fetchall()
        columns = {column: type_ for column, type_, *_ in described}
        yield "", *_count_rows(connection, f"read_parquet({literal(path)})", columns, erasure)
        return
    connection.execute(f"attach {literal(path)} as scanned (read_only)")
    tables: dict[str, dict[str, str]] = {}
    for schema, table, column, type_ in connection.execute(
        "select schema_name, table_name, column_name, data_type from duckdb_columns()"
        " join duckdb_tables() using (database_name, schema_name, table_name) where database_name = 'scanned'"
    ).fetchall():
        tables.setdefault(f"{quoted(schema)}.{quoted(table)}", {})[column] = type_
    for table, columns in sorted(tables.items()):
        name = table.replace('"', "")
        yield f": {name}", *_count_rows(connection, f"scanned.{table}", columns, erasure)


def _count_rows(connection: Connection, source: str, columns: dict[str, str], erasure: Erasure) -> tuple[int, int]:
    """Return how many rows with an identifier are the person's, and how many are other people's."""
    values = _values(erasure)
    words = [value for of_kind in values.values() for value in of_kind if is_distinctive(value)]
    keys = [prefix + value for prefix, kind in _PERSON_KEY_PREFIXES for value in values.get(kind, [])]
    conditions = []
    for column, type_ in columns.items():
        name, kind = quoted(column), KINDS.get(column.lower())
        exact = keys if column == "person_key" else values.get(kind or "", [])
        if exact:
            conditions.append(f"{name}::varchar in ({', '.join(map(literal, exact))})")
        elif words and ("VARCHAR" in type_ or "JSON" in type_):
            likely = " or ".join(f"contains({name}::varchar, {literal(word)})" for word in words)
            as_word = f"(?:^|[^0-9A-Za-z_-])(?:{'|'.join(map(re.escape, words))})(?:$|[^0-9A-Za-z_-])"
            conditions.append(f"({likely}) and regexp_matches({name}::varchar, {literal(as_word)})")
    if not conditions:
        return 0, 0
    is_person = "true"
    if "org_id" in columns:
        is_person += f" and (org_id = {literal(erasure.person.org)} or org_id is null)"
    if time := next((name for name in ("occurred_at", "received_at", "started_at") if name in columns), None):
        is_person += f" and coalesce(try_cast({time} as timestamp) <= {literal(erasure.person.until)}::timestamp, true)"
    ((rows, others),) = connection.execute(
        f"select count(*) filter ({is_person}), count(*) filter (not ({is_person})) from {source}"
        f" where {' or '.join(f'coalesce({condition}, false)' for condition in conditions)}"
    ).fetchall()
    return rows, others


def _count_in_segment(path: Path, erasure: Erasure, words: re.Pattern[bytes]) -> int:
    """Count the lines of requests before the erasure began. Later lines are anonymised when they are loaded."""
    asked_at = erasure.asked_at.isoformat()
    count = 0
    with path.open("rb") as lines:
        for line in lines:
            if words.search(line):
                try:
                    count += json.loads(line)["at"] < asked_at
                except (ValueError, KeyError):
                    count += 1
    return count


def _count_bytes(path: Path, words: re.Pattern[bytes]) -> int:
    """Count the places in a file, or the lines of a gzip file, that have an identifier."""
    if not path.stat().st_size:
        return 0
    if path.suffix == ".gz":
        with gzip.open(path) as lines:
            return sum(1 for line in lines if words.search(line))
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return sum(1 for _ in words.finditer(content))
