"""Schedules of pulls. In: tributary.yaml. Out: a job for each platform, and schedules in the accounts' time zones."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby

import dagster as dg

from connectors.ads import PLATFORMS
from connectors.platform import Platform
from ingestion.home import Home
from ingestion.settings.load import load_settings
from ingestion.settings.model import AdAccount, Settings
from orchestration.pulling import plan
from orchestration.pulling.assets import FRANKFURT, GROUP, PullConfig, zones
from orchestration.pulling.metadata import ECB, SYNCED, key_of

RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")  # tags of a run over days
MORNING, AFTER_FIXING = "0 6 * * *", "30 16 * * 1-5"  # platforms finish a day at night, the Bank at 16:00

PULLS = dg.AssetSelection.groups(GROUP)
jobs = {
    name: dg.define_asset_job(f"pull_{name}", dg.AssetSelection.assets(key), description=description)
    for name, key, description in [
        *((p.name, key_of(p.name), f"Spend of {p.label} for a range of days.") for p in PLATFORMS.values()),
        ("ecb", ECB, "Exchange rates of the European Central Bank."),
        ("synced", SYNCED, "Spend in tables that another tool syncs."),
    ]
}


def schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """Return a schedule for each platform and time zone; rates and synced tables run only if the settings need them."""
    return [
        *(platform_schedule(p, zone) for p in PLATFORMS.values() for zone in zones(settings, p)),
        dg.ScheduleDefinition(
            job=jobs["ecb"],
            cron_schedule=AFTER_FIXING,
            execution_timezone=FRANKFURT,
            default_status=status(plan.has_foreign_currency(settings)),
        ),
        dg.ScheduleDefinition(
            job=jobs["synced"],
            cron_schedule=MORNING,
            execution_timezone="UTC",
            default_status=status(bool(settings.synced)),
        ),
    ]


def status(is_wanted: bool) -> dg.DefaultScheduleStatus:
    """Return whether a schedule runs by default."""
    return dg.DefaultScheduleStatus.RUNNING if is_wanted else dg.DefaultScheduleStatus.STOPPED


def platform_schedule(platform: Platform, zone: str) -> dg.ScheduleDefinition:
    """Return the schedule of a time zone. Each morning it pulls the days that may still be restated."""

    @dg.schedule(
        name="_".join(["pull", platform.name, *re.findall(r"\w+", zone.lower())]),
        job=jobs[platform.name],
        cron_schedule=MORNING,
        execution_timezone=zone,
        default_status=status(True),
        description=f"Pull the accounts of {platform.label} in the time zone {zone}.",
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        home = Home.from_environment()
        if not plan.is_connected(home, platform):
            yield dg.SkipReason(f"{platform.label} is not connected. Run: tributary connect {platform.name}")
            return
        at = context.scheduled_execution_time
        listed = [a for a in load_settings(home).ad_accounts if a.platform == platform.name and a.timezone == zone]
        yield from requests(platform, listed, at)

    return schedule


def requests(platform: Platform, accounts: Sequence[AdAccount], at: datetime) -> Iterator[dg.RunRequest]:
    """Yield one run for all accounts with the same number of trailing days."""

    def back(account: AdAccount) -> int:
        return plan.trailing_days(platform, account)

    for _, same in groupby(sorted(accounts, key=back), key=back):
        group = list(same)
        task = plan.make_task(platform, group[0], None, None, at)
        config = PullConfig(accounts=[account.account_id for account in group])
        yield dg.RunRequest(
            run_key=f"{task.start} to {task.end}",
            run_config=dg.RunConfig({key_of(platform.name).to_python_identifier(): config}),
            tags=dict(zip(RANGE, (str(task.start), str(task.end)), strict=True)),
        )
