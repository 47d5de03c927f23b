"""Dagster's history: its events are compressed, old runs are deleted, and a year of runs stays small."""

from __future__ import annotations

import hashlib
import os
import re
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.events import (
    AssetMaterializationPlannedData,
    DagsterEvent,
    DagsterEventType,
    StepMaterializationData,
)
from dagster._core.storage.runs.schema import RunsTable
from dagster._serdes import serialize_value
from sqlalchemy import text

from bench.history import KEEP_DAYS, LIMIT, RUNS_A_DAY, Simulation, assets_of_jobs
from cli.status import last_runs
from ingestion.home import Home
from orchestration import retention, webserver
from orchestration.event_compression import DICTIONARY
from orchestration.instance import PID, open_instance
from orchestration.retention import delete_old_runs, return_free_space
from tests.support.home import copy_home
from tests.support.waiting import wait_until

NOW = datetime.now(UTC)
DAILY, SINGLE = dg.AssetKey("daily"), dg.AssetKey("single")


@contextmanager
def at_home(root: Path) -> Iterator[Home]:
    """Use a home folder in this process. Dagster and dbt add variables to the environment, which end with it."""
    before = dict(os.environ)
    os.environ["TRIBUTARY_HOME"] = str(root)
    yield Home.from_environment()
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def home(tmp_path) -> Iterator[Home]:
    with at_home(tmp_path / "home") as home:
        yield home


@pytest.fixture(scope="module")
def empty_history(tmp_path_factory) -> Path:
    """The files of a history without runs, which take seconds to create."""
    with at_home(tmp_path_factory.mktemp("empty") / "home") as home, open_instance(home) as instance:
        instance.get_runs_count()
    return home.dagster


@pytest.fixture
def instance(home, empty_history) -> Iterator[dg.DagsterInstance]:
    copy_home(empty_history, home.dagster)
    with open_instance(home) as instance:
        yield instance


def add_run(
    instance: dg.DagsterInstance, days_old: int, *days: str, status: dg.DagsterRunStatus = dg.DagsterRunStatus.SUCCESS
) -> str:
    """Store a run that materialized one asset, and the given days of another; return its id."""
    run = instance.run_storage.add_run(dg.DagsterRun("build", status=status))
    for key, day in [(SINGLE, None), *((DAILY, day) for day in days)]:
        planned = DagsterEvent(
            DagsterEventType.ASSET_MATERIALIZATION_PLANNED.value,
            "build",
            event_specific_data=AssetMaterializationPlannedData(key, day),
        )
        instance.report_dagster_event(planned, run.run_id)
        done = DagsterEvent(
            DagsterEventType.ASSET_MATERIALIZATION.value,
            "build",
            event_specific_data=StepMaterializationData(
                dg.AssetMaterialization(key, partition=day, metadata={"rows": len(days)}), []
            ),
        )
        instance.report_dagster_event(done, run.run_id)
    created = (NOW - timedelta(days=days_old)).replace(tzinfo=None)
    with instance.run_storage.connect() as connection:
        connection.execute(RunsTable.update().where(RunsTable.c.run_id == run.run_id).values(create_timestamp=created))
    return run.run_id


def events(instance: dg.DagsterInstance, sql: str) -> list[tuple]:
    with instance.event_log_storage.index_connection() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


def test_old_runs_are_deleted_but_for_the_last_event_of_each_asset_and_day(home, instance):
    ancient = add_run(instance, 90, "2026-07-01", "2026-07-02")
    old = add_run(instance, 31, "2026-07-02", "2026-07-03")
    unfinished = add_run(instance, 31, status=dg.DagsterRunStatus.STARTED)
    recent = add_run(instance, 29, "2026-07-03")
    output = {run: home.dagster / "storage" / run / "compute_logs" for run in (ancient, recent)}
    for folder in output.values():
        folder.mkdir(parents=True)
    messages: list[str] = []
    delete_old_runs(home, instance, 30, messages.append, NOW)
    assert set(instance.get_run_ids()) == {unfinished, recent}
    assert messages == ["deleted 2 runs older than 30 days from Dagster's history"]
    assert [folder.exists() for folder in output.values()] == [False, True]
    kept = events(instance, "select run_id, partition from event_logs")
    assert {row for row in kept if row[0] in (ancient, old)} == {(ancient, "2026-07-01"), (old, "2026-07-02")}
    assert instance.get_materialized_partitions(DAILY) == {"2026-07-01", "2026-07-02", "2026-07-03"}
    assert instance.get_latest_materialization_event(SINGLE).run_id == recent
    delete_old_runs(home, instance, 1, messages.append, NOW)
    assert instance.get_run_ids() == [unfinished]
    assert instance.get_materialized_partitions(DAILY) == {"2026-07-01", "2026-07-02", "2026-07-03"}
    assert instance.get_latest_materialization_event(SINGLE).asset_materialization.metadata["rows"].value == 1


def test_a_deletion_has_a_limit_and_the_next_one_deletes_the_rest(home, instance, monkeypatch):
    monkeypatch.setattr(retention, "RUNS_AT_ONCE", 2)
    runs = [add_run(instance, days) for days in (60, 50, 40)]
    delete_old_runs(home, instance, 30, print, NOW)
    assert instance.get_run_ids() == [runs[2]]
    delete_old_runs(home, instance, 30, print, NOW)
    assert instance.get_run_ids() == []


