"""A run of the graph from the command line, through Dagster and into its history.

In: a Home, a selection of assets. Out: the errors of the run, none if it succeeded.
"""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from multiprocessing import resource_tracker
from typing import Any

import dagster as dg

from ingestion.home import Home
from orchestration.changes import BUILD
from orchestration.instance import end_dead_runs, open_instance, run_tags

NEW_OBJECTS = 50_000  # between two collections. With Python's 700, collections take a seventh of a small run.


class SelectionError(Exception):
    """A --select that names no asset."""


def run_graph(home: Home, *, select: str | None, full_refresh: bool, log: Callable[[str], None]) -> list[str]:
    """Materialize the graph, or the assets that `select` names. Return the errors of a failed run, otherwise nothing.

    Raises SelectionError.
    """
    gc.set_threshold(NEW_OBJECTS)
    start_resource_tracker()
    with open_instance(home, captures_output=False) as instance:
        end_dead_runs(instance)
        log("reading the dbt project")
        from orchestration.definitions import defs
        from orchestration.models import models

        selected = None
        if select:
            selected = sorted(defs.resolve_asset_graph().get_all_asset_keys() & resolve(defs, select))
        job = defs.resolve_implicit_global_asset_job_def() if selected else defs.resolve_job_def(BUILD)
        config: dict[str, Any] = {"loggers": {"console": {}}}
        if full_refresh and (selected is None or models.keys & set(selected)):
            config["ops"] = {"models": {"config": {"full_refresh": True}}}
        result = job.execute_in_process(
            instance=instance, asset_selection=selected, raise_on_error=False, run_config=config, tags=run_tags()
        )
        return [] if result.success else list(dict.fromkeys(errors(result)))


def start_resource_tracker() -> None:
    """Start the process that deletes dbt's locks once this process has ended. Python would start it later by itself.

    In Python 3.11 the start unblocks Ctrl-C, which this restores. A stopped run leaves its locks to that process, which
    must not warn of them.
    """
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    before = os.environ.get("PYTHONWARNINGS")
    os.environ["PYTHONWARNINGS"] = "ignore"
    try:
        resource_tracker.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        if before is None:
            del os.environ["PYTHONWARNINGS"]
        else:
            os.environ["PYTHONWARNINGS"] = before


def resolve(defs: dg.Definitions, select: str) -> AbstractSet[dg.AssetKey]:
    """Return the assets of a selection in Dagster's syntax, such as `+marts/touchpoints` or `group:raw`; no pulls."""
    from orchestration.pulling.schedules import PULLS

    try:
        keys = (dg.AssetSelection.from_string(select) - PULLS).resolve(defs.resolve_asset_graph())
    except Exception as error:
        raise SelectionError(f"--select {select!r} is no valid selection: {error}") from error
    if not keys:
        raise SelectionError(
            f"--select {select!r} names no asset that a run builds. Try 'key:\"marts/touchpoints\"', 'group:raw' or "
            "'key:\"marts/*\"'. To pull platforms, run: tributary pull all"
        )
    return keys


def errors(result: dg.ExecuteInProcessResult) -> list[str]:
    """Return the cause of each failed step, without its trace."""
    found = []
    for event in result.all_events:
        if event.event_type_value not in ("STEP_FAILURE", "RUN_FAILURE"):
            continue
        stated = getattr(event.event_specific_data, "user_failure_data", None)
        error = getattr(event.event_specific_data, "error", None)
        while error is not None and error.cause is not None:
            error = error.cause
        if stated is not None and stated.description:
            found.append(stated.description)
        elif error is not None:
            message = error.message.removeprefix(f"{error.cls_name}: ").strip()
            found.append(f"{event.step_key or 'run'}: {message}")
    return found
