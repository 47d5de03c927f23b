"""Schedules of the jobs that build (UTC). In: a home. Out: a run at each tick, or a skipped tick if nothing changed.

orchestration/pulling/schedules.py has the schedules of pulls.
"""

import dagster as dg

from ingestion.home import Home
from ingestion.warehouse import lock_holder
from orchestration.changes import ATTRIBUTION, DUPLICATES, LAND, ROLLUPS, nothing_new, reasons

CRON = {LAND: "*/15 * * * *", ATTRIBUTION: "0 * * * *", DUPLICATES: "0 2 * * *", ROLLUPS: "0 3 * * *"}


def schedule(job: str, cron: str) -> dg.ScheduleDefinition:
    """Return the schedule of a job. It runs as soon as the server does; the UI can stop it."""

    @dg.schedule(
        name=f"{job}_schedule",
        job_name=job,
        cron_schedule=cron,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Skips a tick if a run would change nothing.",
    )
    def tick() -> dg.RunRequest | dg.SkipReason:
        home = Home.from_environment()
        if lock_holder(home) or reasons(home, job):  # a run waits for the build that is running now
            return dg.RunRequest()
        return dg.SkipReason(nothing_new(home))

    return tick


schedules = [schedule(job, cron) for job, cron in CRON.items()]
