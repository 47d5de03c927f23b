"""Store the names and settings of ad entities over time, and the ads of click ids.

In: NDJSON files of connectors.platform.Entity and Click, and a connection to the warehouse with the build
lock. Out: raw.ad_entities, one row for each state, and raw.ad_clicks, each in one transaction.

An unchanged snapshot adds nothing. An entity that a snapshot lacks keeps its last state: platforms hide deleted
entities, and their spend still needs a name. A snapshot that is older than an entity's state does not change it.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from glob import escape
from pathlib import Path
from typing import NamedTuple

from ingestion.files.contracts import platform_name
from ingestion.files.id_spellings import account_sql
from ingestion.loads import Load, LoadReport, record_load
from ingestion.privacy.sql import redacted
from ingestion.sql import Connection, drop_temporary_tables, literal, scalar, transaction

FORMAT = "pull"  # of raw.loads


class _Table(NamedTuple):
    types: dict[str, str]  # column of the file -> SQL type
    key: str


_ENTITIES = _Table(
    types=dict.fromkeys(
        (
            "account_id",
            "level",
            "entity_id",
            "campaign_id",
            "adset_id",
            "creative_id",
            "name",
            "status",
            "objective",
            "destination_url",
        ),
        "varchar",
    )
    | {"daily_budget_micros": "bigint", "lifetime_budget_micros": "bigint", "currency": "varchar"},
    key="org_id, platform, account_id, level, entity_id",
)
_CLICKS = _Table(
    types=dict.fromkeys(("account_id", "click_id", "campaign_id", "adset_id", "ad_id"), "varchar") | {"date": "date"},
    key="org_id, platform, click_id",
)


def merge_entities(connection: Connection, org: str, platform: str, rows: Path, at: datetime) -> LoadReport:
    """Merge a snapshot of a time (UTC). It replaces a former snapshot of the same time.

    In the report, `loaded` counts new states, `replaced` those that end a former state, `duplicate` all other rows.
    """
    load = Load(load_id=uuid.uuid4().hex, source=f"{platform} entities", format=FORMAT)
    time = f"{literal(at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else at)}::timestamp"
    try:
        received = _read(connection, org, platform, rows, _ENTITIES)
        with transaction(connection):
            # An entity with a newer state than the snapshot stays unchanged.
            connection.execute(
                f"""
                create temp table changed_rows as
                select snapshot.*, old.rowid as _old, old.valid_from as _old_from
                from snapshot
                left join raw.ad_entities as old using ({_ENTITIES.key})
                where old.valid_until is null
                    and coalesce(old._content_hash <> snapshot._content_hash and old.valid_from <= {time}, true);

                delete from raw.ad_entities where rowid in (select _old from changed_rows where _old_from = {time});

                update raw.ad_entities set valid_until = {time}
                where rowid in (select _old from changed_rows where _old_from < {time});

                insert into raw.ad_entities by name
                select changed_rows.* exclude (_old, _old_from), {time} as valid_from, load.*
                from changed_rows cross join (select {load.stamp}) as load (_load_id, _loaded_at)
                """
            )
            return _record(connection, "ad-entities", load, received)
    finally:
        drop_temporary_tables(connection)


def merge_clicks(connection: Connection, org: str, platform: str, rows: Path) -> LoadReport:
    """Merge clicks by their ids; a changed click replaces the stored one.

    In the report, `loaded` counts new and changed clicks, `replaced` the changed ones, `duplicate` all other rows.
    """
    load = Load(load_id=uuid.uuid4().hex, source=f"{platform} clicks", format=FORMAT)
    old, new = (f"row({', '.join(f'{alias}.{name}' for name in _CLICKS.types)})" for alias in ("old", "snapshot"))
    try:
        received = _read(connection, org, platform, rows, _CLICKS)
        with transaction(connection):
            connection.execute(
                f"""
                create temp table changed_rows as
                select snapshot.* exclude (_content_hash), old.rowid as _old
                from snapshot
                left join raw.ad_clicks as old using ({_CLICKS.key})
                where old.rowid is null or {old} is distinct from {new};

                delete from raw.ad_clicks where rowid in (select _old from changed_rows);

                insert into raw.ad_clicks by name
                select changed_rows.* exclude (_old), load.*
                from changed_rows cross join (select {load.stamp}) as load (_load_id, _loaded_at)
                """
            )
            return _record(connection, "ad-clicks", load, received)
    finally:
        drop_temporary_tables(connection)


def _read(connection: Connection, org: str, platform: str, rows: Path, table: _Table) -> int:
    """Create `snapshot`, one row for each key, and return the number of rows in the file."""
    types, key = table
    texts = {name: f"nullif(trim({name}), '')" if type_ == "varchar" else name for name, type_ in types.items()}
    texts["account_id"] = account_sql("trim(account_id)")
    if "entity_id" in types:  # an account is an entity, too
        texts["entity_id"] = f"if(level = 'account', {account_sql('trim(entity_id)')}, {texts['entity_id']})"
    values = {
        name: sql if name.endswith("_id") else redacted(name, sql, is_id=False)
        for name, sql in texts.items()
        if types[name] == "varchar"
    }
    columns = ", ".join(f"{sql} as {name}" for name, sql in (texts | values).items())
    connection.execute(
        f"""
        create temp table file_rows as
        select {literal(org)} as org_id, {literal(platform_name(platform))} as platform, {columns}
        from read_json(
            {literal(escape(str(rows)))}, format = 'newline_delimited',
            columns = {{{", ".join(f"{name}: '{type_}'" for name, type_ in types.items())}}}
        );

        -- A key in two states changed meanwhile. Either state is true; choose the same one each time.
        create temp table snapshot as
        select distinct on ({key}) *, md5(to_json([{", ".join(f"{name}::varchar" for name in types)}])::varchar)
            as _content_hash
        from file_rows order by {key}, _content_hash
        """
    )
    return int(scalar(connection, "select count(*) from file_rows"))


def _record(connection: Connection, kind: str, load: Load, received: int) -> LoadReport:
    loaded = scalar(connection, "select count(*) from changed_rows")
    report = LoadReport(
        kind=kind,
        source=load.source,
        received=received,
        loaded=loaded,
        duplicate=received - loaded,
        failed=0,
        replaced=scalar(connection, "select count(_old) from changed_rows"),
        reasons={},
    )
    record_load(connection, report, load)
    return report
