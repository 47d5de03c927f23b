"""Load pulls of ad accounts into raw.ad_spend: each pulled day becomes what the platform reports now.

In: an NDJSON file of connectors.platform.SpendRow for each pull, and a connection to the warehouse with the build
lock. Out: raw.ad_spend, raw.ad_spend_history, raw.loads and raw.pulls, in one transaction; a PullReport for
each pull.

New keys are inserted, changed keys are replaced, and keys that the platform no longer reports are withdrawn; the
history keeps the former rows. A day without ads keeps its stored spend (pull_checks.py). A pull with an invalid row
fails and changes nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

import duckdb
import msgspec

from ingestion.files.column_mapping import plan_rows
from ingestion.files.contracts import ContractError, platform_name
from ingestion.files.id_spellings import normalized_account_id
from ingestion.files.merge import merge_rows
from ingestion.loads import Load, next_load_time
from ingestion.settings.model import Settings
from ingestion.spend.pull_checks import PullOutcome, outcomes, read_rows, validate_pulls
from ingestion.sql import Connection, drop_temporary_tables, transaction
from ingestion.text import counted

FORMAT = "pull"  # of raw.loads
_DAYS_NAMED = 5  # rejected days that a reason lists


class Pull(msgspec.Struct, frozen=True, kw_only=True):
    """A request for the days of one account, both included. Days are the account's; started_at is UTC."""

    org: str
    platform: str
    account_id: str
    start: date
    end: date
    started_at: datetime


class PullTotal(msgspec.Struct, frozen=True, kw_only=True):
    """The spend of a pull in one currency, in micros."""

    currency: str
    spend_micros: int  # the sum of the campaigns: of their reported totals, otherwise of the finest rows
    account_spend_micros: int | None = None  # the platform's reported total of the account

    @property
    def difference(self) -> int | None:
        """The reported total minus the campaigns, in micros."""
        return None if self.account_spend_micros is None else self.account_spend_micros - self.spend_micros


class PullReport(msgspec.Struct, frozen=True, kw_only=True):
    """Row counts of one pull: rows = loaded + unchanged + repeated. A failed pull stored nothing."""

    pull: Pull
    status: Literal["loaded", "partial", "failed"]  # partial: some days were rejected
    reason: str | None = None  # why days were rejected or the pull failed, and what to do
    rows: int = 0
    loaded: int = 0
    replaced: int = 0  # of the loaded rows
    withdrawn: int = 0  # stored rows that the platform no longer reports
    unchanged: int = 0
    repeated: int = 0  # rows that two pages had
    rejected_days: list[date] = []
    totals: list[PullTotal] = []  # one, unless the currency changed


def load_pulls(connection: Connection, pulls: Sequence[tuple[Pull, Path]], settings: Settings) -> list[PullReport]:
    """Load pulls of different accounts or days together, and return their reports in the same order.

    A thousand accounts cost little more than one. A pull that fails does not affect the others. Raise ContractError,
    and write nothing, if a file is damaged; ValueError if two pulls overlap.
    """
    _require_disjoint([pull for pull, _ in pulls])
    if not pulls:
        return []
    load = Load(
        load_id=uuid.uuid4().hex,
        source=_describe([pull for pull, _ in pulls]),
        format=FORMAT,
        loaded_at=_load_time(connection),
    )
    requests = [
        (pull.org, platform_name(pull.platform), normalized_account_id(pull.account_id), pull.start, pull.end)
        for pull, _ in pulls
    ]
    try:
        columns = read_rows(connection, requests, [path for _, path in pulls])
        plan = plan_rows(connection, "spend", columns, settings)
        with transaction(connection):
            merge_rows(connection, plan, load, validate=lambda: validate_pulls(connection, plan))
            merged = zip(pulls, outcomes(connection, load.stamp), strict=True)
            reports = [_report(pull, outcome) for (pull, _), outcome in merged]
            if all(report.status == "failed" for report in reports):
                connection.execute("delete from raw.loads where load_id = $1", [load.load_id])
            _record(connection, reports, load.loaded_at, load.load_id)
        return reports
    except duckdb.InvalidInputException as error:
        problem = str(error).splitlines()[0]
        raise ContractError(f"the rows of a pull are damaged, and none was loaded: {problem}. Pull again") from None
    finally:
        drop_temporary_tables(connection)


