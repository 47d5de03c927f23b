"""Kill runs and start runs at the same time: no row is lost, no run waits for a dead one, the marts are the same."""

from __future__ import annotations

import os
import re
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from tests.support.home import copy_home, differences, published, start_tributary, tributary

PUBLISH = ("run", "--select", "key:published")
HEADER = "event_id,site_id,type,occurred_at,anon_id\n"


class Started:
    """A command that runs beside the test, with its output in a file."""

    def __init__(self, home: Path, *arguments: str) -> None:
        self.log = home / f"log-{time.monotonic_ns()}"
        self.process = start_tributary(home, self.log, *arguments)

    def output(self) -> str:
        return self.log.read_text()

    def until(self, is_reached: Callable[[], object]) -> None:
        """Watch the command until it reaches a state; it must not end before."""
        while not is_reached():
            assert self.process.exitcode is None, f"the command ended too early:\n{self.output()}"
            time.sleep(0.002)

    def kill(self) -> None:
        """Kill this process, but none of its children, as the kernel does when memory runs out."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.join(10)
        assert self.process.exitcode == -signal.SIGKILL, f"the command ended before it was killed:\n{self.output()}"

    def succeeded(self) -> str:
        """Wait for the end of the command, which must succeed, and return its output."""
        self.process.join(300)
        assert self.process.exitcode == 0, self.output()
        return self.output()


def holds_lock(home: Path, started: Started, what: str) -> bool:
    """Whether a command holds the build lock for something that begins with `what`."""
    holder = (home / "build.lock").read_text()
    return f'"what": "{what}' in holder and f'"pid": {started.process.pid},' in holder


def version(home: Path) -> int:
    with published(home) as connection:
        return connection.execute("select version from meta").fetchone()[0]


def raw_rows(home: Path, table: str) -> int:
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        return connection.execute(f"select count(*) from raw.{table}").fetchone()[0]


def history(home: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the final status of each run in Dagster's history, the latest first."""
    monkeypatch.setenv("DAGSTER_HOME", str(home / "dagster"))
    with dg.DagsterInstance.get() as instance:
        return [run.status.value for run in instance.get_runs()]


def run_again(home: Path, undisturbed: Path, *command: str) -> None:
    """Run without waiting for a killed run, and publish the same as an undisturbed home."""
    assert "waiting for" not in tributary(home, *command).stdout
    assert differences(undisturbed, home) == {}
    assert not list((home / "published").glob(".new-*"))


def test_runs_killed_while_importing_and_in_dbt_are_made_good_by_the_next(filled, built, tmp_path, monkeypatch):
    home = copy_home(filled, tmp_path / "home")
    run = Started(home, "run")
    run.until(lambda: "events_2026-07-01.csv.gz (events): " in run.output())
    run.kill()
    archived = list((home / "archive/inbox/events").iterdir())
    assert 1 <= len(archived) < 3, "the kill must come between the first and the last file"

    run = Started(home, "run")
    run.until(lambda: "built int_urls" in run.output())
    run.kill()

    run_again(home, built, "run")
    assert history(home, monkeypatch) == ["SUCCESS", "FAILURE", "FAILURE"]
    assert "failed" in tributary(home, "status").stdout


def test_a_killed_publication_leaves_a_whole_version(built, tmp_path):
    home = copy_home(built, tmp_path / "home")
    marts, folder = home / "published/marts.duckdb", home / "published"
    shutil.rmtree(folder)  # all models are built and nothing is published

    run = Started(home, *PUBLISH)
    run.until((folder / ".new-1/marts.duckdb").exists)
    run.kill()
    assert "waiting for" not in run.output()
    assert not marts.exists()

    run = Started(home, *PUBLISH)
    run.until(marts.exists)
    run.kill()
    assert "waiting for" not in run.output()
    assert version(home) == 1  # durable once it has its name
    assert differences(built, home) == {}

    run = Started(home, *PUBLISH)
    run.until(lambda: (folder / ".new-2/orgs").exists() and any((folder / ".new-2/orgs").iterdir()))
    run.kill()
    assert version(home) == 1
    run_again(home, built, *PUBLISH)
    assert version(home) == 2


def test_an_import_killed_in_its_transaction_loads_all_or_nothing(new_home):
    home = new_home("import")
    rows = 300_000  # some seconds
    file = write(home / "events.csv", "e", rows)
    tributary(home, "import", "events", write(home / "first.csv", "first", 1))
    for seconds in (0.2, 0.8):  # in each of two imports
        started = Started(home, "import", "events", str(file))
        started.until(lambda started=started: holds_lock(home, started, "import"))
        time.sleep(seconds)
        started.kill()
        assert raw_rows(home, "events") in (1, rows + 1)
    output = tributary(home, "import", "events", file).stdout
    assert "waiting for" not in output
    assert f"{rows:,} received" in output
    assert raw_rows(home, "events") == rows + 1


def write(file: Path, prefix: str, rows: int) -> Path:
    file.write_text(HEADER + "".join(f"{prefix}{i},shop,PAGE_VIEW,2026-07-01T00:00:00Z,v{i}\n" for i in range(rows)))
    return file


def test_two_imports_at_once_lose_nothing(new_home):
    home = new_home("two-imports")
    files = [write(home / f"{name}.csv", name, 20_000) for name in ("one", "two")]
    both = [Started(home, "import", "events", str(file)) for file in files]
    for one in both:
        assert "20,000 received = 20,000 loaded + 0 duplicate + 0 failed" in one.succeeded()
    assert raw_rows(home, "events") == 40_000


def test_two_runs_at_once_both_succeed_and_an_import_waits_for_them(built, tmp_path):
    home = copy_home(built, tmp_path / "home")
    before = version(home)
    first = Started(home, "run", "--full-refresh")
    first.until(lambda: holds_lock(home, first, "run "))  # a build, not the check for changes before it
    second = Started(home, "run", "--full-refresh")
    import_ = Started(home, "import", "events", str(write(home / "late.csv", "late", 1)))
    output = first.succeeded()
    assert "waiting for" not in output
    assert "built touchpoints" in output  # nothing is new, and the option builds everything
    for waited in (second, import_):
        assert re.search(rf"waiting for run \w+ \(process {first.process.pid}, since 20", waited.succeeded())
    assert version(home) == before + 2
    assert raw_rows(home, "events") == 3_031
