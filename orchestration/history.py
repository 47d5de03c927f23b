"""Dagster's run history in SQLite, small and fast. dagster.yaml names it as the storage of every Dagster process.

In: DAGSTER_HOME. Out: history/runs.db has the runs, history/runs/index.db the events of all runs.

Dagster's own storage has a file for each run and writes each event of an asset to a second file: 5.4 MB for a build.
It opens the file again for each event and waits for the disk twice: half of the time of a small run.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from dagster._core.event_api import EventHandlerFn
from dagster._core.events import DagsterEventType
from dagster._core.events.log import EventLogEntry
from dagster._core.instance import RUNLESS_RUN_ID
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import (
    INDEX_SHARD_NAME,
    SqliteEventLogStorage,
    SqliteEventLogStorageWatchdog,
)
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.event import listen
from sqlalchemy.pool import StaticPool
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

from orchestration.event_compression import compress_events

ABANDONED = "Dependencies for step "
# The end of a line about a model, whose materialization has its seconds, too. Where a busy machine needs a tenth of a
# second for it, the history must not grow.
WITHIN_A_SECOND = re.compile(r" in 0\.\d s$")
OPEN_FILES = 4  # the events of all runs, and the runs of earlier versions that were read last

# The last event of an asset, or of one of its days, stays: Dagster reads from it that the asset is materialized.
OUTDATED_EVENTS = """
    select id from event_logs as old
    where run_id = :run and timestamp < :before and not (
        dagster_event_type in ('ASSET_MATERIALIZATION', 'ASSET_OBSERVATION', 'FRESHNESS_STATE_CHANGE')
        and not exists (
            select 1 from event_logs as newer
            where newer.asset_key = old.asset_key and newer.dagster_event_type = old.dagster_event_type
                and newer.partition is old.partition and newer.id > old.id
        )
    )
"""
DELETE_OUTDATED = (
    f"delete from asset_event_tags where event_id in ({OUTDATED_EVENTS})",
    f"delete from event_logs where id in ({OUTDATED_EVENTS})",
    """
    delete from asset_check_executions as old
    where run_id = :run and evaluation_event_timestamp < :before and exists (
        select 1 from asset_check_executions as newer
        where newer.asset_key = old.asset_key and newer.check_name = old.check_name
            and newer.partition is old.partition and newer.id > old.id
    )
    """,
)


class EventLog(SqliteEventLogStorage):
    """Keep the events of all runs in one compressed database, which stays open between events.

    The operating system decides when it writes to the disk: after a power failure the last events of a run may be
    missing, and the file stays whole. A run of an earlier version keeps its own file, <run id>.db.
    """

    # Dagster's methods for storages with one database.
    is_run_sharded = False
    get_event_records = SqlEventLogStorage.get_event_records
    fetch_run_status_changes = SqlEventLogStorage.fetch_run_status_changes

    def __init__(self, base_dir: str) -> None:
        compress_events()
        self._engines: dict[str, Engine] = {}
        self._tables: set[str] = set()
        self._observer: BaseObserver | None = None
        super().__init__(base_dir)

    def store_event(self, event: EventLogEntry) -> None:
        """Store an event, unless others have its content.

        Such are a check that is planned, an output without a value, a line about a model that is built within a second,
        and an error for each step after a failed one: it repeats the failed step's name for each of dozens of inputs,
        below the cause.
        """
        message = event.user_message
        if event.dagster_event is None and (message.startswith(ABANDONED) or WITHIN_A_SECOND.search(message)):
            return
        if event.dagster_event_type == DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED:
            self.store_asset_check_event(event, None)
        elif event.dagster_event_type != DagsterEventType.STEP_OUTPUT:
            SqlEventLogStorage.store_event(self, event)

    def has_table(self, table_name: str) -> bool:
        """Return whether the database of events has a table. Dagster asks for each event, and a table stays."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def path_for_shard(self, run_id: str) -> str:
        """Return the file of a run's events."""
        own = super().path_for_shard(run_id)
        return own if os.path.exists(own) else super().path_for_shard(INDEX_SHARD_NAME)

    def delete_events_for_run(self, conn: Connection, run_id: str) -> None:
        """Delete the events of a run, except the last one of each asset."""
        delete_outdated(conn, run_id, datetime.max)

    def delete_runless_events(self, before: datetime) -> None:
        """Delete events that belong to no run, such as changes of freshness, except the last one of each asset."""
        with self.index_connection() as connection:
            delete_outdated(connection, RUNLESS_RUN_ID, before)

    def watch(self, run_id: str, cursor: str | None, callback: EventHandlerFn) -> None:
        """Call back with each new event of a run."""
        if not self._observer:
            self._obs = self._observer = Observer()  # type: ignore[assignment]  # its class declares None
            self._observer.start()
        watchdog = Watchdog(self, run_id, callback, cursor)
        self._watchers[run_id][callback] = (watchdog, self._observer.schedule(watchdog, self._base_dir))

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            name = Path(self.path_for_shard(shard)).stem
            engine = self._engines.pop(name, None) or self._open(name)
            self._engines[name] = engine  # the most recent is last
            if len(self._engines) > OPEN_FILES:
                self._engines.pop(next(iter(self._engines))).dispose()
            with engine.begin() as connection:
                yield connection

    def _open(self, name: str) -> Engine:
        engine = create_engine(
            self.conn_string_for_shard(name),
            poolclass=StaticPool,  # one connection, which the lock hands from thread to thread
            connect_args={"timeout": 60, "check_same_thread": False},
        )
        listen(engine, "connect", _do_not_wait_for_the_disk)
        if name not in self._initialized_dbs:
            self._initdb(engine)
            self._initialized_dbs.add(name)
        return engine

    def dispose(self) -> None:
        """Close every file."""
        super().dispose()
        with self._db_lock:
            while self._engines:
                self._engines.popitem()[1].dispose()


class Watchdog(SqliteEventLogStorageWatchdog):
    """Read new events when SQLite writes to the log beside the database, which it does for each event."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._log_path += "-wal"
        self._patterns = [self._log_path]


def delete_outdated(connection: Connection, run_id: str, before: datetime) -> None:
    """Delete events and check results of a run that are older than `before` (UTC), except the last ones."""
    for statement in DELETE_OUTDATED:
        connection.execute(text(statement), {"run": run_id, "before": before.isoformat(" ")})


def _do_not_wait_for_the_disk(connection: Any, _: object) -> None:
    connection.execute("pragma synchronous = normal")


class History(DagsterSqliteStorage):
    """Runs, events and schedules below DAGSTER_HOME."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(base_dir, inst_data)
        self._event_log_storage = EventLog(os.path.join(base_dir, "history", "runs", ""))

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Return Dagster's schema of the options: none."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]) -> History:
        """Return the storage for dagster.yaml."""
        return cls.from_local(os.environ["DAGSTER_HOME"], inst_data)
