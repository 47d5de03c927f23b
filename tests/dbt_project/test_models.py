"""Run all of dbt's tests on an empty warehouse: unit tests have their own rows, data tests and contracts find none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from ingestion.home import Home
from ingestion.warehouse import connect
from tests.support.models import DBT_PROJECT, dbt


def read(path: str) -> dict:
    return YAML(typ="safe").load(DBT_PROJECT / path)


@pytest.fixture(scope="module")
def build(new_home: Callable[[str], Path]) -> str:
    """The output of `dbt build` on an empty warehouse: every model, data test and unit test."""
    home = new_home("models")
    connect(Home(home)).close()
    return dbt(home, "build")


@pytest.mark.parametrize("model", read("dbt_project.yml")["vars"]["attribution_models"])
def test_every_attribution_model_has_a_unit_test(build: str, model: str) -> None:
    assert f"PASS int_conversion_touches::{model}_credit" in build


def test_every_unit_test_passes(build: str) -> None:
    written = [
        f"{test['model']}::{test['name']}"
        for path in DBT_PROJECT.glob("models/*/*/*.yml")
        for test in YAML(typ="safe").load(path).get("unit_tests", [])
    ]
    assert written
    # dbt shortens a long name to fit its line.
    assert not [name for name in written if f"PASS {name}"[:60] not in build]


def test_no_data_test_warns_on_an_empty_warehouse(build: str) -> None:
    assert "WARN=0 ERROR=0 SKIP=0" in build
