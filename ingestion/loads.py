"""The manifest of loads: one row of raw.loads for each file, segment or pull.

In: a connection to the warehouse. Out: Load, LoadReport and rows of raw.loads.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from ingestion.files.contracts import ContractError
from ingestion.sql import Connection, literal, scalar
from ingestion.text import counted


class PartlyLoaded(ContractError):
    """Files that cannot be loaded stay where they are. reports: of the files that were loaded."""

    def __init__(self, what: str, failures: dict[Path, str], reports: Sequence[LoadReport]) -> None:
        """what: the sentence before the list. failures: the error of each file that stays."""
        super().__init__("\n".join([what, *failures.values()]))
        self.failures, self.reports = failures, list(reports)


class LoadReport(msgspec.Struct, frozen=True, kw_only=True):
    """Row counts of one load: received = loaded + duplicate + failed + limited + summary + summed."""

    kind: str
    source: str
    received: int
    loaded: int
    duplicate: int
    failed: int
    replaced: int  # of the loaded rows: those that replaced an earlier state
    reasons: dict[str, int]  # failed rows by reason
    limited: int = 0  # rejected by the collector because their site sent too many
    summary: int = 0  # totals in a spend file, which repeat other rows
    summed: int = 0  # rows of a spend file that --sum added to another row
    withdrawn: int = 0  # stored rows that the source no longer has; replaced rows do not count
    corrected: int = 0  # failed rows of earlier loads that this load has loaded
    loaded_at: datetime | None = None  # UTC, without a zone
    skipped: int = 0  # other lines of the file: notes, and rows that its layout does not load
    layout: str | None = None  # of the file, if it is not that of the contract
    entry: str | None = None  # of `imports` in tributary.yaml that completed the options
    warnings: Sequence[str] = ()  # about rows that were loaded

    @property
    def balance(self) -> str:
        """The counts of the rows: 5 received = 3 loaded + 1 duplicate + 1 failed."""
        return (
            f"{self.received:,} received = {self.loaded:,} loaded + {self.duplicate:,} duplicate"
            f" + {self.failed:,} failed"
            + (f" + {self.summary:,} summary" if self.summary else "")
            + (f" + {self.summed:,} added to another row" if self.summed else "")
            + (f" ({self.replaced:,} of the loaded replaced an older row)" if self.replaced else "")
        )

    def notes(self) -> Iterator[str]:
        """Yield a sentence for each thing beside the counts that a person should know, then the reasons of failures."""
        if not self.received:
            yield "the file has no rows"
        if self.skipped:
            yield f"{counted(self.skipped, 'other line')} skipped: notes, or rows that are no {self.kind}"
        if self.entry:
            yield f"with the options of {self.entry} under imports in tributary.yaml"
        if self.corrected:
            yield f"{counted(self.corrected, 'earlier failed row')} corrected"
        yield from (f"warning: {warning}" for warning in self.warnings)
        yield from (f"{count:,} failed: {reason}" for reason, count in self.reasons.items())


class Load(msgspec.Struct, frozen=True):
    """One future row of raw.loads: the load's id, its source and when it loads, in UTC without a zone."""

    load_id: str
    source: str
    format: str
    loaded_at: datetime = msgspec.field(default_factory=lambda: datetime.now(UTC).replace(tzinfo=None))

    @property
    def stamp(self) -> str:
        """SQL of the values of _load_id and _loaded_at."""
        return f"{literal(self.load_id)}, {literal(self.loaded_at)}::timestamp"


def record_load(connection: Connection, report: LoadReport, load: Load) -> None:
    """Insert the load's row into raw.loads."""
    connection.execute(
        f"insert into raw.loads by name select load_id, {literal(report.kind)} as kind,"
        f" {literal(report.source)} as source,"
        f" {literal(load.format)} as format, loaded_at, {report.received} as received_rows,"
        f" {report.loaded} as loaded_rows, {report.duplicate} as duplicate_rows, {report.failed} as failed_rows,"
        f" {report.replaced} as replaced_rows, {report.limited} as limited_rows,"
        f" {report.summary} as summary_rows, {report.summed} as summed_rows"
        f" from (select {load.stamp}) as load (load_id, loaded_at)"
    )


def next_load_time(connection: Connection, kind: str, now: datetime) -> datetime:
    """Return `now`, or a moment after the last load of the kind if the clock is behind it.

    Replays of a history rely on this order. Times are UTC without a zone.
    """
    last = scalar(connection, "select max(loaded_at) from raw.loads where kind = $1", [kind])
    return max(now, last + timedelta(microseconds=1)) if last else now
