"""What a person sees beside a platform's asset in Dagster's UI: rows and spend a day, accounts, totals that differ.

In: outcomes of pulls (load.py), the platform's stored days (days.py). Out: metadata, and the check of accounts' totals.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any

import dagster as dg

from ingestion.home import Home
from ingestion.loads import LoadReport
from orchestration.instance import open_instance
from orchestration.pulling.amounts import amount, units
from orchestration.pulling.days import Day, stored_days
from orchestration.pulling.load import Outcome
from orchestration.pulling.spool import Say

if TYPE_CHECKING:
    from ingestion.spend.synced.load import SyncReport

CHECK = "agrees_with_account_total"
ECB = dg.AssetKey(["raw", "exchange_rates", "ecb"])
SYNCED = dg.AssetKey(["raw", "ad_spend", "synced"])


def key_of(platform: str) -> dg.AssetKey:
    return dg.AssetKey(["raw", "ad_spend", platform])


def materializations(
    platform: str, outcomes: Sequence[Outcome], stored: Sequence[Day]
) -> Iterator[dg.AssetMaterialization]:
    """One for each day that was pulled of every account that was asked for it, the newest with the overview."""
    pulled = whole_days(outcomes)
    by_date = {day: list(its) for day, its in groupby(stored, key=lambda day: day.date)}
    for day in pulled:
        metadata = of_day(by_date.get(day, []))
        if day == pulled[-1]:
            metadata |= overview(outcomes, stored)
        yield dg.AssetMaterialization(key_of(platform), partition=str(day), metadata=metadata)


def report(home: Home, outcomes: Sequence[Outcome], say: Say) -> None:
    """Show what was pulled without Dagster in its UI, as its own runs are."""
    stored = stored_days(home, outcomes, say)
    with open_instance(home) as instance:
        for platform, days in stored.items():
            its = [outcome for outcome in outcomes if outcome.report.pull.platform == platform]
            for event in materializations(platform, its, days):
                instance.report_runless_asset_event(event)
            if any(outcome.is_whole for outcome in its):
                instance.report_runless_asset_event(
                    dg.AssetCheckEvaluation(asset_key=key_of(platform), check_name=CHECK, **check(its, days))
                )


def report_other(home: Home, key: dg.AssetKey, metadata: dict[str, Any]) -> None:
    """The same for what has no days."""
    with open_instance(home) as instance:
        instance.report_runless_asset_event(dg.AssetMaterialization(key, metadata=metadata))


def whole_days(outcomes: Iterable[Outcome]) -> list[date]:
    """The days that came whole, of each account that was asked for them."""
    asked: set[date] = set()
    lacking: set[date] = set()
    for outcome in outcomes:
        pull = outcome.report.pull
        days = {pull.start + timedelta(days=n) for n in range((pull.end - pull.start).days + 1)}
        asked |= days
        lacking |= days if outcome.report.status == "failed" else set(outcome.report.rejected_days)
    return sorted(asked - lacking)


def of_day(days: Sequence[Day]) -> dict[str, Any]:
    """Numbers, so that the UI draws them over the partitions."""
    found: dict[str, Any] = {"rows": sum(day.rows for day in days)}
    for day in days:
        found[f"spend ({day.currency})"] = day.spend_micros / 1e6
        if day.has_total:
            found[f"difference ({day.currency})"] = day.difference / 1e6
    return found


def overview(outcomes: Sequence[Outcome], stored: Sequence[Day]) -> dict[str, Any]:
    """The pull as a whole: when, each account, and the platform's spend as it now is."""
    return {
        "last pull": dg.MetadataValue.timestamp(datetime.now(UTC)),
        "accounts": dg.MetadataValue.md(accounts(outcomes)),
        "daily spend": plot(stored),
    }


