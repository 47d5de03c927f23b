"""Fixtures of whole homes: empty, filled with a simulated fortnight, and built from it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.home import tributary

# Files of few tests that take minutes: begun first, or they are what two processes wait for in the end.
LONG = (
    "edges",
    "recovery",
    "dagster",
    "person",
    "cli",
    "marts",
    "spend_models",
    "attribution",
    "publish",
    "dagster_pulls",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, in this order; `make test` keeps it."""
    place = {f"test_{name}.py": number for number, name in enumerate(LONG)}
    items.sort(key=lambda item: place.get(item.path.name, len(place)))


@pytest.fixture(scope="session")
def new_home(tmp_path_factory) -> Callable[[str], Path]:
    """new_home(name) makes an empty home folder that has the dbt manifest already: that takes seconds."""
    prepared = tmp_path_factory.mktemp("prepared")
    subprocess.run(
        [sys.executable, "-c", "import orchestration.assets"],  # makes the manifest of the home it finds
        env={**os.environ, "TRIBUTARY_HOME": str(prepared)},
        check=True,
    )

    def make(name: str) -> Path:
        home = tmp_path_factory.mktemp(name)
        shutil.copytree(prepared / "dbt", home / "dbt")  # with its times: an outdated one is made anew
        return home

    return make


@pytest.fixture(scope="session")
def filled(new_home) -> Path:
    """A home whose inbox holds a simulated fortnight of two shops, not yet built. Copy it before changing it."""
    home = new_home("filled")
    tributary(home, "simulate", "--days", 14, "--events", 3000)
    return home


@pytest.fixture(scope="session")
def built(filled, tmp_path_factory) -> Path:
    """The same fortnight, built and published once. Copy it before changing it."""
    home = tmp_path_factory.mktemp("homes") / "built"
    shutil.copytree(filled, home, symlinks=True)
    tributary(home, "run")
    return home