def test_events_are_compressed_and_those_of_earlier_versions_stay_readable(home, instance):
    run = add_run(instance, 0)
    (stored,) = events(instance, "select event from event_logs where dagster_event_type = 'ASSET_MATERIALIZATION'")
    (record,) = instance.get_records_for_run(run, of_type=DagsterEventType.ASSET_MATERIALIZATION).records
    plain = serialize_value(record.event_log_entry)
    assert isinstance(stored[0], bytes)
    assert len(stored[0]) * 4 < len(plain)
    with instance.event_log_storage.index_connection() as connection:
        connection.execute(
            text("update event_logs set event = :plain where event = :stored"), {"plain": plain, "stored": stored[0]}
        )
    (again,) = instance.get_records_for_run(run, of_type=DagsterEventType.ASSET_MATERIALIZATION).records
    assert again == record


def test_the_dictionary_never_changes_because_stored_events_depend_on_it():
    assert hashlib.sha256(DICTIONARY).hexdigest() == "a0a1aa5f0ff0922bf95621bedd9a29845d9b00a8abe90c7552e318a218edd146"


def test_the_file_of_a_run_of_an_earlier_version_is_read_and_deleted_with_the_run(home, instance):
    run, other = add_run(instance, 40), add_run(instance, 0)
    folder = home.dagster / "history" / "runs"
    instance.event_log_storage.dispose()
    with closing(sqlite3.connect(folder / "index.db")) as connection:
        connection.execute("vacuum into ?", [f"{folder / run}.db"])
        connection.execute("delete from event_logs where run_id = ?", [run])
        connection.commit()
    assert len(instance.all_logs(run)) == 2
    assert len(instance.all_logs(other)) == 2
    delete_old_runs(home, instance, 30, print, NOW)
    assert sorted(path.name for path in folder.glob("*.db")) == ["index.db"]


def test_status_prints_the_runs_the_size_and_the_days(home, instance):
    add_run(instance, 0)
    line, _ = last_runs(home, keep_days=30)
    assert re.fullmatch(r"Dagster's history: 1 run in \d+\.\d MB, kept for 30 days\.", line)


def test_a_watcher_gets_an_event_that_another_process_stores(home, instance):
    run = add_run(instance, 0)
    found: list[str] = []
    instance.watch_event_logs(run, None, lambda event, cursor: found.append(event.message))
    with dg.DagsterInstance.get() as other:
        other.report_engine_event("news", other.get_run_by_id(run))
    wait_until(lambda: "news" in found, "the watcher has the event")


def test_a_database_gives_free_space_back(tmp_path, monkeypatch):
    monkeypatch.setattr(retention, "FREE_BYTES", 1_000_000)
    path = tmp_path / "history.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("create table filled (bytes)")
        connection.executemany("insert into filled values (randomblob(?))", [(4000,)] * 1000)
        connection.commit()
        connection.execute("delete from filled where rowid > 100")
        connection.commit()
        assert path.stat().st_size > 4_000_000
        connection.execute("begin")
        connection.execute("select count(*) from filled").fetchone()
        connection.execute("insert into filled values ('')")
        return_free_space(path)  # a writer has it locked
        assert path.stat().st_size > 4_000_000
        connection.rollback()
    return_free_space(path)
    assert path.stat().st_size < 1_000_000


def test_deleted_runs_make_room_for_new_ones(home, instance):
    """Add three runs on each simulated day and keep four days: from the fifth day on, the history has one size."""
    sizes = []
    for day in range(12):
        for _ in range(3):
            add_run(instance, -day, f"day {day % 4}")
        delete_old_runs(home, instance, 4, print, NOW + timedelta(days=day + 1 / 24))
        used = "select page_count - freelist_count from pragma_page_count, pragma_freelist_count"
        ((pages,),) = events(instance, used)
        sizes.append(pages)
    assert instance.get_runs_count() == 12
    early, late = max(sizes[4:8]), max(sizes[8:])
    assert late - early <= 2  # pages: ids are random, so that a compressed run is not always equally long


def test_a_year_of_runs_stays_below_two_gigabytes(built, home):
    """Repeat the events of a real build as three jobs, and multiply their sizes by the runs of the days that are kept.

    bench/history.py simulates the whole year.
    """
    copy_home(built, home.root)
    with open_instance(home) as instance:
        simulation = Simulation(home, instance, assets_of_jobs(), share=1)
        sizes = dict.fromkeys(RUNS_A_DAY, 0)
        for job in ("land", "build"):
            before = simulation.size()
            simulation.repeat(job, NOW)
            sizes[job] = simulation.size() - before
    sizes["nightly_duplicates"] = sizes["build"]
    assert 0 < sizes["land"] < sizes["build"] < 700_000, sizes
    total = before + KEEP_DAYS * sum(runs * sizes[job] for job, runs in RUNS_A_DAY.items())
    assert total < LIMIT, f"{total:,} bytes: {sizes}"


def test_the_ui_shows_a_stopped_run_as_failed(home, instance, tmp_path, monkeypatch):
    """Nobody else may record its end: `tributary ui` runs without schedules."""
    with subprocess.Popen(["true"]) as ended:
        pass
    run = dg.DagsterRun("build", status=dg.DagsterRunStatus.STARTED, tags={PID: str(ended.pid)})
    instance.run_storage.add_run(run)
    workspace = tmp_path / "workspace.yaml"
    workspace.write_text("load_from: []\n")
    monkeypatch.setattr("uvicorn.run", lambda *_, **__: None)
    monkeypatch.setattr("orchestration.webserver.end_with_success", lambda: None)
    webserver.serve(home, "127.0.0.1", 3000, [], workspace)
    assert instance.get_run_by_id(run.run_id).status == dg.DagsterRunStatus.FAILURE
