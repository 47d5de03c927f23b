"""Dagster's instance of a home folder: one run history for the command line and the UI.

In: a Home. Out: an open instance, the environment of Dagster's processes.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.noop_compute_log_manager import NoOpComputeLogManager
from dagster._core.storage.tags import REPOSITORY_LABEL_TAG

from ingestion.home import Home

WORKSPACE = Path(__file__).with_name("workspace.yaml")
REPOSITORY = "__repository__@orchestration.definitions"  # of WORKSPACE, as Dagster labels the runs that it launches
STARTED_BY, PID = "tributary/started_by", "tributary/pid"  # tags of a run

UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def dagster_home(home: Home) -> dict[str, str]:
    """Return the environment of every Dagster process of the home folder, and copy dagster.yaml there."""
    shutil.copyfile(Path(__file__).with_name("dagster.yaml"), home.dagster / "dagster.yaml")
    return {"DAGSTER_HOME": str(home.dagster), "TRIBUTARY_HOME": str(home.root), "DAGSTER_DISABLE_TELEMETRY": "yes"}


def open_instance(home: Home, *, captures_output: bool = True) -> dg.DagsterInstance:
    """Return the instance. The caller closes it.

    captures_output: whether Dagster's UI shows the printed lines of a step. To print them here all the same, Dagster
    starts `tail` processes, which can lose the last lines and outlive a run that is stopped.
    """
    os.environ.update(dagster_home(home))
    if captures_output:
        return dg.DagsterInstance.get()
    module, name = NoOpComputeLogManager.__module__, NoOpComputeLogManager.__name__
    overrides: Any = {"compute_logs": {"module": module, "class": name}}
    return dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(home.dagster), overrides=overrides))


def run_tags() -> dict[str, str]:
    """Return the tags of a run that this process starts from the command line. Dagster's UI shows it under its job."""
    return {STARTED_BY: "command line", PID: str(os.getpid()), REPOSITORY_LABEL_TAG: REPOSITORY}


def end_dead_runs(instance: dg.DagsterInstance) -> None:
    """Record a failure of each run of a killed process, killed alone or together with the server."""
    for run in instance.get_runs(dg.RunsFilter(statuses=UNFINISHED)):
        if PID in run.tags and not is_alive(int(run.tags[PID])):
            instance.report_run_failed(run, f"Process {run.tags[PID]} was stopped or killed.")


def is_alive(pid: int) -> bool:
    """Return whether a process of this machine runs, also one of another user."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
