"""Erase a person from the home folder, so that every total stays.

In: a person (find.py) and the home folder, with its build lock. Out: an Erasure. erasing.json stores it
before anything changes, and the caller deletes that file once a scan has found nothing: the next erasure finishes one
that was killed. The raw tables change in one transaction, then the archive file by file. Then the warehouse is copied
to a new file, because a database file keeps deleted rows.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import msgspec

from ingestion.home import Home
from ingestion.person.anonymise import Replacement, collect_replacements, create_replacements, read_replacements
from ingestion.person.failed_rows import count_failed_rows, redact_failed_rows
from ingestion.person.ownership import Kind, Person, Relation, create_person_tables, raw_relations
from ingestion.person.reentry import remember_identifiers
from ingestion.person.rewrite import affected_files, archive_folders, parquet_relation, rewrite_file, update_table
from ingestion.segments.archive import place, sync
from ingestion.sql import Connection, literal, quoted, scalar, transaction
from ingestion.user_agents import add
from ingestion.warehouse import connect


class Erasure(msgspec.Struct, kw_only=True):
    """Everything that an erasure needs, so that it can be repeated. counts: the person's rows by place."""

    erasure_id: str
    asked_for: Kind
    asked_at: datetime  # UTC, without a zone
    person: Person
    replacements: list[Replacement]
    counts: dict[str, int]


def prepare_erasure(connection: Connection, home: Home, asked_for: Kind, asked_at: datetime, person: Person) -> Erasure:
    """Count the person's rows and choose the replacement of each value. This changes nothing."""
    create_person_tables(connection, person)
    create_replacements(connection)
    relations = raw_relations(connection) + [parquet_relation(connection, home, each) for each in archive_folders(home)]
    counts = {relation.name: collect_replacements(connection, relation, person) for relation in relations}
    counts["raw.failed_events"] = count_failed_rows(connection, person)
    return Erasure(
        erasure_id=secrets.token_hex(8),
        asked_for=asked_for,
        asked_at=asked_at,
        person=person,
        replacements=read_replacements(connection),
        counts={name: rows for name, rows in counts.items() if rows},
    )


def searched_relations(connection: Connection) -> list[Relation]:
    """Return the raw tables in which to look for a person, events in the archive included."""
    return [
        relation._replace(sql="raw.all_events") if relation.name == "raw.events" else relation
        for relation in raw_relations(connection)
    ]


def read_journal(home: Home) -> Erasure | None:
    """Return the erasure that was begun and not finished."""
    path = journal_path(home)
    return msgspec.json.decode(path.read_bytes(), type=Erasure) if path.exists() else None


def write_journal(home: Home, erasure: Erasure) -> None:
    """Begin the erasure: from now on the next command finishes it if this one is killed."""
    temporary = journal_path(home).with_suffix(".tmp")
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(msgspec.json.encode(erasure))
    place(temporary, journal_path(home))


def delete_journal(home: Home) -> None:
    """End the erasure: delete the last file that identifies the person."""
    journal_path(home).unlink(missing_ok=True)
    sync(home.root)


def erase_person(home: Home, erasure: Erasure, log: Callable[[str], None]) -> None:
    """Remove the person from the raw tables and the archive. Repeating it changes nothing."""
    person = erasure.person
    with connect(home) as connection:
        create_person_tables(connection, person)
        create_replacements(connection, erasure.replacements)
        with transaction(connection):
            for relation in raw_relations(connection):
                update_table(connection, relation, person)
            redact_failed_rows(connection, person)
            _rename_lookups(connection)
            if not _is_recorded(connection, erasure):
                remember_identifiers(connection, person)
                record_request(
                    connection,
                    request_id=erasure.erasure_id,
                    action="erase",
                    asked_for=erasure.asked_for,
                    counts=erasure.counts,
                )
        for folder in archive_folders(home):
            for path in affected_files(connection, home, folder, person):
                log(f"rewriting {path.relative_to(home.root)}")
                rewrite_file(connection, home, path, person)
    log("copying the warehouse to a new file")
    _compact(home)
    for pattern in ("models-*", "compiled", "run", "logs"):
        for path in (home.root / "dbt").glob(pattern):
            shutil.rmtree(path, ignore_errors=True)  # SQL and logs of earlier builds may quote the person


def record_request(
    connection: Connection, *, request_id: str, action: str, asked_for: Kind, counts: dict[str, int]
) -> None:
    """Insert a row into raw.erasures. It does not identify the person. action: erase or export."""
    connection.execute(
        "insert into raw.erasures (erasure_id, action, asked_for, done_at, counts)"
        " values ($1, $2, $3, current_timestamp at time zone 'UTC', $4)",
        [request_id, action, asked_for, msgspec.json.encode(counts).decode()],
    )


def _is_recorded(connection: Connection, erasure: Erasure) -> bool:
    query = "select count(*) from raw.erasures where erasure_id = $1"
    return bool(scalar(connection, query, [erasure.erasure_id]))


def journal_path(home: Home) -> Path:
    """Return the file that stores an erasure in progress: the only file that identifies the person then."""
    return home.root / "erasing.json"


def _rename_lookups(connection: Connection) -> None:
    """Give the lookups of browsers and addresses the pseudonyms of their keys."""
    unread = connection.execute(
        "select distinct old_value from temp.replacements anti join raw.user_agents on user_agent = old_value"
        " where old_kind = 'user_agent'"
    ).fetchall()
    add(connection, [agent for (agent,) in unread])
    for table, column, kind in (("user_agents", "user_agent", "user_agent"), ("addresses", "ip_hash", "address")):
        connection.execute(
            f"""
            insert into raw.{table} by name
            select distinct on (new_value) known.* replace (new_value as {column})
            from temp.replacements join raw.{table} as known on known.{column} = old_value
            where old_kind = {literal(kind)} and new_value not in (select {column} from raw.{table})
            """
        )
        replaced = f"select old_value from temp.replacements where old_kind = {literal(kind)}"
        connection.execute(
            f"delete from raw.{table} where {column} in ({replaced})"
            f" and {column} not in (select {column} from raw.all_events where {column} is not null)"
        )


def _compact(home: Home) -> None:
    """Copy the raw tables to a new warehouse file without deleted rows. The next run builds all other tables."""
    fresh = home.temporary / "warehouse.duckdb"
    with connect(Home(home.temporary)):
        pass  # create its raw tables
    with connect(home) as connection:
        connection.execute(f"attach {literal(fresh)} as fresh")
        tables = connection.execute(
            "select table_name from duckdb_tables() where schema_name = 'raw' and database_name = current_database()"
        ).fetchall()
        for (table,) in tables:
            old, new = f"raw.{quoted(table)}", f"fresh.raw.{quoted(table)}"
            connection.execute(f"create table if not exists {new} as from {old} limit 0")
            connection.execute(f"insert into {new} by name from {old}")
        connection.execute("detach fresh")
    place(fresh, home.warehouse)
