"""The platforms as Dagster's assets, by day; the European Central Bank's rates; what another tool syncs.

A run pulls all days of its range at once, without the warehouse's lock until there is something to load.
"""

import os
import warnings
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
from pydantic import Field

from connectors.ads import PLATFORMS
from connectors.platform import Platform
from ingestion.home import Home
from ingestion.settings.load import load_settings
from ingestion.settings.model import Settings
from orchestration.metadata import FRESH_DAILY
from orchestration.pulling import metadata, plan, rates_and_synced
from orchestration.pulling.accounts import pull_accounts
from orchestration.pulling.days import stored_days
from orchestration.pulling.load import Outcome
from orchestration.pulling.metadata import CHECK, ECB, SYNCED, key_of

GROUP = "pulls"
OWNERS = ["team:data"]
SINCE = os.environ.get("TRIBUTARY_PULL_SINCE") or f"{date.today().year - 3}-01-01"  # first day that a backfill can name
FRANKFURT = "Europe/Berlin"


class PullConfig(dg.Config):
    accounts: list[str] = Field(default=[], description="Their ids; none: all of the platform in tributary.yaml.")


def zones(settings: Settings, platform: Platform) -> list[str]:
    return sorted({account.timezone for account in settings.ad_accounts if account.platform == platform.name})


def days_of(settings: Settings, platform: Platform) -> dg.DailyPartitionsDefinition:
    """Days up to the last that is over for some account."""
    now = datetime.now(UTC)
    offsets = {zone: now.astimezone(ZoneInfo(zone)).utcoffset() for zone in zones(settings, platform)}
    easternmost = max(offsets, key=offsets.__getitem__, default="UTC")
    return dg.DailyPartitionsDefinition(SINCE, timezone=easternmost)


def platform_asset(settings: Settings, platform: Platform) -> dg.AssetsDefinition:
    key = key_of(platform.name)
    has_accounts = bool(zones(settings, platform))

    @dg.asset(
        key=key,
        description=f"One day of the ad accounts of {platform.label}, as pulled last. `tributary pull {platform.name}`"
        f" and schedules fetch {platform.repull_days} days back, as {platform.label} restates; a backfill any others.",
        group_name=GROUP,
        kinds={"python", platform.name},
        owners=OWNERS,
        partitions_def=days_of(settings, platform),
        backfill_policy=dg.BackfillPolicy.single_run(),
        check_specs=[dg.AssetCheckSpec(CHECK, asset=key, description="Campaigns add up to the account's total.")],
        freshness_policy=FRESH_DAILY if has_accounts else None,
    )
    def pulled(context: dg.AssetExecutionContext, config: PullConfig) -> Iterator[Any]:
        first, last = (date.fromisoformat(day) for day in context.partition_key_range)
        outcomes = pull_range(platform, config.accounts, first, last, context)
        stored = stored_days(Home.from_environment(), outcomes, context.log.info).get(platform.name, [])
        events = list(metadata.materializations(platform.name, outcomes, stored))
        if len(events) <= (last - first).days:
            yield from events  # what came whole is there, whatever became of the rest
            raise failure(platform, outcomes)
        for event in events:
            context.add_asset_metadata(event.metadata, partition_key=event.partition)
        yield dg.MaterializeResult(
            check_results=[dg.AssetCheckResult(check_name=CHECK, **metadata.check(outcomes, stored))]
        )

    return pulled


def pull_range(
    platform: Platform, only: Sequence[str], first: date, last: date, context: dg.AssetExecutionContext
) -> list[Outcome]:
    """Pull the days of each account, as far as its platform can tell of them."""
    home = Home.from_environment()
    settings, now, tasks = load_settings(home), datetime.now(UTC), []
    for account in plan.accounts_of(settings, platform, only):
        if task := plan.clipped(platform, account, first, last, now):
            tasks.append(task)
        else:
            context.log.warning(f"{platform.name} {account.account_id}: nothing can be told of {first} to {last}")
    found: dict[int, Outcome] = {}
    for number, outcome in pull_accounts(home, settings, tasks, say=context.log.info):
        found[number] = outcome
        if reason := outcome.report.reason:
            context.log.error(f"{tasks[number].name}: {reason}")
    return [found[number] for number in sorted(found)]


def failure(platform: Platform, outcomes: Sequence[Outcome]) -> dg.Failure:
    reasons = [f"account {each.report.pull.account_id}: {each.report.reason}" for each in outcomes if not each.is_whole]
    too_early = f"It tells of the last {platform.history_days} days only: backfill no earlier ones"
    return dg.Failure(
        f"{platform.label} was not pulled whole. " + "\n".join(reasons or [too_early]),
        metadata={"accounts": dg.MetadataValue.md(metadata.accounts(outcomes))},
        allow_retries=False,
    )


@dg.asset(
    key=ECB,
    description="One currency and working day, as the European Central Bank fixed it against the euro.",
    group_name=GROUP,
    kinds={"python", "xml"},
    owners=OWNERS,
)
def ecb(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    home = Home.from_environment()
    today = datetime.now(ZoneInfo(FRANKFURT)).date()
    report = rates_and_synced.pull_rates(home, load_settings(home), since=None, today=today, say=context.log.info)
    return dg.MaterializeResult(metadata=metadata.of_rates(report))


@dg.asset(
    key=SYNCED,
    description="One day of the ad accounts whose tables another tool syncs: `synced` in tributary.yaml.",
    group_name=GROUP,
    kinds={"python", "duckdb"},
    owners=OWNERS,
)
def synced(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    home = Home.from_environment()
    reports, errors = rates_and_synced.pull_synced(home, load_settings(home), say=context.log.info)
    table = metadata.of_synced(reports)
    if errors:
        raise dg.Failure("\n".join(errors), metadata=table, allow_retries=False)
    return dg.MaterializeResult(metadata=table)


def assets(settings: Settings) -> list[dg.AssetsDefinition]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)  # of backfill policies
        return [*(platform_asset(settings, platform) for platform in PLATFORMS.values()), ecb, synced]
