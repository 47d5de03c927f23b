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

# Accounts and logins make the assets and schedules of pulls. docs/dagster.md explains when to reload them.
home = Home.from_environment()
settings = load_settings(home)
pull_assets = pulls.assets(home, settings)

defs = dg.Definitions(
    assets=[
        *pull_assets,
        *assets.raw_assets([asset.key for asset in pull_assets]),
        models,
        assets.published,
    ],
    jobs=[
        jobs.build,
        jobs.land,
        jobs.nightly_duplicates,
        *pull_schedules.jobs(home, settings),
    ],
    schedules=[*schedules.schedules, *pull_schedules.schedules(home, settings)],
    sensors=[sensors.inbox, sensors.after_pulls],
    resources={"warehouse": Warehouse()},
    loggers={"console": progress_logger},
    # One process for each run: its steps share one connection to the warehouse.
    executor=dg.in_process_executor,
)
