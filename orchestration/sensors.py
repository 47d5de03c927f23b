"""Sensors: new files and new pulls start a build. In: the inbox, Dagster's history. Out: runs of the job `build`."""

import os
from collections.abc import Callable
from hashlib import sha256

import dagster as dg

from connectors.ads import PLATFORMS
from ingestion.files.inbox import INBOXES, is_settled, waiting_files
from ingestion.home import Home
from orchestration.changes import BUILD
from orchestration.instance import UNFINISHED
from orchestration.pulling import schedules
from orchestration.pulling.metadata import ECB, SYNCED, key_of

Evaluation = Callable[[dg.SensorEvaluationContext], dg.RunRequest | dg.SkipReason]


def build_sensor(evaluate: Evaluation) -> dg.SensorDefinition:
    """Return a sensor of the job `build`. Dagster's UI shows the docstring of the function."""
    return dg.sensor(
        job_name=BUILD,
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=evaluate.__doc__,
    )(evaluate)


@build_sensor
def inbox(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Build once for each new set of files in inbox/. A file that cannot be imported is not tried again unchanged."""
    home = Home.from_environment()
    found = [(path, path.lstat()) for kind in INBOXES for path in waiting_files(home, kind)]
    files = [(path, status) for path, status in found if is_settled(status)]
    listed = [os.fsencode(path) + f":{status.st_mtime_ns}:{status.st_size}".encode() for path, status in files]
    cursor = sha256(b"\n".join(listed)).hexdigest()  # a file's name may name a person
    if not files or cursor == context.cursor:
        return dg.SkipReason("no new files in inbox/")
    context.update_cursor(cursor)
    return dg.RunRequest(run_key=None, tags={"files": str(len(files))})


@build_sensor
def after_pulls(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Build once after pulls, from Dagster or from the command line, as soon as no pull is running."""
    keys = {key_of(name) for name in PLATFORMS} | {ECB, SYNCED}
    records = context.instance.get_asset_records(list(keys))
    newest = max((record.asset_entry.last_materialization_storage_id or 0 for record in records), default=0)
    if newest <= int(context.cursor or 0):
        return dg.SkipReason("nothing was pulled since the last build")
    runs = context.instance.get_runs(dg.RunsFilter(statuses=UNFINISHED))
    if pulls := [run.run_id[:8] for run in runs if is_pull(run, keys)]:
        return dg.SkipReason(f"pulls are running: {', '.join(pulls)}")
    context.update_cursor(str(newest))
    return dg.RunRequest()


def is_pull(run: dg.DagsterRun, keys: set[dg.AssetKey]) -> bool:
    """Return whether a run, of a schedule or a backfill, pulls."""
    return bool(keys & (run.asset_selection or set())) or run.job_name.startswith(schedules.PREFIX)
