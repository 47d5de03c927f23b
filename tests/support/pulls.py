"""Load one pull, and read the spend of an earlier time, for the tests of pulls."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from ingestion.settings.model import Settings
from ingestion.spend.pulls import Pull, PullReport, load_pulls
from ingestion.sql import Connection, literal


def load_pull(connection: Connection, pull: Pull, rows: Path, settings: Settings) -> PullReport:
    """Load one pull; see load_pulls."""
    (report,) = load_pulls(connection, [(pull, rows)], settings)
    return report


def as_of(at: datetime) -> str:
    """Return SQL of raw.ad_spend at a time (UTC): the rows loaded by then and not yet replaced or withdrawn."""
    time = f"{literal(at.replace(tzinfo=None))}::timestamp"
    return (
        f"(from raw.ad_spend where _loaded_at <= {time} union all by name"
        f" select * exclude (_replaced_by_load_id, _replaced_at) from raw.ad_spend_history"
        f" where _loaded_at <= {time} and _replaced_at > {time})"
    )
