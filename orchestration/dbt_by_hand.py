"""Prepare the warehouse for a dbt command that a person starts, such as `dbt build`.

In: the credentials of dbt_project/profiles.yml. Out: up-to-date raw tables, and the build lock until dbt ends.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from dbt.adapters.duckdb.plugins import BasePlugin

from ingestion.home import Home
from ingestion.warehouse import build_lock, connect


class Plugin(BasePlugin):
    """A plugin of dbt-duckdb. It does nothing in a process of Tributary, which holds the lock itself."""

    _held = ExitStack()  # never closed: the operating system frees the lock with the process
    _is_prepared = False  # a process may open several environments

    def initialize(self, plugin_config: dict[str, Any]) -> None:
        """Wait for the build lock, and create or upgrade the raw tables."""
        if "TRIBUTARY_WAREHOUSE" in os.environ or self.creds is None or Plugin._is_prepared:
            return
        Plugin._is_prepared = True
        os.environ["TRIBUTARY_HOME"] = str(Path(self.creds.path).parent)
        home = Home.from_environment()
        self._held.enter_context(build_lock(home, "dbt", print))
        if not home.warehouse.exists():
            print(f"{home.warehouse} is new, and its tables are empty. To load data, run: tributary run")
        connect(home).close()
