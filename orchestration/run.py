"""A run of the graph from the command line, through Dagster and into its history."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import redirect_stdout

import dagster as dg

from ingestion.home import Home
from orchestration.instance import end_dead_runs, open_instance

BUILD = "build"


class SelectionError(Exception):
    """A --select that names nothing."""


def run_graph(home: Home, *, select: str | None, full_refresh: bool, say: Callable[[str], None]) -> list[str]:
    """Materialize the graph, or what `select` names of it; the errors of a failed run, none when all went well."""
    with open_instance(home) as instance:
        end_dead_runs(instance)
        say("reading the dbt project")
        from orchestration.definitions import defs
        from orchestration.models import models

        selected = None
        if select:
            selected = sorted(defs.resolve_asset_graph().get_all_asset_keys() & resolve(defs, select))
        job = defs.resolve_implicit_global_asset_job_def() if selected else defs.resolve_job_def(BUILD)
        config: dict = {"loggers": {"console": {}}}
        if full_refresh and (selected is None or models.keys & set(selected)):
            config["ops"] = {"models": {"config": {"full_refresh": True}}}
        # dbt's own lines go to its log file; the progress logger says what a person waits for.
        with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
            result = job.execute_in_process(
                instance=instance,
                asset_selection=selected,
                raise_on_error=False,
                run_config=config,
                tags={"tributary/started_by": "command line", "tributary/pid": str(os.getpid())},
            )
        return [] if result.success else list(dict.fromkeys(errors(result)))


def resolve(defs: dg.Definitions, select: str) -> set[dg.AssetKey]:
    """The assets of a selection in Dagster's syntax, such as `+marts/touchpoints` or `group:raw`; no pulls."""
    from orchestration.pulling.schedules import PULLS

    try:
        keys = (dg.AssetSelection.from_string(select) - PULLS).resolve(defs.resolve_asset_graph())
    except Exception as error:
        raise SelectionError(f"--select {select!r} is not understood: {error}") from error
    if not keys:
        raise SelectionError(
            f"--select {select!r} names no asset that a run builds. Try 'key:\"marts/touchpoints\"', 'group:raw' or "
            "'key:\"marts/*\"'; platforms are pulled by: tributary pull all"
        )
    return keys


def errors(result: dg.ExecuteInProcessResult) -> list[str]:
    """What failed, the root causes without their traces."""
    found = []
    for event in result.all_events:
        if event.event_type_value not in ("STEP_FAILURE", "RUN_FAILURE"):
            continue
        error = getattr(event.event_specific_data, "error", None)
        while error is not None and error.cause is not None:
            error = error.cause
        if error is not None:
            found.append(f"{event.step_key or 'run'}: {readable(error.message)}")
    return found


def readable(message: str) -> str:
    """What dbt complains of, without its colours and the command that was run; any other message as it is."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", message)
    return plain.rpartition("Errors parsed from dbt logs:")[2].strip()
