"""A person's request to be forgotten: the home folder no longer knows the person, and every total is as before.

In: a person (rows.py) and the home folder, whose build lock the caller holds. Out: an Erasure, written down
in erasing.json before anything changes and removed when a scan has found nothing: whatever is killed in between, the
next erasure finishes it first. The raw tables change in one transaction, then the archive file by file; then the
warehouse is copied to a new file, since a database file keeps what was deleted from it.
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
from ingestion.person.anonymise import Replacement, learn, replacements, start
from ingestion.person.failed_rows import count_failed, erase_failed
from ingestion.person.reentry import remember
from ingestion.person.rewrite import files_with, folders, parquet, rewrite, update
from ingestion.person.rows import Kind, Person, Relation, hold, raw_relations
from ingestion.segments.archive import place, sync
from ingestion.sql import Connection, literal, quoted, transaction
from ingestion.user_agents import add
from ingestion.warehouse import connect

Say = Callable[[str], None]


class Erasure(msgspec.Struct):
    """What is to be done, so that it can be done again. counts: the person's rows by place."""

    erasure_id: str
    asked_for: Kind
    asked_at: datetime  # UTC, naive
    person: Person
    replacements: list[Replacement]
    counts: dict[str, int]


def prepare(connection: Connection, home: Home, asked_for: Kind, asked_at: datetime, person: Person) -> Erasure:
    """All that is held of the person, and what takes its place. Changes nothing."""
    hold(connection, person)
    start(connection)
    relations = raw_relations(connection) + [parquet(connection, home, folder) for folder in folders(home)]
    counts = {relation.name: learn(connection, relation, person) for relation in relations}
    counts["raw.failed_events"] = count_failed(connection, person)
    held = {name: rows for name, rows in counts.items() if rows}
    return Erasure(secrets.token_hex(8), asked_for, asked_at, person, replacements(connection), held)


def searched(connection: Connection) -> list[Relation]:
    """The raw tables in which a person is looked for; with them the events that have left for the archive."""
    return [
        relation._replace(sql="raw.all_events") if relation.name == "raw.events" else relation
        for relation in raw_relations(connection)
    ]


def pending(home: Home) -> Erasure | None:
    """The erasure that was begun and not finished."""
    path = journal(home)
    return msgspec.json.decode(path.read_bytes(), type=Erasure) if path.exists() else None


def write_down(home: Home, erasure: Erasure) -> None:
    """Begin: from here on the erasure is finished by whoever comes next."""
    temporary = journal(home).with_suffix(".tmp")
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(msgspec.json.encode(erasure))
    place(temporary, journal(home))


def forget(home: Home) -> None:
    """End: the last file that knew the person goes."""
    journal(home).unlink(missing_ok=True)
    sync(home.root)


def perform(home: Home, erasure: Erasure, say: Say) -> None:
    """Take the person out of the raw tables and the archive. Doing it again changes nothing."""
    person = erasure.person
    with connect(home) as connection:
        hold(connection, person)
        start(connection, erasure.replacements)
        with transaction(connection):
            for relation in raw_relations(connection):
                update(connection, relation, person)
            erase_failed(connection, person)
            _describe(connection)
            if not _is_recorded(connection, erasure):
                remember(connection, person)
                audit(connection, erasure.erasure_id, "erase", erasure.asked_for, erasure.counts)
        for folder in folders(home):
            for path in files_with(connection, home, folder, person):
                say(f"writing {path.relative_to(home.root)} anew")
                rewrite(connection, home, path, person)
    say("copying the warehouse to a new file")
    _compact(home)
    for path in [*(home.root / "dbt").glob("models-*"), home.root / "dbt" / "logs"]:
        shutil.rmtree(path, ignore_errors=True)  # what earlier builds compiled and said


def audit(connection: Connection, erasure_id: str, action: str, asked_for: Kind, counts: dict[str, int]) -> None:
    """A row of raw.erasures: that it happened, not to whom."""
    connection.execute(
        "insert into raw.erasures select $1, $2, $3, current_timestamp at time zone 'UTC', $4",
        [erasure_id, action, asked_for, msgspec.json.encode(counts).decode()],
    )


def _is_recorded(connection: Connection, erasure: Erasure) -> bool:
    query = "select count(*) from raw.erasures where erasure_id = $1"
    return connection.execute(query, [erasure.erasure_id]).fetchone() == (1,)


def journal(home: Home) -> Path:
    """Where an erasure is written down while it is under way: the only file that still knows the person then."""
    return home.root / "erasing.json"


def _describe(connection: Connection) -> None:
    """Move the rows of user agents and addresses from the old values to the new ones."""
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
        gone = f"select old_value from temp.replacements where old_kind = {literal(kind)}"
        connection.execute(
            f"delete from raw.{table} where {column} in ({gone})"
            f" and {column} not in (select {column} from raw.all_events where {column} is not null)"
        )


def _compact(home: Home) -> None:
    """The warehouse in a new file without what was deleted. Only raw tables: the next run builds all others of them."""
    fresh = home.temporary / "warehouse.duckdb"
    fresh.unlink(missing_ok=True)
    with connect(Home(home.temporary)):
        pass  # its raw tables
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
