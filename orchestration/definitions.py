"""Dagster's code location: all assets, jobs, schedules, sensors and resources of Tributary."""

from __future__ import annotations

import dagster as dg

from ingestion.home import Home
from ingestion.settings.load import load_settings
from orchestration import assets, jobs, schedules, sensors
from orchestration.models import models
from orchestration.progress import progress_logger
from orchestration.pulling import assets as pulls
from orchestration.pulling import schedules as pull_schedules
from orchestration.resources import Warehouse

settings = load_settings(Home.from_environment())  # its accounts make schedules: reload after a change

defs = dg.Definitions(
    assets=[
        *pulls.assets(settings),
        assets.settings,
        *assets.raw_assets,
        *assets.import_ledgers,
        models,
        assets.published,
    ],
    jobs=[
        jobs.build,
        jobs.land,
        jobs.attribution,
        jobs.nightly_duplicates,
        jobs.daily_rollups,
        *pull_schedules.jobs.values(),
    ],
    schedules=[*schedules.schedules, *pull_schedules.schedules(settings)],
    sensors=[sensors.inbox, sensors.after_pulls],
    resources={"warehouse": Warehouse()},
    loggers={"console": progress_logger},
    # One process for each run: its steps share one connection to the warehouse.
    executor=dg.in_process_executor,
)
