"""Fill a home's warehouse, run dbt in it and publish the marts, without Dagster.

In: a home folder with settings, landed segments and files in the inbox, or rows inserted by a test.
Out: models in the warehouse; published files; the output of dbt.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ingestion.files.column_mapping import ImportOptions
from ingestion.files.contracts import CONTRACTS
from ingestion.files.inbox import import_inbox
from ingestion.files.load import load_file
from ingestion.home import Home
from ingestion.segments.loading import load_landing
from ingestion.settings.load import load_settings
from ingestion.settings.raw_tables import store_settings
from ingestion.warehouse import connect
from serving.publish import publish
from tests.support import warm
from tests.support.home import ROOT

DBT_PROJECT = ROOT / "dbt_project"


def dbt(home: Path, *arguments: str) -> str:
    """Run dbt on a home's warehouse and return its output; fail the test unless dbt succeeds.

    dbt starts in the home folder and finds the warehouse by a relative path. Therefore all homes have the same
    profile, and dbt reads the parsed project that `new_home` copied instead of parsing it again.
    """
    done = warm.run("dbt", ["--no-use-colors", *arguments], environment(home), home, seconds=600)
    assert done.returncode == 0, f"dbt {arguments} failed:\n{done.stdout[-8000:]}{done.stderr}"
    return done.stdout


def compile_dialects(home: Path) -> None:
    """Compile every model and test for DuckDB and for Spark into the home's folders `duckdb` and `spark`."""
    command = [sys.executable, "-m", "tests.support.compile_dialects", str(home)]
    subprocess.run(command, cwd=home, env=environment(home), check=True, timeout=600)


def environment(home: Path) -> dict[str, str]:
    """Return the environment of dbt for a home."""
    target = str(home / "dbt")
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "TRIBUTARY_WAREHOUSE": "warehouse.duckdb",
        "TRIBUTARY_TEMPORARY": "tmp",
        "TRIBUTARY_MEMORY_LIMIT": "2GB",
        "DBT_PROJECT_DIR": str(DBT_PROJECT),
        "DBT_PROFILES_DIR": str(DBT_PROJECT),
        "DBT_TARGET_PATH": target,
        "DBT_LOG_PATH": target,
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }


def build_models(home: Path, *models: str, options: Sequence[str] = ()) -> str:
    """Build the models that dbt's selectors name, or all of them, and run their data tests; return dbt's output.

    The unit tests do not depend on the warehouse: test_models.py runs them once.
    """
    select = ["--select", *models, "--indirect-selection", "cautious"] if models else []
    quickly = ("--no-write-json", "--log-level-file", "none")
    return dbt(home, *quickly, "build", "--exclude-resource-type", "unit_test", *select, *options)


def compiled_sql(home: Path, model: str) -> str:
    """Return the SQL of a model as dbt compiled it when it last ran in the home."""
    (path,) = (home / "dbt" / "compiled").glob(f"**/models/**/{model}.sql")
    return path.read_text()


def load_raw_tables(home: Path) -> None:
    """Load the settings, the landed segments and every file of the inbox."""
    root = Home(home)
    root.temporary.mkdir(exist_ok=True)
    settings = load_settings(root)
    with connect(root) as connection:
        store_settings(connection, settings)
        load_landing(connection, root, settings)
        for kind in CONTRACTS:
            import_inbox(connection, root, settings, kind, progress=lambda message: None)


def import_files(home: Path, kind: str, *paths: Path, **options: Any) -> None:
    """Load files, as `tributary import` does; the options are those of `ImportOptions`, such as org and timezone."""
    root = Home(home)
    with connect(root) as connection:
        for path in paths:
            load_file(connection, kind, path, load_settings(root), ImportOptions(**options))


def build_home(home: Path) -> None:
    """Load, build and publish everything, as `tributary run` does, but without Dagster."""
    load_raw_tables(home)
    build_models(home)
    publish_marts(home)


def publish_marts(home: Path) -> None:
    """Publish the marts of the warehouse as a new version."""
    with connect(Home(home)) as connection:
        publish(connection, home / "published")
