"""The launcher of runs that start in Dagster's UI, by a schedule or by a sensor. dagster.yaml names it."""

from dagster import DefaultRunLauncher


class LocalRunLauncher(DefaultRunLauncher):
    """Start each run at once, as a process of the code server.

    Dagster's dialogs warn of DefaultRunLauncher, because a backfill can start a run for each of thousands of days. Here
    a backfill starts one run for each platform, and runs wait for each other at the build lock: no queue is needed.
    """
