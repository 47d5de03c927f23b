"""Pulls as Dagster's assets: the platforms by day, exchange rates, and tables that another tool syncs.

In: tributary.yaml, a range of days. Out: raw.ad_spend and other raw tables, materialized days with metadata.

A run pulls all days of its range at once. It takes the warehouse's lock only to load.
"""

import warnings
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
from pydantic import Field

from connectors.api_versions import ending_notice
from connectors.platform import Platform
from ingestion.home import Home
from ingestion.settings.load import load_settings
from ingestion.settings.model import Settings
from orchestration.metadata import FRESH_DAILY
from orchestration.pulling import metadata, plan
from orchestration.pulling.accounts import Outcome, pull_accounts
from orchestration.pulling.days import stored_days
from orchestration.pulling.exchange_rates import pull_rates
from orchestration.pulling.metadata import CHECK, ECB, SYNCED, key_of
from orchestration.pulling.synced import pull_synced

GROUP = "pulls"
OWNERS = ["team:data"]
FRANKFURT = "Europe/Berlin"


class PullConfig(dg.Config):
    """The accounts of a pull."""

    accounts: list[str] = Field(default=[], description="Account ids. Empty: all of the platform in tributary.yaml.")


def zones(settings: Settings, platform: Platform) -> list[str]:
    """Return the time zones of the platform's accounts."""
    return sorted({account.timezone for account in settings.ad_accounts if account.platform == platform.name})


def days_of(settings: Settings, platform: Platform) -> dg.DailyPartitionsDefinition:
    """Return the days from the first one that the platform still has to the last one that is over for an account."""
    now = datetime.now(UTC)
    local_times = {zone: now.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for zone in zones(settings, platform)}
    easternmost = max(local_times, key=local_times.__getitem__)
    accounts = plan.find_accounts(settings, platform)
    first = min(plan.earliest_day(platform, account, now) for account in accounts)
    return dg.DailyPartitionsDefinition(str(first), timezone=easternmost)


def platform_asset(settings: Settings, platform: Platform) -> dg.AssetsDefinition:
    """Return the asset of a connected platform, partitioned by day."""
    key = key_of(platform.name)

    @dg.asset(
        key=key,
        description=f"One day of the ad accounts of {platform.label}, as last pulled. `tributary pull {platform.name}`"
        f" and schedules pull the last {platform.repull_days} days, which {platform.label} may restate. *Materialize*"
        " on this page pulls any days, in one run. To build the marts, launch the job `build`: it pulls nothing.",
        group_name=GROUP,
        kinds={"python", platform.name},
        owners=OWNERS,
        partitions_def=days_of(settings, platform),
        backfill_policy=dg.BackfillPolicy.single_run(),
        metadata=metadata.of_api_version(platform.name),
        check_specs=[dg.AssetCheckSpec(CHECK, asset=key, description="Campaigns add up to the account's total.")],
        freshness_policy=FRESH_DAILY,
    )
    def pulled(context: dg.AssetExecutionContext, config: PullConfig) -> Iterator[Any]:
        """Pull the range of days."""
        if notice := ending_notice(platform.name, platform.label, datetime.now(UTC).date()):
            context.log.warning(notice)
        first, last = (date.fromisoformat(day) for day in context.partition_key_range)
        outcomes = pull_range(platform, config.accounts, first, last, context)
        stored = stored_days(Home.from_environment(), outcomes, context.log.info).get(platform.name, [])
        events = list(metadata.materializations(platform.name, outcomes, stored))
        if len(events) <= (last - first).days:
            yield from events  # whole days are materialized, even if others failed
            raise failure(platform, outcomes)
        for event in events:
            context.add_asset_metadata(event.metadata, partition_key=event.partition)
        yield dg.MaterializeResult(
            check_results=[dg.AssetCheckResult(check_name=CHECK, **metadata.check_totals(outcomes, stored))]
        )

    return pulled


def pull_range(
    platform: Platform, only: Sequence[str], first: date, last: date, context: dg.AssetExecutionContext
) -> list[Outcome]:
    """Pull the days of each account that are within the platform's history."""
    home = Home.from_environment()
    settings, now, tasks = load_settings(home), datetime.now(UTC), []
    for account in plan.find_accounts(settings, platform, only):
        if task := plan.clip_task(platform, account, first, last, now):
            tasks.append(task)
        else:
            context.log.warning(f"{platform.name} {account.account_id}: no history of {first} to {last}")
    found: dict[int, Outcome] = {}
    for index, outcome in pull_accounts(home, settings, tasks, log=context.log.info):
        found[index] = outcome
        if reason := outcome.report.reason:
            context.log.error(f"{tasks[index].name}: {reason}")
    return [found[index] for index in sorted(found)]


def failure(platform: Platform, outcomes: Sequence[Outcome]) -> dg.Failure:
    """Return the failure of a pull with the reason of each account."""
    reasons = [f"account {each.report.pull.account_id}: {each.report.reason}" for each in outcomes if not each.is_whole]
    too_early = f"{platform.label} keeps {platform.history} of history. Backfill later days only."
    return dg.Failure(
        f"Some days of {platform.label} were not pulled. " + "\n".join(reasons or [too_early]),
        metadata={"accounts": metadata.accounts_table(outcomes)},
        allow_retries=False,
    )


@dg.asset(
    key=ECB,
    description="One exchange rate of the European Central Bank: a currency against the euro on a working day.",
    group_name=GROUP,
    kinds={"python", "xml"},
    owners=OWNERS,
)
def ecb(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
    """Pull the rates that are missing."""
    home = Home.from_environment()
    today = datetime.now(ZoneInfo(FRANKFURT)).date()
    report = pull_rates(home, load_settings(home), since=None, today=today, log=context.log.info)
    return dg.MaterializeResult(metadata=metadata.of_rates(report))


@dg.asset(
    key=SYNCED,
    description="One day of an ad account in tables that another tool syncs: `synced` in tributary.yaml.",
    group_name=GROUP,
    kinds={"python", "duckdb"},
    owners=OWNERS,
)
def synced(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
    """Load all synced tables."""
    home = Home.from_environment()
    reports, errors = pull_synced(home, load_settings(home), log=context.log.info)
    table = metadata.of_synced(reports)
    if errors:
        raise dg.Failure("\n".join(errors), metadata=table, allow_retries=False)
    return dg.MaterializeResult(metadata=table)


def assets(home: Home, settings: Settings) -> list[dg.AssetsDefinition]:
    """Return the assets of the connected platforms, and of rates and synced tables if the settings need them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)  # of backfill policies
        found = [platform_asset(settings, platform) for platform in plan.connected_platforms(home, settings)]
    if plan.has_foreign_currency(settings):
        found.append(ecb)
    if settings.synced:
        found.append(synced)
    return found
