"""Pulls of ad accounts -> raw.ad_spend, in one transaction: the pulled days become what the platform reports now.

In: for each pull an NDJSON file, a line a row (connectors.platform.SpendRow), and a connection to the warehouse (the
caller holds the build lock). Out: raw.ad_spend, raw.ad_spend_history, raw.loads and raw.pulls; a PullReport a pull.

A key that is new is inserted, one that changed is replaced, one that is no longer reported is withdrawn: what was
stored goes to the history. A day that comes without ads though spend of it is stored stays as it was, since platforms
answer "no activity" and "no access" alike. A pull with a row that cannot be right fails, and changes nothing.
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
from ingestion.files.merge import merge_rows
from ingestion.loads import Load, next_load_time
from ingestion.settings.model import Settings
from ingestion.spend.pull_checks import outcomes, read_rows, validate_pulls
from ingestion.sql import Connection, drop_temporary_tables, literal, transaction

FORMAT = "pull"  # of raw.loads
_DAYS_NAMED = 5  # of the refused ones, in a reason


class Pull(msgspec.Struct, frozen=True):
    """One account's days, both included, as asked for. The days are the account's; started_at is UTC."""

    org: str
    platform: str
    account_id: str
    start: date
    end: date
    started_at: datetime


class Sums(msgspec.Struct, frozen=True):
    """Spend of a pull in one currency."""

    currency: str
    spend_micros: int  # what the campaigns add up to: their stated totals, else the finest rows beneath
    account_spend_micros: int | None = None  # as the platform states it for the account

    @property
    def difference(self) -> int | None:
        """What the account's total has beyond its campaigns, in micros."""
        return None if self.account_spend_micros is None else self.account_spend_micros - self.spend_micros


class PullReport(msgspec.Struct, frozen=True):
    """What became of a pull: rows = loaded + unchanged + repeated; of a failed one nothing was stored."""

    pull: Pull
    status: Literal["loaded", "partial", "failed"]  # partial: some days were refused
    reason: str | None = None  # what was refused or failed, and what to do
    rows: int = 0
    loaded: int = 0
    replaced: int = 0  # of the loaded ones
    withdrawn: int = 0  # stored rows that are no longer reported
    unchanged: int = 0
    repeated: int = 0  # the same row on two pages
    refused_days: list[date] = []
    sums: list[Sums] = []  # one, unless the currency changed


def load_pull(connection: Connection, pull: Pull, rows: Path, settings: Settings) -> PullReport:
    """Load one pull; see load_pulls."""
    (report,) = load_pulls(connection, [(pull, rows)], settings)
    return report


def load_pulls(connection: Connection, pulls: Sequence[tuple[Pull, Path]], settings: Settings) -> list[PullReport]:
    """Load pulls of different accounts or days together, the reports in their order.

    A thousand accounts cost little more than one, and a pull that fails stops no other. ContractError where a file is
    damaged: then nothing was written.
    """
    _check([pull for pull, _ in pulls])
    if not pulls:
        return []
    load = Load(uuid.uuid4().hex, _named([pull for pull, _ in pulls]), FORMAT, _now(connection))
    asked = [(pull.org, platform_name(pull.platform), pull.account_id, pull.start, pull.end) for pull, _ in pulls]
    try:
        columns = read_rows(connection, asked, [path for _, path in pulls])
        plan = plan_rows(connection, "spend", columns, settings)
        with transaction(connection):
            merge_rows(connection, plan, load, validate=lambda: validate_pulls(connection, plan))
            found = outcomes(connection, load.stamp)
            reports = [_report(pull, **members) for (pull, _), members in zip(pulls, found, strict=True)]
            if all(report.status == "failed" for report in reports):
                connection.execute("delete from raw.loads where load_id = $1", [load.load_id])
            _record(connection, reports, load.loaded_at, load.load_id)
        return reports
    except duckdb.InvalidInputException as error:
        problem = str(error).splitlines()[0]
        raise ContractError(f"the rows of a pull are damaged, and none were loaded: {problem}. Pull again") from None
    finally:
        drop_temporary_tables(connection)


def record_failure(connection: Connection, pull: Pull, reason: str) -> PullReport:
    """Write down that a pull failed before there was anything to load. reason: without secrets."""
    report = PullReport(pull, "failed", reason)
    _record(connection, [report], _now(connection), None)
    return report