def accounts(outcomes: Iterable[Outcome]) -> str:
    """A Markdown table, a row an account."""
    headings = (
        "account",
        "status",
        "spend",
        "account total",
        "difference",
        "rows",
        "new",
        "changed",
        "withdrawn",
        "days",
        "note",
    )
    lines = [" | ".join(headings), " | ".join("---" for _ in headings)]
    for outcome in outcomes:
        report = outcome.report
        counts = (report.rows, report.loaded - report.replaced, report.replaced, report.withdrawn)
        cells = (
            report.pull.account_id,
            report.status,
            ", ".join(f"{amount(each.spend_micros)} {each.currency}" for each in report.totals),
            ", ".join(amount(each.account_spend_micros) for each in report.totals),
            ", ".join(amount(each.difference) for each in report.totals),
            *(f"{count:,}" for count in counts),
            f"{report.pull.start} to {report.pull.end}",
            "; ".join(filter(None, (report.reason, *outcome.warnings))),
        )
        lines.append(" | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells))
    return "\n".join(lines)


def check(outcomes: Sequence[Outcome], stored: Sequence[Day]) -> dict[str, Any]:
    """What the check of totals says: members of an AssetCheckResult or AssetCheckEvaluation. A difference warns."""
    pulled = set(whole_days(outcomes))
    days = [day for day in stored if day.date in pulled]
    stated = [day for day in days if day.has_total]
    wrong = [day for day in stated if day.difference]
    rows = [
        f"{day.date} | {day.currency} | {amount(day.spend_micros)} | {amount(day.children_micros)} | "
        f"{amount(day.difference)}"
        for day in wrong
    ]
    if not wrong:
        said = f"{len(stated)} of {len(days)} days have a stated total, and the campaigns add up to it"
        return {"passed": True, "severity": dg.AssetCheckSeverity.WARN, "description": said}
    sums = {day.currency: sum(each.difference for each in wrong if each.currency == day.currency) for day in wrong}
    said = ", ".join(f"{amount(micros)} {currency}" for currency, micros in sums.items())
    table = ["day | currency | account total | campaigns | difference", "--- | --- | ---: | ---: | ---:", *rows]
    return {
        "passed": False,
        "severity": dg.AssetCheckSeverity.WARN,
        "description": f"The account's total and its campaigns differ by {said} on {len(wrong)} of {len(stated)} days. "
        "What the campaigns lack is (unmatched) in the marts.",
        "metadata": {
            **{f"difference ({currency})": micros / 1e6 for currency, micros in sums.items()},
            "differences": dg.MetadataValue.md("\n".join(table)),
        },
    }


def of_rates(report: LoadReport) -> dict[str, Any]:
    return {"rates": report.received, "new or changed": report.loaded}


def of_synced(reports: Iterable[SyncReport]) -> dict[str, Any]:
    """What each table of spend comes to."""
    rows = [
        f"{total.platform} | {total.level} | {total.table} | {total.rows:,} | {units(total.spend)} {total.currency}"
        for report in reports
        for total in report.totals
    ]
    table = ["platform | level | table | rows | spend", "--- | --- | --- | ---: | ---:", *rows]
    return {"tables": dg.MetadataValue.md("\n".join(table))}


def plot(days: Sequence[Day]) -> dg.MarkdownMetadataValue:
    """Spend a day, a line a currency."""
    from matplotlib.figure import Figure

    if not days:
        return dg.MetadataValue.md("no spend")
    figure = Figure(figsize=(8, 2.6), layout="constrained")
    axes = figure.subplots()
    for currency in sorted({day.currency for day in days}):
        of_currency = [day for day in days if day.currency == currency]
        spend = [day.spend_micros / 1e6 for day in of_currency]
        axes.plot([day.date for day in of_currency], spend, marker=".", label=currency)
    axes.set_title("spend a day, as it is now stored", loc="left", fontsize=9)
    axes.tick_params(labelsize=8)
    axes.legend(frameon=False, fontsize=8)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=90)
    return dg.MetadataValue.md(f"![spend](data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()})")
