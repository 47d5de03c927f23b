"""What is held about one person, for that person: the rows that an erasure would change, and what the marts say.

In: a Person whom rows.py holds, the warehouse, the archive and the published marts. Out: a JSON document.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from ingestion.home import Home
from ingestion.person.anonymise import learn, start
from ingestion.person.failed_rows import failed_payloads
from ingestion.person.rewrite import folders, parquet
from ingestion.person.rows import Person, hold, own, raw_relations
from ingestion.sql import Connection, literal

NOTE = (
    "E-mail addresses, phone numbers and IP addresses are kept as hashes only and cannot be given in clear."
    " Rows of a device that others use too are here where they name this person or nobody else in between."
)
_MARTS = ("touchpoints", "conversions", "sessions")


def held(connection: Connection, home: Home, person: Person) -> dict[str, list[dict[str, Any]]]:
    """The person's rows by place; the caller holds the build lock."""
    hold(connection, person)
    start(connection)
    relations = raw_relations(connection) + [parquet(connection, home, folder) for folder in folders(home)]
    found = {}
    for relation in relations:
        learn(connection, relation, person)
        columns = ", ".join(relation.columns)
        found[relation.name] = _records(
            connection.execute(f"select {columns} from {relation.sql} where {own(relation, person)}")
        )
    found["raw.failed_events"] = _records(failed_payloads(connection, person))
    if home.marts.exists():
        found |= _published(home.marts, person)
    return {place: rows for place, rows in found.items() if rows}


def document(asked_for: str, value: str, rows: dict[str, list[dict[str, Any]]]) -> bytes:
    """The person's copy, as indented JSON."""
    whole = {
        "asked_for": {asked_for: value},
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "note": NOTE,
        "held": rows,
    }
    return msgspec.json.format(msgspec.json.encode(whole), indent=2) + b"\n"


def _published(path: Path, person: Person) -> dict[str, list[dict[str, Any]]]:
    with duckdb.connect() as connection:
        connection.execute(f"attach {literal(path)} as marts (read_only); use marts")
        tables = {name for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall()}
        who = f"org_id = {literal(person.org)} and (list_contains($1, customer_id) or list_contains($2, visitor_id))"
        return {
            f"published.{table}": _records(
                connection.execute(f"from {table} where {who}", [person.customers, person.visitors])
            )
            for table in _MARTS
            if table in tables
        }


def _records(result: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    names = [column[0] for column in result.description]
    return [
        {name: value for name, value in zip(names, row, strict=True) if value is not None and not name.startswith("_")}
        for row in result.fetchall()
    ]
