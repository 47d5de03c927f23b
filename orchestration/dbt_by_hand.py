"""Prepare the warehouse for a dbt command that a person starts, such as `dbt build`.

In: the credentials of dbt_project/profiles.yml. Out: up-to-date raw tables, and the build lock until dbt ends.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from dbt.adapters.duckdb.plugins import BasePlugin
from duckdb import DuckDBPyConnection

from ingestion.channel_effects import create_channel_effects
from ingestion.home import Home
from ingestion.warehouse import build_lock, connect
from orchestration.unchanged import forget


class Plugin(BasePlugin):
    """A plugin of dbt-duckdb. It does nothing in a process of Tributary, which holds the lock itself."""

    _held: ExitStack | None = None  # of this process; the operating system frees the lock when the process ends

    def initialize(self, plugin_config: dict[str, Any]) -> None:
        """Wait for the build lock, and create or upgrade the raw tables. A second plugin finds both done."""
        if "TRIBUTARY_WAREHOUSE" in os.environ or self.creds is None or Plugin._held:
            return
        os.environ["TRIBUTARY_HOME"] = str(Path(self.creds.path).parent)
        home = Home.from_environment()
        Plugin._held = ExitStack()
        Plugin._held.enter_context(build_lock(home, "dbt", print))
        if not home.warehouse.exists():
            print(f"{home.warehouse} is new, and its tables are empty. To load data, run: tributary run")
        with connect(home) as connection:
            forget(connection)

    def configure_connection(self, conn: DuckDBPyConnection) -> None:
        """Create the functions that models use."""
        create_channel_effects(conn)

    @classmethod
    def release(cls) -> None:
        """Free the lock in a process that goes on."""
        if cls._held:
            cls._held.close()
            cls._held = None
