"""Move old events out of raw.events into archive/events/, by `collector.keep_raw_days`. raw.all_events has both.

In: raw.events. Out: Parquet by site and day, and in raw.retired_events the keys and hashes that detect duplicates.

The files are whole and durable before the rows are deleted. A marker names the move under way. After a crash,
`end_retirement` (ingestion/segments/archive.py) reads it and decides whether the files or the rows count.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import duckdb

from ingestion.files.contracts import CONTRACTS
from ingestion.home import Home
from ingestion.segments.archive import begin_retirement, end_retirement, make_all_events, write_partitioned
from ingestion.settings.model import Settings
from ingestion.sql import literal, transaction


def retire(connection: duckdb.DuckDBPyConnection, home: Home, settings: Settings, now: datetime | None = None) -> int:
    """Move the events of whole days (UTC) that are older than the settings allow. Returns their number.

    now: naive UTC; by default the clock's.
    """
    days = settings.collector.keep_raw_days
    if days is None:
        return 0
    now = now or datetime.now(UTC).replace(tzinfo=None)
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    before = f"{literal(today - timedelta(days=days))}::timestamp"
    old = f"from raw.events where occurred_at < {before}"
    counted = connection.execute(f"select count(*) {old}").fetchone()
    rows: int = counted[0] if counted else 0
    if not rows:
        return 0
    name = uuid.uuid4().hex
    begin_retirement(home.archive, name)
    write_partitioned(
        connection, f"select *, occurred_at::date as date {old}", home.temporary, home.archive / "events", name
    )
    key = ", ".join(CONTRACTS["events"].key)
    with transaction(connection):
        connection.execute(f"insert into raw.retired_events by name select {key}, _content_hash {old}")
        connection.execute(f"delete {old}")
        connection.execute(
            f"insert into raw.retirements by name select {literal(name)} as retirement_id, {before} as before,"
            f" {rows} as row_count, {literal(now)}::timestamp as retired_at"
        )
    end_retirement(connection, home.archive)
    make_all_events(connection, home.archive)
    return rows
