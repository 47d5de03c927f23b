"""Upgrade the schema of a warehouse, one numbered migration at a time.

In: ingestion/migrations/<version>_<name>.sql, and the table migrations.applied of a warehouse.
Out: a warehouse with raw tables of the columns that this program uses; the function real_id on the connection.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from ingestion.placeholders import create_function
from ingestion.sql import Connection, literal, scalar, transaction

FOLDER = Path(__file__).parent


class SchemaVersionError(Exception):
    """The warehouse has another schema version than this program, and cannot be upgraded."""


def upgrade(connection: Connection, warehouse: Path, *, read_only: bool = False) -> None:
    """Apply each missing migration once, in order, each in one transaction.

    A warehouse without the table migrations.applied is new, or older than that table; its version is 0.
    SchemaVersionError if a later program created the warehouse, or if it is `read_only` and needs a migration.
    """
    migrations = {int(path.stem.partition("_")[0]): path for path in sorted(FOLDER.glob("*.sql"))}
    version, latest = schema_version(connection), max(migrations)
    if version > latest:
        raise SchemaVersionError(
            f"{warehouse} has schema version {version}, and this Tributary supports versions up to {latest}."
            " Upgrade Tributary, or set TRIBUTARY_HOME to another folder."
        )
    if version < latest and read_only:
        raise SchemaVersionError(
            f"{warehouse} has schema version {version}, and this Tributary needs version {latest}."
            " Run `tributary status` to upgrade it."
        )
    create_function(connection)
    for number, migration in migrations.items():
        if number <= version:
            continue
        with transaction(connection):
            connection.execute(migration.read_text())
            connection.execute(
                "create schema if not exists migrations;"
                "create table if not exists migrations.applied"
                " (version integer not null, name varchar not null, applied_at timestamp not null);"
                f"insert into migrations.applied (version, name, applied_at)"
                f" values ({number}, {literal(migration.stem)}, current_timestamp at time zone 'UTC')"
            )


def schema_version(connection: Connection) -> int:
    """Return the number of the last migration that was applied to the warehouse, or 0."""
    try:
        return int(scalar(connection, "select coalesce(max(version), 0) from migrations.applied"))
    except duckdb.CatalogException:
        return 0
