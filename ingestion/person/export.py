"""Export all rows of one person, for that person.

In: a Person (find.py), the warehouse, the archive and the published marts. Out: a JSON document with the rows that an
erasure would change, and the rows of the marts.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from ingestion.home import Home
from ingestion.person.anonymise import collect_replacements, create_replacements
from ingestion.person.failed_rows import select_failed_rows
from ingestion.person.ownership import Person, create_person_tables, owns_row_sql, raw_relations
from ingestion.person.rewrite import archive_folders, parquet_relation
from ingestion.sql import Connection, literal

NOTE = (
    "Tributary stores e-mail addresses, phone numbers and IP addresses as hashes only, and cannot give them in clear."
    " Rows of a shared device are included if they, or the next row that names somebody, name this person."
)
_MARTS = ("touchpoints", "merged_touches", "conversions", "sessions")


def read_person_rows(connection: Connection, home: Home, person: Person) -> dict[str, list[dict[str, Any]]]:
    """Return the person's rows by place. The caller holds the build lock."""
    create_person_tables(connection, person)
    create_replacements(connection)
    relations = raw_relations(connection) + [parquet_relation(connection, home, each) for each in archive_folders(home)]
    rows = {}
    for relation in relations:
        collect_replacements(connection, relation, person)
        columns = ", ".join(relation.columns)
        query = f"select {columns} from {relation.sql} where {owns_row_sql(relation, person)}"
        rows[relation.name] = _records(connection.execute(query))
    rows["raw.failed_events"] = _records(select_failed_rows(connection, person))
    if home.marts.exists():
        rows |= _read_marts(home.marts, person)
    return {place: some for place, some in rows.items() if some}


def to_json(asked_for: str, value: str, rows: dict[str, list[dict[str, Any]]]) -> bytes:
    """Return the person's copy as indented JSON."""
    document = {
        "asked_for": {asked_for: value},
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "note": NOTE,
        "held": rows,
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _read_marts(path: Path, person: Person) -> dict[str, list[dict[str, Any]]]:
    with duckdb.connect() as connection:
        connection.execute(f"attach {literal(path)} as marts (read_only); use marts")
        tables = {name for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall()}
        is_person = "list_contains($1, customer_id) or list_contains($2, visitor_id)"
        where = f"org_id = {literal(person.org)} and ({is_person})"
        return {
            f"published.{table}": _records(
                connection.execute(f"from {table} where {where}", [person.customers, person.visitors])
            )
            for table in _MARTS
            if table in tables
        }


def _records(result: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Return the rows as objects without nulls and without columns that begin with an underscore."""
    names = [column[0] for column in result.description or ()]
    return [
        {name: value for name, value in zip(names, row, strict=True) if value is not None and not name.startswith("_")}
        for row in result.fetchall()
    ]
