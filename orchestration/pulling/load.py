"""What lies spooled into the warehouse, many accounts at once. In: Spooled (spool.py). Out: raw.ad_spend, raw.pulls,
raw.ad_entities and raw.ad_clicks, and an Outcome an account."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

import duckdb
import msgspec

from ingestion.home import Home
from ingestion.settings.model import Settings
from ingestion.spend.entities import merge_clicks, merge_entities
from ingestion.spend.pulls import PullReport, load_pulls, record_failure
from ingestion.warehouse import build_lock, connect
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
    answered = [each for each in batch if each.failure is None]
    with build_lock(home, f"pull of {number}", say), connect(home) as connection:
        reports = iter(_load_spend(connection, answered, settings))
        warnings = {each.folder: [*each.warnings] for each in answered}
        for what in ("entities", "clicks"):
            for folder, warning in _keep_by_platform(connection, what, answered):
                warnings[folder].append(warning)
        return [
            Outcome(next(reports), warnings[each.folder])
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


def _keep_by_platform(
    connection: duckdb.DuckDBPyConnection, what: str, batch: Sequence[Spooled]
) -> Iterator[tuple[Path, str]]:
    """Store entities or clicks of accounts together, as far as they have some; what went wrong, by folder."""

    def whose(each: Spooled) -> tuple[str, str]:
        return each.pull.org, each.pull.platform

    having = [each for each in batch if (each.folder / what).exists()]
    for _, same in groupby(sorted(having, key=whose), key=whose):
        yield from _keep(connection, what, list(same))


def _keep(connection: duckdb.DuckDBPyConnection, what: str, batch: Sequence[Spooled]) -> Iterator[tuple[Path, str]]:
    """The spend is loaded already, and stays so: what goes wrong is a warning for who is at fault."""
    pull, joined = batch[0].pull, batch[0].folder / f"all {what}"
    try:
        with joined.open("wb") as file:
            for each in batch:
                with (each.folder / what).open("rb") as its:
                    shutil.copyfileobj(its, file)
        if what == "clicks":
            merge_clicks(connection, pull.org, pull.platform, joined)
        else:
            at = max(each.pull.started_at for each in batch)  # before any later pull of them, which waits for this one
            merge_entities(connection, pull.org, pull.platform, joined, at)
    except Exception as error:
        if len(batch) == 1:
            yield batch[0].folder, f"{what} were not stored: {explained(error)}"
            return
        for each in batch:
            yield from _keep(connection, what, [each])
