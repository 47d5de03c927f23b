"""dbt's own tests on an empty warehouse: its unit tests bring their rows, its data tests and contracts meet none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from ingestion.home import Home
from ingestion.warehouse import connect
from tests.support.home import ROOT

DBT_PROJECT = ROOT / "dbt_project"


def read(path: str) -> dict:
    return YAML(typ="safe").load(DBT_PROJECT / path)


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What `dbt build` says of every model and test."""
    home = Home(tmp_path_factory.mktemp("models"))
    home.temporary.mkdir()
    connect(home).close()
    done = subprocess.run(
        [Path(sys.executable).with_name("dbt"), "--no-use-colors", "build", "--profiles-dir", "."],
        cwd=DBT_PROJECT,
        env={
            **os.environ,
            "TRIBUTARY_WAREHOUSE": str(home.warehouse),
            "TRIBUTARY_TEMPORARY": str(home.temporary),
            "TRIBUTARY_MEMORY_LIMIT": "2GB",
            "DBT_TARGET_PATH": str(home.root / "dbt"),
            "DBT_LOG_PATH": str(home.root / "dbt"),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.parametrize("model", read("dbt_project.yml")["vars"]["attribution_models"])
def test_every_attribution_model_has_a_unit_test(build: str, model: str) -> None:
    assert f"PASS conversion_touches::{model}_credit" in build


def test_every_unit_test_ran(build: str) -> None:
    written = [
        f"{test['model']}::{test['name']}"
        for path in DBT_PROJECT.glob("models/*/*/*.yml")
        for test in YAML(typ="safe").load(path).get("unit_tests", [])
    ]
    assert written
    # dbt shortens a long name to fit its line
    assert not [name for name in written if f"PASS {name}"[:60] not in build]


def test_nothing_warns_where_there_is_nothing(build: str) -> None:
    assert "WARN=0 ERROR=0 SKIP=0" in build