def as_of(at: datetime) -> str:
    """SQL of raw.ad_spend as it was at a moment (UTC): the rows loaded by then and not yet replaced or withdrawn."""
    moment = f"{literal(_naive(at))}::timestamp"
    return (
        f"(from raw.ad_spend where _loaded_at <= {moment} union all by name"
        f" select * exclude (_replaced_by_load_id, _replaced_at) from raw.ad_spend_history"
        f" where _loaded_at <= {moment} and _replaced_at > {moment})"
    )


def _check(pulls: list[Pull]) -> None:
    last: Pull | None = None
    for pull in sorted(pulls, key=lambda each: (each.org, each.platform, each.account_id, each.start)):
        if pull.start > pull.end:
            raise ValueError(f"{_named([pull])}: it ends before it starts")
        same = last and (last.org, last.platform, last.account_id) == (pull.org, pull.platform, pull.account_id)
        if last and same and pull.start <= last.end:
            raise ValueError(f"{_named([last])} and {_named([pull])} overlap: load one after the other")
        last = pull


def _report(
    pull: Pull, *, reason: str | None, kept: list[tuple[date, str, int]], sums: list[tuple], **counts: int
) -> PullReport:
    if reason:
        failed = f"{reason}. Nothing of this pull was stored"
        return PullReport(pull, "failed", failed, rows=counts["rows"])
    days = sorted({day for day, *_ in kept})
    return PullReport(
        pull,
        "partial" if days else "loaded",
        _refused(kept, days) if days else None,
        refused_days=days,
        sums=[Sums(*each) for each in sums],
        **counts,
    )


def _refused(kept: list[tuple[date, str, int]], days: list[date]) -> str:
    named = ", ".join(f"{day} ({_amount(micros)} {currency})" for day, currency, micros in kept[:_DAYS_NAMED])
    more = f" and {len(kept) - _DAYS_NAMED} more" if len(kept) > _DAYS_NAMED else ""
    number = "1 day" if len(days) == 1 else f"{len(days)} days"
    return (
        f"{number} came without ads though spend is stored, and stayed: {named}{more}."
        " Check that the account may still be read, and pull again; if there really was no spend, import the account's"
        " total of these days (level account) with a spend of 0"
    )


def _amount(micros: int) -> str:
    sign, size = "-" if micros < 0 else "", abs(micros)
    return f"{sign}{size // 1_000_000:,}.{size % 1_000_000:06d}"


def _record(connection: Connection, reports: list[PullReport], finished_at: datetime, load_id: str | None) -> None:
    rows = [_row(report, finished_at, load_id) for report in reports]
    types = {name: type_ for name, type_, *_ in connection.execute("describe raw.pulls").fetchall()}
    connection.execute(
        "insert into raw.pulls by name select unnest(from_json($1, $2), recursive := true)",
        [msgspec.json.encode(rows).decode(), msgspec.json.encode([types]).decode()],
    )


def _row(report: PullReport, finished_at: datetime, load_id: str | None) -> dict[str, object]:
    pull = report.pull
    sums = report.sums[0] if len(report.sums) == 1 else None  # amounts of two currencies are no sum
    return {
        "pull_id": uuid.uuid4().hex,
        "org_id": pull.org,
        "platform": platform_name(pull.platform),
        "account_id": pull.account_id,
        "start_date": pull.start,
        "end_date": pull.end,
        "started_at": _naive(pull.started_at),
        "finished_at": finished_at,
        "status": report.status,
        "reason": report.reason,
        "rows": report.rows,
        "spend_micros": sums and sums.spend_micros,
        "account_spend_micros": sums and sums.account_spend_micros,
        "currency": sums and sums.currency,
        "_load_id": None if report.status == "failed" else load_id,
    }


def _named(pulls: list[Pull]) -> str:
    if len(pulls) > 1:
        return f"{', '.join(sorted({pull.platform for pull in pulls}))}: {len(pulls)} pulls"
    (pull,) = pulls
    return f"{pull.platform} {pull.account_id} {pull.start}..{pull.end}"


def _now(connection: Connection) -> datetime:
    return next_load_time(connection, "spend", _naive(datetime.now(UTC)))


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
