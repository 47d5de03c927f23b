"""dbt_project/, parsed and built inside this process.

In: a Home; `build` needs its build lock. Out: a DbtProject with a manifest of the SQL on disk, results of a build.

dbt ends with the process that runs it. A separate dbt process could outlive a killed run and keep DuckDB's lock.
"""

from __future__ import annotations

import gc
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

from ingestion.attribution_models import dbt_variables
from ingestion.home import Home
from ingestion.settings.load import load_settings
from ingestion.warehouse import memory_limit
from orchestration.fingerprint import DBT_FOLDER, dbt_project

if TYPE_CHECKING:
    from dagster_dbt import DbtProject
    from dbt.artifacts.schemas.run import RunExecutionResult, RunResult
    from dbt.cli.main import dbtRunnerResult
    from dbt.contracts.graph.manifest import Manifest
    from dbt_common.events.base_types import EventMsg

PARSED = "parsed"  # the file in the home's dbt/ that names the parsed project
FAILED = ("error", "fail", "runtime error", "partial success")


class ProjectError(Exception):
    """dbt cannot parse the project, or could not start."""


def set_environment(home: Home) -> None:
    """Set the variables that profiles.yml and dbt read."""
    os.environ.update(
        TRIBUTARY_HOME=str(home.root),
        TRIBUTARY_WAREHOUSE=str(home.warehouse),
        TRIBUTARY_TEMPORARY=str(home.temporary),
        TRIBUTARY_MEMORY_LIMIT=memory_limit(),
        DBT_SEND_ANONYMOUS_USAGE_STATS="false",
        DBT_TARGET_PATH=str(home.root / "dbt"),
        DBT_LOG_PATH=str(home.root / "dbt" / "logs"),
        DBT_INDIRECT_SELECTION="cautious",  # of a selection, run no test that needs a model outside of it
        DO_NOT_TRACK="1",
    )


def load_project(home: Home) -> DbtProject:
    """Return the project with a manifest of the models as they are on disk now. Raises ProjectError."""
    from dagster_dbt import DbtProject  # takes seconds to import

    set_environment(home)
    project = DbtProject(DBT_FOLDER, target_path=home.root / "dbt")
    if not is_parsed(home):
        done = invoke(["parse", *variables(home)])
        if done.exception:
            raise ProjectError(f"dbt cannot parse {DBT_FOLDER}: {plain(done.exception)}")
        mark_parsed(home)
    return project


def is_parsed(home: Home) -> bool:
    """Return whether the home has the manifest of this dbt project, parsed by these versions of its packages."""
    mark = home.root / "dbt" / PARSED
    return mark.exists() and mark.read_text() == _identity(home)


def mark_parsed(home: Home) -> None:
    """Note that dbt has parsed the project into the home."""
    (home.root / "dbt" / PARSED).write_text(_identity(home))


def variables(home: Home) -> list[str]:
    """Return the option of dbt that replaces variables of the project, or no option. Raises SettingsError."""
    replaced = dbt_variables(load_settings(home))
    return ["--vars", json.dumps(replaced)] if replaced else []


def _identity(home: Home) -> str:
    """Return a text that changes with the project, its packages and its variables."""
    return " ".join([dbt_project(), *variables(home)])


def parsed(home: Home) -> Manifest | None:
    """Return the project as dbt parsed it, or None if its file cannot be read: dbt then parses again.

    dbt itself would parse again in a home at another path, since the path is part of the profile.
    """
    from dbt.contracts.graph.manifest import Manifest
    from dbt.parser.manifest import extended_mashumuro_decoder

    try:
        stored = (home.root / "dbt" / "partial_parse.msgpack").read_bytes()
        manifest: Manifest = Manifest.from_msgpack(stored, decoder=extended_mashumuro_decoder)
    except (OSError, ValueError, LookupError, TypeError):
        return None
    manifest.build_flat_graph()  # type: ignore[no-untyped-call]
    return manifest


def build(home: Home, arguments: Sequence[str], on_result: Callable[[EventMsg], None]) -> list[RunResult]:
    """Run `dbt build` with the arguments and return the result of each model, seed and test.

    `on_result` gets dbt's event of each, in one of dbt's threads. Raises ProjectError if dbt could not start;
    otherwise a failure is in the results.
    """
    set_environment(home)
    # Unit tests prove the SQL on their own rows, whatever the data are. The test suite runs them.
    done = invoke(
        ["--no-write-json", "build", "--exclude-resource-type", "unit_test", *variables(home), *arguments],
        manifest=parsed(home),
        on_event=on_result,
    )
    if done.exception:
        raise ProjectError(f"dbt could not build: {plain(done.exception)}")
    result = cast("RunExecutionResult", done.result)
    return list(result.results)


def invoke(
    arguments: Sequence[str],
    manifest: Manifest | None = None,
    on_event: Callable[[EventMsg], None] | None = None,
) -> dbtRunnerResult:
    """Run a dbt command. Its lines go to the log file in the home's dbt/logs, none to the console."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    from orchestration.dbt_events import leave_out_debug_events

    leave_out_debug_events()
    runner = dbtRunner(manifest=manifest, callbacks=[on_event] if on_event else [])
    folders = ["--project-dir", str(DBT_FOLDER), "--profiles-dir", str(DBT_FOLDER)]
    gc.disable()  # a collection goes through the whole manifest and frees nothing
    try:
        done = runner.invoke(["--log-level", "none", "--log-level-file", "info", *arguments, *folders])
    finally:
        gc.enable()
        if DuckDBConnectionManager._ENV:
            DuckDBConnectionManager.env().close()  # dbt would keep the warehouse open as long as its process lives
    if done.exception and not isinstance(done.exception, Exception):
        raise done.exception  # an interruption, which dbt turns into a result
    return done


def failures(results: Sequence[RunResult], found: Mapping[str, str]) -> list[str]:
    """Return a sentence for each model, seed or test that failed. found: the rows that a test found, by its id."""
    return [
        f"{result.node.resource_type} {result.node.name}: {found.get(result.node.unique_id) or plain(result.message)}"
        for result in results
        if result.status in FAILED
    ]


def plain(message: object) -> str:
    """Return dbt's message without colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", str(message)).strip()
