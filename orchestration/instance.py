"""Dagster's instance of a home folder: one run history for the command line and the UI.

In: a Home. Out: the environment of Dagster's processes, an open instance, runs of killed processes marked as failed.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import dagster as dg

from ingestion.home import Home


def dagster_home(home: Home) -> dict[str, str]:
    """Return the environment of every Dagster process of this home folder."""
    shutil.copyfile(Path(__file__).with_name("dagster.yaml"), home.dagster / "dagster.yaml")
    return {"DAGSTER_HOME": str(home.dagster), "TRIBUTARY_HOME": str(home.root), "DAGSTER_DISABLE_TELEMETRY": "yes"}


def open_instance(home: Home) -> dg.DagsterInstance:
    """Open the run history, and set its environment for this process and its children."""
    os.environ.update(dagster_home(home))
    return dg.DagsterInstance.get()


def end_dead_runs(instance: dg.DagsterInstance) -> None:
    """Mark the runs of killed processes as failed."""
    running = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.NOT_STARTED]
    for run in instance.get_runs(dg.RunsFilter(statuses=running, tags={"tributary/started_by": "command line"})):
        pid = int(run.tags.get("tributary/pid", 0))
        if not is_alive(pid):
            instance.report_run_failed(run, f"Process {pid} was killed.")


def is_alive(pid: int) -> bool:
    """Return whether a process of this machine runs, of any user."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
