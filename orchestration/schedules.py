"""Schedules of the jobs that build (UTC). In: a home. Out: a run at each tick, or a skipped tick if nothing changed.

orchestration/pulling/schedules.py has the schedules of pulls.
"""

from datetime import UTC, datetime, timedelta

import dagster as dg

from ingestion.file_lock import Holder
from ingestion.home import Home
from ingestion.warehouse import lock_holder
from orchestration.changes import BUILD, COVERED, DUPLICATES, LAND, nothing_new, reasons
from orchestration.instance import UNFINISHED, end_dead_runs

LONGEST_WAIT = timedelta(days=1)  # after which a run that seems to wait no longer stops ticks
PURPOSE = {
    BUILD: "Each hour: load everything that is new, build all models and publish the marts.",
    LAND: "Each quarter of an hour between two builds: load everything that is new and build touchpoints.",
    DUPLICATES: "Each night: find events that probably repeat another one.",
}
CRON = {BUILD: "0 * * * *", LAND: "15,30,45 * * * *", DUPLICATES: "0 2 * * *"}  # `build` lands, too


def schedule(job: str, cron: str) -> dg.ScheduleDefinition:
    """Return the schedule of a job. It runs as soon as the server does; the UI can stop it."""

    @dg.schedule(
        name=f"{job}_schedule",
        job_name=job,
        cron_schedule=cron,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"{PURPOSE[job]} Skips a tick if a run would change nothing, or if a run waits already.",
    )
    def tick(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        home = Home.from_environment()
        holder = lock_holder(home)
        if waiting := waiting_run(context.instance, job, holder):
            return dg.SkipReason(f"run {waiting} waits already, and will load everything that is new")
        if holder or reasons(home, job):  # a run waits for the build that is running now
            return dg.RunRequest()
        return dg.SkipReason(nothing_new(home))

    return tick


def waiting_run(instance: dg.DagsterInstance, job: str, holder: Holder | None) -> str | None:
    """Return the id of a run that will build the job's assets and has not begun. Otherwise a long run piles up ticks.

    holder: of the build lock: its run has begun, and may not see what is new now.
    """
    end_dead_runs(instance)
    recent = dg.RunsFilter(statuses=UNFINISHED, created_after=datetime.now(UTC) - LONGEST_WAIT)
    for run in instance.get_runs(recent):
        name = run.run_id[:8]
        is_whole = job in COVERED.get(run.job_name, ()) and not run.asset_selection
        if is_whole and (holder is None or name not in holder.what):
            return name
    return None


schedules = [schedule(job, cron) for job, cron in CRON.items()]
