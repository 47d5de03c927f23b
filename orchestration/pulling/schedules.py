"""When platforms are pulled, and the build that follows. In: tributary.yaml. Out: jobs, schedules, a sensor."""

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
MORNING, AFTER_FIXING = "0 6 * * *", "30 16 * * 1-5"  # platforms finish a day in its night; the Bank at 16:00
UNDER_WAY = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]

PULLS = dg.AssetSelection.groups(GROUP)
jobs = {
    name: dg.define_asset_job(f"pull_{name}", dg.AssetSelection.assets(key), description=description)
    for name, key, description in [
        *((p.name, key_of(p.name), f"Spend of {p.label}, over a range of days.") for p in PLATFORMS.values()),
        ("ecb", ECB, "Exchange rates of the European Central Bank."),
        ("synced", SYNCED, "Spend that another tool syncs."),
    ]
}


def schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """A platform's accounts each morning of their own; the others where they are wanted."""
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
    return dg.DefaultScheduleStatus.RUNNING if is_wanted else dg.DefaultScheduleStatus.STOPPED


def platform_schedule(platform: Platform, zone: str) -> dg.ScheduleDefinition:
    """Each morning in the accounts' time zone: as far back as their figures may still change, up to yesterday."""

    @dg.schedule(
        name="_".join(["pull", platform.name, *re.findall(r"\w+", zone.lower())]),
        job=jobs[platform.name],
        cron_schedule=MORNING,
        execution_timezone=zone,
        default_status=status(True),
        description=f"Accounts of {platform.label} whose days are those of {zone}.",
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        home = Home.from_environment()
        if not plan.is_connected(home, platform):
            yield dg.SkipReason(f"{platform.label} is not connected: tributary connect {platform.name}")
            return
        at = context.scheduled_execution_time
        listed = [a for a in load_settings(home).ad_accounts if a.platform == platform.name and a.timezone == zone]
        yield from requests(platform, listed, at)

    return schedule


def requests(platform: Platform, accounts: Sequence[AdAccount], at: datetime) -> Iterator[dg.RunRequest]:
    """One run over the trailing days; several only where accounts have days of their own."""

    def back(account: AdAccount) -> int:
        return plan.trailing_days(platform, account)

    for _, same in groupby(sorted(accounts, key=back), key=back):
        group = list(same)
        task = plan.task(platform, group[0], None, None, at)
        config = PullConfig(accounts=[account.account_id for account in group])
        yield dg.RunRequest(
            run_key=f"{task.start} to {task.end}",
            run_config=dg.RunConfig({key_of(platform.name).to_python_identifier(): config}),
            tags=dict(zip(RANGE, (str(task.start), str(task.end)), strict=True)),
        )


@dg.sensor(job_name="build", minimum_interval_seconds=30, default_status=dg.DefaultSensorStatus.RUNNING)
def after_pulls(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Build once when something was pulled, from here or from the command line, and no pull is under way."""
    keys = {key_of(name) for name in PLATFORMS} | {ECB, SYNCED}
    records = context.instance.get_asset_records(list(keys))
    newest = max((record.asset_entry.last_materialization_storage_id or 0 for record in records), default=0)
    if newest <= int(context.cursor or 0):
        return dg.SkipReason("nothing was pulled since the last build")
    runs = context.instance.get_runs(dg.RunsFilter(statuses=UNDER_WAY))
    if waited_for := [run.run_id[:8] for run in runs if pulls(run, keys)]:
        return dg.SkipReason(f"pulls are under way: {', '.join(waited_for)}")
    context.update_cursor(str(newest))
    return dg.RunRequest()


def pulls(run: dg.DagsterRun, keys: set[dg.AssetKey]) -> bool:
    """Whether a run, of a schedule or a backfill, pulls."""
    return bool(keys & (run.asset_selection or set())) or run.job_name in {job.name for job in jobs.values()}
