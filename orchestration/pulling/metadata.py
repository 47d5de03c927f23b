"""Metadata of a platform's asset in Dagster's UI: rows and spend by day, accounts, and totals that differ.

In: outcomes of pulls (accounts.py), stored days (days.py). Out: metadata, and the check of reported totals.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any

import dagster as dg

from connectors.api_versions import API_VERSIONS
from ingestion.home import Home
from ingestion.loads import LoadReport
from ingestion.spend.synced.load import SyncReport
from orchestration.instance import open_instance
from orchestration.metadata import table
from orchestration.plots import line_chart
from orchestration.pulling.accounts import Outcome
from orchestration.pulling.amounts import amount, units
from orchestration.pulling.days import Day, stored_days
from orchestration.pulling.fetch import Log

CHECK = "agrees_with_account_total"
ECB = dg.AssetKey(["raw", "exchange_rates", "ecb"])
SYNCED = dg.AssetKey(["raw", "ad_spend", "synced"])


def key_of(platform: str) -> dg.AssetKey:
    """Return the asset key of a platform's pulls."""
    return dg.AssetKey(["raw", "ad_spend", platform])


def of_api_version(platform: str) -> dict[str, Any]:
    """Return the version of the platform's API, and its end."""
    if (found := API_VERSIONS.get(platform)) is None:
        return {}
    ending = f"ends on {found.ends_on} ({found.basis})" if found.ends_on else found.basis
    return {"api_version": f"{found.version}: {ending}", "api_version_source": dg.MetadataValue.url(found.source)}


def materializations(
    platform: str, outcomes: Sequence[Outcome], stored: Sequence[Day]
) -> Iterator[dg.AssetMaterialization]:
    """Yield one for each day that every requested account has; the newest has the overview."""
    pulled = whole_days(outcomes)
    by_date = {day: list(same) for day, same in groupby(stored, key=lambda day: day.date)}
    for day in pulled:
        metadata = of_day(by_date.get(day, []))
        if day == pulled[-1]:
            metadata |= overview(outcomes, stored)
        yield dg.AssetMaterialization(key_of(platform), partition=str(day), metadata=metadata)


def report_pulls(home: Home, outcomes: Sequence[Outcome], log: Log) -> None:
    """Report pulls of the command line to Dagster, with the metadata of Dagster's own pulls."""
    stored = stored_days(home, outcomes, log)
    with open_instance(home) as instance:
        for platform, days in stored.items():
            of_platform = [outcome for outcome in outcomes if outcome.report.pull.platform == platform]
            for event in materializations(platform, of_platform, days):
                instance.report_runless_asset_event(event)
            if any(outcome.is_whole for outcome in of_platform):
                instance.report_runless_asset_event(
                    dg.AssetCheckEvaluation(
                        asset_key=key_of(platform), check_name=CHECK, **check_totals(of_platform, days)
                    )
                )


def report_other(home: Home, key: dg.AssetKey, metadata: dict[str, Any]) -> None:
    """Report a pull without days to Dagster."""
    with open_instance(home) as instance:
        instance.report_runless_asset_event(dg.AssetMaterialization(key, metadata=metadata))


def whole_days(outcomes: Iterable[Outcome]) -> list[date]:
    """Return the days that were loaded for every account that was asked for them."""
    requested: set[date] = set()
    missing: set[date] = set()
    for outcome in outcomes:
        pull = outcome.report.pull
        days = {pull.start + timedelta(days=n) for n in range((pull.end - pull.start).days + 1)}
        requested |= days
        missing |= days if outcome.report.status == "failed" else set(outcome.report.rejected_days)
    return sorted(requested - missing)


def of_day(days: Sequence[Day]) -> dict[str, Any]:
    """Return numbers, which the UI plots over the partitions."""
    found: dict[str, Any] = {"rows": sum(day.rows for day in days)}
    for day in days:
        found[f"spend ({day.currency})"] = day.spend_micros / 1e6
        if day.has_total:
            found[f"difference ({day.currency})"] = day.difference / 1e6
    return found


def overview(outcomes: Sequence[Outcome], stored: Sequence[Day]) -> dict[str, Any]:
    """Return the pull as a whole: its time, its accounts, and the platform's stored spend."""
    return {
        "last pull": dg.MetadataValue.timestamp(datetime.now(UTC)),
        "accounts": accounts_table(outcomes),
        "daily spend": chart(stored),
    }


def accounts_table(outcomes: Iterable[Outcome]) -> dg.TableMetadataValue | str:
    """Return a table with a row for each account."""
    rows = [
        {
            "account": report.pull.account_id,
            "status": report.status,
            "spend": ", ".join(f"{amount(each.spend_micros)} {each.currency}" for each in report.totals),
            "account total": ", ".join(amount(each.account_spend_micros) for each in report.totals),
            "difference": ", ".join(amount(each.difference) for each in report.totals),
            "rows": report.rows,
            "new": report.loaded - report.replaced,
            "changed": report.replaced,
            "withdrawn": report.withdrawn,
            "days": f"{report.pull.start} to {report.pull.end}",
            "note": "; ".join(filter(None, (report.reason, *outcome.warnings))),
        }
        for outcome in outcomes
        for report in [outcome.report]
    ]
    return table(rows, "no accounts")


def check_totals(outcomes: Sequence[Outcome], stored: Sequence[Day]) -> dict[str, Any]:
    """Return the fields of an AssetCheckResult or AssetCheckEvaluation. A difference from a reported total warns."""
    pulled = set(whole_days(outcomes))
    days = [day for day in stored if day.date in pulled]
    reported = [day for day in days if day.has_total]
    wrong = [day for day in reported if day.difference]
    if not wrong:
        sentence = f"{len(reported)} of {len(days)} days have a reported total, and the campaigns add up to it"
        return {"passed": True, "severity": dg.AssetCheckSeverity.WARN, "description": sentence}
    rows = [
        {
            "day": day.date,
            "currency": day.currency,
            "account total": amount(day.spend_micros),
            "campaigns": amount(day.children_micros),
            "difference": amount(day.difference),
        }
        for day in wrong
    ]
    totals = {day.currency: sum(each.difference for each in wrong if each.currency == day.currency) for day in wrong}
    sums = ", ".join(f"{amount(micros)} {currency}" for currency, micros in totals.items())
    return {
        "passed": False,
        "severity": dg.AssetCheckSeverity.WARN,
        "description": f"The account's total and its campaigns differ by {sums} on {len(wrong)} of {len(reported)}"
        " days. The marts show the difference as (unmatched).",
        "metadata": {
            **{f"difference ({currency})": micros / 1e6 for currency, micros in totals.items()},
            "differences": table(rows, "none"),
        },
    }


def of_rates(report: LoadReport) -> dict[str, Any]:
    """Return the counts of pulled rates."""
    return {"rates": report.received, "new or changed": report.loaded}


def of_synced(reports: Iterable[SyncReport]) -> dict[str, Any]:
    """Return the total of each synced spend table."""
    rows = [
        {
            "platform": total.platform,
            "level": total.level,
            "table": total.table,
            "rows": total.rows,
            "spend": f"{units(total.spend)} {total.currency}",
        }
        for report in reports
        for total in report.totals
    ]
    return {"tables": table(rows, "no tables")}


def chart(days: Sequence[Day]) -> dg.MarkdownMetadataValue | str:
    """Return the stored spend by day, a line for each currency."""
    currencies = sorted({day.currency for day in days})
    lines = {
        currency: [(day.date, day.spend_micros / 1e6) for day in days if day.currency == currency]
        for currency in currencies
    }
    return line_chart(lines) if days else "no spend"
