"""The warehouse, open for one run, and the lock that keeps other writers away for as long.

In: the home folder, a run. Out: a connection, the settings, a record of a run that succeeded.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
from pydantic import PrivateAttr

from ingestion.home import Home
from ingestion.settings.load import load_settings
from ingestion.settings.model import Settings
from ingestion.sql import Connection
from ingestion.warehouse import build_lock, connect
from orchestration.changes import COVERED, Beginning, record_run
from orchestration.instance import PID
from orchestration.retention import delete_old_runs
from serving.publishing.publish import Version


class Warehouse(dg.ConfigurableResource["Warehouse"]):
    """The warehouse of the home folder. It holds the build lock from the run's first step to its last.

    With the in-process executor a resource lives as long as its run. The steps share one connection, so that DuckDB
    keeps its cache and saves its file once. dbt shares it too: profiles.yml has the same options as `connect`.
    """

    _connection: Connection = PrivateAttr()
    _settings: Settings = PrivateAttr()
    _beginning: Beginning = PrivateAttr()
    _loads: tuple[object, ...] = PrivateAttr()

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> "Iterator[Warehouse]":
        """Wait for the build lock, delete old runs from the history, and open the warehouse."""
        run = context.run.run_id[:8] if context.run else "-"
        if context.run and context.instance:
            context.instance.add_run_tags(context.run.run_id, {PID: str(os.getpid())})
        progress = context.log.info if context.log else print
        with build_lock(self.home, f"run {run}", progress):
            self._beginning = Beginning(self.home)
            self._settings = load_settings(self.home)
            if context.instance:
                delete_old_runs(self.home, context.instance, self._settings.history.keep_days, progress)
            self._connection = connect(self.home)
            self._loads = loads(self._connection)
            with self._connection:
                yield self

    @property
    def home(self) -> Home:
        """The home folder that the environment names."""
        return Home.from_environment()

    @property
    def connection(self) -> Connection:
        """The connection of the run."""
        return self._connection

    @property
    def settings(self) -> Settings:
        """tributary.yaml as it was when the run began."""
        return self._settings

    def end(self, context: dg.AssetExecutionContext, version: Version | None = None) -> None:
        """Close the warehouse and record the run. Call this in the last step of a job, with the version it published.

        A run that builds a part of its job, or has a failed step, is not recorded.
        """
        run = context.run
        is_part = run.asset_selection or run.asset_check_selection is not None or run.parent_run_id
        if run.job_name not in COVERED or is_part or context.instance.get_run_stats(run.run_id).steps_failed:
            return
        loaded = loads(self._connection) != self._loads
        self._connection.close()
        record_run(self.home, run.job_name, self._beginning, loaded=loaded, version=version)


def loads(connection: Connection) -> tuple[object, ...]:
    """Return what every load changes: how many there were, and when the last one was."""
    return connection.execute("select count(*), max(loaded_at) from raw.loads").fetchall()[0]
