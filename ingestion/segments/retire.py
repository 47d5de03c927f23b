"""Old events: raw.events -> archive/events/, by days of `collector.keep_raw_days`. raw.all_events shows them as before.

In: raw.events. Out: Parquet by site and day, and in raw.retired_events what it takes to know them again.

The files are whole and durable before the rows are deleted. A marker names the move under way, so that after a crash
`end_retirement` (ingestion/segments/archive.py) knows whether its files or its rows are the ones that count.
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
    """Move the events of whole days (UTC) that are older than the settings say; their number.

    now: naive UTC; by default the clock's.
    """
    days = settings.collector.keep_raw_days
    if days is None:
        return 0
    now = now or datetime.now(UTC).replace(tzinfo=None)
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    before = f"{literal(today - timedelta(days=days))}::timestamp"
    old = f"from raw.events where occurred_at < {before}"
    (rows,) = connection.execute(f"select count(*) {old}").fetchone() or (0,)
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
            f"insert into raw.retirements values ({literal(name)}, {before}, {rows}, {literal(now)}::timestamp)"
        )
    end_retirement(connection, home.archive)
    make_all_events(connection, home.archive)
    return rows
