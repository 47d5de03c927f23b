"""Simulate a year of runs and ticks, and measure Dagster's history on the disk.

In: a built home (by default a new one), the share of the runs that is simulated. Out: a line for each month, and the
size of a year with all runs.

    .venv/bin/python bench/history.py
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence, Set
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import dagster as dg
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.events.log import EventLogEntry
from dagster._core.scheduler.instigation import TickData, TickStatus
from dagster._core.storage.runs.schema import RunsTable
from dagster._serdes import deserialize_value, serialize_value
from sqlalchemy import text

from ingestion.home import Home
from orchestration.instance import open_instance
from orchestration.retention import delete_old_runs, history_size

LIMIT = 2_000_000_000  # bytes of a year
KEEP_DAYS = 30
# Of a home in which events arrive all the time: every tick finds something new. A pull has fewer events than `land`.
RUNS_A_DAY = {"land": 72 + 11, "build": 24 + 12, "nightly_duplicates": 1}
SKIPPED_TICKS_A_DAY = 2 * 24 * 60 * 2  # of two sensors, each 30 seconds
SKIPPED_TICKS_DAYS = 1  # as in dagster.yaml


class Day(NamedTuple):
    """The history at the end of a simulated day."""

    number: int
    runs: int
    size: int  # bytes


class Simulation:
    """Repeat a build of a home under the clock of a simulated year."""

    def __init__(
        self, home: Home, instance: dg.DagsterInstance, assets: Mapping[str, Set[dg.AssetKey]], share: float
    ) -> None:
        """Read the last build. assets: of each job. share: of the runs and ticks of a day, such as 0.005."""
        self.home, self.instance, self.assets, self.share = home, instance, assets, share
        (self.run,) = instance.get_runs(
            dg.RunsFilter(job_name="build", statuses=[dg.DagsterRunStatus.SUCCESS]), limit=1
        )
        self.events = instance.all_logs(self.run.run_id)
        self.due = dict.fromkeys((*RUNS_A_DAY, "ticks"), 0.0)

    def days(self, count: int, keep_days: int, start: datetime) -> Iterator[Day]:
        """Yield each simulated day after its runs, ticks and deletions."""
        for number in range(count):
            now = start + timedelta(days=number)
            for job, runs in RUNS_A_DAY.items():
                for _ in range(self.take(job, runs)):
                    self.repeat(job, now)
            self.tick(now, self.take("ticks", SKIPPED_TICKS_A_DAY))
            delete_old_runs(self.home, self.instance, keep_days, lambda message: None, now)
            yield Day(number + 1, self.instance.get_runs_count(), self.size())

    def size(self) -> int:
        """Return the bytes of the history without SQLite's log, which stays below 5 MB however many runs there are."""
        with self.instance.event_log_storage.index_connection() as connection:
            connection.execute(text("pragma wal_checkpoint(truncate)"))
        return history_size(self.home)

    def take(self, what: str, a_day: float) -> int:
        """Return the whole number that is due today."""
        self.due[what] += a_day * self.share
        whole = int(self.due[what])
        self.due[what] -= whole
        return whole

    def repeat(self, job: str, now: datetime) -> None:
        """Store a run of a job at a time, with the events and the output of the last build."""
        run = self.run._replace(run_id=str(uuid.uuid4()), job_name=job)
        self.instance.run_storage.add_run(run)
        with self.instance.run_storage.connect() as connection:
            connection.execute(
                RunsTable.update()
                .where(RunsTable.c.run_id == run.run_id)
                .values(create_timestamp=now.replace(tzinfo=None))
            )
        assets = self.assets[job]
        for event in self.events:
            data = event.dagster_event.event_specific_data if event.dagster_event else None
            key = getattr(data, "asset_key", None) or (event.dagster_event and event.dagster_event.asset_key)
            if key in assets or (not key and not self.is_of_other(event, assets)):
                changed = serialize_value(event).replace(self.run.run_id, run.run_id)
                copy = deserialize_value(changed, EventLogEntry)._replace(timestamp=now.timestamp(), job_name=job)
                self.instance.event_log_storage.store_event(copy)
        output = self.home.dagster / "storage" / run.run_id / "compute_logs"
        output.mkdir(parents=True)
        (output / "steps.out").write_text("built a model in 0.1 s\n" * 200)

    def is_of_other(self, event: EventLogEntry, assets: Set[dg.AssetKey]) -> bool:
        """Return whether an event is the message or the step of an asset that a job does not build."""
        if event.dagster_event:
            return event.step_key not in (None, "models", "settings", *(key.to_python_identifier() for key in assets))
        words = event.user_message.split()
        return words[0] == "built" and words[1] not in {key.path[-1] for key in assets}

    def tick(self, now: datetime, count: int) -> None:
        """Store the skipped ticks of a day and delete older ones, as Dagster's daemon does."""
        storage, at = self.instance.schedule_storage, now.timestamp()
        for _ in range(count):
            storage.create_tick(
                TickData(
                    "origin",
                    "inbox",
                    InstigatorType.SENSOR,
                    TickStatus.SKIPPED,
                    timestamp=at,
                    end_timestamp=at,
                    selector_id="selector",
                    skip_reason="no new files in inbox/",
                )
            )
        storage.purge_ticks("origin", "selector", at - SKIPPED_TICKS_DAYS * 86_400, [TickStatus.SKIPPED])


def assets_of_jobs() -> dict[str, Set[dg.AssetKey]]:
    """Return the assets that each job builds."""
    from orchestration.definitions import defs

    return {job: defs.resolve_job_def(job).asset_layer.selected_asset_keys for job in RUNS_A_DAY}


def with_all_runs(empty: int, days: Sequence[Day], share: float) -> int:
    """Return the bytes of the history with all runs and ticks. empty: the bytes without any."""
    return round(empty + (max(day.size for day in days) - empty) / share)


def build_home(root: Path) -> None:
    """Simulate two weeks of events and build them."""
    program = Path(sys.executable).with_name("tributary")
    for arguments in (["simulate", "--days", "14", "--events", "3000"], ["run"]):
        subprocess.run(
            [program, *arguments],
            env={**os.environ, "TRIBUTARY_HOME": str(root)},
            check=True,
            stdout=subprocess.DEVNULL,
        )


def main() -> None:
    """Print the history's size at the end of each month."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, help="a built home, which is changed")
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--share", type=float, default=0.005, help="of the runs and ticks of a day")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = options.home or Path(folder) / "home"
        if not options.home:
            build_home(root)
        os.environ["TRIBUTARY_HOME"] = str(root)
        home = Home.from_environment()
        with open_instance(home) as instance:
            simulation = Simulation(home, instance, assets_of_jobs(), options.share)
            days, empty = [], simulation.size()
            print(f"{'day':>5}{'runs':>8}{'MB':>8}   of {options.share:.1%} of the runs")
            for day in simulation.days(options.days, KEEP_DAYS, datetime.now(UTC)):
                days.append(day)
                if day.number % 30 == 0 or day.number == options.days:
                    print(f"{day.number:>5}{day.runs:>8,}{day.size / 1e6:>8.1f}")
    total = with_all_runs(empty, days, options.share)
    print(f"at most {total / 1e6:,.0f} MB with all runs; the limit is {LIMIT / 1e6:,.0f} MB")
    sys.exit(total > LIMIT)


if __name__ == "__main__":
    main()