def record_failure(connection: Connection, pull: Pull, reason: str) -> PullReport:
    """Record a pull that failed before it had rows. reason: without secrets."""
    report = PullReport(pull=pull, status="failed", reason=reason)
    _record(connection, [report], _load_time(connection), None)
    return report


def _require_disjoint(pulls: list[Pull]) -> None:
    last: Pull | None = None
    for pull in sorted(pulls, key=lambda each: (each.org, each.platform, each.account_id, each.start)):
        if pull.start > pull.end:
            raise ValueError(f"{_describe([pull])} ends before it starts")
        same = last and (last.org, last.platform, last.account_id) == (pull.org, pull.platform, pull.account_id)
        if last and same and pull.start <= last.end:
            raise ValueError(f"{_describe([last])} and {_describe([pull])} overlap. Load one after the other")
        last = pull


def _report(pull: Pull, outcome: PullOutcome) -> PullReport:
    if outcome.fault:
        reason = f"{outcome.fault}. Nothing of this pull was stored"
        return PullReport(pull=pull, status="failed", reason=reason, rows=outcome.rows)
    days = sorted({day for day, *_ in outcome.rejected_days})
    return PullReport(
        pull=pull,
        status="partial" if days else "loaded",
        reason=_rejection(outcome.rejected_days, len(days)) if days else None,
        rows=outcome.rows,
        loaded=outcome.loaded,
        replaced=outcome.replaced,
        withdrawn=outcome.withdrawn,
        unchanged=outcome.unchanged,
        repeated=outcome.repeated,
        rejected_days=days,
        totals=[
            PullTotal(currency=currency, spend_micros=children, account_spend_micros=reported)
            for currency, children, reported in outcome.totals
        ],
    )


def _rejection(days: list[tuple[date, str, int]], count: int) -> str:
    listed = ", ".join(f"{day} ({_amount(micros)} {currency})" for day, currency, micros in days[:_DAYS_NAMED])
    more = f" and {len(days) - _DAYS_NAMED} more" if len(days) > _DAYS_NAMED else ""
    number = counted(count, "day")
    return (
        f"the platform returned no ads for {number} with stored spend, which was kept: {listed}{more}."
        " Check that the login can still read the account, and pull again. If there was no spend, import the account's"
        " total for these days (level account) with a spend of 0"
    )


def _amount(micros: int) -> str:
    sign, size = "-" if micros < 0 else "", abs(micros)
    return f"{sign}{size // 1_000_000:,}.{size % 1_000_000:06d}"


def _record(connection: Connection, reports: list[PullReport], finished_at: datetime, load_id: str | None) -> None:
    """Insert a row into raw.pulls for each report."""
    rows = [_pull_row(report, finished_at, load_id) for report in reports]
    types = {name: type_ for name, type_, *_ in connection.execute("describe raw.pulls").fetchall()}
    connection.execute(
        "insert into raw.pulls by name select unnest(from_json($1, $2), recursive := true)",
        [msgspec.json.encode(rows).decode(), msgspec.json.encode([types]).decode()],
    )


def _pull_row(report: PullReport, finished_at: datetime, load_id: str | None) -> dict[str, object]:
    pull = report.pull
    total = report.totals[0] if len(report.totals) == 1 else None  # amounts of two currencies have no sum
    return {
        "pull_id": uuid.uuid4().hex,
        "org_id": pull.org,
        "platform": platform_name(pull.platform),
        "account_id": normalized_account_id(pull.account_id),
        "start_date": pull.start,
        "end_date": pull.end,
        "started_at": _without_zone(pull.started_at),
        "finished_at": finished_at,
        "status": report.status,
        "reason": report.reason,
        "rows": report.rows,
        "spend_micros": total and total.spend_micros,
        "account_spend_micros": total and total.account_spend_micros,
        "currency": total and total.currency,
        "_load_id": None if report.status == "failed" else load_id,
    }


def _describe(pulls: list[Pull]) -> str:
    if len(pulls) > 1:
        return f"{', '.join(sorted({pull.platform for pull in pulls}))}: {len(pulls)} pulls"
    (pull,) = pulls
    return f"{pull.platform} {pull.account_id} {pull.start}..{pull.end}"


def _load_time(connection: Connection) -> datetime:
    return next_load_time(connection, "spend", _without_zone(datetime.now(UTC)))


def _without_zone(time: datetime) -> datetime:
    return time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time
