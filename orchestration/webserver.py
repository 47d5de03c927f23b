"""Dagster's UI behind the guard against other web pages.

In: the address to listen on, a workspace file. Out: a server that runs until a signal stops it.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import uvicorn
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster_webserver.app import create_app_from_workspace_process_context
from dagster_webserver.version import __version__

from ingestion.home import Home
from ingestion.listening import end_with_success
from orchestration.instance import end_dead_runs, open_instance
from orchestration.web_guard import WebGuard

POLL_MILLISECONDS = 2000  # between the UI's questions for new data
STATEMENT_MILLISECONDS, RECYCLE_SECONDS, OVERFLOW = 15_000, 3600, 20  # as `dagster-webserver` sets them
SECONDS_TO_STOP = 5  # a browser keeps its websocket open


def serve(home: Home, host: str, port: int, names: Collection[str], workspace: Path) -> None:
    """Serve the UI. names: further host names under which people open it."""
    with open_instance(home) as instance:
        end_dead_runs(instance)  # a run that was stopped would look as if it were still running
        instance.optimize_for_webserver(STATEMENT_MILLISECONDS, RECYCLE_SECONDS, OVERFLOW)
        target = WorkspaceFileTarget([str(workspace)])
        with WorkspaceProcessContext(instance, target, __version__, code_server_log_level="warning") as context:
            app = create_app_from_workspace_process_context(context, live_data_poll_rate=POLL_MILLISECONDS)
            end_with_success()
            uvicorn.run(
                WebGuard(app, host, names),
                host=host,
                port=port,
                log_level="warning",
                timeout_graceful_shutdown=SECONDS_TO_STOP,
            )
