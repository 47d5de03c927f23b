"""The proof of an erasure: every file of the home folder is read, and what still knows the person is counted.

In: an Erasure (erase.py). Out: a Finding for each table and file that was read. Databases and Parquet are
read value by value, since compressed blocks hide what they hold, and then, like every other file, byte by byte.
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
from ingestion.person.erase import Erasure, journal
from ingestion.person.pseudonyms import in_words, is_distinctive
from ingestion.sql import literal, quoted

_KEYS = (("c:", "customer"), ("v:", "visitor"))  # of person_key in the marts
_NOT_READ = {"build.lock"}  # who builds now


class Finding(NamedTuple):
    """rows: of a table or a Parquet file; of any other file, places."""

    where: str
    rows: int


def scan(home: Home, erasure: Erasure) -> Iterator[Finding]:
    """Read everything, archive and published versions included. The caller holds the build lock."""
    words = _words(erasure)
    for path in sorted(path for path in home.root.rglob("*") if path.is_file() and not path.is_symlink()):
        name = str(path.relative_to(home.root))
        if path == journal(home) or name in _NOT_READ:
            continue
        others = 0
        if path.suffix in (".duckdb", ".parquet"):
            with duckdb.connect() as connection:
                for table, found in _tables(connection, path, erasure):
                    yield Finding(f"{name}{table}", found[0])
                    others += found[1]
        if path.parent == home.landing:
            yield Finding(name, _in_segment(path, erasure, words))
        # Bytes do not tell the person from another org's of the same name, nor from one who came back.
        elif not others:
            yield Finding(name, _in_bytes(path, words))


def _words(erasure: Erasure) -> re.Pattern[bytes]:
    words = [value for values in _values(erasure).values() for value in values if is_distinctive(value)]
    return re.compile(in_words(words, loosely=False).pattern.encode()) if words else re.compile(rb"(?!)")


def _values(erasure: Erasure) -> dict[str, list[str]]:
    """The identifiers that nothing may bear, by kind."""
    found: dict[str, list[str]] = {}
    for each in erasure.replacements:
        if each.is_theirs and each.kind in IDENTIFIERS:
            found.setdefault(each.kind, []).append(each.value)
    return found


def _tables(connection: duckdb.DuckDBPyConnection, path: Path, erasure: Erasure) -> Iterator[tuple[str, list[int]]]:
    """Each table of a database, or the one of a Parquet file: (its name, [the person's rows, rows of others])."""
    if path.suffix == ".parquet":
        described = connection.execute(f"describe from read_parquet({literal(path)})").fetchall()
        columns = {column: type_ for column, type_, *_ in described}
        yield "", _count(connection, f"read_parquet({literal(path)})", columns, erasure)
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
        yield f": {name}", _count(connection, f"scanned.{table}", columns, erasure)


def _count(connection: duckdb.DuckDBPyConnection, source: str, columns: dict[str, str], erasure: Erasure) -> list[int]:
    values = _values(erasure)
    words = [value for of_kind in values.values() for value in of_kind if is_distinctive(value)]
    keys = [prefix + value for prefix, kind in _KEYS for value in values.get(kind, [])]
    conditions = []
    for column, type_ in columns.items():
        name, kind = quoted(column), KINDS.get(column.lower())
        exact = keys if column == "person_key" else values.get(kind or "", [])
        if exact:
            conditions.append(f"{name}::varchar in ({', '.join(map(literal, exact))})")
        elif words and ("VARCHAR" in type_ or "JSON" in type_):
            likely = " or ".join(f"contains({name}::varchar, {literal(word)})" for word in words)
            alone = f"(?:^|[^0-9A-Za-z_-])(?:{'|'.join(map(re.escape, words))})(?:$|[^0-9A-Za-z_-])"
            conditions.append(f"({likely}) and regexp_matches({name}::varchar, {literal(alone)})")
    if not conditions:
        return [0, 0]
    theirs = "true"
    if "org_id" in columns:
        theirs += f" and (org_id = {literal(erasure.person.org)} or org_id is null)"
    if time := next((name for name in ("occurred_at", "received_at", "started_at") if name in columns), None):
        theirs += f" and coalesce(try_cast({time} as timestamp) <= {literal(erasure.person.until)}::timestamp, true)"
    return list(
        connection.execute(
            f"select count(*) filter ({theirs}), count(*) filter (not ({theirs})) from {source}"
            f" where {' or '.join(f'coalesce({condition}, false)' for condition in conditions)}"
        ).fetchone()
    )


def _in_segment(path: Path, erasure: Erasure, words: re.Pattern[bytes]) -> int:
    """Lines that the collector answered for before the erasure began; the later ones lose the person when loaded."""
    asked_at = erasure.asked_at.isoformat()
    found = 0
    with path.open("rb") as lines:
        for line in lines:
            if words.search(line):
                try:
                    found += json.loads(line)["at"] < asked_at
                except (ValueError, KeyError):
                    found += 1
    return found


def _in_bytes(path: Path, words: re.Pattern[bytes]) -> int:
    if not path.stat().st_size:
        return 0
    if path.suffix == ".gz":
        with gzip.open(path) as lines:
            return sum(1 for line in lines if words.search(line))
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return sum(1 for _ in words.finditer(content))
