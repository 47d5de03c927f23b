"""Write segments as the collector does, load them, and read all that a load writes.

In: rows of events. Out: receipts, closed segments, load reports, the content of the raw tables.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from ingestion.files.contracts import CONTRACTS
from ingestion.home import Home
from ingestion.segments.format import Receipt, as_line
from ingestion.segments.loading import load_landing
from ingestion.settings.model import EventType, Org, Settings, Site

SETTINGS = Settings(
    orgs=[Org("default", "USD"), Org("nord", "EUR")],
    sites=[Site("shop", "default"), Site("quiet", "nord", cookieless=True)],
    event_types=[EventType("DEMO_BOOKED")],
)
START = datetime(2026, 7, 1)


def at(seconds: float) -> str:
    return (START + timedelta(seconds=seconds)).isoformat(timespec="microseconds") + "Z"


def receipt(rows, seconds=0.0, kind="events", **more) -> Receipt:
    counted = len(rows) + more.get("duplicate", 0) + more.get("limited", 0) + len(more.get("failed", ()))
    return Receipt(kind, at(seconds), **({"org": "default", "site": "shop", "received": counted} | more), rows=rows)


def page(event_id, seconds=None, anon_id="a", **more) -> dict:
    row = {"event_id": str(event_id), "type": "PAGE_VIEW", "anon_id": anon_id} | more
    return row if seconds is None else row | {"occurred_at": at(seconds)}


def land(home: Home, number: int, *receipts: Receipt | bytes) -> Path:
    """A closed segment."""
    path = home.landing / f"{START + timedelta(seconds=number):%Y%m%dT%H%M%S%f}Z-1-{number:08x}.ndjson"
    path.write_bytes(b"".join(each if isinstance(each, bytes) else as_line(each) for each in receipts))
    return path


def load(raw, home, read=SETTINGS):
    reports = load_landing(raw, home, read)
    for each in reports:
        assert each.received == each.loaded + each.duplicate + each.failed + each.limited
    manifest = raw.execute(
        "select bool_and(received_rows = loaded_rows + duplicate_rows + failed_rows + limited_rows) from raw.loads"
    )
    assert manifest.fetchone() in ((True,), (None,))
    assert raw.execute("select table_name from duckdb_tables() where temporary").fetchall() == []
    return reports


def content(raw):
    """Everything that a load writes, but for when and by which load it came."""
    columns = "* exclude (_load_id, _loaded_at)"
    tables = [contract.table for contract in CONTRACTS.values()]
    found = {table: raw.execute(f"select {columns} from {table} order by all").fetchall() for table in tables}
    failed = "select failed_id, kind, org_id, reason from raw.failed_events order by all"  # failed_id: of its content
    return found | {"failed": raw.execute(failed).fetchall()}
