"""Everything Dagster knows of Tributary."""

from __future__ import annotations

import dagster as dg
from dagster_dbt import DbtCliResource

from orchestration import assets, jobs
from orchestration.progress import progress_logger
from orchestration.project import DBT_FOLDER, DBT_FOR_DAGSTER
from orchestration.resources import Warehouse

defs = dg.Definitions(
    assets=[assets.settings, *assets.raw_assets, *assets.import_ledgers, assets.models, assets.published],
    jobs=[jobs.build, jobs.land, jobs.attribution, jobs.nightly_duplicates, jobs.daily_rollups],
    schedules=jobs.schedules,
    sensors=[jobs.inbox],
    resources={
        "warehouse": Warehouse(),
        "dbt": DbtCliResource(
            project_dir=assets.project, profiles_dir=str(DBT_FOLDER), dbt_executable=str(DBT_FOR_DAGSTER)
        ),
    },
    loggers={"console": progress_logger},
    # One process a run: its steps never meet each other's lock on the warehouse.
    executor=dg.in_process_executor,
)
