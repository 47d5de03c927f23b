"""What accounts, campaigns, ad sets, ads and creatives were called and set to, and which ad a click id belongs to.

In: NDJSON files, a line a row (connectors.platform.Entity and Click), and a connection to the warehouse (the caller
holds the build lock). Out: raw.ad_entities, one row a state, and raw.ad_clicks; each in one transaction.

A snapshot that says nothing new adds nothing. What a snapshot no longer lists keeps its last state: platforms hide what
was deleted, and its spend still needs a name. Snapshots count in the order of their moments: of an entity, an older one
changes nothing that a newer one said.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from glob import escape
from pathlib import Path
from typing import NamedTuple

from ingestion.files.contracts import platform_name
from ingestion.loads import Load, LoadReport, clear, record_load, transaction
from ingestion.privacy.sql import redacted
from ingestion.sql import Connection, literal

FORMAT = "pull"  # of raw.loads


class _Shape(NamedTuple):
    types: dict[str, str]
    key: str


_ENTITY = _Shape(
    dict.fromkeys(
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
    "org_id, platform, account_id, level, entity_id",
)
_CLICK = _Shape(
    dict.fromkeys(("account_id", "click_id", "campaign_id", "adset_id", "ad_id"), "varchar") | {"date": "date"},
    "org_id, platform, click_id",
)


def keep_entities(connection: Connection, org: str, platform: str, rows: Path, at: datetime) -> LoadReport:
    """Merge a snapshot that was taken at a moment (UTC); another one of the same moment takes the place of the first.

    Of the report, `loaded` are new states, `replaced` those of them that ended another, `duplicate` all others.
    """
    load = Load(uuid.uuid4().hex, f"{platform} entities", FORMAT)
    moment = f"{literal(at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else at)}::timestamp"
    try:
        received = _list(connection, org, platform, rows, _ENTITY)
        with transaction(connection):
            # What has a newer state than the snapshot stays.
            connection.execute(
                f"""
                create temp table fresh as
                select listed.*, old.rowid as _old, old.valid_from as _old_from
                from listed
                left join raw.ad_entities as old using ({_ENTITY.key})
                where old.valid_until is null
                    and coalesce(old._content_hash <> listed._content_hash and old.valid_from <= {moment}, true);

                delete from raw.ad_entities where rowid in (select _old from fresh where _old_from = {moment});

                update raw.ad_entities set valid_until = {moment}
                where rowid in (select _old from fresh where _old_from < {moment});

                insert into raw.ad_entities by name
                select fresh.* exclude (_old, _old_from), {moment} as valid_from, load.*
                from fresh cross join (select {load.stamp}) as load (_load_id, _loaded_at)
                """
            )
            return _finish(connection, "ad-entities", load, received)
    finally:
        clear(connection)


def keep_clicks(connection: Connection, org: str, platform: str, rows: Path) -> LoadReport:
    """Merge clicks by their ids; what a platform says anew of a click takes the place of what it said.

    Of the report, `loaded` are new or changed, `replaced` the changed ones, `duplicate` all others.
    """
    load = Load(uuid.uuid4().hex, f"{platform} clicks", FORMAT)
    values = ", ".join(f"{{0}}.{name}" for name in _CLICK.types)
    try:
        received = _list(connection, org, platform, rows, _CLICK)
        with transaction(connection):
            connection.execute(
                f"""
                create temp table fresh as
                select listed.* exclude (_content_hash), old.rowid as _old
                from listed
                left join raw.ad_clicks as old using ({_CLICK.key})
                where old.rowid is null or row({values.format("old")}) is distinct from row({values.format("listed")});

                delete from raw.ad_clicks where rowid in (select _old from fresh);

                insert into raw.ad_clicks by name
                select fresh.* exclude (_old), load.*
                from fresh cross join (select {load.stamp}) as load (_load_id, _loaded_at)
                """
            )
            return _finish(connection, "ad-clicks", load, received)
    finally:
        clear(connection)


def _list(connection: Connection, org: str, platform: str, rows: Path, shape: _Shape) -> int:
    """Make `listed`, one row a key; how many rows the file has."""
    types, key = shape
    texts = {name: f"nullif(trim({name}), '')" if type_ == "varchar" else name for name, type_ in types.items()}
    values = {
        name: sql if name.endswith("_id") else redacted(name, sql, is_id=False)
        for name, sql in texts.items()
        if types[name] == "varchar"
    }
    columns = ", ".join(f"{sql} as {name}" for name, sql in (texts | values).items())
    connection.execute(
        f"""
        create temp table brought as
        select {literal(org)} as org_id, {literal(platform_name(platform))} as platform, {columns}
        from read_json(
            {literal(escape(str(rows)))}, format = 'newline_delimited',
            columns = {{{", ".join(f"{name}: '{type_}'" for name, type_ in types.items())}}}
        );

        -- What is listed in two states was changed meanwhile: either is true, and it is the same one each time.
        create temp table listed as
        select distinct on ({key}) *, md5(to_json([{", ".join(f"{name}::varchar" for name in types)}])::varchar)
            as _content_hash
        from brought order by {key}, _content_hash
        """
    )
    return _count(connection, "select count(*) from brought")


def _finish(connection: Connection, kind: str, load: Load, received: int) -> LoadReport:
    loaded = _count(connection, "select count(*) from fresh")
    replaced = _count(connection, "select count(_old) from fresh")
    report = LoadReport(kind, load.source, received, loaded, received - loaded, 0, replaced, {})
    record_load(connection, report, load)
    return report


def _count(connection: Connection, query: str) -> int:
    (count,) = connection.execute(query).fetchone() or (0,)
    return count
