"""What steps share: the home folder, and its one writer's place for as long as the run lasts."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
import duckdb

from ingestion.home import Home
from ingestion.warehouse import build_lock, connect


class Warehouse(dg.ConfigurableResource):
    """The home folder's warehouse. Holds the build lock from the run's first step to its last.

    With the in-process executor a resource lives once a run, so that a build sees one input from raw to published.
    """

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> "Iterator[Warehouse]":
        run = context.run.run_id[:8] if context.run else "-"
        with build_lock(self.home, f"run {run}", context.log.info):
            yield self

    @property
    def home(self) -> Home:
        return Home.from_environment()

    def connect(self) -> duckdb.DuckDBPyConnection:
        return connect(self.home)
