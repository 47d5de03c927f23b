"""serving.sqlite: its schema, its connections and its transactions.

In: a path. Out: StateFile, which threads and processes may share.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

VERSION = 1
SCHEMA = """
    create table keys (
        id text primary key, org text, scopes text not null, name text not null, hash text not null,
        created_at text not null, created_by text not null, revoked_at text, last_used_at text
    );
    create table audit (
        id integer primary key, at text not null, principal text not null, action text not null, org text,
        detail text not null
    );
    create index audit_of_org on audit (org, id);
    create table waste_marks (
        org text not null, waste_id text not null, status text not null, by text not null, at text not null,
        note text not null, primary key (org, waste_id)
    );
    create table ended_sessions (id text primary key, expires_at text not null);
    create table secrets (name text primary key, value text not null);
"""
SECONDS_TO_WAIT = 10  # for another writer


class StateError(Exception):
    """A later program wrote the file, or a command names an id that the file does not have."""


class StateFile:
    """Each thread has its own connection. SQLite's write-ahead log lets readers and one writer work side by side."""

    def __init__(self, path: Path) -> None:
        """Open the file. Create it if that is necessary. StateError for a file of a later program."""
        self._path = path
        self._local = threading.local()
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # SQLite gives its other two files the same mode
        path.chmod(0o600)
        with self.transaction() as connection:
            (version,) = connection.execute("pragma user_version").fetchone()
            if version > VERSION:
                raise StateError(
                    f"{path} has schema version {version}, and this Tributary supports versions up to {VERSION}."
                    " Upgrade Tributary."
                )
            if version < VERSION:
                for statement in SCHEMA.split(";"):  # executescript would commit
                    connection.execute(statement)
                connection.execute("insert into secrets values ('session', ?)", [secrets.token_hex(32)])
                connection.execute(f"pragma user_version = {VERSION}")

    def rows(self, sql: str, values: Any = ()) -> list[sqlite3.Row]:
        """Return the rows of a query."""
        return self._connection().execute(sql, values).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Commit the statements of the block together, or none of them."""
        connection = self._connection()
        connection.execute("begin immediate")  # waits for another writer here, not at the first write
        try:
            yield connection
        except BaseException:
            connection.execute("rollback")
            raise
        connection.execute("commit")

    def _connection(self) -> sqlite3.Connection:
        """Return this thread's connection."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self._path, timeout=SECONDS_TO_WAIT, isolation_level=None)
            connection.row_factory = sqlite3.Row
            connection.execute("pragma journal_mode = wal")
            connection.execute("pragma synchronous = normal")  # safe with a write-ahead log
            self._local.connection = connection
        return connection
