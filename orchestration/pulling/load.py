"""What lies spooled into the warehouse, many accounts at once. In: Spooled (spool.py). Out: raw.ad_spend, raw.pulls,
raw.ad_entities and raw.ad_clicks, and an Outcome an account."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import msgspec

from ingestion.ad_entities import keep_clicks, keep_entities
from ingestion.home import Home, build_lock, connect
from ingestion.pulls import PullReport, load_pulls, record_failure
from ingestion.settings import Settings
from orchestration.pulling.spool import Say, Spooled, explained


class Outcome(msgspec.Struct, frozen=True):
    """What became of the pull of one account."""

    report: PullReport
    warnings: list[str] = []  # what else went wrong, while the spend was loaded

    @property
    def is_whole(self) -> bool:
        return self.report.status == "loaded"


def load_accounts(home: Home, settings: Settings, batch: Sequence[Spooled], say: Say) -> list[Outcome]:
    """Load them all with the warehouse opened once, the outcomes in their order; none stops another."""
    number = "1 account" if len(batch) == 1 else f"{len(batch)} accounts"
    with build_lock(home, f"pull of {number}", say), connect(home) as connection:
        reports = iter(_load_spend(connection, [each for each in batch if each.failure is None], settings))
        return [
            Outcome(next(reports), [*each.warnings, *_keep_more(connection, each)])
            if each.failure is None
            else Outcome(record_failure(connection, each.pull, each.failure))
            for each in batch
        ]


def _load_spend(
    connection: duckdb.DuckDBPyConnection, batch: Sequence[Spooled], settings: Settings
) -> list[PullReport]:
    """In one transaction; where that fails one by one, so that who is at fault fails alone."""
    try:
        return load_pulls(connection, [(each.pull, each.folder / "spend") for each in batch], settings)
    except Exception as error:
        if len(batch) == 1:
            return [record_failure(connection, batch[0].pull, explained(error))]
        return [report for each in batch for report in _load_spend(connection, [each], settings)]


def _keep_more(connection: duckdb.DuckDBPyConnection, spooled: Spooled) -> list[str]:
    """What went wrong: the spend is loaded already, and stays so."""
    pull, entities, clicks = spooled.pull, spooled.folder / "entities", spooled.folder / "clicks"
    warnings = []
    for path, keep in (
        (entities, lambda: keep_entities(connection, pull.org, pull.platform, entities, pull.started_at)),
        (clicks, lambda: keep_clicks(connection, pull.org, pull.platform, clicks)),
    ):
        try:
            if path.exists():
                keep()
        except Exception as error:
            warnings.append(f"{path.name} were not stored: {explained(error)}")
    return warnings
