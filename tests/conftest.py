"""Fixtures of whole homes: empty, filled with a simulated fortnight, and built from it.

pytest-xdist's workers share what takes long to make: the first worker that needs it makes it, the others wait.
"""

from __future__ import annotations

import fcntl
import gc
import os
import re
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from ingestion.home import Home
from orchestration.project import mark_parsed
from tests.support.home import FORTNIGHT, copy_home, tributary
from tests.support.models import Project, dbt

TESTS = Path(__file__).parent

# Thousands of tests and the libraries are millions of objects, and Python's own threshold is 700: collections would
# take a third of the time in which pytest collects the tests.
gc.set_threshold(50_000)

MEMORY = Path("/dev/shm")  # a file system in memory, where tests do not wait for the disk
NEEDED = 12_000_000_000  # bytes: their folders take a quarter of it at a time, the processes another


def has_memory_to_spare() -> bool:
    """Return whether this machine has enough memory for the folders of the tests."""
    with suppress(OSError):
        (kilobytes,) = re.findall(r"^MemAvailable:\s+(\d+) kB$", Path("/proc/meminfo").read_text(), re.M)
        return min(1024 * int(kilobytes), shutil.disk_usage(MEMORY).free) > NEEDED
    return False


if has_memory_to_spare():
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))

# The files that take longest, in this order: they run first, so that all workers end at about the same time. The first
# one makes the home `built` while other workers run the next two, which do not need it.
LONG = (
    "orchestration/test_dagster.py",
    "ingestion/person/test_person.py",
    "packaging/test_wheel.py",
    "orchestration/test_recovery.py",
    "orchestration/test_changes.py",
    "dbt_project/test_edges.py",
    "cli/test_cli.py",
    "cli/test_stop.py",
    "serving/publishing/test_publish.py",
    "dbt_project/test_marts.py",
    "tracker/test_tracker.py",
    "ingestion/files/test_load.py",
    "ingestion/spend/test_pulls.py",
    "cli/test_rebuild.py",
    "ingestion/files/test_layouts.py",
    "dbt_project/test_real_data.py",
    "cli/test_full_disk.py",
    "cli/test_pull.py",
    "dbt_project/test_spend_models.py",
    "dbt_project/test_attribution.py",
    "dbt_project/test_portability.py",
    "dbt_project/test_models.py",
    "orchestration/test_web_guard.py",
    "orchestration/test_history.py",
    "connectors/test_every_platform.py",
    "dbt_project/test_collected_rules.py",
    "dbt_project/test_touchpoints.py",
    "ingestion/collector/test_fuzz.py",
    "ingestion/collector/test_crash.py",
    "ingestion/collector/test_collector.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the files of LONG first; `make test` keeps this order."""
    place = {TESTS / name: number for number, name in enumerate(LONG)}
    items.sort(key=lambda item: place.get(item.path, len(place)))


@pytest.fixture(scope="session")
def made_once(tmp_path_factory) -> Callable[[str, Callable[[Path], object]], Path]:
    """made_once(name, make) returns a folder that make(folder) filled, once for all workers."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent

    def folder_of(name: str, make: Callable[[Path], object]) -> Path:
        folder, finished = shared / name, shared / f"{name}.finished"
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not finished.exists():
                shutil.rmtree(folder, ignore_errors=True)  # of a worker that failed
                folder.mkdir()
                make(folder)
                finished.touch()
        return folder

    return folder_of


@pytest.fixture(scope="session")
def new_home(made_once, tmp_path_factory) -> Callable[[str], Path]:
    """new_home(name) makes an empty home folder that holds the dbt project as dbt parsed it, which takes seconds."""

    def parse(home: Path) -> None:
        dbt(home, "parse")
        mark_parsed(Home(home))  # so that Tributary does not parse it again

    parsed = made_once("parsed", parse)

    def make(name: str) -> Path:
        home = tmp_path_factory.mktemp(name)
        shutil.copytree(parsed / "dbt", home / "dbt")
        return home

    return make


@pytest.fixture(scope="session")
def project(made_once, new_home) -> Project:
    """The dbt project, whose models it builds in other homes within seconds."""

    def build(home: Path) -> None:
        shutil.copytree(new_home("project") / "dbt", home / "dbt")
        Project.build_empty(home)

    return Project(made_once("project", build))


@pytest.fixture(scope="session")
def filled(made_once, new_home) -> Path:
    """A home with an inbox that has a simulated fortnight of two shops, not yet built. Copy it before changing it."""

    def simulate(home: Path) -> None:
        shutil.copytree(new_home("filled") / "dbt", home / "dbt")
        tributary(home, *FORTNIGHT)

    return made_once("filled", simulate)


@pytest.fixture(scope="session")
def built(made_once, filled) -> Path:
    """The same fortnight, built and published once by `tributary run`. Copy it before changing it."""

    def run(home: Path) -> None:
        copy_home(filled, home)
        tributary(home, "run")

    return made_once("built", run)
