"""Fill a home's warehouse, build the models in it and publish the marts, without Dagster.

In: a home folder with settings, landed segments and files in the inbox, or rows inserted by a test.
Out: models in the warehouse; published files; the output of dbt.

dbt needs half a minute for a small warehouse, and DuckDB needs seconds for the same statements. Therefore dbt builds
an empty warehouse once, and `Project` executes the statements of that build in the warehouses of the tests.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb

from ingestion.channel_effects import create_channel_effects
from ingestion.files.column_mapping import ImportOptions
from ingestion.files.contracts import CONTRACTS
from ingestion.files.inbox import import_inbox
from ingestion.files.load import load_file
from ingestion.home import Home
from ingestion.segments.loading import load_landing
from ingestion.settings.load import load_settings
from ingestion.settings.raw_tables import store_settings
from ingestion.warehouse import connect
from serving.publishing.publish import publish
from tests.support import warm
from tests.support.home import ROOT

DBT_PROJECT = ROOT / "dbt_project"
CONFIG = {"storage_compatibility_version": "v1.5.0", "memory_limit": "2GB"}


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
        "DBT_LOG_LEVEL_FILE": "none",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }


class Project:
    """The dbt project as dbt built it in a home with an empty warehouse."""

    def __init__(self, home: Path) -> None:
        self.home = home

    @classmethod
    def build_empty(cls, home: Path) -> None:
        """Let dbt build every seed, model and data test in a home that has no warehouse yet, and keep its output.

        The unit tests do not depend on the warehouse: test_models.py runs them.
        """
        connect(Home(home)).close()
        (home / "output").write_text(dbt(home, "build", "--exclude-resource-type", "unit_test"))

    @cached_property
    def nodes(self) -> dict[str, dict[str, Any]]:
        """The seeds, models and data tests of the manifest, by id."""
        found: dict[str, dict[str, Any]] = json.loads((self.home / "dbt" / "manifest.json").read_bytes())["nodes"]
        return found

    @property
    def output(self) -> str:
        """dbt's output of the build."""
        return (self.home / "output").read_text()

    def build_models(self, home: Path, *names: str) -> list[str]:
        """Build the models and all that they need, or every model, and run their data tests.

        Return the tests that warn. Fail if another test finds rows.
        """
        selected = self.with_parents(names)
        found: dict[str, list[str]] = {"warn": [], "error": []}
        with duckdb.connect(str(home / "warehouse.duckdb"), config=CONFIG) as connection:
            create_channel_effects(connection)
            connection.execute(f"set TimeZone = 'UTC'; set temp_directory = '{home / 'tmp'}'")
            connection.execute(f"attach '{self.home / 'warehouse.duckdb'}' as built (read_only); begin")
            for schema in ("seeds", "staging", "intermediate", "marts"):
                connection.execute(f"create schema if not exists {schema}")
            for node in self.of_type("seed"):
                name = f"seeds.{node['name']}"
                connection.execute(f"create or replace table {name} as from built.{name}")
            for key in selected:
                node = self.nodes.get(key, {})
                if node.get("resource_type") == "model" and node["config"]["materialized"] != "ephemeral":
                    connection.execute(self.statement(node))
            for node in self.of_type("test"):
                if set(node["depends_on"]["nodes"]) <= selected.keys():
                    (failures, *_) = connection.execute(self.statement(node)).fetchone() or ()
                    if failures:
                        found[node["config"]["severity"].lower()].append(node["name"])
            connection.execute("commit")
        assert found["error"] == [], found["error"]
        return found["warn"]

    def with_parents(self, names: tuple[str, ...]) -> dict[str, None]:
        """Return the ids of the models with these names, or of all, and of everything upstream, parents first."""
        found: dict[str, None] = {}

        def add(key: str) -> None:
            if key not in found:
                for parent in self.nodes.get(key, {"depends_on": {"nodes": []}})["depends_on"].get("nodes", ()):
                    add(parent)
                found[key] = None

        keys = {node["name"]: node["unique_id"] for node in self.of_type("model")}
        for name in names or keys:
            add(keys[name])
        return found

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        """Return the nodes of a type."""
        return [node for node in self.nodes.values() if node["resource_type"] == kind]

    def statement(self, node: dict[str, Any]) -> str:
        """Return the SQL that dbt ran for a model or test: with the columns and constraints of a contract."""
        path = self.home / "dbt" / "run" / node["package_name"] / node["original_file_path"]
        return (path if path.suffix == ".sql" else path / node["path"]).read_text()

    def compiled_sql(self, name: str) -> str:
        """Return the query of a model."""
        (path,) = (self.home / "dbt" / "compiled").glob(f"**/models/**/{name}.sql")
        return path.read_text()

    def build_home(self, home: Path) -> None:
        """Load, build and publish everything, as `tributary run` does, but without Dagster."""
        load_raw_tables(home)
        self.build_models(home)
        publish_marts(home)


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


def publish_marts(home: Path) -> None:
    """Publish the marts of the warehouse as a new version."""
    with connect(Home(home)) as connection:
        publish(connection, home / "published")
